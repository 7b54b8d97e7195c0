/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tags of a guest, as one text: one a line, sorted, each once, without a newline behind the last; "" for
 * none.
 */
#pragma once

#include <glib.h>

#define VIRFS_TAG_BYTES 64 /* a tag's length at most */
#define VIRFS_TAGS_MOST 64 /* that one guest has */

/* Letters, digits and . _ - + : @ =, a letter or digit first; else INVALID. */
gboolean virfs_tag_check (const char *tag, GError **error);

/* What somebody wrote: one a line, blank lines do not count.  The caller owns it; NULL: INVALID. */
char *virfs_tags_parse (const char *text, GError **error);
/* What a foreign writer left: what is no tag is dropped.  The caller owns it. */
char *virfs_tags_salvage (const char *text);

/* TAGS (NULL for none) with TAG, and without it; the caller owns it.  NULL: INVALID, there are too many
 * or it is none. */
char *virfs_tags_with (const char *tags, const char *tag, GError **error);
char *virfs_tags_without (const char *tags, const char *tag);
