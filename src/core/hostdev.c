/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of host devices of guests, and who has which. */
#include "hostdev.h"

#include "device.h"
#include "error.h"

#include <string.h>

#define MEMBER(member, type, field) VIRFS_MEMBER (VirfsHostdevInfo, member, type, field)

static const VirfsMember members[] = {
  MEMBER (type, WORD, CONFIG), MEMBER (address, TEXT, CONFIG),   MEMBER (id, TEXT, CONFIG),
  MEMBER (live, BOOL, STATE),  MEMBER (persistent, BOOL, STATE),
};

const VirfsPartClass virfs_hostdev_class = {
  .kind = VIRFS_KIND_HOSTDEV,
  .directory = "hostdevs",
  .size = sizeof (VirfsHostdevInfo),
  .members = members,
  .n_members = G_N_ELEMENTS (members),
};

gboolean
virfs_hostdev_is (const VirfsHostdevInfo *hostdev, const VirfsNodeDeviceInfo *device)
{
  const char *kind = virfs_node_device_kind (device, NULL);

  if (kind == NULL || g_strcmp0 (hostdev->type, kind) != 0)
    return FALSE;
  if (hostdev->address != NULL)
    return strcmp (hostdev->address, device->address) == 0;
  return hostdev->id != NULL && g_strcmp0 (hostdev->id, device->id) == 0;
}

const VirfsNodeDeviceInfo *
virfs_hostdev_device (const VirfsHostdevInfo *hostdev, const VirfsHostInfo *host)
{
  GPtrArray *devices = host->parts[VIRFS_HOST_DEVICES];

  for (guint i = 0; devices && i < devices->len; i++)
    if (virfs_hostdev_is (hostdev, devices->pdata[i]))
      return devices->pdata[i];
  return NULL;
}

/* Where a USB device is changes whenever it is plugged in; what it is does not. */
static gboolean
is_only_one (const VirfsNodeDeviceInfo *device, const VirfsHostInfo *host)
{
  GPtrArray *devices = host->parts[VIRFS_HOST_DEVICES];
  guint n = 0;

  for (guint i = 0; devices && i < devices->len; i++) {
    const VirfsNodeDeviceInfo *other = devices->pdata[i];

    n += g_strcmp0 (other->type, device->type) == 0 && g_strcmp0 (other->id, device->id) == 0;
  }
  return n == 1;
}

gboolean
virfs_hostdev_take (VirfsHostdevInfo *hostdev, const VirfsNodeDeviceInfo *device,
                    const VirfsHostInfo *host, GError **error)
{
  const char *why;
  const char *kind = virfs_node_device_kind (device, &why);
  gboolean usb = g_strcmp0 (kind, "usb") == 0;

  if (kind == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "no guest can have %s: %s",
                 device->part.name, why);
    return FALSE;
  }
  hostdev->type = kind;
  virfs_ref_string_set (&hostdev->id, usb ? device->id : NULL);
  virfs_ref_string_set (&hostdev->address,
                        usb && is_only_one (device, host) ? NULL : device->address);
  return TRUE;
}

/* Who has it. */

static const VirfsPartInfo *
find_nic (const VirfsVmInfo *vm, const VirfsNodeDeviceInfo *device, gboolean live)
{
  GPtrArray *list = vm->parts[VIRFS_VM_NICS];

  if (g_strcmp0 (device->type, "pci") != 0)
    return NULL;
  for (guint i = 0; list && i < list->len; i++) {
    const VirfsNicInfo *nic = list->pdata[i];

    if (!nic->part.draft && (nic->live || !live) && nic->vf != NULL
        && g_strcmp0 (nic->vf, device->address) == 0)
      return &nic->part;
  }
  return NULL;
}

const VirfsPartInfo *
virfs_vm_has_device (const VirfsVmInfo *vm, const VirfsNodeDeviceInfo *device, gboolean live)
{
  GPtrArray *list = vm->parts[VIRFS_VM_HOSTDEVS];

  for (guint i = 0; list && i < list->len; i++) {
    const VirfsHostdevInfo *hostdev = list->pdata[i];

    if (!hostdev->part.draft && (hostdev->live || !live) && virfs_hostdev_is (hostdev, device))
      return &hostdev->part;
  }
  return find_nic (vm, device, live);
}

/* Moving. */

static gboolean
check_one (const VirfsHostdevInfo *hostdev, const char *name, const VirfsHostInfo *host,
           GError **error)
{
  if (hostdev->live) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "it runs with a device of its host: give back hostdevs/%s (rmdir), or shut it off",
                 hostdev->part.name);
    return FALSE;
  }
  if (host->parts[VIRFS_HOST_DEVICES] == NULL || virfs_hostdev_device (hostdev, host) != NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND,
               "%s has no device like its hostdevs/%s (%s %s)", name, hostdev->part.name,
               hostdev->type, hostdev->address ? hostdev->address : hostdev->id);
  return FALSE;
}

/* One that is in a team is taken away, and comes back, by the hypervisor. */
static gboolean
check_nics (const VirfsVmInfo *vm, GError **error)
{
  GPtrArray *list = vm->parts[VIRFS_VM_NICS];

  for (guint i = 0; list && i < list->len; i++) {
    const VirfsNicInfo *nic = list->pdata[i];

    if (nic->part.draft || !nic->live || nic->vf == NULL || nic->team != NULL)
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "nics/%s is a card of its host: give that back (rmdir), or put it into a team",
                 nic->part.name);
    return FALSE;
  }
  return TRUE;
}

gboolean
virfs_hostdev_check_move (const VirfsVmInfo *vm, const char *name, const VirfsHostInfo *host,
                          GError **error)
{
  GPtrArray *list = vm->parts[VIRFS_VM_HOSTDEVS];

  for (guint i = 0; list && i < list->len; i++) {
    const VirfsHostdevInfo *hostdev = list->pdata[i];

    if (!hostdev->part.draft && !check_one (hostdev, name, host, error))
      return FALSE;
  }
  return check_nics (vm, error);
}
