/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/pools/<pool>/volumes/<volume>/: a volume */
#include "part_class.h"

const VirfsDir virfs_volumes_dir = { .list = virfs_part_list, .find = virfs_part_find };

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsVolumeInfo, member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a volume" },
  { "format", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, format),
    .help = "raw, qcow2 …" },
  { "path", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, path),
    .help = "what a disk of a guest names" },
  { "size", S_IFREG | 0440, .fields = SHOW (virfs_show_u64, SIZE, size),
    .help = "bytes that a guest sees" },
  { "allocation", S_IFREG | 0440, .fields = SHOW (virfs_show_u64, USE, allocation),
    .help = "bytes that it takes" },
};

VirfsClass virfs_volume_files = {
  .path = "hosts/<host>/pools/<pool>/volumes/<volume>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
