/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks and NICs of the fake's guests: they come, change and go at once. */
#include "fake.h"

#include "device.h"
#include "disk_move.h"
#include "error.h"
#include "hostdev.h"

#include <string.h>

typedef struct {
  VirfsPart *device;
  const VirfsDeviceSetting *setting; /* NULL: it comes or goes */
  gconstpointer wanted;              /* NULL: it goes */
  gboolean live;                     /* the guest runs */
} Change;

/* What of the sources that anybody could think of there is. */
static gboolean
has_source (const char *source)
{
  return source == NULL || g_str_has_prefix (source, "/images/")
         || g_str_has_prefix (source, "/dev/disk/") || g_str_equal (source, "default/disk.qcow2");
}

static gpointer
make_device (const Change *change)
{
  VirfsPartInfo *info = virfs_part_info_copy (change->wanted);
  VirfsDiskInfo *disk = (VirfsDiskInfo *) info;
  VirfsHostdevInfo *hostdev = (VirfsHostdevInfo *) info;

  info->draft = FALSE;
  if (info->class == &virfs_disk_class) {
    disk->live = disk->persistent = TRUE;
    if (disk->source == NULL && disk->size != 0) {
      virfs_ref_string_set (&disk->source, "/images/new.qcow2");
      disk->allocation = 1 << 20;
    }
  }
  if (info->class == &virfs_nic_class && ((VirfsNicInfo *) info)->vf != NULL)
    ((VirfsNicInfo *) info)->live = change->live;
  if (info->class == &virfs_hostdev_class) {
    hostdev->live = change->live;
    hostdev->persistent = TRUE;
  }
  return info;
}

static gpointer
set_device (const VirfsPartInfo *info, const VirfsDeviceSetting *setting)
{
  VirfsPartInfo *copy = virfs_part_info_copy (info);

  virfs_part_info_set (copy, setting->member, setting->number, setting->text);
  return copy;
}

static void
apply (VirfsVmInfo *info, gpointer data)
{
  Change *change = data;
  VirfsVmPart part = virfs_vm_part (change->device->class);
  GPtrArray *old = info->parts[part], *list = virfs_part_list_new ();

  change->live = virfs_vm_state_active (info->state);
  for (guint i = 0; old && i < old->len; i++) {
    VirfsPartInfo *device = old->pdata[i];

    if (strcmp (device->name, change->device->name) != 0)
      g_ptr_array_add (list, virfs_part_info_ref (device));
    else if (change->setting != NULL)
      g_ptr_array_add (list, set_device (device, change->setting));
  }
  if (change->wanted != NULL)
    g_ptr_array_add (list, make_device (change));
  virfs_part_list_sort (list);
  virfs_part_lists_set (info->parts, part, list);
}

static void
carry_out (const Change *change, const char *source, VirfsJob *job)
{
  VirfsVm *vm = (VirfsVm *) virfs_part_root (change->device);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  GError *error = NULL;

  if (!virfs_fake_begin (info->host, job))
    return;
  if (has_source (source))
    virfs_infra_edit_vm (vm->object.infra, info->host, info->uuid, apply, (gpointer) change);
  else
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no %s", source);
  virfs_job_finish (job, error);
}

void
virfs_fake_attach (VirfsPart *draft, gconstpointer wanted, VirfsJob *job)
{
  const VirfsDiskInfo *disk = draft->class == &virfs_disk_class ? wanted : NULL;

  carry_out (&(Change){ .device = draft, .wanted = wanted }, disk ? disk->source : NULL, job);
}

void
virfs_fake_detach (VirfsPart *device, VirfsJob *job)
{
  carry_out (&(Change){ .device = device }, NULL, job);
}

void
virfs_fake_set_device (VirfsPart *device, const VirfsDeviceSetting *setting, VirfsJob *job)
{
  gboolean is_source = device->class == &virfs_disk_class
                       && setting->member == G_STRUCT_OFFSET (VirfsDiskInfo, source);

  carry_out (&(Change){ .device = device, .setting = setting }, is_source ? setting->text : NULL,
             job);
}

/* Moving: a disk is in POOL then, under its own name. */

typedef struct {
  const char *disk, *pool;
} Move;

static void
move_disks (VirfsVmInfo *info, gpointer data)
{
  const Move *move = data;
  GPtrArray *old = info->parts[VIRFS_VM_DISKS], *list = virfs_part_list_new ();

  for (guint i = 0; old && i < old->len; i++) {
    VirfsDiskInfo *disk = virfs_part_info_copy (old->pdata[i]);
    g_autofree char *source = g_strdup_printf ("%s/%s", move->pool, disk->part.name);

    if (move->disk ? g_str_equal (disk->part.name, move->disk) : virfs_move_comes_along (disk)) {
      virfs_ref_string_set (&disk->source, source);
      virfs_ref_string_set (&disk->pool, move->pool);
    }
    g_ptr_array_add (list, disk);
  }
  virfs_part_list_sort (list);
  virfs_part_lists_set (info->parts, VIRFS_VM_DISKS, list);
}

void
virfs_fake_disks_move (VirfsVm *vm, const char *disk, const char *pool, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  Move move = { disk, pool };

  if (!virfs_fake_begin (info->host, job))
    return;
  virfs_infra_edit_vm (vm->object.infra, info->host, info->uuid, move_disks, &move);
  virfs_job_finish (job, NULL);
}
