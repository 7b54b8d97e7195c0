/* SPDX-License-Identifier: GPL-2.0-or-later */
/* networks/<network>/used_by/ and pools/<pool>/used_by/: links to the guests that use it, of all hosts. */
#include "fleet_class.h"

#include "part_class.h"
#include "use.h"

static guint64
link_to (const VirfsPart *part, VirfsVm *vm)
{
  return virfs_inode_at (&virfs_vm_class, vm,
                         part->class == &virfs_fleet_pool_class
                           ? "/pools/<pool>/used_by/<vm>"
                           : "/networks/<network>/used_by/<vm>");
}

static void
list (const VirfsNode *dir, VirfsListing *listing)
{
  const VirfsPart *part = dir->object;
  g_autoptr (GPtrArray) users = virfs_fleet_users (virfs_node_infra (dir), part->class, part->name);

  for (guint i = 0; i < users->len; i++) {
    g_autoptr (VirfsVmInfo) info = virfs_vm_info (users->pdata[i]);

    if (info->label != NULL)
      virfs_listing_add (listing, info->label, link_to (part, users->pdata[i]), S_IFLNK);
  }
}

static guint64
find (const VirfsNode *dir, const char *name)
{
  const VirfsPart *part = dir->object;
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);

  return vm && virfs_fleet_is_user (vm, part->class, part->name) ? link_to (part, vm) : 0;
}

/* Its guests come and go without its changing itself. */
gint64
virfs_fleet_changed (const VirfsNode *node, guint64 fields)
{
  gint64 own = virfs_part_changed (node, fields);

  return node->row->dir == NULL ? own
                                : MAX (own, virfs_infra_uses_changed (virfs_node_infra (node)));
}

const VirfsDir virfs_fleet_users_dir = { .list = list, .find = find };
