/* SPDX-License-Identifier: GPL-2.0-or-later */
/* networks/<network>/: a network that hosts are to have. */
#include "fleet_class.h"

#include "access.h"
#include "part_class.h"

#include <string.h>

static void
store_forward (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GError) error = NULL;

  if (virfs_network_check_forward (text, &error))
    virfs_fleet_store_member (call, node, 0, text);
  else
    virfs_call_finish (call, error);
}

static void
store_mtu (VirfsCall *call, const VirfsNode *node, guint64 bytes)
{
  if (bytes != 0 && (bytes < 68 || bytes > 65535))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "an MTU is 68 to 65535 bytes; 0 leaves it to the hypervisor");
  else
    virfs_fleet_store_member (call, node, bytes, NULL);
}

/* The offsets are those of what a host has. */
static void
store_list (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *parsed = virfs_network_parse (node->row->offset, text, &error);

  if (parsed == NULL)
    virfs_call_finish (call, error);
  else
    virfs_fleet_store_member (call, node, 0, *parsed ? parsed : NULL);
}

#define CONFIG VIRFS_BIT (VIRFS_PART_CONFIG)
#define SHOW(function, member)                                                                     \
  .show = function, .offset = G_STRUCT_OFFSET (VirfsFleetNetworkInfo, network.member)
#define WRITE      S_IFREG | 0640, VIRFS_ROW_TRUSTED, CONFIG
#define WRITE_LIST S_IFREG | 0640, VIRFS_ROW_TRUSTED | VIRFS_ROW_LIST, CONFIG

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = VIRFS_BIT (VIRFS_PART_BIRTH),
    .help = "a network of the fleet: defined once, for all hosts or for some" },
  VIRFS_FLEET_CLASS_ROWS (VirfsFleetNetworkInfo, network, "network"),
  { "forward", WRITE, SHOW (virfs_show_text, forward), .store = store_forward,
    .help = "isolated, nat, route, open, bridge, macvtap, private, vepa, passthrough or hostdev" },
  { "dev", WRITE, SHOW (virfs_show_text, dev), .store = store_list,
    .help = "interfaces of each host that it goes out by" },
  { "bridge", WRITE, SHOW (virfs_show_text, bridge), .store = store_list,
    .help = "the bridge on each host; nothing: its own, which libvirt names" },
  { "domain", WRITE, SHOW (virfs_show_text, domain), .store = store_list,
    .help = "the domain of its names" },
  { "mtu", WRITE, SHOW (virfs_show_u64, mtu), .store_size = store_mtu,
    .help = "bytes a packet; 0: the hypervisor's choice" },
  { "address", WRITE_LIST, SHOW (virfs_show_lines, address), .store = store_list,
    .help = "each host's addresses in it, as in 192.168.150.1/24, one a line" },
  { "dhcp", WRITE_LIST, SHOW (virfs_show_lines, dhcp), .store = store_list,
    .help = "ranges of addresses for its guests, lines of FIRST LAST" },
  { "reservations", WRITE_LIST, SHOW (virfs_show_lines, hosts), .store = store_list,
    .help = "addresses of certain guests, lines of MAC IP NAME" },
  { "dns", WRITE_LIST, SHOW (virfs_show_lines, dns), .store = store_list,
    .help = "names that its guests can look up, lines of IP NAME..." },
  { "vlan", WRITE, SHOW (virfs_show_text, vlan), .store = store_list,
    .help = "tags of its VLANs, where the bridge or card knows of such" },
  { "portgroups", WRITE_LIST, SHOW (virfs_show_lines, portgroups), .store = store_list,
    .help = "groups that NICs can be in, lines of NAME, VLAN tags, and default for one" },
};

VirfsClass virfs_fleet_network_files = {
  .path = "networks/<network>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .parent = virfs_fleet_parent,
  .unref = virfs_object_unref,
  .snapshot = virfs_part_snapshot,
  .release = virfs_part_info_unref,
  .changed = virfs_fleet_changed,
  .owner = virfs_access_owner,
};
