/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts kept compressed.  A compressor costs half a megabyte, so each thread that makes blobs keeps
 * one and no object does.
 */
#include "blob.h"

#include <string.h>
#include <zstd.h>

struct VirfsBlob {
  gatomicrefcount refs;
  guint32 size;   /* of the text */
  guint32 packed; /* of data; the same as size when it is not compressed */
  char data[];
};

static void
free_compressor (gpointer context)
{
  ZSTD_freeCCtx (context);
}

static void
free_buffer (gpointer buffer)
{
  g_byte_array_unref (buffer);
}

static GPrivate compressor_key = G_PRIVATE_INIT (free_compressor);
static GPrivate buffer_key = G_PRIVATE_INIT (free_buffer);

static ZSTD_CCtx *
compressor (void)
{
  ZSTD_CCtx *context = g_private_get (&compressor_key);

  if (context == NULL) {
    context = ZSTD_createCCtx ();
    g_private_set (&compressor_key, context);
  }
  return context;
}

static guint8 *
scratch (gsize size)
{
  GByteArray *buffer = g_private_get (&buffer_key);

  if (buffer == NULL) {
    buffer = g_byte_array_new ();
    g_private_set (&buffer_key, buffer);
  }
  if (buffer->len < size)
    g_byte_array_set_size (buffer, size);
  return buffer->data;
}

static VirfsBlob *
new_blob (const void *data, gsize packed, gsize size)
{
  VirfsBlob *blob = g_malloc (sizeof *blob + packed);

  g_atomic_ref_count_init (&blob->refs);
  blob->size = size;
  blob->packed = packed;
  memcpy (blob->data, data, packed);
  return blob;
}

VirfsBlob *
virfs_blob_new_bytes (const void *bytes, gsize size)
{
  gsize bound = ZSTD_compressBound (size);
  const void *data = scratch (bound);
  gsize packed = ZSTD_compressCCtx (compressor (), (void *) data, bound, bytes, size, 1);

  if (ZSTD_isError (packed) || packed >= size)
    return new_blob (bytes, size, size);
  return new_blob (data, packed, size);
}

VirfsBlob *
virfs_blob_new (const char *text)
{
  return virfs_blob_new_bytes (text, strlen (text));
}

const void *
virfs_blob_packed (const VirfsBlob *blob, gsize *size)
{
  *size = blob ? blob->packed : 0;
  return blob ? blob->data : NULL;
}

/* What cannot be unpacked must not become a blob, because readers rely on it. */
VirfsBlob *
virfs_blob_new_packed (const void *bytes, gsize size, gsize text_size)
{
  if (bytes == NULL || size > text_size || text_size > G_MAXUINT32)
    return NULL;
  if (size < text_size
      && (ZSTD_getFrameContentSize (bytes, size) != text_size
          || ZSTD_decompress (scratch (text_size), text_size, bytes, size) != text_size))
    return NULL;
  return new_blob (bytes, size, text_size);
}

VirfsBlob *
virfs_blob_ref (VirfsBlob *blob)
{
  if (blob != NULL)
    g_atomic_ref_count_inc (&blob->refs);
  return blob;
}

void
virfs_blob_unref (VirfsBlob *blob)
{
  if (blob != NULL && g_atomic_ref_count_dec (&blob->refs))
    g_free (blob);
}

gsize
virfs_blob_size (const VirfsBlob *blob)
{
  return blob ? blob->size : 0;
}

void
virfs_blob_append (const VirfsBlob *blob, GString *out)
{
  gsize start = out->len;

  if (blob == NULL)
    return;
  g_string_set_size (out, start + blob->size);
  if (blob->packed == blob->size)
    memcpy (out->str + start, blob->data, blob->size);
  else
    g_assert (ZSTD_decompress (out->str + start, blob->size, blob->data, blob->packed)
              == blob->size);
}

char *
virfs_blob_text (const VirfsBlob *blob)
{
  GString *out;

  if (blob == NULL)
    return NULL;
  out = g_string_sized_new (blob->size);
  virfs_blob_append (blob, out);
  return g_string_free (out, FALSE);
}

gboolean
virfs_blob_equal (const VirfsBlob *a, const VirfsBlob *b)
{
  if (a == b)
    return TRUE;
  /* the same text always packs to the same bytes */
  return a != NULL && b != NULL && a->size == b->size && a->packed == b->packed
         && memcmp (a->data, b->data, a->packed) == 0;
}
