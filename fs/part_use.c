/* SPDX-License-Identifier: GPL-2.0-or-later */
/* used_by/ of networks and devices of hosts: links to the guests that have them. */
#include "part_use.h"

#include <string.h>

static gboolean
has_network (const VirfsVmInfo *vm, const VirfsPartInfo *network, gboolean live)
{
  GPtrArray *nics = vm->parts[VIRFS_VM_NICS];

  for (guint i = 0; nics && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    if (!nic->part.draft && (nic->live || !live) && g_strcmp0 (nic->network, network->name) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
has_device (const VirfsVmInfo *vm, const VirfsPartInfo *device, gboolean live)
{
  return virfs_vm_has_device (vm, (const VirfsNodeDeviceInfo *) device, live) != NULL;
}

static const struct Use {
  const VirfsPartClass *class;
  const char *link; /* the row of guests */
  /* LIVE: as it runs. */
  gboolean (*has) (const VirfsVmInfo *vm, const VirfsPartInfo *part, gboolean live);
} uses[] = {
  { &virfs_network_class, "/hosts/<host>/networks/<network>/used_by/<vm>", has_network },
  { &virfs_node_device_class, "/hosts/<host>/devices/<device>/used_by/<vm>", has_device },
};

static const struct Use *
use_of (const VirfsPartInfo *part)
{
  guint i = 0;

  while (uses[i].class != part->class)
    i++;
  return &uses[i];
}

typedef struct {
  VirfsListing *listing;
  const VirfsPartInfo *part;
} Listed;

static void
add_user (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  const Listed *listed = data;
  const struct Use *use = use_of (listed->part);

  if (use->has (info, listed->part, FALSE))
    virfs_listing_add (listed->listing, info->label,
                       virfs_inode_at (&virfs_vm_class, vm, use->link), S_IFLNK);
}

static void
list_users (const VirfsNode *dir, VirfsListing *listing)
{
  const VirfsPart *part = dir->object;
  Listed listed = { listing, dir->snapshot };

  virfs_infra_foreach_vm (virfs_node_infra (dir), (VirfsHost *) part->owner, add_user, &listed);
}

static guint64
find_user (const VirfsNode *dir, const char *name)
{
  const VirfsPart *part = dir->object;
  const struct Use *use = use_of (dir->snapshot);
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);
  g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

  if (info == NULL || &info->host->object != part->owner || !use->has (info, dir->snapshot, FALSE))
    return 0;
  return virfs_inode_at (&virfs_vm_class, vm, use->link);
}

const VirfsDir virfs_part_users_dir = { .list = list_users, .find = find_user };

typedef struct {
  const VirfsPartInfo *network;
  char *user;
} Search;

static void
look_at (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Search *search = data;

  if (search->user == NULL && has_network (info, search->network, TRUE))
    search->user = g_strconcat ("vms/", info->label, NULL);
}

char *
virfs_network_live_user (VirfsPart *network)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (network);
  Search search = { info, NULL };

  virfs_infra_foreach_vm (network->object.infra, (VirfsHost *) network->owner, look_at, &search);
  return search.user;
}
