/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What samples are kept, and what is made of them. */
#include "history.h"
#include "metrics_private.h"

#define TEXT_AGE G_USEC_PER_SEC

VirfsSample *
virfs_metrics_sample (VirfsMetrics *self, gconstpointer object)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const VirfsKeptSample *kept
    = g_hash_table_lookup (self->kept, &((const VirfsObject *) object)->id);
  gint64 oldest = g_get_monotonic_time () - 3 * self->interval;

  if (kept == NULL || kept->shown == NULL || kept->shown->time < oldest)
    return NULL;
  return virfs_sample_ref (kept->shown);
}

guint64
virfs_metrics_serial (VirfsMetrics *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->serial;
}

/* Of a large text nearly half may be room that it has no use for. */
static GBytes *
take_text (GString *text)
{
  gsize length = text->len;
  char *data = g_string_free (text, FALSE);

  return g_bytes_new_take (g_realloc (data, length + 1), length);
}

/* Under the lock: a reference, NULL if what there is is too old. */
static GBytes *
known_text (VirfsMetrics *self, const VirfsMetricsText *text, gint64 changed, gboolean open)
{
  gint64 age = g_get_monotonic_time () - text->made;
  gboolean same = text->opened && text->serial == self->serial && text->changed == changed;

  if (text->bytes == NULL || (open ? !same || age >= TEXT_AGE : age >= 2 * TEXT_AGE))
    return NULL;
  return g_bytes_ref (text->bytes);
}

GBytes *
virfs_metrics_text (VirfsMetrics *self, guint which, gboolean open, VirfsMetricsMake make)
{
  gint64 changed = virfs_infra_changed (self->infra, ~G_GUINT64_CONSTANT (0));
  VirfsMetricsText *text = &self->texts[which], made = { .opened = open };
  GBytes *bytes;

  g_mutex_lock (&self->lock);
  made.serial = self->serial;
  made.made = g_get_monotonic_time ();
  bytes = known_text (self, text, changed, open);
  g_mutex_unlock (&self->lock);
  if (bytes != NULL)
    return bytes;
  bytes = take_text (make (self->infra, which));
  made.changed = changed;
  made.bytes = g_bytes_ref (bytes);
  g_mutex_lock (&self->lock);
  g_clear_pointer (&text->bytes, g_bytes_unref);
  *text = made;
  g_mutex_unlock (&self->lock);
  return bytes;
}

gint64
virfs_metrics_changed (VirfsMetrics *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->changed;
}

/* For backends. */

static void
note_history (VirfsMetrics *self, guint64 id, const VirfsSample *before, const VirfsSample *now)
{
  VirfsHistory *history = virfs_infra_history (self->infra);
  VirfsObject *object = virfs_history_is_on (history) ? virfs_infra_object (self->infra, id) : NULL;

  if (object != NULL)
    virfs_history_take (history, object, before, now);
  virfs_object_unref (object);
}

/* Takes RAW.  Under the lock. */
static void
take_sample (VirfsMetrics *self, const VirfsMetricSet *set, guint64 id, const VirfsSampled *of,
             VirfsSample *raw)
{
  VirfsKeptSample *kept = g_hash_table_lookup (self->kept, &id);
  VirfsSample *shown;

  if (kept == NULL) {
    kept = g_new0 (VirfsKeptSample, 1);
    g_hash_table_insert (self->kept, g_memdup2 (&id, sizeof id), kept);
  }
  shown = virfs_sample_merge (set, kept->raw, kept->shown, raw);
  note_history (self, id, kept->shown, shown);
  virfs_sample_unref (kept->raw);
  virfs_sample_unref (kept->shown);
  kept->raw = raw;
  kept->shown = shown;
  kept->host = of->id;
  kept->round = of->round;
}

/* Guests that are gone; one that has moved counts on where it is now. */
static void
drop_gone (VirfsMetrics *self, const VirfsSampled *of)
{
  GHashTableIter iter;
  gpointer key, value;

  g_hash_table_iter_init (&iter, self->kept);
  while (g_hash_table_iter_next (&iter, &key, &value)) {
    const VirfsKeptSample *kept = value;
    VirfsObject *object;

    if (kept->host != of->id || kept->round == of->round)
      continue;
    object = virfs_infra_object (self->infra, *(const guint64 *) key);
    if (object == NULL)
      g_hash_table_iter_remove (&iter);
    virfs_object_unref (object);
  }
}

/* What guests were promised is known here alone. */
static void
add_promises (VirfsHost *host, VirfsSample *raw)
{
  VirfsInfra *infra = host->object.infra;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  raw->values[VIRFS_HOST_METRIC_GUESTS_ACTIVE] = (guint64) host->promised.guests;
  raw->values[VIRFS_HOST_METRIC_VCPUS_PROMISED] = (guint64) host->promised.vcpus;
  raw->values[VIRFS_HOST_METRIC_MEMORY_PROMISED] = (guint64) host->promised.memory;
}

void
virfs_metrics_tell (VirfsMetrics *self, VirfsHost *host, VirfsSample *of_host, GPtrArray *guests)
{
  g_autoptr (GPtrArray) taken = guests;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  VirfsSampled *sampled = g_hash_table_lookup (self->hosts, &host->object.id);

  if (sampled != NULL)
    sampled->begun = 0;
  if (sampled == NULL || of_host == NULL) {
    virfs_sample_unref (of_host);
    g_cond_broadcast (&self->wake);
    return;
  }
  sampled->round++;
  sampled->taken = g_get_monotonic_time ();
  add_promises (host, of_host);
  take_sample (self, &virfs_host_metrics, host->object.id, sampled, of_host);
  for (guint i = 0; guests && i < guests->len; i++) {
    VirfsSample *raw = guests->pdata[i];

    take_sample (self, &virfs_vm_metrics, raw->object, sampled, virfs_sample_ref (raw));
  }
  drop_gone (self, sampled);
  virfs_history_take_pools (virfs_infra_history (self->infra), host);
  self->serial++;
  self->changed = g_get_real_time ();
  g_cond_broadcast (&self->wake);
  for (guint i = 0; i < self->listeners->len; i++) {
    const VirfsMetricsListening *listening
      = &g_array_index (self->listeners, VirfsMetricsListening, i);

    listening->func (host, listening->data);
  }
}
