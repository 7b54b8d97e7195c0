/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/interfaces/<interface>/: a network card, bond or bridge of a host. */
#include "part_class.h"

const VirfsDir virfs_interfaces_dir = { .list = virfs_part_list, .find = virfs_part_find };

/* To the bond or bridge that it is in. */
static void
link_master (const VirfsNode *node, GString *out)
{
  const VirfsInterfaceInfo *info = node->snapshot;
  g_autofree char *label
    = info->master ? virfs_part_label (&virfs_interface_class, info->master) : NULL;

  if (label != NULL)
    g_string_append_printf (out, "../%s", label);
}

#define F(field)                      VIRFS_BIT (VIRFS_PART_##field)
#define MEMBER(member)                G_STRUCT_OFFSET (VirfsInterfaceInfo, member)
#define SHOW(function, field, member) F (field), .show = function, .offset = MEMBER (member)
#define READ                          S_IFREG | 0440, .fields =

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a network interface of the host" },
  { "state", READ SHOW (virfs_show_text, STATE, state),
    .help = "up, down, or degraded: a bond that is up, one of whose slaves is not" },
  { "type", READ SHOW (virfs_show_text, CONFIG, type), .help = "ethernet, bridge, bond, vlan" },
  { "mac", READ SHOW (virfs_show_text, CONFIG, mac), .help = "its MAC address" },
  { "speed", READ SHOW (virfs_show_known, STATE, speed),
    .help = "bits a second that its link carries" },
  { "mtu", READ SHOW (virfs_show_known, CONFIG, mtu), .help = "bytes a packet at most" },
  { "addresses", READ SHOW (virfs_show_lines, CONFIG, addresses),
    .help = "its addresses, as in 192.168.0.5/24, one a line, where the driver knows them" },
  { "mode", READ SHOW (virfs_show_text, CONFIG, mode),
    .help = "of a bond: how it uses its slaves, as in active-backup" },
  { "slaves", READ SHOW (virfs_show_lines, STATE, slaves),
    .help = "of a bond or bridge: what is in it, lines of NAME STATE" },
  { "master", S_IFLNK | 0777, .fields = F (CONFIG), .link = link_master,
    .help = "the bond or bridge that it is in" },
  { "xml", READ SHOW (virfs_show_blob, XML, xml), .size = virfs_size_of_blob,
    .help = "libvirt's XML of it" },
};

VirfsClass virfs_interface_files = {
  .path = "hosts/<host>/interfaces/<interface>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
