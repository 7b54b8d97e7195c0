/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of samples are gathered in blocks, and the last hour of a few metrics is kept as means of minutes. */
#include "history_private.h"
#include "pool.h"
#include "vm.h"

#include <math.h>
#include <string.h>

/* What was not sampled for so long has no last hour any more. */
#define FORGOTTEN_SPANS (2 * HOUR / virfs_history_spans[0])

/* clang-format off */
static const guint recent_of_vm[] = {
  VIRFS_VM_N_METRICS + VIRFS_VM_RATE_CPU_PERCENT, VIRFS_VM_METRIC_MEMORY_RSS,
  VIRFS_VM_METRIC_DISK_READ_BYTES, VIRFS_VM_METRIC_DISK_WRITE_BYTES,
  VIRFS_VM_METRIC_NET_RX_BYTES, VIRFS_VM_METRIC_NET_TX_BYTES,
};
static const guint recent_of_host[] = {
  VIRFS_HOST_N_METRICS + VIRFS_HOST_RATE_CPU_PERCENT, VIRFS_HOST_METRIC_MEMORY_FREE,
};

const VirfsHistoryKindInfo virfs_history_kinds[VIRFS_HISTORY_N_KINDS] = {
  [VIRFS_HISTORY_VM] = { "vm/", &virfs_vm_metrics, recent_of_vm, G_N_ELEMENTS (recent_of_vm) },
  [VIRFS_HISTORY_HOST] = { "host/", &virfs_host_metrics, recent_of_host, G_N_ELEMENTS (recent_of_host) },
  [VIRFS_HISTORY_POOL] = { "pool/", &virfs_pool_metrics },
};
/* clang-format on */

G_STATIC_ASSERT ((int) VIRFS_VM_N_METRICS + (int) VIRFS_VM_N_RATES <= VIRFS_BLOCK_COLUMNS);

VirfsHistoryKind
virfs_history_kind_of (const VirfsMetricSet *set)
{
  VirfsHistoryKind kind = 0;

  while (virfs_history_kinds[kind].set != set)
    kind++;
  return kind;
}

VirfsHistoryKind
virfs_history_kind_of_key (const char *key)
{
  VirfsHistoryKind kind = 0;

  while (kind < VIRFS_HISTORY_N_KINDS && !g_str_has_prefix (key, virfs_history_kinds[kind].prefix))
    kind++;
  return kind;
}

const VirfsMetricSet *
virfs_history_set_of (gconstpointer object)
{
  switch (((const VirfsObject *) object)->kind) {
  case VIRFS_KIND_VM:
    return &virfs_vm_metrics;
  case VIRFS_KIND_HOST:
    return &virfs_host_metrics;
  case VIRFS_KIND_POOL:
    return &virfs_pool_metrics;
  default:
    return NULL;
  }
}

char *
virfs_history_pool_key (const char *host, const char *pool)
{
  return g_strdup_printf ("pool/%s/%s", host, pool);
}

char *
virfs_history_key (gconstpointer object)
{
  const VirfsPart *part = object;

  switch (((const VirfsObject *) object)->kind) {
  case VIRFS_KIND_VM:
    return g_strconcat ("vm/", ((const VirfsVm *) object)->uuid, NULL);
  case VIRFS_KIND_HOST:
    return g_strconcat ("host/", ((const VirfsHost *) object)->name, NULL);
  case VIRFS_KIND_POOL:
    return virfs_history_pool_key (((const VirfsHost *) part->owner)->name, part->name);
  default:
    return NULL;
  }
}

gint64
virfs_history_now (const VirfsHistory *self)
{
  return self->clock () / MILLISECOND;
}

void
virfs_history_free_taken (gpointer data)
{
  VirfsTaken *taken = data;

  g_clear_pointer (&taken->writer, virfs_block_writer_free);
  g_free (taken->recent);
  g_free (taken->told);
  g_free (taken->key);
  g_free (taken);
}

void
virfs_history_free_pending (gpointer data)
{
  VirfsPending *pending = data;

  g_byte_array_unref (pending->rows);
  g_free (pending->key);
  g_free (pending);
}

/* Blocks; under the lock. */

static void
seal (VirfsHistory *self, VirfsTaken *taken)
{
  VirfsPending *pending;

  if (taken->writer == NULL)
    return;
  pending = g_new (VirfsPending, 1);
  *pending = (VirfsPending){ g_strdup (taken->key), taken->kind, taken->span,
                             g_byte_array_ref (taken->writer->bytes) };
  g_ptr_array_add (self->pending, pending);
  g_clear_pointer (&taken->writer, virfs_block_writer_free);
}

void
virfs_history_seal (VirfsHistory *self, gint64 span)
{
  gint64 oldest = virfs_history_now (self) / virfs_history_spans[0] - FORGOTTEN_SPANS;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->taken);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    VirfsTaken *taken = value;

    if (taken->span < span)
      seal (self, taken);
    if (taken->span < oldest && taken->writer == NULL)
      g_hash_table_iter_remove (&iter);
  }
}

static VirfsTaken *
new_taken (const char *key, VirfsHistoryKind kind)
{
  VirfsTaken *taken = g_new0 (VirfsTaken, 1);

  taken->key = g_strdup (key);
  taken->kind = kind;
  taken->recent = g_new0 (VirfsRecent, virfs_history_kinds[kind].n_recent);
  return taken;
}

VirfsTaken *
virfs_history_taken (VirfsHistory *self, const char *key, VirfsHistoryKind kind)
{
  VirfsTaken *taken = g_hash_table_lookup (self->taken, key);

  if (taken != NULL)
    return taken;
  taken = new_taken (key, kind);
  g_hash_table_insert (self->taken, taken->key, taken);
  return taken;
}

static void
add_recent (VirfsRecent *recent, gint64 minute, double value, double weight)
{
  if (minute < recent->minute || minute >= recent->minute + VIRFS_HISTORY_MINUTES) {
    for (guint i = 0; i < VIRFS_HISTORY_MINUTES; i++)
      recent->means[i] = NAN;
    recent->minute = minute - 1;
  }
  if (minute != recent->minute)
    recent->sum = recent->weight = 0;
  while (recent->minute < minute)
    recent->means[++recent->minute % VIRFS_HISTORY_MINUTES] = NAN;
  recent->sum += value * weight;
  recent->weight += weight;
  recent->means[minute % VIRFS_HISTORY_MINUTES] = (float) (recent->sum / recent->weight);
}

/* What was written by an earlier run. */
static void
take_step (const VirfsFold *fold, gpointer data)
{
  VirfsTaken *taken = data;
  const VirfsHistoryKindInfo *kind = &virfs_history_kinds[taken->kind];
  gint64 end = fold->now.time + fold->now.covered;

  for (guint i = 0; i < kind->n_recent; i++) {
    const VirfsFoldColumn *column = &fold->now.columns[kind->recent[i]];

    if (fold->now.present >> kind->recent[i] & 1)
      add_recent (&taken->recent[i], (end - 1) / MINUTE, virfs_fold_mean_of (fold, kind->recent[i]),
                  column->weight);
  }
  taken->span = (end - 1) / virfs_history_spans[0];
}

gboolean
virfs_history_recall_recent (VirfsHistory *self, const char *key, VirfsHistoryKind kind,
                             GError **error)
{
  gint64 now = virfs_history_now (self);
  g_autofree VirfsFold *fold = g_new0 (VirfsFold, 1);
  g_autoptr (VirfsTaken) taken = new_taken (key, kind);

  fold->set = virfs_history_kinds[kind].set;
  fold->wanted = ~G_GUINT64_CONSTANT (0);
  fold->emit = take_step;
  fold->data = taken;
  if (!virfs_history_fold (self, kind, key, 0, now - HOUR, now + 1, fold, error))
    return FALSE;
  g_mutex_lock (&self->lock);
  if (taken->span != 0 && !g_hash_table_contains (self->taken, key)) {
    g_hash_table_insert (self->taken, taken->key, taken);
    taken = NULL;
  }
  g_mutex_unlock (&self->lock);
  return TRUE;
}

static void
note_recent (VirfsTaken *taken, const VirfsBlockRow *row)
{
  const VirfsHistoryKindInfo *kind = &virfs_history_kinds[taken->kind];

  for (guint i = 0; i < kind->n_recent; i++) {
    guint column = kind->recent[i];

    if (row->present >> column & 1)
      add_recent (&taken->recent[i], (row->time - 1) / MINUTE,
                  virfs_fold_value (kind->set, column, row->values[column][0], row->covered),
                  (double) MAX (row->covered, 1));
  }
}

void
virfs_history_add (VirfsHistory *self, const char *key, VirfsHistoryKind kind, VirfsBlockRow *row)
{
  const VirfsMetricSet *set = virfs_history_kinds[kind].set;
  VirfsTaken *taken = virfs_history_taken (self, key, kind);
  gint64 span = (row->time - 1) / virfs_history_spans[0];

  if (taken->span != span)
    seal (self, taken);
  if (taken->writer == NULL)
    taken->writer = virfs_block_writer_new (set->n + set->n_rates, 1);
  taken->span = span;
  taken->last = row->time;
  virfs_block_writer_add (taken->writer, row);
  note_recent (taken, row);
}

gint64
virfs_history_last (VirfsHistory *self, const char *key)
{
  const VirfsTaken *taken = g_hash_table_lookup (self->taken, key);

  return taken ? taken->last : 0;
}

/* For readers. */

gint64
virfs_history_changed (VirfsHistory *self, gconstpointer object)
{
  g_autofree char *key = virfs_history_key (object);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return virfs_history_last (self, key) * MILLISECOND;
}

gboolean
virfs_history_recent (VirfsHistory *self, gconstpointer object, guint index,
                      double minutes[VIRFS_HISTORY_MINUTES])
{
  const VirfsHistoryKindInfo *kind
    = &virfs_history_kinds[virfs_history_kind_of (virfs_history_set_of (object))];
  g_autofree char *key = virfs_history_key (object);
  gint64 now = (virfs_history_now (self) - 1) / MINUTE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const VirfsTaken *taken = g_hash_table_lookup (self->taken, key);
  guint i = 0;

  while (i < kind->n_recent && kind->recent[i] != index)
    i++;
  if (taken == NULL || i == kind->n_recent || taken->recent[i].minute == 0)
    return FALSE;
  for (guint j = 0; j < VIRFS_HISTORY_MINUTES; j++) {
    gint64 minute = now - VIRFS_HISTORY_MINUTES + 1 + j, last = taken->recent[i].minute;

    minutes[j] = minute > last || minute <= last - VIRFS_HISTORY_MINUTES
                   ? NAN
                   : taken->recent[i].means[minute % VIRFS_HISTORY_MINUTES];
  }
  return TRUE;
}
