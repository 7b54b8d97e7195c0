/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples become rows of blocks, and the last hour of a few metrics means of minutes. */
#include "history_private.h"
#include "pool.h"
#include "vm.h"

#include <math.h>
#include <string.h>

/* Counters go on over as long a time without samples; after more nobody knows when what was added was. */
#define LONGEST_PAUSE (2 * HOUR)
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

static char *
pool_key (const char *host, const char *pool)
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
    return pool_key (((const VirfsHost *) part->owner)->name, part->name);
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

static VirfsTaken *
find (VirfsHistory *self, const char *key, VirfsHistoryKind kind)
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
      add_recent (&taken->recent[i], (end - 1) / MINUTE, column->sum / column->weight,
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
  VirfsTaken *taken = find (self, key, kind);
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

/* Samples. */

static void
put (VirfsBlockRow *row, guint column, guint64 value)
{
  row->present |= G_GUINT64_CONSTANT (1) << column;
  row->values[column][0] = (gint64) MIN (value, (guint64) VIRFS_BLOCK_MAX);
}

/* A rate that says no more than its counter is not kept beside that (history_read.c). */
static gboolean
is_kept (const VirfsRate *rate)
{
  return rate->per != VIRFS_RATE_TIME || rate->unit != VIRFS_METRIC_NUMBER;
}

static void
fill_row (const VirfsMetricSet *set, const VirfsSample *before, const VirfsSample *now,
          VirfsBlockRow *row)
{
  for (guint i = 0; i < set->n; i++) {
    if (!(now->told >> i & 1) || now->values[i] == VIRFS_ABSENT)
      continue;
    if (set->metrics[i].type == VIRFS_METRIC_GAUGE)
      put (row, i, now->values[i]);
    else if (row->covered > 0 && before->values[i] != VIRFS_ABSENT)
      put (row, i, now->values[i] - before->values[i]);
  }
  for (guint i = 0; i < set->n_rates; i++)
    if (!isnan (now->rates[i]) && is_kept (&set->rates[i]))
      put (row, set->n + i, (guint64) virfs_fold_number_of_rate (set, set->n + i, now->rates[i]));
}

void
virfs_history_take (VirfsHistory *self, gpointer object, const VirfsSample *before,
                    const VirfsSample *sample)
{
  const VirfsMetricSet *set = virfs_history_set_of (object);
  gint64 age = g_get_monotonic_time () - sample->time;
  gint64 covered = before ? (sample->time - before->time) / MILLISECOND : 0;
  g_autofree VirfsBlockRow *row = NULL;
  g_autofree char *key = NULL;

  /* a guest that does not run uses nothing that is worth a row */
  if (!virfs_history_is_on (self) || (set == &virfs_vm_metrics && sample->epoch == 0))
    return;
  row = g_new0 (VirfsBlockRow, 1);
  row->time = (self->clock () - age) / MILLISECOND;
  row->covered = covered > 0 && covered <= LONGEST_PAUSE ? covered : 0;
  fill_row (set, before, sample, row);
  key = virfs_history_key (object);
  g_mutex_lock (&self->lock);
  if (row->present != 0)
    virfs_history_add (self, key, virfs_history_kind_of (set), row);
  g_mutex_unlock (&self->lock);
}

static void
take_pool (VirfsHistory *self, const VirfsHost *host, const VirfsPoolInfo *pool, gint64 now)
{
  g_autofree VirfsBlockRow *row = g_new0 (VirfsBlockRow, 1);
  g_autofree char *key = pool_key (host->name, pool->part.name);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 covered = now - virfs_history_last (self, key);

  row->time = now;
  row->covered = covered > 0 && covered <= LONGEST_PAUSE ? covered : 0;
  put (row, VIRFS_POOL_METRIC_CAPACITY, pool->capacity);
  put (row, VIRFS_POOL_METRIC_ALLOCATION, pool->allocation);
  put (row, VIRFS_POOL_METRIC_AVAILABLE, pool->available);
  virfs_history_add (self, key, VIRFS_HISTORY_POOL, row);
}

void
virfs_history_take_pools (VirfsHistory *self, VirfsHost *host)
{
  g_autoptr (VirfsHostInfo) info = NULL;
  GPtrArray *pools;

  if (!virfs_history_is_on (self))
    return;
  info = virfs_host_info (host);
  pools = info->parts[VIRFS_HOST_POOLS];
  for (guint i = 0; pools && i < pools->len; i++)
    if (virfs_pool_is_active (pools->pdata[i]))
      take_pool (self, host, pools->pdata[i], virfs_history_now (self));
}

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
