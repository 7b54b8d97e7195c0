/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Content that is all there. */
#include "content.h"

typedef struct {
  VirfsContent content;
  GBytes *bytes;
} BytesContent;

static void
read_bytes (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done,
            gpointer data)
{
  GBytes *bytes = ((BytesContent *) content)->bytes;
  g_autoptr (GPtrArray) pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  gsize size = g_bytes_get_size (bytes);

  if (offset < size)
    g_ptr_array_add (pieces, g_bytes_new_from_bytes (bytes, offset, MIN (length, size - offset)));
  done (0, pieces, data);
}

static guint64
size_of_bytes (VirfsContent *content)
{
  return g_bytes_get_size (((BytesContent *) content)->bytes);
}

static void
close_bytes (VirfsContent *content)
{
  g_bytes_unref (((BytesContent *) content)->bytes);
  g_free (content);
}

static const VirfsContentClass bytes_class
  = { .read = read_bytes, .size = size_of_bytes, .close = close_bytes };

VirfsContent *
virfs_content_new_bytes (GBytes *bytes)
{
  BytesContent *self = g_new0 (BytesContent, 1);

  self->content.class = &bytes_class;
  self->bytes = bytes;
  return &self->content;
}
