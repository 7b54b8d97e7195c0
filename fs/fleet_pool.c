/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pools/<pool>/: a pool that hosts are to have. */
#include "fleet_class.h"

#include "access.h"
#include "part_class.h"

#include <string.h>

static void
store_type (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (virfs_pool_check_type (text, &error))
    virfs_fleet_store_member (call, node, 0, text);
  else
    virfs_call_finish (call, error);
}

static void
store_path (VirfsCall *call, const VirfsNode *node, const char *text)
{
  if (*text != '\0' && *text != '/')
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "a path begins with a slash");
  else
    virfs_fleet_store_member (call, node, 0, *text ? text : NULL);
}

static void
store_source (VirfsCall *call, const VirfsNode *node, const char *text)
{
  virfs_fleet_store_member (call, node, 0, *text ? text : NULL);
}

#define SHOW(member)                                                                               \
  S_IFREG | 0640, VIRFS_ROW_TRUSTED, VIRFS_BIT (VIRFS_PART_CONFIG),                                \
    .show = virfs_show_text, .offset = G_STRUCT_OFFSET (VirfsFleetPoolInfo, pool.member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = VIRFS_BIT (VIRFS_PART_BIRTH),
    .help = "a storage pool of the fleet: defined once, for all hosts or for some" },
  VIRFS_FLEET_CLASS_ROWS (VirfsFleetPoolInfo, pool, "pool"),
  { "type", SHOW (type), .store = store_type, .help = "dir, fs, netfs, logical, disk, iscsi; one made by xml may have another" },
  { "path", SHOW (path), .store_text = store_path, .help = "where its volumes are on each host" },
  { "source", SHOW (source), .store_text = store_source,
    .help = "where its storage comes from: HOST:DIRECTORY, a device, a target" },
};

VirfsClass virfs_fleet_pool_files = {
  .path = "pools/<pool>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .parent = virfs_fleet_parent,
  .unref = virfs_object_unref,
  .snapshot = virfs_part_snapshot,
  .release = virfs_part_info_unref,
  .changed = virfs_fleet_changed,
  .owner = virfs_access_owner,
};
