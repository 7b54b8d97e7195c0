/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A row is: by how much its distance in time differs from that of the row before, by how much what it covers
 * does, the set of columns that differ, and for each of these 0 (it is absent now) or the difference plus one,
 * and the differences of its other parts.  Numbers are of 7 bits a byte, differences alternate (0, -1, 1, -2 …).
 * A guest that idles costs some five bytes a sample; the whole is compressed.
 */
#include "history_block.h"

#include <string.h>
#include <zstd.h>

#define VERSION 1
#define LEVEL   3
/* No block has more, so a broken one does not take all memory. */
#define BLOCK_MAX_BYTES (8 * 1024 * 1024)

VirfsBlockWriter *
virfs_block_writer_new (guint columns, guint parts)
{
  VirfsBlockWriter *self = g_new0 (VirfsBlockWriter, 1);

  g_assert (columns <= VIRFS_BLOCK_COLUMNS && parts <= VIRFS_BLOCK_PARTS);
  self->columns = columns;
  self->parts = parts;
  self->values = g_new0 (gint64, columns * parts);
  self->bytes = g_byte_array_new ();
  return self;
}

void
virfs_block_writer_free (VirfsBlockWriter *self)
{
  g_byte_array_unref (self->bytes);
  g_free (self->values);
  g_free (self);
}

static void
append_number (GByteArray *bytes, guint64 number)
{
  guint8 coded[10];
  guint n = 0;

  while (number >= 0x80) {
    coded[n++] = (guint8) (number | 0x80);
    number >>= 7;
  }
  coded[n++] = (guint8) number;
  g_byte_array_append (bytes, coded, n);
}

static guint64
alternate (gint64 number)
{
  return (guint64) number << 1 ^ (guint64) (number >> 63);
}

static gint64
straighten (guint64 number)
{
  return (gint64) (number >> 1) ^ -(gint64) (number & 1);
}

static gboolean
has (guint64 set, guint column)
{
  return set >> column & 1;
}

static guint64
differing (const VirfsBlockWriter *self, const VirfsBlockRow *row)
{
  guint64 set = self->present ^ row->present;

  for (guint i = 0; i < self->columns; i++)
    if (has (row->present, i)
        && memcmp (row->values[i], &self->values[i * self->parts], self->parts * sizeof (gint64))
             != 0)
      set |= G_GUINT64_CONSTANT (1) << i;
  return set;
}

static void
add_column (VirfsBlockWriter *self, const VirfsBlockRow *row, guint i)
{
  gint64 *last = &self->values[i * self->parts];

  if (!has (row->present, i)) {
    append_number (self->bytes, 0);
    return;
  }
  for (guint part = 0; part < self->parts; part++) {
    append_number (self->bytes, alternate (row->values[i][part] - last[part]) + (part == 0));
    last[part] = row->values[i][part];
  }
}

void
virfs_block_writer_add (VirfsBlockWriter *self, const VirfsBlockRow *row)
{
  gint64 interval = row->time - self->time;
  guint64 set = differing (self, row);

  append_number (self->bytes, alternate (interval - self->interval));
  append_number (self->bytes, alternate (row->covered - self->covered));
  append_number (self->bytes, set);
  for (guint i = 0; i < self->columns; i++)
    if (has (set, i))
      add_column (self, row, i);
  /* the first has no distance from one before */
  self->interval = self->rows > 0 ? interval : 0;
  self->time = row->time;
  self->covered = row->covered;
  self->present = row->present;
  self->rows++;
}

/* Whole blocks. */

GBytes *
virfs_block_pack (guint layout, guint parts, const guint8 *rows, gsize size)
{
  GByteArray *block = g_byte_array_new ();
  guint8 version = VERSION;
  gsize head, packed;

  g_byte_array_append (block, &version, 1);
  append_number (block, layout);
  append_number (block, parts);
  head = block->len;
  g_byte_array_set_size (block, (guint) (head + ZSTD_compressBound (size)));
  packed = ZSTD_compress (block->data + head, block->len - head, rows, size, LEVEL);
  g_assert (!ZSTD_isError (packed));
  g_byte_array_set_size (block, (guint) (head + packed));
  return g_byte_array_free_to_bytes (block);
}

static gboolean
read_number (const guint8 **at, const guint8 *end, guint64 *number)
{
  *number = 0;
  for (guint shift = 0; shift < 64 && *at < end; shift += 7) {
    guint8 byte = *(*at)++;

    *number |= (guint64) (byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return TRUE;
  }
  return FALSE;
}

GByteArray *
virfs_block_unpack (GBytes *block, guint *layout, guint *parts)
{
  gsize size, got;
  const guint8 *at = g_bytes_get_data (block, &size), *end = at + size;
  guint64 number, n_parts;
  unsigned long long length;
  g_autoptr (GByteArray) rows = NULL;

  if (size == 0 || *at++ != VERSION || !read_number (&at, end, &number)
      || !read_number (&at, end, &n_parts) || n_parts == 0 || n_parts > VIRFS_BLOCK_PARTS)
    return NULL;
  length = ZSTD_getFrameContentSize (at, end - at);
  if (length > BLOCK_MAX_BYTES) /* also for an error */
    return NULL;
  rows = g_byte_array_new ();
  g_byte_array_set_size (rows, (guint) length);
  got = ZSTD_decompress (rows->data, rows->len, at, end - at);
  if (ZSTD_isError (got) || got != length)
    return NULL;
  *layout = (guint) number;
  *parts = (guint) n_parts;
  return g_steal_pointer (&rows);
}

void
virfs_block_reader_init (VirfsBlockReader *self, guint columns, guint parts, const guint8 *rows,
                         gsize size)
{
  memset (self, 0, sizeof *self);
  self->at = rows;
  self->end = rows + size;
  self->columns = MIN (columns, VIRFS_BLOCK_COLUMNS);
  self->parts = parts;
}

static gboolean
read_column (VirfsBlockReader *self, guint i)
{
  guint64 number;

  if (!read_number (&self->at, self->end, &number))
    return FALSE;
  if (number == 0) {
    self->row.present &= ~(G_GUINT64_CONSTANT (1) << i);
    return TRUE;
  }
  self->row.present |= G_GUINT64_CONSTANT (1) << i;
  number--;
  for (guint part = 0; part < self->parts; part++) {
    if (part > 0 && !read_number (&self->at, self->end, &number))
      return FALSE;
    /* of a broken block it may be anything */
    self->row.values[i][part]
      = (gint64) ((guint64) self->row.values[i][part] + (guint64) straighten (number));
  }
  return TRUE;
}

gboolean
virfs_block_reader_next (VirfsBlockReader *self)
{
  gboolean first = self->row.time == 0;
  guint64 interval, covered, set;

  if (!read_number (&self->at, self->end, &interval)
      || !read_number (&self->at, self->end, &covered) || !read_number (&self->at, self->end, &set))
    return FALSE;
  interval = (guint64) self->interval + (guint64) straighten (interval);
  self->row.time = (gint64) ((guint64) self->row.time + interval);
  self->row.covered = (gint64) ((guint64) self->row.covered + (guint64) straighten (covered));
  self->interval = first ? 0 : (gint64) interval;
  for (guint i = 0; i < self->columns; i++)
    if (has (set, i) && !read_column (self, i))
      return FALSE;
  return TRUE;
}
