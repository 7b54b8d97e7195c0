/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a budget: memory that is accounted for, and the blocks that readers keep in it.
 *
 * The budget's `lock` guards all blocks, and what readers know of their files.  Memory has a lock
 * of its own, the last of all, because who holds it last is anybody.
 */
#pragma once

#include "budget.h"

/* Reference counted. */
typedef struct {
  gatomicrefcount refs;
  VirfsBudget *budget;
  gsize length;
  guint8 *bytes;
} NbdMemory;

/* NULL: there is none. */
NbdMemory *nbd_memory_new (VirfsBudget *budget, gsize length);
NbdMemory *nbd_memory_ref (NbdMemory *memory);
void nbd_memory_unref (NbdMemory *memory);
/* A part of it, which keeps it; the caller owns it. */
GBytes *nbd_memory_share (NbdMemory *memory, gsize offset, gsize length);

/* The blocks of a reader.  Nothing is kept when nobody uses it. */
typedef struct {
  GHashTable *blocks; /* index -> NbdBlock*; owns */
  guint users;
} NbdTable;

/* A part of a disk. */
typedef struct {
  NbdTable *table;
  guint64 index;
  guint64 start; /* of the disk */
  NbdMemory *memory;
  GArray *waits; /* who waits for it, the reader's; NULL: it has been read */
  GQueue *queue; /* in which it is when it has been read */
  GList link;
} NbdBlock;

struct VirfsBudget {
  gatomicrefcount refs;
  gsize limit;
  GMutex lock;
  GQueue asked; /* under lock: NbdBlock* that were asked for, the last one last */
  GQueue ahead; /* under lock: those that were not yet */
  guint files;  /* under lock: that are read in order */

  GMutex account;
  gsize used, peak; /* under account */
};

/* All under lock. */

void nbd_table_init (NbdTable *table);
/* It has none that are being read. */
void nbd_table_clear (NbdTable *table);
void nbd_table_enter (NbdTable *table);
void nbd_table_leave (NbdTable *table);

NbdBlock *nbd_block_find (NbdTable *table, guint64 index);
/* One to be read, of which nobody knows yet.  NULL: there is no memory; unless it MUST be that is
 * so, too, if the budget is exhausted. */
NbdBlock *nbd_block_new (VirfsBudget *budget, NbdTable *table, guint64 index, guint64 start,
                         gsize length, gboolean must);
/* It was read, or asked for again; it may be gone then. */
void nbd_block_keep (NbdBlock *block, gboolean asked);
void nbd_block_drop (NbdBlock *block);
