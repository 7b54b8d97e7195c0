/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of CPUs or NUMA nodes.  As text they are what the kernel shows: numbers and ranges, as in
 * `0-3,8`, and "" for none.  In memory bit N % 8 of byte N / 8 stands for N, as libvirt wants it.
 */
#pragma once

#include <glib.h>

#define VIRFS_CPUSET_MOST 16384 /* numbers, as libvirt has them */

/* The caller owns it; NULL: INVALID. */
GByteArray *virfs_cpuset_parse (const char *text, GError **error);
/* In its shortest form; the caller owns it. */
char *virfs_cpuset_print (const GByteArray *set);

GByteArray *virfs_cpuset_first (guint n); /* 0 to N - 1 */
void virfs_cpuset_add (GByteArray *set, const GByteArray *other);
gboolean virfs_cpuset_has (const GByteArray *set, guint number);
/* Whether all of OTHER are in SET. */
gboolean virfs_cpuset_covers (const GByteArray *set, const GByteArray *other);
/* The same of a set as text; NULL, or what is none, covers nothing. */
gboolean virfs_cpuset_text_covers (const char *text, const GByteArray *other);
