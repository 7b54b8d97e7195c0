/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/devices/<device>/used_by/: links to the guests that have the device, now or at their next start. */
#include "hostdev_use.h"

#define LINK "/hosts/<host>/devices/<device>/used_by/<vm>"

typedef struct {
  VirfsListing *listing;
  const VirfsNodeDeviceInfo *device;
} Listed;

static void
add_user (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  const Listed *listed = data;

  if (virfs_vm_has_device (info, listed->device, FALSE) != NULL)
    virfs_listing_add (listed->listing, info->label, virfs_inode_at (&virfs_vm_class, vm, LINK),
                       S_IFLNK);
}

static void
list_users (const VirfsNode *dir, VirfsListing *listing)
{
  const VirfsPart *device = dir->object;
  Listed listed = { listing, dir->snapshot };

  virfs_infra_foreach_vm (virfs_node_infra (dir), (VirfsHost *) device->owner, add_user, &listed);
}

static guint64
find_user (const VirfsNode *dir, const char *name)
{
  const VirfsPart *device = dir->object;
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);
  g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

  if (info == NULL || &info->host->object != device->owner
      || virfs_vm_has_device (info, dir->snapshot, FALSE) == NULL)
    return 0;
  return virfs_inode_at (&virfs_vm_class, vm, LINK);
}

const VirfsDir virfs_hostdev_users_dir = { .list = list_users, .find = find_user };
