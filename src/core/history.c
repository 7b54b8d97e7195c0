/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a history, and its thread.  Who wants to read comes first; in between, every ROUND, what is complete
 * is written, and then portions of the other work are done as long as there are any.
 */
#include "history_private.h"

#include "error.h"

#define ROUND (30 * G_TIME_SPAN_SECOND)
/* How long a file shows what was read for it, and how many are kept. */
#define SERIES_AGE (1 * G_TIME_SPAN_SECOND)
#define SERIES_MAX 256

const gint64 virfs_history_spans[VIRFS_HISTORY_LEVELS] = { 5 * MINUTE, 6 * HOUR, 10 * DAY };
const gint64 virfs_history_steps[VIRFS_HISTORY_LEVELS] = { 0, 5 * MINUTE, HOUR };

static const struct {
  const char *name;
  gint64 length, step;
} ranges[VIRFS_N_RANGES] = {
  [VIRFS_RANGE_HOUR] = { "hour", HOUR, 0 },
  [VIRFS_RANGE_DAY] = { "day", DAY, 5 * MINUTE },
  [VIRFS_RANGE_WEEK] = { "week", 7 * DAY, 30 * MINUTE },
  [VIRFS_RANGE_MONTH] = { "month", 31 * DAY, 2 * HOUR },
  [VIRFS_RANGE_YEAR] = { "year", 366 * DAY, DAY },
};

const char *
virfs_range_name (VirfsRange range)
{
  return ranges[range].name;
}

gint64
virfs_range_length (VirfsRange range)
{
  return ranges[range].length * MILLISECOND;
}

gint64
virfs_range_step (VirfsRange range)
{
  return ranges[range].step * MILLISECOND;
}

/* Somebody waits for a series. */
typedef struct {
  const VirfsMetricSet *set;
  char *key;
  guint index;
  gint64 from, to, step;
  char *name; /* among those that are kept for files; NULL: it is for the caller */
  void (*ready) (gpointer data);
  gpointer data;
  VirfsSeries *series;
  GError *error;
  gboolean done; /* under the lock */
} Request;

VirfsHistory *
virfs_history_new (void)
{
  VirfsHistory *self = g_new0 (VirfsHistory, 1);

  self->clock = g_get_real_time;
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  g_cond_init (&self->done);
  self->taken = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, virfs_history_free_taken);
  self->pending = g_ptr_array_new_with_free_func (virfs_history_free_pending);
  self->series
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) virfs_series_unref);
  self->columns = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_strfreev);
  g_queue_init (&self->requests);
  return self;
}

void
virfs_history_free (VirfsHistory *self)
{
  virfs_history_stop (self);
  g_hash_table_unref (self->taken);
  g_ptr_array_unref (self->pending);
  g_hash_table_unref (self->series);
  g_hash_table_unref (self->columns);
  g_clear_pointer (&self->keys, g_ptr_array_unref);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_cond_clear (&self->done);
  g_free (self);
}

gboolean
virfs_history_is_on (VirfsHistory *self)
{
  return g_atomic_int_get (&self->on);
}

void
virfs_history_set_clock (VirfsHistory *self, gint64 (*clock) (void))
{
  self->clock = clock;
}

/* The thread. */

static void
free_request (Request *request)
{
  g_free (request->key);
  g_free (request->name);
  g_free (request);
}

/* What is old goes when there is too much.  Under the lock. */
static void
keep_series (VirfsHistory *self, const char *name, VirfsSeries *series)
{
  GHashTableIter iter;
  gpointer value;

  if (g_hash_table_size (self->series) >= 4 * SERIES_MAX)
    g_hash_table_remove_all (self->series);
  g_hash_table_iter_init (&iter, self->series);
  while (g_hash_table_size (self->series) >= SERIES_MAX
         && g_hash_table_iter_next (&iter, NULL, &value))
    if (((VirfsSeries *) value)->made < series->made - 10 * SERIES_AGE)
      g_hash_table_iter_remove (&iter);
  g_hash_table_replace (self->series, g_strdup (name), virfs_series_ref (series));
}

/* Leaves the lock meanwhile, as the next. */
static void
answer (VirfsHistory *self, Request *request)
{
  g_mutex_unlock (&self->lock);
  request->series = virfs_history_load (self, request->set, request->key, request->index,
                                        request->from, request->to, request->step, &request->error);
  g_mutex_lock (&self->lock);
  if (request->ready == NULL) {
    request->done = TRUE;
    g_cond_broadcast (&self->done);
    return;
  }
  if (request->series != NULL)
    keep_series (self, request->name, request->series);
  else
    g_hash_table_remove (self->series, request->name);
  g_mutex_unlock (&self->lock);
  if (request->error != NULL)
    g_message ("history of %s cannot be read: %s", request->key, request->error->message);
  g_clear_error (&request->error);
  g_clear_pointer (&request->series, virfs_series_unref);
  request->ready (request->data);
  free_request (request);
  g_mutex_lock (&self->lock);
}

/* That it fails is told once, not each time that it is tried again. */
static void
note_outcome (VirfsHistory *self, const GError *error)
{
  if (error != NULL && !self->told)
    g_warning ("the history of metrics cannot be stored: %s; this is tried again", error->message);
  else if (error == NULL && self->told)
    g_message ("the history of metrics can be stored again");
  self->told = error != NULL;
}

/* All that is complete (ALL: what is not, too) is written, and a portion of the other work done. */
static gboolean
work (VirfsHistory *self, gboolean all, gboolean *more)
{
  g_autoptr (GError) error = NULL;
  gint64 now = virfs_history_now (self);
  gboolean done;

  virfs_history_seal (self, all ? G_MAXINT64 : (now - 1) / virfs_history_spans[0]);
  g_mutex_unlock (&self->lock);
  done = (self->has_layouts || virfs_history_recall (self, &error))
         && virfs_history_write (self, &error) && virfs_history_compact (self, more, &error);
  note_outcome (self, error);
  g_mutex_lock (&self->lock);
  self->failed = !done;
  return done;
}

/* Under the lock. */
static void
work_all (VirfsHistory *self, gboolean compact)
{
  gboolean more = TRUE;

  while (more) {
    more = FALSE;
    if (!work (self, TRUE, &more) || !compact)
      break;
  }
}

static gpointer
run (gpointer data)
{
  VirfsHistory *self = data;
  gint64 due = 0;

  g_mutex_lock (&self->lock);
  while (!self->stopping || self->requests.length > 0) {
    gboolean more = FALSE;

    if (self->requests.length > 0) {
      answer (self, g_queue_pop_head (&self->requests));
    } else if (self->rounds != self->wanted) {
      work_all (self, TRUE);
      self->rounds = self->wanted;
      g_cond_broadcast (&self->done);
    } else if (g_get_monotonic_time () >= due) {
      due = work (self, FALSE, &more) && more ? 0 : g_get_monotonic_time () + ROUND;
    } else {
      g_cond_wait_until (&self->wake, &self->lock, due);
    }
  }
  work_all (self, FALSE);
  self->rounds = self->wanted;
  g_cond_broadcast (&self->done);
  g_mutex_unlock (&self->lock);
  return NULL;
}

void
virfs_history_start (VirfsHistory *self, const VirfsHistoryStore *store,
                     const VirfsHistoryOptions *options)
{
  self->store = store;
  self->options = *options;
  self->stopping = FALSE;
  g_atomic_int_set (&self->on, TRUE);
  self->thread = g_thread_new ("history", run, self);
}

void
virfs_history_stop (VirfsHistory *self)
{
  if (self->thread == NULL)
    return;
  g_atomic_int_set (&self->on, FALSE);
  g_mutex_lock (&self->lock);
  self->stopping = TRUE;
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
  g_thread_join (self->thread);
  self->thread = NULL;
}

gboolean
virfs_history_flush (VirfsHistory *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  guint round = ++self->wanted;

  g_cond_signal (&self->wake);
  while ((gint) (round - self->rounds) > 0 && !self->stopping)
    g_cond_wait (&self->done, &self->lock);
  return !self->failed;
}

/* For readers. */

static void
push (VirfsHistory *self, Request *request)
{
  g_queue_push_tail (&self->requests, request);
  g_cond_signal (&self->wake);
}

VirfsSeries *
virfs_history_read (VirfsHistory *self, const VirfsMetricSet *set, const char *key, guint index,
                    gint64 from, gint64 to, gint64 step, GError **error)
{
  Request request
    = { .set = set, .key = (char *) key, .index = index, .from = from, .to = to, .step = step };
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!virfs_history_is_on (self) || self->stopping) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "no history is kept (see history in virfs.conf(5))");
    return NULL;
  }
  push (self, &request);
  while (!request.done)
    g_cond_wait (&self->done, &self->lock);
  if (request.error != NULL)
    g_propagate_error (error, request.error);
  return request.series;
}

static char *
series_name (const char *key, guint index, VirfsRange range)
{
  return g_strdup_printf ("%s %u %u", key, index, range);
}

/* A reference, NULL if there is none as young as that.  Under the lock. */
static VirfsSeries *
find_series (VirfsHistory *self, const char *name, gint64 max_age)
{
  VirfsSeries *series = g_hash_table_lookup (self->series, name);

  if (series == NULL || g_get_monotonic_time () - series->made >= max_age)
    return NULL;
  return virfs_series_ref (series);
}

VirfsSeries *
virfs_history_read_range (VirfsHistory *self, gpointer object, guint index, VirfsRange range,
                          gint64 max_age, GError **error)
{
  g_autofree char *key = virfs_history_key (object);
  g_autofree char *name = series_name (key, index, range);
  gint64 now = self->clock ();
  VirfsSeries *series;

  g_mutex_lock (&self->lock);
  series = find_series (self, name, max_age);
  g_mutex_unlock (&self->lock);
  if (series == NULL)
    series
      = virfs_history_read (self, virfs_history_set_of (object), key, index,
                            now - virfs_range_length (range), now, virfs_range_step (range), error);
  if (series == NULL)
    return NULL;
  g_mutex_lock (&self->lock);
  keep_series (self, name, series);
  g_mutex_unlock (&self->lock);
  return series;
}

gboolean
virfs_history_await (VirfsHistory *self, gpointer object, guint index, VirfsRange range,
                     void (*ready) (gpointer data), gpointer data)
{
  g_autofree char *key = virfs_history_key (object);
  g_autofree char *name = series_name (key, index, range);
  gint64 now = self->clock ();
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autoptr (VirfsSeries) series = find_series (self, name, SERIES_AGE);
  Request *request;

  if (!virfs_history_is_on (self) || self->stopping || series != NULL)
    return TRUE;
  request = g_new0 (Request, 1);
  *request = (Request){ .set = virfs_history_set_of (object),
                        .key = g_steal_pointer (&key),
                        .index = index,
                        .from = now - virfs_range_length (range),
                        .to = now,
                        .step = virfs_range_step (range),
                        .name = g_steal_pointer (&name),
                        .ready = ready,
                        .data = data };
  push (self, request);
  return FALSE;
}

VirfsSeries *
virfs_history_series (VirfsHistory *self, gpointer object, guint index, VirfsRange range)
{
  g_autofree char *key = virfs_history_key (object);
  g_autofree char *name = series_name (key, index, range);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return find_series (self, name, G_MAXINT64);
}
