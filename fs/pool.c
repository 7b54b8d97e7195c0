/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/pools/<pool>/: a storage pool */
#include "part_class.h"

const VirfsDir virfs_pools_dir = { .list = virfs_part_list, .find = virfs_part_find };

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsPoolInfo, member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a storage pool" },
  { "state", S_IFREG | 0440, .fields = SHOW (virfs_show_text, STATE, state),
    .help = "running, inactive, building, degraded, inaccessible" },
  { "type", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, type),
    .help = "dir, fs, netfs, logical, iscsi …: libvirt's pool type" },
  { "path", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, path),
    .help = "the directory on the host where its volumes are" },
  { "capacity", S_IFREG | 0440, .fields = SHOW (virfs_show_u64, SIZE, capacity),
    .help = "size in bytes" },
  { "allocation", S_IFREG | 0440, .fields = SHOW (virfs_show_u64, USE, allocation),
    .help = "bytes that are taken" },
  { "available", S_IFREG | 0440, .fields = SHOW (virfs_show_u64, USE, available),
    .help = "bytes that are free" },
  { "volumes", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_volumes_dir,
    .help = "its volumes" },
};

VirfsClass virfs_pool_files = {
  .path = "hosts/<host>/pools/<pool>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
