/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/networks/<network>/used_by/: links to the guests that have a NIC in the network. */
#include "network_use.h"

#include <string.h>

#define LINK "/hosts/<host>/networks/<network>/used_by/<vm>"

static gboolean
uses (const VirfsVmInfo *info, const char *network, gboolean live)
{
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];

  for (guint i = 0; nics && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    if (!nic->part.draft && (nic->live || !live) && g_strcmp0 (nic->network, network) == 0)
      return TRUE;
  }
  return FALSE;
}

typedef struct {
  VirfsListing *listing;
  const char *network;
} Listed;

static void
add_user (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  const Listed *listed = data;

  if (uses (info, listed->network, FALSE))
    virfs_listing_add (listed->listing, info->label, virfs_inode_at (&virfs_vm_class, vm, LINK),
                       S_IFLNK);
}

static void
list_users (const VirfsNode *dir, VirfsListing *listing)
{
  const VirfsPart *network = dir->object;
  Listed listed = { listing, network->name };

  virfs_infra_foreach_vm (virfs_node_infra (dir), (VirfsHost *) network->owner, add_user, &listed);
}

static guint64
find_user (const VirfsNode *dir, const char *name)
{
  const VirfsPart *network = dir->object;
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);
  g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

  if (info == NULL || &info->host->object != network->owner || !uses (info, network->name, FALSE))
    return 0;
  return virfs_inode_at (&virfs_vm_class, vm, LINK);
}

const VirfsDir virfs_network_users_dir = { .list = list_users, .find = find_user };

typedef struct {
  const char *network;
  char *user;
} Search;

static void
look_at (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Search *search = data;

  if (search->user == NULL && uses (info, search->network, TRUE))
    search->user = g_strconcat ("vms/", info->label, NULL);
}

char *
virfs_network_live_user (VirfsPart *network)
{
  Search search = { network->name, NULL };

  virfs_infra_foreach_vm (network->object.infra, (VirfsHost *) network->owner, look_at, &search);
  return search.user;
}
