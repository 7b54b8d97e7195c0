/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/disks/<disk>/: a disk */
#include "part_class.h"

const VirfsDir virfs_disks_dir = { .list = virfs_part_list, .find = virfs_part_find };

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsDiskInfo, member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a disk" },
  { "device", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, device),
    .help = "disk, cdrom, floppy, lun" },
  { "source", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, source),
    .help = "what is in it: a path, POOL/VOLUME or a URL" },
};

VirfsClass virfs_disk_files = {
  .path = "vms/<vm>/disks/<disk>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
