/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sampling: its thread, and those who wait for it. */
#include "metrics_private.h"

#include <malloc.h>

typedef struct {
  guint64 host; /* 0: each */
  gint64 end;
  void (*ready) (gpointer data);
  gpointer data;
} Waiter;

static void
free_kept (gpointer data)
{
  VirfsKeptSample *kept = data;

  virfs_sample_unref (kept->raw);
  virfs_sample_unref (kept->shown);
  g_free (kept);
}

VirfsMetrics *
virfs_metrics_new (VirfsInfra *infra)
{
  VirfsMetrics *self = g_new0 (VirfsMetrics, 1);

  self->infra = infra;
  self->interval = VIRFS_METRICS_INTERVAL * G_USEC_PER_SEC;
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  self->hosts = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);
  self->kept = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, free_kept);
  self->waiters = g_array_new (FALSE, FALSE, sizeof (Waiter));
  self->listeners = g_array_new (FALSE, FALSE, sizeof (VirfsMetricsListening));
  return self;
}

void
virfs_metrics_set_interval (VirfsMetrics *self, guint seconds)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->interval = MAX (seconds, 1) * G_USEC_PER_SEC;
}

static void
forget_all (VirfsMetrics *self)
{
  g_hash_table_remove_all (self->kept);
  g_hash_table_remove_all (self->hosts);
  for (guint i = 0; i < VIRFS_METRICS_N_TEXTS; i++)
    g_clear_pointer (&self->texts[i].bytes, g_bytes_unref);
  self->serial++;
}

void
virfs_metrics_stop (VirfsMetrics *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->stopping = TRUE;
  g_cond_broadcast (&self->wake);
  while (self->running)
    g_cond_wait (&self->wake, &self->lock);
}

void
virfs_metrics_free (VirfsMetrics *self)
{
  forget_all (self);
  g_hash_table_unref (self->hosts);
  g_hash_table_unref (self->kept);
  g_array_unref (self->waiters);
  g_array_unref (self->listeners);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_free (self);
}

/* Hosts that are sampled; under the lock, which comes before the registry's. */

static gboolean
is_up (VirfsMetrics *self, guint64 id)
{
  g_autoptr (VirfsHost) host = virfs_infra_object (self->infra, id);
  g_autoptr (VirfsHostInfo) info = host ? virfs_host_info (host) : NULL;

  return info != NULL && info->state == VIRFS_HOST_UP;
}

static VirfsSampled *
want (VirfsMetrics *self, VirfsHost *host, gint64 now)
{
  VirfsSampled *sampled = g_hash_table_lookup (self->hosts, &host->object.id);

  if (sampled == NULL) {
    sampled = g_new0 (VirfsSampled, 1);
    sampled->id = host->object.id;
    g_hash_table_insert (self->hosts, &sampled->id, sampled);
  }
  sampled->wanted = now + VIRFS_METRICS_LINGER * self->interval;
  return sampled;
}

/* Whether a reader need not wait for it. */
static gboolean
is_settled (VirfsMetrics *self, const VirfsSampled *sampled, gint64 patience, gint64 now)
{
  return (sampled->taken != 0 && now - sampled->taken < 2 * self->interval)
         || (sampled->begun != 0 && now - sampled->begun >= patience) || !is_up (self, sampled->id);
}

static gint64
patience_of (const Waiter *waiter)
{
  return waiter->host ? VIRFS_METRICS_PATIENCE : VIRFS_METRICS_FLEET_PATIENCE;
}

static gboolean
is_ready (VirfsMetrics *self, const Waiter *waiter, gint64 now)
{
  GHashTableIter iter;
  gpointer sampled;

  if (now >= waiter->end || self->stopping)
    return TRUE;
  g_hash_table_iter_init (&iter, self->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &sampled))
    if ((waiter->host == 0 || waiter->host == ((VirfsSampled *) sampled)->id)
        && !is_settled (self, sampled, patience_of (waiter), now))
      return FALSE;
  return TRUE;
}

/* The thread. */

/* A host that does not answer is asked again, in case it was given another address meanwhile; the
 * backend knows whether it still is at it. */
static gboolean
is_due (VirfsMetrics *self, const VirfsSampled *sampled, gint64 now)
{
  return now >= sampled->due && (sampled->begun == 0 || now - sampled->begun > 2 * self->interval);
}

/* Those that have come, too. */
static void
want_all (VirfsMetrics *self, gint64 now)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (self->infra);

  for (guint i = 0; i < hosts->len; i++)
    want (self, hosts->pdata[i], now);
  self->looked = now;
}

/* The numbers of hosts to be sampled now.  Those that nobody wants any more are forgotten. */
static GArray *
take_due (VirfsMetrics *self, gint64 now)
{
  GArray *due = g_array_new (FALSE, FALSE, sizeof (guint64));
  GHashTableIter iter;
  gpointer value;

  if (self->holders != 0 && now - self->looked >= self->interval)
    want_all (self, now);
  g_hash_table_iter_init (&iter, self->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    VirfsSampled *sampled = value;

    if (now >= sampled->wanted) {
      g_hash_table_iter_remove (&iter);
    } else if (is_due (self, sampled, now)) {
      sampled->due = now + self->interval;
      if (is_up (self, sampled->id)) {
        sampled->begun = now;
        g_array_append_val (due, sampled->id);
      }
    }
  }
  return due;
}

static GArray *
take_ready (VirfsMetrics *self, gint64 now)
{
  GArray *ready = g_array_new (FALSE, FALSE, sizeof (Waiter));

  for (guint i = self->waiters->len; i-- > 0;) {
    Waiter waiter = g_array_index (self->waiters, Waiter, i);

    if (is_ready (self, &waiter, now)) {
      g_array_append_val (ready, waiter);
      g_array_remove_index_fast (self->waiters, i);
    }
  }
  return ready;
}

static void
sample_hosts (VirfsMetrics *self, GArray *due)
{
  const VirfsBackend *backend = virfs_infra_backend (self->infra);

  for (guint i = 0; i < due->len; i++) {
    g_autoptr (VirfsHost) host = virfs_infra_object (self->infra, g_array_index (due, guint64, i));

    if (host != NULL && backend->host_sample != NULL)
      backend->host_sample (host);
  }
}

/* One round; without the lock meanwhile.  FALSE: there was nothing to do. */
static gboolean
work (VirfsMetrics *self)
{
  gint64 now = g_get_monotonic_time ();
  g_autoptr (GArray) due = take_due (self, now);
  g_autoptr (GArray) ready = take_ready (self, now);

  if (due->len + ready->len == 0)
    return FALSE;
  g_mutex_unlock (&self->lock);
  sample_hosts (self, due);
  for (guint i = 0; i < ready->len; i++)
    g_array_index (ready, Waiter, i).ready (g_array_index (ready, Waiter, i).data);
  g_mutex_lock (&self->lock);
  return TRUE;
}

static gint64
next_time (VirfsMetrics *self)
{
  gint64 next = self->holders != 0 ? self->looked + self->interval : G_MAXINT64;
  GHashTableIter iter;
  gpointer value;

  for (guint i = 0; i < self->waiters->len; i++)
    next = MIN (next, g_array_index (self->waiters, Waiter, i).end);
  g_hash_table_iter_init (&iter, self->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const VirfsSampled *sampled = value;
    gint64 due
      = sampled->begun ? MAX (sampled->due, sampled->begun + 2 * self->interval + 1) : sampled->due;

    next = MIN (next, MIN (due, sampled->wanted));
  }
  return next;
}

static gpointer
run (gpointer data)
{
  VirfsMetrics *self = data;

  g_mutex_lock (&self->lock);
  while (work (self)
         || (!self->stopping
             && (self->holders != 0 || g_hash_table_size (self->hosts) + self->waiters->len > 0)))
    if (g_get_monotonic_time () < next_time (self) && !self->stopping)
      g_cond_wait_until (&self->wake, &self->lock, next_time (self));
  forget_all (self);
#ifdef __GLIBC__
  malloc_trim (0); /* else what the samples took stays with us */
#endif
  self->running = FALSE;
  g_cond_broadcast (&self->wake);
  g_mutex_unlock (&self->lock);
  return NULL;
}

static void
wake_up (VirfsMetrics *self)
{
  if (!self->running && !self->stopping) {
    self->running = TRUE;
    g_thread_unref (g_thread_new ("virfs-metrics", run, self));
  }
  g_cond_broadcast (&self->wake);
}

/* For readers. */

static GPtrArray *
hosts_of (VirfsMetrics *self, VirfsHost *host)
{
  GPtrArray *hosts;

  if (host == NULL)
    return virfs_infra_hosts (self->infra);
  hosts = g_ptr_array_new_with_free_func (virfs_object_unref);
  g_ptr_array_add (hosts, virfs_object_ref (host));
  return hosts;
}

gboolean
virfs_metrics_await (VirfsMetrics *self, VirfsHost *host, void (*ready) (gpointer data),
                     gpointer data)
{
  g_autoptr (GPtrArray) hosts = hosts_of (self, host);
  gint64 now = g_get_monotonic_time ();
  Waiter waiter = { host ? host->object.id : 0, now, ready, data };
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  waiter.end += patience_of (&waiter);
  if (self->stopping || virfs_infra_backend (self->infra)->host_sample == NULL)
    return TRUE;
  for (guint i = 0; i < hosts->len; i++)
    want (self, hosts->pdata[i], now);
  if (hosts->len > 0)
    wake_up (self);
  if (is_ready (self, &waiter, now))
    return TRUE;
  g_array_append_val (self->waiters, waiter);
  return FALSE;
}

guint
virfs_metrics_interval (VirfsMetrics *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return (guint) (self->interval / G_USEC_PER_SEC);
}

void
virfs_metrics_hold (VirfsMetrics *self, VirfsMetricsHolder who, gboolean hold)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!hold && (self->holders & who) == 0)
    return;
  self->holders = hold ? self->holders | who : self->holders & ~who;
  self->looked = 0;
  wake_up (self);
}

void
virfs_metrics_listen (VirfsMetrics *self, VirfsMetricsListener func, gpointer data)
{
  VirfsMetricsListening listening = { func, data };
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_array_append_val (self->listeners, listening);
}

void
virfs_metrics_unlisten (VirfsMetrics *self, VirfsMetricsListener func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  for (guint i = self->listeners->len; i-- > 0;) {
    const VirfsMetricsListening *listening
      = &g_array_index (self->listeners, VirfsMetricsListening, i);

    if (listening->func == func && listening->data == data)
      g_array_remove_index (self->listeners, i);
  }
}
