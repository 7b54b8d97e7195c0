/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories.  Their names are asked for alone, because that is all that many want to know.  With the first
 * file that somebody looks at come the attributes of its neighbours, a batch of them at a time;
 * extended attributes, which hardly anybody asks for, likewise.
 */
#include "directory.h"

#include <errno.h>
#include <string.h>

/* What is kept of a tree's directories: names and attributes of some hundred thousand files. */
#define KEPT_BYTES (64 * 1024 * 1024)
/* Files may be passed over that are no concern of who reads a directory in its order. */
#define STRIDE 32
/* Directories that are listed without a file being opened, until nobody is taken to read them all. */
#define READS_ON 16

/* Life. */

void
virfs_directory_free (gpointer data)
{
  Directory *directory = data;

  for (Kind kind = 0; kind < KINDS; kind++) {
    for (guint i = 0; i < directory->n_batches; i++)
      virfs_directory_empty_batch (&directory->batches[kind][i], kind,
                                   virfs_directory_batch_length (directory, i));
    g_free (directory->batches[kind]);
  }
  g_clear_pointer (&directory->list, virfs_files_list_unref);
  virfs_directory_clear_names (directory);
  g_free (directory->path);
  g_free (directory);
}

void
virfs_directory_charge (Tree *tree, Directory *directory, gsize bytes)
{
  directory->bytes += bytes;
  tree->bytes += bytes;
}

static void
forget_some (Tree *tree)
{
  GList *next;

  for (GList *at = tree->recent.tail; at != NULL && tree->bytes > KEPT_BYTES; at = next) {
    Directory *directory = at->data;

    next = at->prev;
    if (directory->busy > 0)
      continue;
    tree->bytes -= directory->bytes;
    g_queue_unlink (&tree->recent, at);
    g_hash_table_remove (tree->directories, directory->path);
  }
}

/* The directory, which is busy until release(). */
static Directory *
acquire (Tree *tree, const char *path)
{
  Directory *directory = g_hash_table_lookup (tree->directories, path);

  if (directory == NULL) {
    directory = g_new0 (Directory, 1);
    directory->path = g_strdup (path);
    directory->link.data = directory;
    g_hash_table_insert (tree->directories, directory->path, directory);
    virfs_directory_charge (tree, directory, sizeof *directory + strlen (path));
  } else {
    g_queue_unlink (&tree->recent, &directory->link);
  }
  g_queue_push_head_link (&tree->recent, &directory->link);
  directory->busy++;
  return directory;
}

void
virfs_directory_release (Tree *tree, Directory *directory)
{
  directory->busy--;
  forget_some (tree);
}

/* Waiters. */

static Waiter *
waiter_new (Kind kind, const char *name, gpointer data)
{
  Waiter *waiter = g_new0 (Waiter, 1);

  waiter->kind = kind;
  waiter->name = g_strdup (name);
  waiter->data = data;
  return waiter;
}

static void
tell (Waiter *waiter, int error, VirfsFilesList *list, gconstpointer item)
{
  if (waiter->kind == KINDS)
    waiter->done.listed (error, list, waiter->data);
  else if (waiter->kind == XATTRS)
    waiter->done.xattrs (error, (GHashTable *) item, waiter->data);
  else
    waiter->done.found (error, item, waiter->data);
  g_free (waiter->name);
  g_free (waiter);
}

/* Serving. */

/* Under the lock: what WAITER wants is known (TRUE), or has been asked for, and it waits for that. */
static gboolean
resolve (Tree *tree, Directory *directory, Waiter *waiter, int *error, gconstpointer *item)
{
  Batch *batch;
  guint i;

  *error = ESTALE;
  if (directory->list == NULL) {
    if (!virfs_directory_ask_list (tree, directory))
      return TRUE;
    g_queue_push_tail (&directory->waiters, waiter);
    return FALSE;
  }
  *error = 0;
  if (waiter->kind == KINDS)
    return TRUE;
  *error = ENOENT;
  i = virfs_files_list_find (directory->list, waiter->name);
  if (i == G_MAXUINT)
    return TRUE;
  batch = &directory->batches[waiter->kind][i / DIRECTORY_BATCH];
  if (batch->known) {
    *item = batch->items[i % DIRECTORY_BATCH];
    *error = *item ? 0 : ENOENT;
    return TRUE;
  }
  *error = ESTALE;
  if (!virfs_directory_ask_batch (tree, directory, waiter->kind, i / DIRECTORY_BATCH))
    return TRUE;
  g_queue_push_tail (&batch->waiters, waiter);
  return FALSE;
}

/* The directory is busy, and so what it has stays where it is. */
static void
serve (Tree *tree, Directory *directory, Waiter *waiter)
{
  gconstpointer item = NULL;
  gboolean resolved;
  int error;

  g_mutex_lock (&tree->lock);
  resolved = resolve (tree, directory, waiter, &error, &item);
  g_mutex_unlock (&tree->lock);
  if (resolved)
    tell (waiter, error, directory->list, item);
}

void
virfs_directory_serve (Tree *tree, Directory *directory, GQueue *waiters, int error)
{
  Waiter *waiter;

  while ((waiter = g_queue_pop_head (waiters)) != NULL) {
    if (error != 0)
      tell (waiter, error, NULL, NULL);
    else
      serve (tree, directory, waiter);
  }
}

static void
serve_new (VirfsFiles *files, const char *path, Waiter *waiter)
{
  Tree *tree = (Tree *) files;
  Directory *directory;

  if (strlen (path) > VIRFS_WIRE_TEXT_MAX) {
    tell (waiter, ENAMETOOLONG, NULL, NULL);
    return;
  }
  g_mutex_lock (&tree->lock);
  directory = acquire (tree, path);
  g_mutex_unlock (&tree->lock);
  serve (tree, directory, waiter);
  g_mutex_lock (&tree->lock);
  virfs_directory_release (tree, directory);
  g_mutex_unlock (&tree->lock);
}

void
virfs_tree_list (VirfsFiles *files, const char *path, VirfsFilesListed done, gpointer data)
{
  Waiter *waiter = waiter_new (KINDS, NULL, data);

  waiter->done.listed = done;
  serve_new (files, path, waiter);
}

void
virfs_tree_find (VirfsFiles *files, const char *path, const char *name, VirfsFilesFound done,
                 gpointer data)
{
  Waiter *waiter = waiter_new (INFOS, name, data);

  waiter->done.found = done;
  serve_new (files, path, waiter);
}

void
virfs_tree_xattrs (VirfsFiles *files, const char *path, const char *name, VirfsFilesXattrs done,
                   gpointer data)
{
  Waiter *waiter = waiter_new (XATTRS, name, data);

  waiter->done.xattrs = done;
  serve_new (files, path, waiter);
}

/* Reading ahead. */

/* Remembers that entry I was opened; returns whether that was the turn of it: behind the last one, or at
 * the beginning if this directory has been come to by reading one after the other. */
static gboolean
is_next (Tree *tree, Directory *directory, guint i)
{
  guint from = directory->read;

  if (from > 0 || i >= STRIDE)
    tree->reads_on = i >= from && i < from + STRIDE ? READS_ON : 0;
  directory->read = i + 1;
  return tree->reads_on > 0;
}

void
virfs_directory_read_ahead (Tree *tree, const Directory *directory, guint from)
{
  for (guint i = from; i < MIN (directory->list->n, from + STRIDE); i++) {
    const Batch *batch = &directory->batches[INFOS][i / DIRECTORY_BATCH];
    const VirfsFilesInfo *info = batch->known ? batch->items[i % DIRECTORY_BATCH] : NULL;

    if (info != NULL
        && !virfs_tree_read_ahead (tree, directory->path, directory->list->entries[i].name, info))
      return;
  }
}

void
virfs_directory_opened (Tree *tree, const char *path, const char *name)
{
  Directory *directory = g_hash_table_lookup (tree->directories, path);
  guint i
    = directory && directory->list ? virfs_files_list_find (directory->list, name) : G_MAXUINT;

  if (i != G_MAXUINT && is_next (tree, directory, i))
    virfs_directory_read_ahead (tree, directory, i + 1);
}
