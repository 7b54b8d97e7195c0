/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2 files.  Which clusters of the disk have data, say, is a list of spans; the number of a
 * cluster among all that have data is where it stands in the file, and both ways between the two
 * are a binary search.  The same goes for L2 tables.
 */
#include "qcow2.h"

#include "error.h"
#include "spans.h"

#include <string.h>

#define CLUSTER_BITS        16
#define CLUSTER             VIRFS_QCOW2_CLUSTER
#define REFCOUNT_ORDER      4                              /* 16 bits each, as everybody has them */
#define REFCOUNTS           (CLUSTER / sizeof (guint16))   /* in a refcount block */
#define ENTRIES             (CLUSTER / sizeof (guint64))   /* in a cluster of any of the tables */
#define COPIED              (G_GUINT64_CONSTANT (1) << 63) /* its refcount is one */
#define ZERO                G_GUINT64_CONSTANT (1)
#define HEADER_LENGTH       104
#define EXTENSION_BACKING   0xe2792aca
#define BACKING_FILE_MOST   1023
#define BACKING_FORMAT_MOST 15  /* QEMU's limit */
#define SECTOR              512 /* QEMU's disks are whole sectors */
/* QEMU's limits for the tables are 2 PiB. */
#define DISK_MOST (G_GUINT64_CONSTANT (1) << 50)
/* Where tables are empty there are holes, in the unit that file systems have them in. */
#define BLOCK         G_GUINT64_CONSTANT (4096)
#define BLOCK_ENTRIES (BLOCK / sizeof (guint64))

typedef enum {
  REGION_HEADER,
  REGION_REFCOUNT_TABLE,
  REGION_REFCOUNT_BLOCKS,
  REGION_L1_TABLE,
  REGION_L2_TABLES,
  REGION_DATA,
  REGIONS,
} Region;

struct VirfsQcow2 {
  guint64 disk_size;
  GByteArray *header;
  guint64 start[REGIONS + 1]; /* of the regions, in bytes; the last is the file's size */
  /* of VirfsSpan: */
  GArray *data;   /* clusters of the disk that the file has */
  GArray *zeroes; /* clusters of the disk that it says are zero */
  GArray *tables; /* entries of the L1 table that have an L2 table */
  GArray *filled; /* blocks of the file that are not in a hole */
};

/* These clusters of the disk are in LIST, so there are tables, and BLOCKS in them. */
static void
note_clusters (VirfsQcow2 *qcow2, GArray *list, GArray *blocks, guint64 first, guint64 count)
{
  virfs_spans_add (list, first, count);
  virfs_spans_add_groups (qcow2->tables, first, count, ENTRIES);
  virfs_spans_add_groups (blocks, first, count, BLOCK_ENTRIES);
}

/* Returns which blocks there would be if all L2 tables were there. */
static GArray *
note_extents (VirfsQcow2 *qcow2, const VirfsExtents *extents, gboolean complete)
{
  g_autoptr (VirfsExtents) whole = virfs_extents_in_units (extents, CLUSTER);
  gsize n;
  const VirfsExtent *list = virfs_extents_list (whole, &n);
  GArray *blocks = virfs_spans_new ();

  for (gsize i = 0; i < n; i++) {
    guint64 first = list[i].start / CLUSTER, count = virfs_parts (list[i].length, CLUSTER);

    if (list[i].kind == VIRFS_EXTENT_DATA || (complete && list[i].kind == VIRFS_EXTENT_UNCHANGED))
      note_clusters (qcow2, qcow2->data, blocks, first, count);
    else if (list[i].kind == VIRFS_EXTENT_ZERO && !complete)
      note_clusters (qcow2, qcow2->zeroes, blocks, first, count);
  }
  return blocks;
}

static guint64
clusters (const VirfsQcow2 *qcow2, Region region)
{
  return (qcow2->start[region + 1] - qcow2->start[region]) / CLUSTER;
}

static guint64
l1_entries (const VirfsQcow2 *qcow2)
{
  return virfs_parts (qcow2->disk_size, CLUSTER * ENTRIES);
}

/* Refcounts are also needed for the clusters that hold refcounts. */
static void
lay_out (VirfsQcow2 *qcow2)
{
  guint64 wanted[REGIONS] = {
    [REGION_HEADER] = 1,
    [REGION_REFCOUNT_TABLE] = 1,
    [REGION_REFCOUNT_BLOCKS] = 1,
    [REGION_L1_TABLE] = virfs_parts (l1_entries (qcow2), ENTRIES),
    [REGION_L2_TABLES] = virfs_spans_total (qcow2->tables),
    [REGION_DATA] = virfs_spans_total (qcow2->data),
  };
  guint64 total = 0;

  for (guint64 before = 1; total != before;) {
    before = total;
    wanted[REGION_REFCOUNT_BLOCKS] = MAX (1, virfs_parts (total, REFCOUNTS));
    wanted[REGION_REFCOUNT_TABLE] = virfs_parts (wanted[REGION_REFCOUNT_BLOCKS], ENTRIES);
    total = 0;
    for (Region region = 0; region < REGIONS; region++) {
      qcow2->start[region] = total * CLUSTER;
      total += wanted[region];
    }
  }
  qcow2->start[REGIONS] = total * CLUSTER;
}

static void
fill_blocks (VirfsQcow2 *qcow2, Region region, guint64 bytes)
{
  virfs_spans_add (qcow2->filled, qcow2->start[region] / BLOCK, virfs_parts (bytes, BLOCK));
}

/* BLOCKS are those of note_extents(). */
static void
note_filled (VirfsQcow2 *qcow2, GArray *blocks)
{
  const guint64 in_cluster = CLUSTER / BLOCK;
  const guint64 *start = qcow2->start;

  fill_blocks (qcow2, REGION_HEADER, qcow2->header->len);
  fill_blocks (qcow2, REGION_REFCOUNT_TABLE,
               clusters (qcow2, REGION_REFCOUNT_BLOCKS) * sizeof (guint64));
  fill_blocks (qcow2, REGION_REFCOUNT_BLOCKS, start[REGIONS] / CLUSTER * sizeof (guint16));
  for (guint i = 0; i < qcow2->tables->len; i++)
    virfs_spans_add_groups (qcow2->filled,
                            start[REGION_L1_TABLE] / sizeof (guint64)
                              + VIRFS_SPAN (qcow2->tables, i)->first,
                            VIRFS_SPAN (qcow2->tables, i)->count, BLOCK_ENTRIES);
  for (guint i = 0; i < blocks->len; i++) {
    guint64 first = VIRFS_SPAN (blocks, i)->first;
    const VirfsSpan *span
      = VIRFS_SPAN (qcow2->tables, virfs_spans_from (qcow2->tables, first / in_cluster));
    guint64 missing = (span->first - span->before) * in_cluster;

    virfs_spans_add (qcow2->filled, start[REGION_L2_TABLES] / BLOCK + first - missing,
                     VIRFS_SPAN (blocks, i)->count);
  }
  fill_blocks (qcow2, REGION_DATA, clusters (qcow2, REGION_DATA) * CLUSTER);
}

static void
append_32 (GByteArray *bytes, guint32 value)
{
  value = GUINT32_TO_BE (value);
  g_byte_array_append (bytes, (const guint8 *) &value, sizeof value);
}

static void
append_64 (GByteArray *bytes, guint64 value)
{
  value = GUINT64_TO_BE (value);
  g_byte_array_append (bytes, (const guint8 *) &value, sizeof value);
}

/* Extensions are multiples of 8 bytes long, and an empty one ends them. */
static GByteArray *
make_extensions (const char *backing_format)
{
  GByteArray *bytes = g_byte_array_new ();

  if (backing_format != NULL) {
    append_32 (bytes, EXTENSION_BACKING);
    append_32 (bytes, strlen (backing_format));
    g_byte_array_append (bytes, (const guint8 *) backing_format, strlen (backing_format));
    while (bytes->len % 8 != 0)
      g_byte_array_append (bytes, (const guint8 *) "", 1);
  }
  append_64 (bytes, 0);
  return bytes;
}

static void
append_header (GByteArray *bytes, const VirfsQcow2 *qcow2, guint64 name_offset, guint32 name_length)
{
  g_byte_array_append (bytes, (const guint8 *) "QFI\xfb", 4);
  append_32 (bytes, 3); /* version */
  append_64 (bytes, name_offset);
  append_32 (bytes, name_length);
  append_32 (bytes, CLUSTER_BITS);
  append_64 (bytes, virfs_parts (qcow2->disk_size, SECTOR) * SECTOR);
  append_32 (bytes, 0); /* no encryption */
  append_32 (bytes, l1_entries (qcow2));
  append_64 (bytes, qcow2->start[REGION_L1_TABLE]);
  append_64 (bytes, qcow2->start[REGION_REFCOUNT_TABLE]);
  append_32 (bytes, clusters (qcow2, REGION_REFCOUNT_TABLE));
  append_32 (bytes, 0); /* snapshots */
  append_64 (bytes, 0);
  for (guint i = 0; i < 3; i++)
    append_64 (bytes, 0); /* features: incompatible, compatible, autoclear */
  append_32 (bytes, REFCOUNT_ORDER);
  append_32 (bytes, HEADER_LENGTH);
}

static GByteArray *
make_header (const VirfsQcow2 *qcow2, const char *backing_file, const char *backing_format)
{
  g_autoptr (GByteArray) extensions = make_extensions (backing_format);
  GByteArray *bytes = g_byte_array_new ();

  append_header (bytes, qcow2, backing_file ? HEADER_LENGTH + extensions->len : 0,
                 backing_file ? strlen (backing_file) : 0);
  g_assert (bytes->len == HEADER_LENGTH);
  g_byte_array_append (bytes, extensions->data, extensions->len);
  if (backing_file != NULL)
    g_byte_array_append (bytes, (const guint8 *) backing_file, strlen (backing_file));
  return bytes;
}

static gboolean
check_text (const char *text, gsize most, const char *what, GError **error)
{
  if (text != NULL && *text != '\0' && strlen (text) <= most)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "the %s of a qcow2 file has from 1 to %" G_GSIZE_FORMAT " bytes", what, most);
  return FALSE;
}

static gboolean
check (guint64 disk_size, const char *backing_file, const char *backing_format, GError **error)
{
  if (disk_size > DISK_MOST) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "a disk of more than 1 PiB does not fit into a qcow2 file");
    return FALSE;
  }
  return backing_file == NULL
         || (check_text (backing_file, BACKING_FILE_MOST, "backing file's name", error)
             && check_text (backing_format, BACKING_FORMAT_MOST, "backing file's format", error));
}

VirfsQcow2 *
virfs_qcow2_new (const VirfsExtents *extents, const char *backing_file, const char *backing_format,
                 GError **error)
{
  guint64 disk_size = virfs_extents_size (extents);
  g_autoptr (GArray) blocks = NULL;
  VirfsQcow2 *qcow2;

  if (!check (disk_size, backing_file, backing_format, error))
    return NULL;
  qcow2 = g_new0 (VirfsQcow2, 1);
  qcow2->disk_size = disk_size;
  qcow2->data = virfs_spans_new ();
  qcow2->zeroes = virfs_spans_new ();
  qcow2->tables = virfs_spans_new ();
  qcow2->filled = virfs_spans_new ();
  blocks = note_extents (qcow2, extents, backing_file == NULL);
  lay_out (qcow2);
  qcow2->header = make_header (qcow2, backing_file, backing_file ? backing_format : NULL);
  note_filled (qcow2, blocks);
  return qcow2;
}

void
virfs_qcow2_free (VirfsQcow2 *qcow2)
{
  if (qcow2 == NULL)
    return;
  g_byte_array_unref (qcow2->header);
  g_array_unref (qcow2->data);
  g_array_unref (qcow2->zeroes);
  g_array_unref (qcow2->tables);
  g_array_unref (qcow2->filled);
  g_free (qcow2);
}

guint64
virfs_qcow2_size (const VirfsQcow2 *qcow2)
{
  return qcow2->start[REGIONS];
}

guint64
virfs_qcow2_allocated (const VirfsQcow2 *qcow2)
{
  return virfs_spans_total (qcow2->filled) * BLOCK;
}

/* A part of a region that is asked for: LENGTH bytes from START of it on, all zero before. */
typedef struct {
  const VirfsQcow2 *qcow2;
  guint64 start;
  gsize length;
  guint8 *bytes;
} Window;

/* Those of the SIZE bytes, which stand at AT of the region, that the window shows. */
static void
put (const Window *window, guint64 at, const guint8 *bytes, gsize size)
{
  guint64 from = MAX (at, window->start), to = MIN (at + size, window->start + window->length);

  if (from < to)
    memcpy (window->bytes + (from - window->start), bytes + (from - at), to - from);
}

/* An entry of a table. */
static void
put_entry (const Window *window, guint64 index, guint64 entry)
{
  entry = GUINT64_TO_BE (entry);
  put (window, index * sizeof entry, (const guint8 *) &entry, sizeof entry);
}

/*
 * Entries for those of the COUNT numbers from FIRST on that are in SPANS; FIRST has the INDEXth.
 * They are BASE and a STEP more for each number in SPANS.
 */
static void
put_entries (const Window *window, guint64 index, GArray *spans, guint64 first, guint64 count,
             guint64 base, guint64 step)
{
  for (guint i = virfs_spans_from (spans, first); i < spans->len; i++) {
    const VirfsSpan *span = VIRFS_SPAN (spans, i);
    guint64 end = MIN (span->first + span->count, first + count);

    if (span->first >= end)
      return;
    for (guint64 number = MAX (span->first, first); number < end; number++)
      put_entry (window, index + number - first,
                 base + (span->before + number - span->first) * step);
  }
}

/* The entries that the window shows, if only in part. */
static void
shown_entries (const Window *window, guint64 *first, guint64 *end)
{
  *first = window->start / sizeof (guint64);
  *end = virfs_parts (window->start + window->length, sizeof (guint64));
}

static void
fill_header (const Window *window)
{
  put (window, 0, window->qcow2->header->data, window->qcow2->header->len);
}

static void
fill_refcount_table (const Window *window)
{
  guint64 blocks = clusters (window->qcow2, REGION_REFCOUNT_BLOCKS);
  guint64 first, end;

  shown_entries (window, &first, &end);
  for (guint64 i = first; i < MIN (end, blocks); i++)
    put_entry (window, i, window->qcow2->start[REGION_REFCOUNT_BLOCKS] + i * CLUSTER);
}

/* One for each cluster of the file, so every second byte is 1. */
static void
fill_refcount_blocks (const Window *window)
{
  guint64 used = window->qcow2->start[REGIONS] / CLUSTER * sizeof (guint16);
  guint64 end = MIN (window->start + window->length, used);

  for (guint64 i = window->start | 1; i < end; i += sizeof (guint16))
    window->bytes[i - window->start] = 1;
}

static void
fill_l1_table (const Window *window)
{
  guint64 first, end;

  shown_entries (window, &first, &end);
  put_entries (window, first, window->qcow2->tables, first, end - first,
               window->qcow2->start[REGION_L2_TABLES] | COPIED, CLUSTER);
}

static void
fill_l2_tables (const Window *window)
{
  const VirfsQcow2 *qcow2 = window->qcow2;
  guint64 index, next, end;

  for (shown_entries (window, &index, &end); index < end; index = next) {
    guint64 table = index / ENTRIES;
    const VirfsSpan *span = virfs_spans_nth (qcow2->tables, table);
    guint64 guest = (span->first + table - span->before) * ENTRIES + index % ENTRIES;

    next = MIN (end, (table + 1) * ENTRIES);
    put_entries (window, index, qcow2->data, guest, next - index,
                 qcow2->start[REGION_DATA] | COPIED, CLUSTER);
    put_entries (window, index, qcow2->zeroes, guest, next - index, ZERO, 0);
  }
}

/* Among the data there are only the zeroes behind the end of the disk. */
static void (*const fillers[REGION_DATA]) (const Window *window) = {
  [REGION_HEADER] = fill_header,
  [REGION_REFCOUNT_TABLE] = fill_refcount_table,
  [REGION_REFCOUNT_BLOCKS] = fill_refcount_blocks,
  [REGION_L1_TABLE] = fill_l1_table,
  [REGION_L2_TABLES] = fill_l2_tables,
};

void
virfs_qcow2_fill (const VirfsQcow2 *qcow2, guint64 offset, gsize length, guint8 *buffer)
{
  memset (buffer, 0, length);
  for (Region region = 0; region < REGION_DATA; region++) {
    guint64 start = qcow2->start[region], from = MAX (offset, start);
    guint64 to = MIN (offset + length, qcow2->start[region + 1]);

    if (from < to)
      fillers[region](&(Window){ qcow2, from - start, to - from, buffer + (from - offset) });
  }
}

gsize
virfs_qcow2_at (const VirfsQcow2 *qcow2, guint64 offset, gsize length, gboolean *is_data,
                guint64 *guest)
{
  guint64 data = qcow2->start[REGION_DATA], index, end;
  const VirfsSpan *span;

  *is_data = FALSE;
  if (offset >= qcow2->start[REGIONS])
    return 0;
  if (offset < data)
    return MIN (length, data - offset);
  index = (offset - data) / CLUSTER;
  span = virfs_spans_nth (qcow2->data, index);
  end = MIN ((span->first + span->count) * CLUSTER, qcow2->disk_size);
  *guest = (span->first + index - span->before) * CLUSTER + (offset - data) % CLUSTER;
  *is_data = *guest < end;
  return MIN (length, *is_data ? end - *guest : qcow2->start[REGIONS] - offset);
}

guint64
virfs_qcow2_next_data (const VirfsQcow2 *qcow2, guint64 offset)
{
  guint i = virfs_spans_from (qcow2->filled, offset / BLOCK);

  if (i == qcow2->filled->len)
    return qcow2->start[REGIONS];
  return MAX (offset, VIRFS_SPAN (qcow2->filled, i)->first * BLOCK);
}

guint64
virfs_qcow2_next_hole (const VirfsQcow2 *qcow2, guint64 offset)
{
  guint i = virfs_spans_from (qcow2->filled, offset / BLOCK);
  const VirfsSpan *span = i < qcow2->filled->len ? VIRFS_SPAN (qcow2->filled, i) : NULL;

  if (span == NULL || offset < span->first * BLOCK)
    return MIN (offset, qcow2->start[REGIONS]);
  return (span->first + span->count) * BLOCK;
}
