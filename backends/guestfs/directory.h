/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of directories: directory.c and directory_ask.c.  All of it is under the tree's lock. */
#pragma once

#include "guest_tree.h"

/* Files whose attributes are asked for at a time. */
#define DIRECTORY_BATCH 512

typedef enum { INFOS, XATTRS, KINDS } Kind;

typedef struct {
  Kind kind;
  char *name;
  union {
    VirfsFilesFound found;
    VirfsFilesXattrs xattrs;
    VirfsFilesListed listed;
  } done;
  gpointer data;
} Waiter;

typedef struct {
  gpointer *items; /* VirfsFilesInfo*, or GHashTable*; NULL: not known yet */
  guint filled;
  gboolean asked, known, bad;
  GQueue waiters; /* of Waiter* */
} Batch;

/* All of it under the tree's lock. */
struct Directory {
  char *path;
  GList link; /* in `recent` */
  guint busy; /* questions under way, and callers that use it */
  gsize bytes;
  VirfsFilesList *list; /* NULL: not known yet */
  VirfsNames names;     /* of a list that comes in parts */
  gboolean bad;         /* one of them was not good */
  GQueue waiters;       /* of Waiter*: for the list */
  Batch *batches[KINDS];
  guint n_batches;
  guint read; /* the entry behind the last one that was opened */
};

/* directory.c */

/* Directories that somebody uses are busy; others may be forgotten. */
void virfs_directory_release (Tree *tree, Directory *directory);
/* DIRECTORY takes so many BYTES more. */
void virfs_directory_charge (Tree *tree, Directory *directory, gsize bytes);
/* Without the lock: what WAITERS want is known now, or is not to be had because of ERROR. */
void virfs_directory_serve (Tree *tree, Directory *directory, GQueue *waiters, int error);

/* Reads ahead the small ones of the files from entry FROM on. */
void virfs_directory_read_ahead (Tree *tree, const Directory *directory, guint from);

/* directory_ask.c */

/* How many entries are in batch NUMBER. */
guint virfs_directory_batch_length (const Directory *directory, guint number);
void virfs_directory_empty_batch (Batch *batch, Kind kind, guint n);
void virfs_directory_clear_names (Directory *directory);
/* Asks for what is not known yet, if that was not done; FALSE: the tree has stopped. */
gboolean virfs_directory_ask_list (Tree *tree, Directory *directory);
gboolean virfs_directory_ask_batch (Tree *tree, Directory *directory, Kind kind, guint number);
