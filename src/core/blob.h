/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A large text (a guest's or a host's XML) kept small: compressed with zstd (RFC 8878) where that
 * helps, immutable, shared by reference.  Its exact length is known without unpacking it.
 */
#pragma once

#include <glib.h>

typedef struct VirfsBlob VirfsBlob;

VirfsBlob *virfs_blob_new (const char *text);
/* The same of SIZE bytes that may be anything; then virfs_blob_text() is not for it. */
VirfsBlob *virfs_blob_new_bytes (const void *bytes, gsize size);
VirfsBlob *virfs_blob_ref (VirfsBlob *blob);
void virfs_blob_unref (VirfsBlob *blob);

/* Bytes of the text; 0 for NULL. */
gsize virfs_blob_size (const VirfsBlob *blob);
/* Appends the text; nothing for NULL. */
void virfs_blob_append (const VirfsBlob *blob, GString *out);
/* The text; the caller owns it.  NULL for NULL. */
char *virfs_blob_text (const VirfsBlob *blob);
/* Whether both hold the same text; two NULLs do. */
gboolean virfs_blob_equal (const VirfsBlob *a, const VirfsBlob *b);

/* For those who keep it on disk: its bytes as they are in memory (borrowed), *SIZE of them; they are
 * the text itself if that is as long as they are. */
const void *virfs_blob_packed (const VirfsBlob *blob, gsize *size);
/* The blob from such bytes; TEXT_SIZE is virfs_blob_size().  The caller owns it; NULL if they are no
 * such text. */
VirfsBlob *virfs_blob_new_packed (const void *bytes, gsize size, gsize text_size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsBlob, virfs_blob_unref)
