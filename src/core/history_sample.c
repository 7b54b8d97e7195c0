/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples become rows.  A row tells of the time since the sample before.  A busy guest is told in part only: a
 * counter that was not told for longer comes in a row of its own beside the other, of the same time, that covers
 * all of the time in which it was gained.
 */
#include "history_private.h"
#include "pool.h"
#include "vm.h"

#include <math.h>

/* Counters go on over as long a time without samples; after more nobody knows when what was added was. */
#define LONGEST_PAUSE (2 * HOUR)

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

/* Since when each counter was not told, if it was not before. */
static void
begin_counters (VirfsTaken *taken, const VirfsMetricSet *set, const VirfsSample *sample,
                gint64 before)
{
  if (taken->told != NULL && taken->epoch == sample->epoch)
    return;
  if (taken->told == NULL)
    taken->told = g_new (gint64, set->n);
  taken->epoch = sample->epoch;
  for (guint i = 0; i < set->n; i++)
    taken->told[i] = before;
}

/* What was added to counter I, in how many milliseconds; FALSE if nobody knows. */
static gboolean
gained (const VirfsTaken *taken, guint i, const VirfsSample *before, const VirfsSample *now,
        guint64 *gain, gint64 *covered)
{
  *covered = (now->time - taken->told[i]) / MILLISECOND;
  if (before == NULL || before->values[i] == VIRFS_ABSENT || *covered <= 0
      || *covered > LONGEST_PAUSE)
    return FALSE;
  *gain = now->values[i] - before->values[i];
  return TRUE;
}

static gboolean
is_told (const VirfsSample *sample, guint i)
{
  return sample->told >> i & 1 && sample->values[i] != VIRFS_ABSENT;
}

/* What the sample tells of the time since the one before it; of LATE counters it tells of a longer time. */
static void
fill_row (const VirfsMetricSet *set, const VirfsTaken *taken, const VirfsSample *before,
          const VirfsSample *now, VirfsBlockRow *row, guint64 *late)
{
  guint64 gain;
  gint64 covered;

  for (guint i = 0; i < set->n; i++) {
    if (!is_told (now, i))
      continue;
    if (set->metrics[i].type == VIRFS_METRIC_GAUGE)
      put (row, i, now->values[i]);
    else if (!gained (taken, i, before, now, &gain, &covered))
      continue;
    else if (covered == row->covered)
      put (row, i, gain);
    else
      *late |= G_GUINT64_CONSTANT (1) << i;
  }
  for (guint i = 0; i < set->n_rates; i++)
    if (!isnan (now->rates[i]) && is_kept (&set->rates[i]))
      put (row, set->n + i, (guint64) virfs_fold_number_of_rate (set, set->n + i, now->rates[i]));
}

/* Those of LATE that were told last when the first of them was; returns the others. */
static guint64
fill_late_row (const VirfsTaken *taken, const VirfsSample *before, const VirfsSample *now,
               guint64 late, VirfsBlockRow *row)
{
  guint64 left = 0, gain;
  gint64 covered;

  row->present = 0;
  for (guint i = 0; late >> i != 0; i++) {
    if (!(late >> i & 1) || !gained (taken, i, before, now, &gain, &covered))
      continue;
    if (row->present == 0)
      row->covered = covered;
    if (covered == row->covered)
      put (row, i, gain);
    else
      left |= G_GUINT64_CONSTANT (1) << i;
  }
  return left;
}

/* Under the lock. */
static void
take (VirfsHistory *self, const char *key, const VirfsMetricSet *set, const VirfsSample *before,
      const VirfsSample *now, VirfsBlockRow *row)
{
  VirfsHistoryKind kind = virfs_history_kind_of (set);
  VirfsTaken *taken = virfs_history_taken (self, key, kind);
  guint64 late = 0;

  begin_counters (taken, set, now, before ? before->time : now->time);
  fill_row (set, taken, before, now, row, &late);
  if (row->present != 0)
    virfs_history_add (self, key, kind, row);
  while (late != 0) {
    late = fill_late_row (taken, before, now, late, row);
    virfs_history_add (self, key, kind, row);
  }
  for (guint i = 0; i < set->n; i++)
    if (is_told (now, i))
      taken->told[i] = now->time;
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
  key = virfs_history_key (object);
  g_mutex_lock (&self->lock);
  take (self, key, set, before, sample, row);
  g_mutex_unlock (&self->lock);
}

static void
take_pool (VirfsHistory *self, const VirfsHost *host, const VirfsPoolInfo *pool, gint64 now)
{
  g_autofree VirfsBlockRow *row = g_new0 (VirfsBlockRow, 1);
  g_autofree char *key = virfs_history_pool_key (host->name, pool->part.name);
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
