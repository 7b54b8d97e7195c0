/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a store, and its records. */
#include "error.h"
#include "file.h"
#include "private.h"

#include <unistd.h>

static gboolean
keep (gpointer data, const char *kind, const char *key, const char *text, GError **error)
{
  StoreRequest request = { .kind = kind, .key = key, .text = text };

  store_writer_do (data, &request);
  if (request.error == NULL)
    return TRUE;
  g_propagate_error (error, request.error);
  return FALSE;
}

static gboolean
keep_all (gpointer data, const char *kind, GPtrArray *pairs, GError **error)
{
  guint n = pairs->len / 2;
  g_autofree StoreRequest *requests = g_new0 (StoreRequest, n);
  gboolean kept = TRUE;

  for (guint i = 0; i < n; i++)
    requests[i]
      = (StoreRequest){ .kind = kind, .key = pairs->pdata[2 * i], .text = pairs->pdata[2 * i + 1] };
  store_writer_do_all (data, requests, n);
  for (guint i = 0; i < n; i++) {
    if (requests[i].error != NULL && kept)
      g_propagate_error (error, g_steal_pointer (&requests[i].error));
    kept &= requests[i].error == NULL;
    g_clear_error (&requests[i].error);
  }
  return kept && (error == NULL || *error == NULL);
}

static gboolean
forget (gpointer data, const char *kind, const char *key, GError **error)
{
  return keep (data, kind, key, NULL, error);
}

static gboolean
recall (gpointer data, const char *kind, VirfsRecordFunc func, gpointer user, GError **error)
{
  return virfs_store_foreach (data, kind, func, user, error);
}

VirfsStore *
virfs_store_open (const char *directory, GError **error)
{
  int lock = -1;
  StoreDb *db = store_file_open (directory, &store_file, &lock, error);
  VirfsStore *store;

  if (db == NULL)
    return NULL;
  store = g_new0 (VirfsStore, 1);
  store->db = db;
  store->file_lock = lock;
  store->events_keep = VIRFS_STORE_EVENTS_KEEP;
  store->keeper
    = (VirfsKeeper){ store, keep, forget, keep_all, recall, store_recall_vms, store_writer_settle };
  g_mutex_init (&store->db_lock);
  g_mutex_init (&store->lock);
  g_cond_init (&store->wake);
  g_cond_init (&store->done);
  g_queue_init (&store->requests);
  g_queue_init (&store->settling);
  store_notes_init (&store->notes);
  store->writer = g_thread_new ("store", store_writer_run, store);
  return store;
}

void
virfs_store_set_events_keep (VirfsStore *store, guint64 bytes)
{
  store->events_keep = bytes;
}

void
virfs_store_close (VirfsStore *store)
{
  if (store == NULL)
    return;
  virfs_store_detach (store);
  g_mutex_lock (&store->lock);
  store->closing = TRUE;
  g_cond_signal (&store->wake);
  g_mutex_unlock (&store->lock);
  g_thread_join (store->writer);
  store_notes_clear (&store->notes);
  store_db_close (store->db);
  close (store->file_lock);
  g_cond_clear (&store->done);
  g_cond_clear (&store->wake);
  g_mutex_clear (&store->lock);
  g_mutex_clear (&store->db_lock);
  g_free (store);
}

static void
restore_owner (const char *path, const char *text, gpointer infra)
{
  virfs_infra_restore_owner (infra, path, text);
}

static gboolean
restore_log (VirfsStore *store, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->db_lock);

  if (!store_log_restore (store, error))
    return FALSE;
  virfs_infra_set_log_head (store->infra, store->log_head.position, store->log_head.hash);
  return TRUE;
}

gboolean
virfs_store_attach (VirfsStore *store, VirfsInfra *infra, GError **error)
{
  g_autoptr (GArray) lost = g_array_new (FALSE, FALSE, sizeof (guint));

  store->infra = infra;
  if (!store_restore_jobs (store, lost, error) || !restore_log (store, error)
      || !virfs_store_foreach (store, VIRFS_RECORD_OWNER, restore_owner, infra, error)) {
    store->infra = NULL;
    return FALSE;
  }
  virfs_infra_set_keeper (infra, &store->keeper);
  virfs_infra_listen (infra, store_listen, store);
  store_tell_lost_jobs (store, lost);
  return TRUE;
}

/* At the end, when the log cannot be written any more. */
static void
warn_of_loss (VirfsStore *store)
{
  guint64 start = 0, end, kept;

  end = virfs_event_log_size (virfs_infra_events (store->infra), &start);
  end += start;
  g_mutex_lock (&store->db_lock);
  kept = store->log_head.position;
  g_mutex_unlock (&store->db_lock);
  g_warning ("the store could not be written at the end: %" G_GUINT64_FORMAT
             " bytes of the log of events are not kept",
             end - MIN (kept, end));
}

void
virfs_store_detach (VirfsStore *store)
{
  g_autoptr (GError) error = NULL;
  gboolean written;

  if (store->infra == NULL)
    return;
  virfs_infra_unlisten (store->infra, store_listen, store);
  written = virfs_store_flush (store);
  if (!written)
    warn_of_loss (store);
  /* at an orderly end no number is skipped */
  if (written && !store_write_job_limit (store, virfs_infra_last_job (store->infra), &error))
    g_warning ("the numbers of jobs cannot be kept: %s", error->message);
  g_mutex_lock (&store->lock);
  store_notes_clear (&store->notes);
  store_notes_init (&store->notes);
  g_mutex_unlock (&store->lock);
  virfs_infra_set_keeper (store->infra, NULL);
  store->infra = NULL;
}

gboolean
virfs_store_flush (VirfsStore *store)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);

  store->failed = FALSE;
  while ((store->writing || !store_notes_is_empty (&store->notes)) && !store->failed) {
    store->due = g_get_monotonic_time ();
    g_cond_signal (&store->wake);
    g_cond_wait (&store->done, &store->lock);
  }
  return !store->failed;
}

static void
take_record (StoreRow *row, gpointer pairs)
{
  g_ptr_array_add (pairs, g_strdup (store_row_text (row, 0)));
  g_ptr_array_add (pairs, g_strdup (store_row_text (row, 1)));
}

gboolean
virfs_store_foreach (VirfsStore *store, const char *kind, VirfsStoreFunc func, gpointer data,
                     GError **error)
{
  g_autoptr (GPtrArray) pairs = g_ptr_array_new_with_free_func (g_free);
  gboolean read;

  g_mutex_lock (&store->db_lock);
  read = store_db_each (store->db, take_record, pairs, error,
                        "SELECT key, text FROM records WHERE kind = ? ORDER BY key", "s", kind);
  g_mutex_unlock (&store->db_lock);
  for (guint i = 0; read && i < pairs->len; i += 2)
    func (pairs->pdata[i], pairs->pdata[i + 1], data);
  return read;
}
