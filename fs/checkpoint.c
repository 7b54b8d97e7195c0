/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/checkpoints/<checkpoint>/: a checkpoint */
#include "part_class.h"

const VirfsDir virfs_checkpoints_dir = { .list = virfs_part_list, .find = virfs_part_find };

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsCheckpointInfo, member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a checkpoint" },
  { "parent", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, parent),
    .help = "the checkpoint that came before it" },
};

VirfsClass virfs_checkpoint_files = {
  .path = "vms/<vm>/checkpoints/<checkpoint>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
