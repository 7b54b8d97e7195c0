/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * by/: guests by what they are.  Nothing is kept for these directories: each guest has one link for
 * each of them among its rows, and a directory shows the links of those guests that belong there.
 */
#include "classes.h"

#define STATE_LINK "/by/state/<state>/<vm>"
#define HOST_LINK  "/by/host/<host>/<vm>"
#define UUID_LINK  "/by/uuid/<uuid>"

/* by/state/<state>/ */

typedef struct {
  VirfsListing *listing;
  VirfsVmState state;
} InState;

static void
add_in_state (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  InState *in = data;

  if (info->state == in->state)
    virfs_listing_add (in->listing, info->label, virfs_inode_at (&virfs_vm_class, vm, STATE_LINK),
                       S_IFLNK);
}

static void
list_state (const VirfsNode *dir, VirfsListing *listing)
{
  InState in = { listing, (VirfsVmState) dir->row->offset };

  virfs_infra_foreach_vm (virfs_node_infra (dir), NULL, add_in_state, &in);
}

static guint64
find_in_state (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);
  g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

  if (info == NULL || info->state != (VirfsVmState) dir->row->offset)
    return 0;
  return virfs_inode_at (&virfs_vm_class, vm, STATE_LINK);
}

const VirfsDir virfs_by_state_dir = { .list = list_state, .find = find_in_state };

/* by/host/ and by/host/<host>/ */

static void
add_host (VirfsHost *host, const VirfsHostInfo *info, gpointer listing)
{
  virfs_listing_add (listing, host->name,
                     virfs_inode_at (&virfs_host_class, host, "/by/host/<host>"), S_IFDIR);
}

static void
list_hosts (const VirfsNode *dir, VirfsListing *listing)
{
  virfs_infra_foreach_host (virfs_node_infra (dir), add_host, listing);
}

static guint64
find_host (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (virfs_node_infra (dir), name);

  return host ? virfs_inode_at (&virfs_host_class, host, "/by/host/<host>") : 0;
}

const VirfsDir virfs_by_host_dir = { .list = list_hosts, .find = find_host };

/* by/uuid/ */

static void
add_uuid (VirfsVm *vm, const VirfsVmInfo *info, gpointer listing)
{
  /* of guests that share a UUID, the one that is most alive has it */
  if (!vm->twin)
    virfs_listing_add (listing, vm->uuid, virfs_inode_at (&virfs_vm_class, vm, UUID_LINK), S_IFLNK);
}

static void
list_uuids (const VirfsNode *dir, VirfsListing *listing)
{
  virfs_infra_foreach_vm (virfs_node_infra (dir), NULL, add_uuid, listing);
}

static guint64
find_uuid (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (virfs_node_infra (dir), name);

  return vm ? virfs_inode_at (&virfs_vm_class, vm, UUID_LINK) : 0;
}

const VirfsDir virfs_by_uuid_dir = { .list = list_uuids, .find = find_uuid };
