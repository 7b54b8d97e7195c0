/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/snapshots/<snapshot>/: a snapshot */
#include "part_class.h"

const VirfsDir virfs_snapshots_dir = { .list = virfs_part_list, .find = virfs_part_find };

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsSnapshotInfo, member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a snapshot" },
  { "state", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, state),
    .help = "the state that the guest was in" },
};

VirfsClass virfs_snapshot_files = {
  .path = "vms/<vm>/snapshots/<snapshot>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
