/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 (FIPS 180-4) of what comes in order, by Nettle: GLib's is a tenth as fast. */
#pragma once

#include <glib.h>

typedef struct VirfsSum VirfsSum;

VirfsSum *virfs_sum_new (void);
void virfs_sum_free (VirfsSum *sum);
void virfs_sum_add (VirfsSum *sum, const guint8 *data, gsize length);
void virfs_sum_add_zeros (VirfsSum *sum, guint64 length);
/* In hexadecimal, of what has been added so far; more can be added.  The caller owns it. */
char *virfs_sum_text (const VirfsSum *sum);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsSum, virfs_sum_free)
