/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads of open files.  Each is planned under the budget's lock: what is there is taken, what is on
 * its way is waited for, the rest is asked for when the lock has been left.
 */
#include "reader.h"

#include "cache.h"
#include "window.h"

#include <errno.h>

#define BLOCK       (256u << 10)
#define WINDOW_MOST (16u << 20)

struct VirfsReader {
  VirfsNbd *nbd;
  VirfsBudget *budget;
  NbdTable blocks; /* under the budget's lock */
};

struct VirfsReaderFile {
  VirfsReader *reader;
  VirfsDataMap *map;
  VirfsWindow window; /* under the budget's lock */
  guint64 ahead;      /* under the budget's lock: up to where blocks were read or asked for */
};

VirfsReader *
virfs_reader_new (VirfsNbd *nbd, VirfsBudget *budget)
{
  VirfsReader *reader = g_new0 (VirfsReader, 1);

  reader->nbd = nbd;
  reader->budget = virfs_budget_ref (budget);
  nbd_table_init (&reader->blocks);
  return reader;
}

void
virfs_reader_free (VirfsReader *reader)
{
  if (reader == NULL)
    return;
  virfs_nbd_close (reader->nbd);
  g_mutex_lock (&reader->budget->lock);
  nbd_table_clear (&reader->blocks);
  g_mutex_unlock (&reader->budget->lock);
  virfs_budget_unref (reader->budget);
  g_free (reader);
}

VirfsNbd *
virfs_reader_nbd (VirfsReader *reader)
{
  return reader->nbd;
}

VirfsReaderFile *
virfs_reader_open (VirfsReader *reader, VirfsDataMap *data)
{
  VirfsReaderFile *file = g_new0 (VirfsReaderFile, 1);

  file->reader = reader;
  file->map = virfs_data_map_ref (data);
  g_mutex_lock (&reader->budget->lock);
  nbd_table_enter (&reader->blocks);
  g_mutex_unlock (&reader->budget->lock);
  return file;
}

void
virfs_reader_close (VirfsReaderFile *file)
{
  VirfsBudget *budget;

  if (file == NULL)
    return;
  budget = file->reader->budget;
  g_mutex_lock (&budget->lock);
  budget->files -= file->window.size > 0;
  nbd_table_leave (&file->reader->blocks);
  g_mutex_unlock (&budget->lock);
  virfs_data_map_unref (file->map);
  g_free (file);
}

/* Ends of reads. */

typedef struct {
  VirfsReader *reader;
  GPtrArray *pieces; /* GBytes*, NULL as long as it is missing */
  gint pending;      /* atomic: parts, and one for the plan */
  gint error;        /* atomic: the first */
  VirfsContentDone done;
  gpointer data;
} Read;

/* One piece of a read. */
typedef struct {
  Read *read;
  guint slot;
  guint64 offset; /* of the disk */
  gsize length;
  NbdMemory *memory; /* of a part that is read straight */
} Part;

static void
end_part (Read *read)
{
  int error;

  if (!g_atomic_int_dec_and_test (&read->pending))
    return;
  error = g_atomic_int_get (&read->error);
  read->done (error, error ? NULL : read->pieces, read->data);
  g_ptr_array_unref (read->pieces);
  g_free (read);
}

static void
fail_part (Read *read, int error)
{
  g_atomic_int_compare_and_exchange (&read->error, 0, error);
  end_part (read);
}

static void
on_straight (int error, gpointer data)
{
  g_autofree Part *part = data;

  if (!error)
    part->read->pieces->pdata[part->slot] = nbd_memory_share (part->memory, 0, part->length);
  nbd_memory_unref (part->memory);
  if (error)
    fail_part (part->read, error);
  else
    end_part (part->read);
}

static void
read_straight (const Part *part)
{
  VirfsReader *reader = part->read->reader;
  Part *copy = g_memdup2 (part, sizeof *part);

  copy->memory = nbd_memory_new (reader->budget, part->length);
  if (copy->memory == NULL) {
    g_free (copy);
    fail_part (part->read, ENOMEM);
    return;
  }
  virfs_nbd_read (reader->nbd, copy->memory->bytes, part->length, part->offset, on_straight, copy);
}

static GBytes *
share_block (const NbdBlock *block, const Part *part)
{
  return nbd_memory_share (block->memory, part->offset - block->start, part->length);
}

/* Under the lock: what was read goes to those who wait, and stays; what was not goes. */
static GArray *
end_block (NbdBlock *block, int error)
{
  GArray *waits = g_steal_pointer (&block->waits);

  for (guint i = 0; i < waits->len && !error; i++) {
    const Part *part = &g_array_index (waits, Part, i);

    part->read->pieces->pdata[part->slot] = share_block (block, part);
  }
  if (error)
    nbd_block_drop (block);
  else
    nbd_block_keep (block, waits->len > 0);
  return waits;
}

static void
on_block (int error, gpointer data)
{
  NbdBlock *block = data;
  VirfsBudget *budget = block->memory->budget;
  g_autoptr (GArray) waits = NULL;

  g_mutex_lock (&budget->lock);
  waits = end_block (block, error);
  g_mutex_unlock (&budget->lock);
  for (guint i = 0; i < waits->len; i++) {
    const Part *part = &g_array_index (waits, Part, i);

    /* it is more than was asked for that could not be read */
    if (error)
      read_straight (part);
    else
      end_part (part->read);
  }
}

/* Plans. */

typedef struct {
  VirfsReaderFile *file;
  Read *read;
  gboolean in_order;
  GPtrArray *blocks; /* NbdBlock* to be read */
  GArray *straight;  /* Part, to be read */
} Plan;

static NbdBlock *
begin_block (Plan *plan, guint64 index, gboolean must)
{
  VirfsReader *reader = plan->file->reader;
  guint64 start = index * BLOCK;
  guint64 end = MIN (start + BLOCK, virfs_nbd_size (reader->nbd));
  NbdBlock *block;

  if (!virfs_data_map_trim (plan->file->map, &start, &end))
    return NULL;
  block = nbd_block_new (reader->budget, &reader->blocks, index, start, end - start, must);
  if (block == NULL)
    return NULL;
  block->waits = g_array_new (FALSE, FALSE, sizeof (Part));
  g_ptr_array_add (plan->blocks, block);
  return block;
}

/* The next piece, which has to come. */
static Part
add_part (Plan *plan, guint64 offset, gsize length)
{
  Part part = { plan->read, plan->read->pieces->len, offset, length, NULL };

  g_ptr_array_add (plan->read->pieces, NULL);
  g_atomic_int_inc (&plan->read->pending);
  return part;
}

static void
plan_straight (Plan *plan, guint64 offset, gsize length)
{
  GArray *parts = plan->straight;
  Part *last = parts->len ? &g_array_index (parts, Part, parts->len - 1) : NULL;

  if (last != NULL && last->slot + 1 == plan->read->pieces->len
      && last->offset + last->length == offset) {
    last->length += length;
  } else {
    Part part = add_part (plan, offset, length);

    g_array_append_val (parts, part);
  }
}

static gboolean
has (const NbdBlock *block, guint64 offset, gsize length)
{
  return offset >= block->start && offset + length <= block->start + block->memory->length;
}

/* Data of one block. */
static void
plan_block (Plan *plan, guint64 index, guint64 offset, gsize length)
{
  NbdBlock *block = nbd_block_find (&plan->file->reader->blocks, index);

  if (block == NULL && plan->in_order) {
    block = begin_block (plan, index, TRUE);
    plan->file->ahead = (index + 1) * BLOCK;
  }
  /* another file may have read less of it */
  if (block == NULL || !has (block, offset, length)) {
    plan_straight (plan, offset, length);
  } else if (block->waits != NULL) {
    Part part = add_part (plan, offset, length);

    g_array_append_val (block->waits, part);
  } else {
    Part part = { .offset = offset, .length = length };

    g_ptr_array_add (plan->read->pieces, share_block (block, &part));
    nbd_block_keep (block, TRUE);
  }
}

static void
plan_data (Plan *plan, guint64 offset, guint64 end)
{
  while (offset < end) {
    guint64 index = offset / BLOCK;
    guint64 until = MIN (end, (index + 1) * BLOCK);

    plan_block (plan, index, offset, until - offset);
    offset = until;
  }
}

static void
plan_zeroes (Plan *plan, gsize length)
{
  static guint8 zeroes[1 << 20];

  while (length > 0) {
    gsize part = MIN (length, sizeof zeroes);

    g_ptr_array_add (plan->read->pieces, g_bytes_new_static (zeroes, part));
    length -= part;
  }
}

static void
plan_read (Plan *plan, guint64 offset, guint64 end)
{
  while (offset < end) {
    guint64 until;
    gboolean is_data = virfs_data_map_at (plan->file->map, offset, &until);

    until = MIN (until, end);
    if (is_data)
      plan_data (plan, offset, until);
    else
      plan_zeroes (plan, until - offset);
    offset = until;
  }
}

/* Takes note of the read; all files together read half of the budget ahead, so that none has to
 * drop what another is about to want. */
static void
note_read (Plan *plan, guint64 offset, gsize length)
{
  VirfsReaderFile *file = plan->file;
  VirfsBudget *budget = file->reader->budget;
  guint others = budget->files - (file->window.size > 0);
  guint64 most = MIN (WINDOW_MOST, budget->limit / 2 / (others + 1));

  plan->in_order = virfs_window_note (&file->window, file->map, offset, length, most);
  budget->files = others + (file->window.size > 0);
  if (!plan->in_order)
    file->ahead = 0;
}

/* Not a block now and then, but many when half of what there was has been read. */
static void
plan_ahead (Plan *plan)
{
  VirfsReaderFile *file = plan->file;
  guint64 size = virfs_nbd_size (file->reader->nbd);
  guint64 from = virfs_data_map_skip (file->map, file->window.next, 0);
  guint64 enough = virfs_data_map_skip (file->map, from, file->window.size / 2);
  guint64 end = virfs_data_map_skip (file->map, from, file->window.size);

  file->ahead = MAX (file->ahead, from);
  if (file->ahead > enough)
    return;
  while (file->ahead < MIN (end, size)) {
    guint64 index = file->ahead / BLOCK;

    if (nbd_block_find (&file->reader->blocks, index) == NULL && !begin_block (plan, index, FALSE))
      return;
    file->ahead = virfs_data_map_skip (file->map, (index + 1) * BLOCK, 0);
  }
}

static void
carry_out (const Plan *plan)
{
  VirfsReader *reader = plan->file->reader;

  for (guint i = 0; i < plan->straight->len; i++)
    read_straight (&g_array_index (plan->straight, Part, i));
  for (guint i = 0; i < plan->blocks->len; i++) {
    NbdBlock *block = plan->blocks->pdata[i];

    virfs_nbd_read (reader->nbd, block->memory->bytes, block->memory->length, block->start,
                    on_block, block);
  }
}

static Read *
read_new (VirfsReader *reader, VirfsContentDone done, gpointer data)
{
  Read *read = g_new (Read, 1);
  GPtrArray *pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  *read = (Read){ reader, pieces, 1, 0, done, data };
  return read;
}

void
virfs_reader_read (VirfsReaderFile *file, guint64 offset, gsize length, VirfsContentDone done,
                   gpointer data)
{
  VirfsReader *reader = file->reader;
  guint64 size = virfs_nbd_size (reader->nbd);
  g_autoptr (GPtrArray) blocks = g_ptr_array_new ();
  g_autoptr (GArray) straight = g_array_new (FALSE, FALSE, sizeof (Part));
  Plan plan = { file, read_new (reader, done, data), FALSE, blocks, straight };

  offset = MIN (offset, size);
  length = MIN (length, size - offset);
  g_mutex_lock (&reader->budget->lock);
  note_read (&plan, offset, length);
  plan_read (&plan, offset, offset + length);
  plan_ahead (&plan);
  g_mutex_unlock (&reader->budget->lock);
  carry_out (&plan);
  end_part (plan.read);
}
