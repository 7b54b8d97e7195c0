/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How values are written as text and read back.  Whatever a file of the tree shows goes through
 * here, so that it can be shown safely and written back unchanged.
 */
#pragma once

#include <glib.h>

/*
 * A value on one line: backslash and control characters become C escapes (\n, \t, \\, \xNN), bytes
 * that are not UTF-8 become \xNN.  virfs_text_unescape() is its inverse.
 */
void virfs_text_escape (GString *out, const char *value);
/* The same for TEXT that has escapes already: backslashes stay as they are. */
void virfs_text_escape_rest (GString *out, const char *text);

/* The value that TEXT stands for; the caller owns it.  INVALID for a broken escape, for \x00, and
 * for anything that is not UTF-8 in the end. */
char *virfs_text_unescape (const char *text, GError **error);

/*
 * An object's name as a name of the tree, at most VIRFS_NAME_OWN_MAX bytes long: '/', '%', control
 * characters, a leading dot and bytes that are not UTF-8 become %XX (as in a URI, RFC 3986 2.1).
 * A name that would be too long is cut and ends in a checksum.  The caller owns it.
 */
#define VIRFS_NAME_MAX 255
/* Room is left for the ~host that tells apart two guests of one name. */
#define VIRFS_NAME_OWN_MAX (VIRFS_NAME_MAX - 64)
char *virfs_name_encode (const char *name);

/* Numbers, as in `512`, `0`; INVALID otherwise. */
gboolean virfs_parse_u64 (const char *text, guint64 *value, GError **error);
gboolean virfs_parse_i64 (const char *text, gint64 *value, GError **error);
/* Bytes: a number, or one with K, M, G, T, P or E (powers of 1024, an optional `iB` or `B` behind);
 * INVALID otherwise and when it does not fit in 63 bits. */
gboolean virfs_parse_size (const char *text, guint64 *bytes, GError **error);
/* 0 or 1; INVALID otherwise. */
gboolean virfs_parse_bool (const char *text, gboolean *value, GError **error);

/* TEXT with `***` in place of passwords within URIs, as in scheme://user:password@host.  ENDS: characters
 * that none of them has, as white space.  The caller owns it. */
char *virfs_text_mask (const char *text, const char *ends);

/* Microseconds since the epoch (g_get_real_time()) as RFC 3339 in UTC, with seconds. */
void virfs_text_append_time (GString *out, gint64 time);
