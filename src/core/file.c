/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes that are written: what is 0 becomes holes. */
#include "file.h"

#include <string.h>

/* What is looked at at once whether it is 0: pieces of a file that it can have as holes. */
#define BLOCK (64 * 1024)

gboolean
virfs_is_zero (const guint8 *data, gsize length)
{
  return length == 0 || (data[0] == 0 && memcmp (data, data + 1, length - 1) == 0);
}

static gboolean
write_block (VirfsFile *file, guint64 offset, const guint8 *data, gsize length, gboolean zero,
             GError **error)
{
  return zero ? file->class->zero (file, offset, length, error)
              : file->class->write (file, offset, data, length, error);
}

/* Pieces that are alike are written together. */
gboolean
virfs_file_write_sparse (VirfsFile *file, guint64 offset, const guint8 *data, gsize length,
                         GError **error)
{
  gsize from = 0;
  gboolean zero = FALSE;

  for (gsize at = 0; at < length;) {
    gsize n = MIN (length - at, BLOCK - (offset + at) % BLOCK);
    gboolean next = virfs_is_zero (data + at, n);

    if (at > from && next != zero) {
      if (!write_block (file, offset + from, data + from, at - from, zero, error))
        return FALSE;
      from = at;
    }
    zero = next;
    at += n;
  }
  return write_block (file, offset + from, data + from, length - from, zero, error);
}
