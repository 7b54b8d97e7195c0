/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory, and blocks. */
#include "cache.h"

#define SHARED_LIMIT (128u << 20)

VirfsBudget *
virfs_budget_new (gsize limit)
{
  VirfsBudget *budget = g_new0 (VirfsBudget, 1);

  g_atomic_ref_count_init (&budget->refs);
  budget->limit = limit;
  g_mutex_init (&budget->lock);
  g_mutex_init (&budget->account);
  g_queue_init (&budget->asked);
  g_queue_init (&budget->ahead);
  return budget;
}

VirfsBudget *
virfs_budget_shared (void)
{
  static gsize shared;

  if (g_once_init_enter (&shared))
    g_once_init_leave (&shared, (gsize) virfs_budget_new (SHARED_LIMIT));
  return (VirfsBudget *) shared;
}

VirfsBudget *
virfs_budget_ref (VirfsBudget *budget)
{
  g_atomic_ref_count_inc (&budget->refs);
  return budget;
}

void
virfs_budget_unref (VirfsBudget *budget)
{
  if (budget == NULL || !g_atomic_ref_count_dec (&budget->refs))
    return;
  g_mutex_clear (&budget->lock);
  g_mutex_clear (&budget->account);
  g_free (budget);
}

gsize
virfs_budget_used (VirfsBudget *budget)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&budget->account);

  return budget->used;
}

gsize
virfs_budget_peak (VirfsBudget *budget)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&budget->account);

  return budget->peak;
}

/* Memory. */

NbdMemory *
nbd_memory_new (VirfsBudget *budget, gsize length)
{
  guint8 *bytes = g_try_malloc (length);
  NbdMemory *memory;

  if (bytes == NULL)
    return NULL;
  memory = g_new (NbdMemory, 1);
  *memory = (NbdMemory){ .budget = virfs_budget_ref (budget), .length = length, .bytes = bytes };
  g_atomic_ref_count_init (&memory->refs);
  g_mutex_lock (&budget->account);
  budget->used += length;
  budget->peak = MAX (budget->peak, budget->used);
  g_mutex_unlock (&budget->account);
  return memory;
}

NbdMemory *
nbd_memory_ref (NbdMemory *memory)
{
  g_atomic_ref_count_inc (&memory->refs);
  return memory;
}

void
nbd_memory_unref (NbdMemory *memory)
{
  if (!g_atomic_ref_count_dec (&memory->refs))
    return;
  g_mutex_lock (&memory->budget->account);
  memory->budget->used -= memory->length;
  g_mutex_unlock (&memory->budget->account);
  g_free (memory->bytes);
  virfs_budget_unref (memory->budget);
  g_free (memory);
}

static void
unref_shared (gpointer memory)
{
  nbd_memory_unref (memory);
}

GBytes *
nbd_memory_share (NbdMemory *memory, gsize offset, gsize length)
{
  g_assert (offset + length <= memory->length);
  return g_bytes_new_with_free_func (memory->bytes + offset, length, unref_shared,
                                     nbd_memory_ref (memory));
}

/* Blocks. */

static void
leave_queue (NbdBlock *block)
{
  if (block->queue != NULL)
    g_queue_unlink (block->queue, &block->link);
  block->queue = NULL;
}

static void
free_block (gpointer data)
{
  NbdBlock *block = data;

  leave_queue (block);
  nbd_memory_unref (block->memory);
  g_clear_pointer (&block->waits, g_array_unref);
  g_free (block);
}

void
nbd_table_init (NbdTable *table)
{
  table->blocks = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, free_block);
}

void
nbd_table_clear (NbdTable *table)
{
  g_hash_table_unref (table->blocks);
}

void
nbd_table_enter (NbdTable *table)
{
  table->users++;
}

static gboolean
is_kept (gpointer key, gpointer block, gpointer data)
{
  return ((NbdBlock *) block)->queue != NULL;
}

void
nbd_table_leave (NbdTable *table)
{
  if (--table->users == 0)
    g_hash_table_foreach_remove (table->blocks, is_kept, NULL);
}

NbdBlock *
nbd_block_find (NbdTable *table, guint64 index)
{
  return g_hash_table_lookup (table->blocks, &index);
}

void
nbd_block_drop (NbdBlock *block)
{
  g_hash_table_remove (block->table->blocks, &block->index);
}

/* Memory that somebody still holds is not there before he lets go. */
static gboolean
make_room (VirfsBudget *budget, gsize length)
{
  while (virfs_budget_used (budget) + length > budget->limit) {
    GQueue *queue = g_queue_is_empty (&budget->asked) ? &budget->ahead : &budget->asked;

    if (g_queue_is_empty (queue))
      return FALSE;
    nbd_block_drop (g_queue_peek_head (queue));
  }
  return TRUE;
}

NbdBlock *
nbd_block_new (VirfsBudget *budget, NbdTable *table, guint64 index, guint64 start, gsize length,
               gboolean must)
{
  gboolean fits = make_room (budget, length);
  NbdMemory *memory = fits || must ? nbd_memory_new (budget, length) : NULL;
  NbdBlock *block;

  if (memory == NULL)
    return NULL;
  block = g_new0 (NbdBlock, 1);
  block->table = table;
  block->index = index;
  block->start = start;
  block->memory = memory;
  block->link.data = block;
  g_hash_table_insert (table->blocks, &block->index, block);
  return block;
}

void
nbd_block_keep (NbdBlock *block, gboolean asked)
{
  VirfsBudget *budget = block->memory->budget;

  if (block->table->users == 0) {
    nbd_block_drop (block);
    return;
  }
  leave_queue (block);
  block->queue = asked ? &budget->asked : &budget->ahead;
  g_queue_push_tail_link (block->queue, &block->link);
}
