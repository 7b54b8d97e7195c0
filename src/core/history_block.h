/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of history: rows one behind the other, each of whole numbers, as what has changed since the row before.
 *
 * A row has a time, how much of the time before it or (of means) from it on it covers, and for each column that
 * is present one number, or three (mean, least, greatest).  A column that stays what it was costs nothing.
 * What columns are called is in the layout, which a block names by its number.
 */
#pragma once

#include <glib.h>

#define VIRFS_BLOCK_COLUMNS 64
#define VIRFS_BLOCK_PARTS   3
/* Numbers are from 0 up to this. */
#define VIRFS_BLOCK_MAX (G_MAXINT64 / 4)

typedef struct {
  gint64 time, covered; /* milliseconds */
  guint64 present;      /* set of columns */
  gint64 values[VIRFS_BLOCK_COLUMNS][VIRFS_BLOCK_PARTS];
} VirfsBlockRow;

/* What is still written to. */
typedef struct {
  guint columns, parts;
  guint rows;
  gint64 time, covered, interval; /* of the last row */
  guint64 present;
  gint64 *values; /* PARTS of each column: what was there last */
  GByteArray *bytes;
} VirfsBlockWriter;

VirfsBlockWriter *virfs_block_writer_new (guint columns, guint parts);
void virfs_block_writer_free (VirfsBlockWriter *writer);
void virfs_block_writer_add (VirfsBlockWriter *writer, const VirfsBlockRow *row);

/* The rows of a writer as they are kept: compressed, with the number of their layout. */
GBytes *virfs_block_pack (guint layout, guint parts, const guint8 *rows, gsize size);
/* The contrary: the rows, which the caller owns; NULL if that is no block. */
GByteArray *virfs_block_unpack (GBytes *block, guint *layout, guint *parts);

/* Goes through rows. */
typedef struct {
  const guint8 *at, *end;
  guint columns, parts;
  gint64 interval;
  VirfsBlockRow row;
} VirfsBlockReader;

/* ROWS are borrowed. */
void virfs_block_reader_init (VirfsBlockReader *reader, guint columns, guint parts,
                              const guint8 *rows, gsize size);
/* The next row is in `row`; what is not present has any value.  FALSE at the end, or where it is broken. */
gboolean virfs_block_reader_next (VirfsBlockReader *reader);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsBlockWriter, virfs_block_writer_free)
