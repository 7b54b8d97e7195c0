/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a device of a host is free to be given to a guest.
 *
 * Who gets a device gets all that is below it in the tree of devices: the network card of a USB adapter,
 * the disks of a controller.  With a network card its virtual functions go, too.  So the device is free if
 * nobody has one of these, and nobody has what it is itself a part of.
 */
#include "hostdev.h"

#include "device.h"
#include "error.h"
#include "use.h"

#include <string.h>

typedef struct {
  VirfsVm *vm; /* that wants it; NULL: it is to go */
  VirfsHost *host;
  const VirfsHostInfo *info; /* of HOST */
  const VirfsNodeDeviceInfo *device;
  gboolean defined; /* guests that do not run count, too */
} Check;

/* Relatives. */

static gboolean
is_part_of (const VirfsNodeDeviceInfo *device, const VirfsNodeDeviceInfo *whole)
{
  return g_strcmp0 (device->parent, whole->part.name) == 0
         || g_strcmp0 (device->physical_function, whole->part.name) == 0;
}

/* The device and all that goes with it, borrowed; the caller owns the array.  What hosts say may go in
 * circles. */
static GPtrArray *
find_parts (const Check *check)
{
  GPtrArray *devices = check->info->parts[VIRFS_HOST_DEVICES];
  GPtrArray *parts = g_ptr_array_new ();

  g_ptr_array_add (parts, (gpointer) check->device);
  for (guint i = 0; i < parts->len; i++)
    for (guint j = 0; devices && j < devices->len; j++)
      if (is_part_of (devices->pdata[j], parts->pdata[i])
          && !g_ptr_array_find (parts, devices->pdata[j], NULL))
        g_ptr_array_add (parts, devices->pdata[j]);
  return parts;
}

static void
add_named (GPtrArray *wholes, GPtrArray *devices, const char *name)
{
  gpointer whole = name ? virfs_part_list_find (devices, name) : NULL;

  if (whole != NULL && !g_ptr_array_find (wholes, whole, NULL))
    g_ptr_array_add (wholes, whole);
}

/* What it is a part of, likewise; itself first. */
static GPtrArray *
find_wholes (const Check *check)
{
  GPtrArray *devices = check->info->parts[VIRFS_HOST_DEVICES];
  GPtrArray *wholes = g_ptr_array_new ();

  g_ptr_array_add (wholes, (gpointer) check->device);
  for (guint i = 0; i < wholes->len; i++) {
    const VirfsNodeDeviceInfo *device = wholes->pdata[i];

    add_named (wholes, devices, device->parent);
    add_named (wholes, devices, device->physical_function);
  }
  return wholes;
}

/* Guests. */

typedef struct {
  VirfsVm *vm;
  const VirfsNodeDeviceInfo *device;
  gboolean own;     /* whether VM itself counts */
  gboolean defined; /* and guests that do not run */
  char *user;       /* NULL: nobody */
} Search;

static void
look_at (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Search *search = data;
  gboolean own = vm == search->vm;
  const VirfsPartInfo *found = NULL;

  if (search->user == NULL && (!own || search->own))
    found = virfs_vm_has_device (info, search->device, !own && !search->defined);
  if (found != NULL)
    search->user
      = g_strdup_printf ("vms/%s/%s/%s", info->label, found->class->directory, found->name);
}

/* The guest that has it, as in vms/web/hostdevs/gpu; the caller owns it. */
static char *
find_user (const Check *check, const VirfsNodeDeviceInfo *device, gboolean own)
{
  Search search = { check->vm, device, own, check->defined, NULL };

  virfs_infra_foreach_vm (check->host->object.infra, check->host, look_at, &search);
  return search.user;
}

/* That no guest has one of RELATIVES, of which the first is the device itself; HOW the others are
 * related to it, as in `which is a part of`. */
static gboolean
check_guests (const Check *check, GPtrArray *relatives, const char *how, GError **error)
{
  for (guint i = 0; i < relatives->len; i++) {
    const VirfsNodeDeviceInfo *device = relatives->pdata[i];
    g_autofree char *user = find_user (check, device, TRUE);

    if (user == NULL)
      continue;
    if (i == 0)
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s has %s%s", user, device->part.name,
                   check->vm ? " already" : "");
    else
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s has %s, %s %s", user,
                   device->part.name, how, check->device->part.name);
    return FALSE;
  }
  return TRUE;
}

/* Of the devices that go with it only. */
static gboolean
check_group (const Check *check, GError **error)
{
  const VirfsNodeDeviceInfo *device = check->device;
  g_auto (GStrv) names = g_strsplit (device->iommu_devices ? device->iommu_devices : "", "\n", -1);

  for (char **name = names; *name; name++) {
    const VirfsNodeDeviceInfo *other
      = virfs_part_list_find (check->info->parts[VIRFS_HOST_DEVICES], *name);
    g_autofree char *user = other ? find_user (check, other, FALSE) : NULL;

    if (user == NULL)
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "%s goes with %s, which %s has: an IOMMU group is one guest's", device->part.name,
                 *name, user);
    return FALSE;
  }
  return TRUE;
}

/* Network cards of the host. */

/* The network of the host that is active and goes out by the interface NAME; NULL: none. */
static const char *
find_network (const VirfsHostInfo *info, const char *name)
{
  GPtrArray *networks = info->parts[VIRFS_HOST_NETWORKS];

  for (guint i = 0; networks && i < networks->len; i++) {
    const VirfsNetworkInfo *network = networks->pdata[i];
    g_auto (GStrv) devices = g_strsplit (network->dev ? network->dev : "", " ", -1);

    if (network->active && g_strv_contains ((const char *const *) devices, name))
      return network->part.name;
  }
  return NULL;
}

/* What the host does with its interface CARD; the caller owns it, NULL: nothing.  Its libvirt may know
 * interfaces, or only what their links were when it told of the card. */
static char *
use_of_card (const VirfsHostInfo *info, const VirfsNodeDeviceInfo *card)
{
  const VirfsInterfaceInfo *interface = virfs_part_list_find (info->parts[VIRFS_HOST_INTERFACES],
                                                              card->interface);
  const char *state = interface && interface->state ? interface->state : card->link;
  const char *network = find_network (info, card->interface);

  if (network != NULL)
    return g_strdup_printf ("%s of the host, by which its network %s goes out", card->interface,
                            network);
  if (interface != NULL && interface->master != NULL)
    return g_strdup_printf ("%s of the host, which is in %s", card->interface, interface->master);
  if (g_strcmp0 (state, VIRFS_INTERFACE_DOWN) == 0)
    return NULL;
  if (state == NULL || strcmp (state, "unknown") == 0)
    return g_strdup_printf ("%s of the host, of which is not known that it is down",
                            card->interface);
  return g_strdup_printf ("%s of the host, which is up", card->interface);
}

/* Disks of the host. */

typedef struct {
  VirfsHost *host;
  char **names; /* of the disk in /dev */
} Disk;

/* As in sda2 of sda, nvme0n1p2 of nvme0n1, NAME-part2 of NAME. */
static gboolean
is_partition (const char *rest)
{
  const char *number = *rest == 'p' ? rest + 1 : rest;

  if (g_str_has_prefix (rest, "-part"))
    number = rest + strlen ("-part");
  return *number != '\0' && number[strspn (number, G_CSET_DIGITS)] == '\0';
}

static gboolean
is_of_disk (const char *path, gpointer data)
{
  const Disk *disk = data;

  for (char **name = disk->names; *name; name++) {
    gsize length = strlen (*name);

    if (strncmp (path, *name, length) == 0
        && (path[length] == '\0' || is_partition (path + length)))
      return TRUE;
  }
  return FALSE;
}

static const VirfsPoolInfo *
find_pool (const VirfsHostInfo *info, Disk *disk)
{
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];

  for (guint i = 0; pools && i < pools->len; i++) {
    const VirfsPoolInfo *pool = pools->pdata[i];
    g_auto (GStrv) sources = g_strsplit (pool->source ? pool->source : "", " ", -1);

    for (char **source = sources; *source; source++)
      if (!pool->part.draft && is_of_disk (*source, disk))
        return pool;
  }
  return NULL;
}

/* The guest that runs with it as a disk; the caller owns it, NULL: none. */
static char *
find_disk_user (Disk *disk)
{
  VirfsInfra *infra = disk->host->object.infra;
  g_autoptr (GPtrArray) users = virfs_path_users (disk->host, is_of_disk, disk);
  const VirfsUser *user = virfs_users_active (infra, users);

  return user ? g_strdup_printf ("%s/disks/%s", user->path, user->target) : NULL;
}

static char *
use_of_disk (VirfsHost *host, const VirfsHostInfo *info, const VirfsNodeDeviceInfo *storage)
{
  const VirfsBackend *backend = virfs_infra_backend (host->object.infra);
  g_autofree char *all
    = g_strconcat (storage->node, "\n", storage->links ? storage->links : "", NULL);
  g_auto (GStrv) names = g_strsplit (g_strchomp (all), "\n", -1);
  Disk disk = { host, names };
  const VirfsPoolInfo *pool = find_pool (info, &disk);
  g_autofree char *guest = find_disk_user (&disk);
  g_autofree char *use = backend->host_uses ? backend->host_uses (host, storage->node) : NULL;

  if (pool != NULL)
    return g_strdup_printf ("%s of the host, which hosts/%s/pools/%s is made of", storage->node,
                            host->name, pool->part.name);
  if (guest != NULL)
    return g_strdup_printf ("%s of the host, which is %s", storage->node, guest);
  return use ? g_strdup_printf ("%s of the host, which %s", storage->node, use) : NULL;
}

/* That the host itself needs none of PARTS. */
static gboolean
check_host (const Check *check, GPtrArray *parts, GError **error)
{
  for (guint i = 0; i < parts->len; i++) {
    const VirfsNodeDeviceInfo *part = parts->pdata[i];
    g_autofree char *use = NULL;

    if (part->interface != NULL)
      use = use_of_card (check->info, part);
    else if (part->node != NULL && g_strcmp0 (part->type, "storage") == 0)
      use = use_of_disk (check->host, check->info, part);
    if (use == NULL)
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s is %s; end that there first%s",
                 check->device->part.name, use,
                 check->vm ? ", or write force behind the name" : "");
    return FALSE;
  }
  return TRUE;
}

gboolean
virfs_hostdev_check_free (VirfsVm *vm, VirfsHost *host, const VirfsNodeDeviceInfo *device,
                          gboolean force, GError **error)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  const Check check = { vm, host, info, device, FALSE };
  g_autoptr (GPtrArray) parts = find_parts (&check);
  g_autoptr (GPtrArray) wholes = find_wholes (&check);

  return check_guests (&check, parts, "which is a part of", error)
         && check_guests (&check, wholes, "which has as a part", error)
         && check_group (&check, error) && (force || check_host (&check, parts, error));
}

gboolean
virfs_node_device_check_unused (VirfsHost *host, const VirfsNodeDeviceInfo *device,
                                gboolean defined, GError **error)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  const Check check = { NULL, host, info, device, defined };
  g_autoptr (GPtrArray) parts = find_parts (&check);

  return check_guests (&check, parts, "which is a part of", error)
         && check_host (&check, parts, error);
}
