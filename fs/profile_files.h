/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/profile/ and restore, for the host's table (profile.c). */
#pragma once

#include "classes.h"

void virfs_profile_show_list (const VirfsNode *node, GString *out);
void virfs_profile_show_xml (const VirfsNode *node, GString *out);
gsize virfs_profile_size (const VirfsNode *node);
void virfs_profile_show_restore (const VirfsNode *node, GString *out);
void virfs_profile_store_restore (VirfsCall *call, const VirfsNode *node, const char *text);

/* clang-format off */
#define VIRFS_PROFILE_XML_(name, kind, text) \
  { "profile/" name ".xml", S_IFREG | 0400, VIRFS_ROW_PRIVATE, VIRFS_BIT (VIRFS_HOST_PROFILE), \
    .show = virfs_profile_show_xml, .size = virfs_profile_size, .offset = VIRFS_DEFINED_##kind, \
    .help = text }
#define VIRFS_PROFILE_ROWS \
  { "profile", S_IFDIR | 0750, .help = "what defines it, as it was last known and is kept" }, \
  { "profile/list", S_IFREG | 0440, .fields = VIRFS_BIT (VIRFS_HOST_PROFILE), \
    .show = virfs_profile_show_list, \
    .help = "what there is, one a line: KIND/NAME, autostart and active where it is so" }, \
  VIRFS_PROFILE_XML_ ("networks", NETWORK, "definitions of its networks"), \
  VIRFS_PROFILE_XML_ ("pools", POOL, "definitions of its storage pools"), \
  VIRFS_PROFILE_XML_ ("nwfilters", FILTER, "definitions of its network filters"), \
  VIRFS_PROFILE_XML_ ("secrets", SECRET, "definitions of its secrets, without their values"), \
  VIRFS_PROFILE_XML_ ("vms", GUEST, "definitions of its guests"), \
  { "restore", S_IFREG | 0640, VIRFS_ROW_MEASURED | VIRFS_ROW_COMMAND | VIRFS_ROW_TRUSTED, \
    VIRFS_BIT (VIRFS_HOST_PROFILE), .show = virfs_profile_show_restore, \
    .store = virfs_profile_store_restore, \
    .help = "what it had and came back without; write all or a line of it; none: it stays so" }
/* clang-format on */
