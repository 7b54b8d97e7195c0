/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer's thread.  Who waits comes first, all who wait at once with one commit; notes are written
 * a while after the first of them, so that a swarm of changes is one, or at once if somebody waits for
 * the events among them.
 */
#include "private.h"

#define RETRY (5 * G_TIME_SPAN_SECOND)

static gboolean
write_request (VirfsStore *store, const StoreRequest *request, GError **error)
{
  if (request->text == NULL)
    return store_db_run (store->db, error, "DELETE FROM records WHERE kind = ? AND key = ?", "ss",
                         request->kind, request->key);
  return store_db_run (store->db, error,
                       "INSERT OR REPLACE INTO records (kind, key, text) VALUES (?, ?, ?)", "sss",
                       request->kind, request->key, request->text);
}

static gboolean
write_requests (VirfsStore *store, GQueue *requests, GError **error)
{
  if (!store_db_begin (store->db, error))
    return FALSE;
  for (GList *l = requests->head; l; l = l->next)
    if (!write_request (store, l->data, error)) {
      store_db_rollback (store->db);
      return FALSE;
    }
  return store_db_commit (store->db, error);
}

/* Leaves the lock for the time of the work, as the next. */
static void
do_requests (VirfsStore *store)
{
  GQueue requests = store->requests;
  g_autoptr (GError) error = NULL;
  gboolean written;

  g_queue_init (&store->requests);
  g_mutex_unlock (&store->lock);
  g_mutex_lock (&store->db_lock);
  written = write_requests (store, &requests, &error);
  g_mutex_unlock (&store->db_lock);
  g_mutex_lock (&store->lock);
  for (GList *l = requests.head; l; l = l->next) {
    StoreRequest *request = l->data;

    request->error = written ? NULL : g_error_copy (error);
    request->done = TRUE;
  }
  g_queue_clear (&requests);
  g_cond_broadcast (&store->done);
}

/* That it fails is told once, not each time that it is tried again. */
static void
note_outcome (VirfsStore *store, const GError *error)
{
  if (error != NULL && !store->told)
    g_warning ("what is known of guests, events and jobs cannot be stored: %s; this is tried again",
               error->message);
  else if (error == NULL && store->told)
    g_message ("the store can be written again");
  store->told = error != NULL;
  store->failed = error != NULL;
}

/* Without the lock; empties SETTLING. */
static void
tell_settled (GQueue *settling)
{
  StoreSettler *settler;

  while ((settler = g_queue_pop_head (settling)) != NULL) {
    settler->func (settler->data);
    g_free (settler);
  }
}

static void
do_notes (VirfsStore *store)
{
  g_autoptr (GError) error = NULL;
  GQueue settling = store->settling;
  StoreNotes notes;

  g_queue_init (&store->settling);

  store_notes_init (&notes);
  store_notes_take (&store->notes, &notes);
  store->writing = TRUE;
  g_mutex_unlock (&store->lock);
  g_mutex_lock (&store->db_lock);
  store_notes_write (store, &notes, &error);
  g_mutex_unlock (&store->db_lock);
  g_mutex_lock (&store->lock);
  if (error != NULL) {
    store_notes_give_back (&store->notes, &notes);
    store->due = g_get_monotonic_time () + RETRY;
  } else if (store_notes_is_empty (&store->notes)) {
    store->due = 0;
  }
  note_outcome (store, error);
  g_mutex_unlock (&store->lock);
  store_notes_clear (&notes);
  tell_settled (&settling);
  g_mutex_lock (&store->lock);
  /* only now: who waits for it may let go of the registry */
  store->writing = FALSE;
  g_cond_broadcast (&store->done);
}

gpointer
store_writer_run (gpointer data)
{
  VirfsStore *store = data;

  g_mutex_lock (&store->lock);
  while (TRUE) {
    gboolean waits = !store_notes_is_empty (&store->notes);

    if (store->requests.length > 0)
      do_requests (store);
    else if (store->settling.length > 0 || (waits && g_get_monotonic_time () >= store->due))
      do_notes (store);
    else if (store->closing)
      break;
    else if (waits)
      g_cond_wait_until (&store->wake, &store->lock, store->due);
    else
      g_cond_wait (&store->wake, &store->lock);
  }
  g_mutex_unlock (&store->lock);
  return NULL;
}

void
store_writer_do (VirfsStore *store, StoreRequest *request)
{
  store_writer_do_all (store, request, 1);
}

/* They are done with one commit, for they are queued at once. */
void
store_writer_do_all (VirfsStore *store, StoreRequest *requests, guint n)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);

  for (guint i = 0; i < n; i++)
    g_queue_push_tail (&store->requests, &requests[i]);
  g_cond_signal (&store->wake);
  while (n > 0 && !requests[n - 1].done)
    g_cond_wait (&store->done, &store->lock);
}

void
store_writer_settle (gpointer data, void (*func) (gpointer user), gpointer user)
{
  VirfsStore *store = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  StoreSettler *settler = g_new (StoreSettler, 1);

  *settler = (StoreSettler){ func, user };
  g_queue_push_tail (&store->settling, settler);
  g_cond_signal (&store->wake);
}
