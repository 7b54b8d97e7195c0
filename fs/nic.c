/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/nics/<nic>/: a network interface */
#include "part_class.h"

const VirfsDir virfs_nics_dir = { .list = virfs_part_list, .find = virfs_part_find };

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsNicInfo, member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a network interface" },
  { "mac", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, mac), .help = "MAC address" },
};

VirfsClass virfs_nic_files = {
  .path = "vms/<vm>/nics/<nic>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
