/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directories: what is asked of the appliance, and what becomes of its answers. */
#include "directory.h"

#include <errno.h>
#include <string.h>

/* A batch that was asked for. */
typedef struct {
  Tree *tree;
  Directory *directory;
  Kind kind;
  guint number;
} Asked;

void
virfs_directory_clear_names (Directory *directory)
{
  VirfsNames *names = &directory->names;

  g_clear_pointer (&names->entries, g_array_unref);
  if (names->names != NULL)
    g_string_free (names->names, TRUE);
  names->names = NULL;
}

void
virfs_directory_empty_batch (Batch *batch, Kind kind, guint n)
{
  for (guint i = 0; batch->items != NULL && i < n; i++) {
    if (kind == INFOS)
      virfs_info_free (batch->items[i]);
    else
      g_clear_pointer ((GHashTable **) &batch->items[i], g_hash_table_unref);
  }
  g_clear_pointer (&batch->items, g_free);
}

guint
virfs_directory_batch_length (const Directory *directory, guint number)
{
  return MIN (DIRECTORY_BATCH, directory->list->n - number * DIRECTORY_BATCH);
}

/* Batches. */

static GByteArray *
batch_request (const Directory *directory, guint number)
{
  GByteArray *out = g_byte_array_new ();
  guint n = virfs_directory_batch_length (directory, number);

  virfs_wire_put_text (out, directory->path);
  virfs_wire_put_u32 (out, n);
  for (guint i = 0; i < n; i++)
    virfs_wire_put_text (out, directory->list->entries[number * DIRECTORY_BATCH + i].name);
  return out;
}

static gboolean
fill_batch (Batch *batch, Kind kind, const GByteArray *answer, guint n)
{
  if (kind == XATTRS)
    return virfs_answer_get_xattrs (answer, batch->items, &batch->filled, n);
  return virfs_answer_get_infos (answer, batch->items, n);
}

/* The last part of an answer has come. */
static void
asked_end (Asked *asked)
{
  Tree *tree = asked->tree;

  g_mutex_lock (&tree->lock);
  virfs_directory_release (tree, asked->directory);
  g_mutex_unlock (&tree->lock);
  virfs_files_unref (&tree->files);
  g_free (asked);
}

/* Under the lock: takes what has been got; returns what waits for it. */
static GQueue
end_batch (const Asked *asked, int error)
{
  Batch *batch = &asked->directory->batches[asked->kind][asked->number];
  guint n = virfs_directory_batch_length (asked->directory, asked->number);
  GQueue waiters = batch->waiters;

  batch->asked = FALSE;
  batch->known = error == 0;
  if (error != 0)
    virfs_directory_empty_batch (batch, asked->kind, n);
  else
    virfs_directory_charge (asked->tree, asked->directory,
                            n * (sizeof (VirfsFilesInfo) + 2 * sizeof (gpointer)));
  g_queue_init (&batch->waiters);
  return waiters;
}

static void
batch_answered (int error, GByteArray *answer, gboolean more, gpointer data)
{
  Asked *asked = data;
  Tree *tree = asked->tree;
  Batch *batch;
  GQueue waiters;

  g_mutex_lock (&tree->lock);
  batch = &asked->directory->batches[asked->kind][asked->number];
  if (error == 0
      && !fill_batch (batch, asked->kind, answer,
                      virfs_directory_batch_length (asked->directory, asked->number)))
    batch->bad = TRUE;
  if (error == 0 && batch->bad)
    error = EIO;
  if (!more && asked->kind == XATTRS && error == 0
      && batch->filled < virfs_directory_batch_length (asked->directory, asked->number))
    error = EIO;
  if (!more)
    waiters = end_batch (asked, error);
  if (!more && error == 0 && asked->kind == INFOS && asked->number == 0 && tree->reads_on > 0)
    virfs_directory_read_ahead (tree, asked->directory, 0);
  g_mutex_unlock (&tree->lock);
  if (more)
    return;
  virfs_directory_serve (tree, asked->directory, &waiters, error);
  asked_end (asked);
}

/* Under the lock; FALSE: it has stopped. */
static gboolean
ask (Tree *tree, Directory *directory, Kind kind, guint number, VirfsWireRequest request,
     GByteArray *payload, VirfsApplianceAnswer answered)
{
  Asked *asked = g_new (Asked, 1);

  *asked = (Asked){ tree, directory, kind, number };
  if (!virfs_appliance_ask (tree->appliance, request, payload, TRUE, answered, asked)) {
    g_free (asked);
    return FALSE;
  }
  virfs_files_ref (&tree->files);
  directory->busy++;
  return TRUE;
}

gboolean
virfs_directory_ask_batch (Tree *tree, Directory *directory, Kind kind, guint number)
{
  Batch *batch = &directory->batches[kind][number];

  if (batch->asked)
    return TRUE;
  batch->asked
    = ask (tree, directory, kind, number, kind == XATTRS ? VIRFS_WIRE_XATTRS : VIRFS_WIRE_STATS,
           batch_request (directory, number), batch_answered);
  if (!batch->asked)
    return FALSE;
  batch->bad = FALSE;
  batch->filled = 0;
  batch->items = g_new0 (gpointer, virfs_directory_batch_length (directory, number));
  return TRUE;
}

/* Lists. */

/* Under the lock: the list is complete. */
static void
make_list (Tree *tree, Directory *directory)
{
  const char *name = directory->names.names->str;
  GArray *entries = directory->names.entries;

  for (guint i = 0; i < entries->len; i++) {
    g_array_index (entries, VirfsFilesEntry, i).name = name;
    name += strlen (name) + 1;
  }
  directory->list = virfs_files_list_new (entries);
  directory->n_batches = (directory->list->n + DIRECTORY_BATCH - 1) / DIRECTORY_BATCH;
  for (Kind kind = 0; kind < KINDS; kind++)
    directory->batches[kind] = g_new0 (Batch, directory->n_batches);
  virfs_directory_charge (tree, directory,
                          directory->list->n * sizeof (VirfsFilesEntry)
                            + directory->names.names->len
                            + 2 * directory->n_batches * sizeof (Batch));
}

static void
list_answered (int error, GByteArray *answer, gboolean more, gpointer data)
{
  Asked *asked = data;
  Tree *tree = asked->tree;
  Directory *directory = asked->directory;
  GQueue waiters;

  g_mutex_lock (&tree->lock);
  if (error == 0 && !directory->bad && !virfs_answer_add_names (answer, &directory->names))
    directory->bad = TRUE;
  if (error == 0 && directory->bad)
    error = EIO;
  if (!more) {
    if (error == 0)
      make_list (tree, directory);
    tree->reads_on -= tree->reads_on > 0;
    if (error == 0 && directory->list->n > 0 && tree->reads_on > 0)
      virfs_directory_ask_batch (tree, directory, INFOS, 0);
    virfs_directory_clear_names (directory);
    waiters = directory->waiters;
    g_queue_init (&directory->waiters);
  }
  g_mutex_unlock (&tree->lock);
  if (more)
    return;
  virfs_directory_serve (tree, directory, &waiters, error);
  asked_end (asked);
}

gboolean
virfs_directory_ask_list (Tree *tree, Directory *directory)
{
  GByteArray *payload;

  if (directory->names.entries != NULL)
    return TRUE;
  payload = g_byte_array_new ();
  virfs_wire_put_text (payload, directory->path);
  if (!ask (tree, directory, KINDS, 0, VIRFS_WIRE_LIST, payload, list_answered))
    return FALSE;
  directory->bad = FALSE;
  directory->names.entries = g_array_new (FALSE, FALSE, sizeof (VirfsFilesEntry));
  directory->names.names = g_string_new (NULL);
  return TRUE;
}
