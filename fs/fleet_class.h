/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * networks/ and pools/: what the fleet defines for its hosts, and what hosts have beside that.  What both have in
 * common is in fleet.c; fleet_network.c and fleet_pool.c are their tables.
 */
#pragma once

#include "classes.h"
#include "fleetwide.h"

extern VirfsClass virfs_fleet_network_files;
extern VirfsClass virfs_fleet_pool_files;

/* For the root's table. */
extern const VirfsDir virfs_fleet_networks_dir;
extern const VirfsDir virfs_fleet_pools_dir;
/* used_by/ of both (fleet_use.c), and their `changed`. */
extern const VirfsDir virfs_fleet_users_dir;
gint64 virfs_fleet_changed (const VirfsNode *node, guint64 fields);

/* The member at the row's offset; CALL ends with it. */
void virfs_fleet_store_member (VirfsCall *call, const VirfsNode *node, guint64 number,
                               const char *text);
void virfs_fleet_store_bool (VirfsCall *call, const VirfsNode *node, gboolean value);

void virfs_fleet_show_ctl (const VirfsNode *node, GString *out);
void virfs_fleet_store_ctl (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_fleet_show_hosts (const VirfsNode *node, GString *out);
void virfs_fleet_store_hosts (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_fleet_store_xml (VirfsCall *call, const VirfsNode *node, const char *text);
guint64 virfs_fleet_parent (const VirfsNode *node);

/* clang-format off */
#define VIRFS_FLEET_PART_ROW_(name, function, field, Type, member) \
  { name, S_IFREG | 0440, .fields = VIRFS_BIT (VIRFS_PART_##field), .show = function, \
    .offset = G_STRUCT_OFFSET (Type, member)
/* What both have: the xml of TYPE is its MEMBER. */
#define VIRFS_FLEET_CLASS_ROWS(Type, member, what) \
  VIRFS_FLEET_PART_ROW_ ("state", virfs_show_text, STATE, Type, fleet.state), \
    .help = "draft, seen (hosts have it, the fleet does not define it) or defined" }, \
  { "ctl", S_IFREG | 0640, VIRFS_ROW_COMMAND | VIRFS_ROW_TRUSTED, \
    .fields = VIRFS_BIT (VIRFS_PART_STATE) | VIRFS_BIT (VIRFS_PART_USE), \
    .show = virfs_fleet_show_ctl, .store = virfs_fleet_store_ctl, \
    .help = "what can be done: define, adopt [HOST], repair [HOST], forget; write one of them" }, \
  { "hosts", S_IFREG | 0640, VIRFS_ROW_LIST | VIRFS_ROW_TRUSTED, VIRFS_BIT (VIRFS_PART_CONFIG), \
    .show = virfs_fleet_show_hosts, .store = virfs_fleet_store_hosts, \
    .help = "hosts that are to have it, one a line; all: each that there is, and that joins" }, \
  VIRFS_FLEET_PART_ROW_ ("present", virfs_show_lines, USE, Type, fleet.present), \
    .help = "hosts that have it: HOST and active, inactive or unreachable, one a line" }, \
  VIRFS_FLEET_PART_ROW_ ("drift", virfs_show_lines, USE, Type, fleet.drift), \
    .help = "what differs: HOST and what it is, one a line; nothing: all is as defined" }, \
  { "used_by", S_IFDIR | 0750, VIRFS_ROW_MEASURED, VIRFS_BIT (VIRFS_PART_USE), \
    .dir = &virfs_fleet_users_dir, .help = "links to the guests that use it, of all hosts" }, \
  { "xml", S_IFREG | 0640, VIRFS_ROW_DOCUMENT | VIRFS_ROW_TRUSTED, VIRFS_BIT (VIRFS_PART_XML), \
    .show = virfs_show_blob, .offset = G_STRUCT_OFFSET (Type, member.xml), \
    .size = virfs_size_of_blob, .store = virfs_fleet_store_xml, \
    .help = "libvirt's XML of it; a write defines it, and hosts without it are given it" }, \
  { "autostart", S_IFREG | 0640, VIRFS_ROW_TRUSTED, VIRFS_BIT (VIRFS_PART_CONFIG), \
    .show = virfs_show_bool, .offset = G_STRUCT_OFFSET (Type, member.autostart), \
    .store_bool = virfs_fleet_store_bool, \
    .help = "1: it runs, and starts with its hosts; 0: it is defined only" }
/* clang-format on */
