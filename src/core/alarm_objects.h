/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which objects a rule is about, one line each: vms, vms/web*, tag:prod, hosts, hosts/h1, pools,
 * pools/default, hosts/h1/pools/fast; with `!` before it, what it is not about.  All are of one kind.
 */
#pragma once

#include "object.h"

/* What TEXT says, and as *LINES the same without what is of no use; the caller owns both.  INVALID. */
GPtrArray *virfs_objects_parse (const char *text, VirfsKind *kind, char **lines, GError **error);
/* TAGS: lines; NULL: none. */
gboolean virfs_objects_cover (const GPtrArray *patterns, const char *path, const char *tags);
