/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each host or pool counts by what it has, and only for the time for which something is known of it: so one
 * that was away, or has just come, makes no step.
 */
#include "report_trend.h"

#include <math.h>

typedef struct {
  const char *title;
  VirfsKind kind;
  guint index; /* of the metric */
  VirfsRange range;
  gboolean left; /* the metric tells what is not used */
} Trend;

#define HOST_CPU (VIRFS_HOST_N_METRICS + VIRFS_HOST_RATE_CPU_PERCENT)

static const Trend trends[VIRFS_N_TRENDS] = {
  [VIRFS_TREND_CPU_DAY] = { "CPUs, last day", VIRFS_KIND_HOST, HOST_CPU, VIRFS_RANGE_DAY, FALSE },
  [VIRFS_TREND_MEMORY_DAY]
  = { "Memory, last day", VIRFS_KIND_HOST, VIRFS_HOST_METRIC_MEMORY_FREE, VIRFS_RANGE_DAY, TRUE },
  [VIRFS_TREND_MEMORY_MONTH] = { "Memory, last month", VIRFS_KIND_HOST,
                                 VIRFS_HOST_METRIC_MEMORY_FREE, VIRFS_RANGE_MONTH, TRUE },
  [VIRFS_TREND_STORAGE_MONTH] = { "Storage, last month", VIRFS_KIND_POOL,
                                  VIRFS_POOL_METRIC_AVAILABLE, VIRFS_RANGE_MONTH, TRUE },
};

const char *
virfs_trend_title (VirfsTrendKind kind)
{
  return trends[kind].title;
}

/* What is summed up of one. */

typedef void (*SourceFunc) (const Trend *trend, gpointer object, double whole, gpointer data);

typedef struct {
  const Trend *trend;
  SourceFunc func;
  gpointer data;
} Visit;

static void
visit_pool (const VirfsReportHost *host, const VirfsPoolInfo *info, gpointer data)
{
  const Visit *visit = data;
  g_autofree char *label = virfs_part_label (&virfs_pool_class, info->part.name);
  g_autoptr (VirfsPart) pool
    = virfs_infra_part (host->host->object.infra, host->host, &virfs_pool_class, label);

  if (pool != NULL && virfs_pool_is_active (info) && info->capacity > 0)
    visit->func (visit->trend, pool, (double) info->capacity, visit->data);
}

static void
foreach_source (const VirfsReportFleet *fleet, const Trend *trend, SourceFunc func, gpointer data)
{
  Visit visit = { trend, func, data };

  if (trend->kind == VIRFS_KIND_POOL) {
    virfs_report_foreach_pool (fleet, visit_pool, &visit);
    return;
  }
  for (guint i = 0; i < fleet->hosts->len; i++) {
    const VirfsReportHost *host = fleet->hosts->pdata[i];
    double whole = trend->index == HOST_CPU ? host->info->cpus : (double) host->info->memory;

    if (whole > 0)
      func (trend, host->host, whole, data);
  }
}

/* Summing up. */

typedef struct {
  VirfsTrend *trend;
  double *whole; /* of each step: of those of which it is known */
  VirfsHistory *history;
} Sum;

static double
used (const Trend *trend, double value, double whole)
{
  if (trend->index == HOST_CPU && trend->kind == VIRFS_KIND_HOST)
    return value / 100 * whole;
  return trend->left ? whole - value : value;
}

static void
add_source (const Trend *trend, gpointer object, double whole, gpointer data)
{
  const Sum *sum = data;
  g_autoptr (VirfsSeries) series
    = virfs_history_series (sum->history, object, trend->index, trend->range);

  sum->trend->whole += whole;
  for (guint i = 0; series && i < series->points->len; i++) {
    const VirfsHistoryPoint *point = &g_array_index (series->points, VirfsHistoryPoint, i);
    gint64 step = (point->time - sum->trend->from) / sum->trend->step;

    if (point->time < sum->trend->from || step >= (gint64) sum->trend->n || isnan (point->mean))
      continue;
    sum->trend->percent[step] += used (trend, point->mean, whole);
    sum->whole[step] += whole;
  }
}

/* Sums become percent, and those of a month a forecast: a day goes up and down. */
static void
finish (const Trend *trend, VirfsTrend *self, const double *whole)
{
  g_autoptr (GArray) points = g_array_new (FALSE, FALSE, sizeof (VirfsHistoryPoint));

  for (guint i = 0; i < self->n; i++) {
    VirfsHistoryPoint point = { .time = self->from + i * self->step, .covered = self->step };

    self->percent[i] = whole[i] > 0 ? self->percent[i] / whole[i] * 100 : NAN;
    point.mean = point.min = point.max = self->percent[i];
    if (whole[i] > 0)
      g_array_append_val (points, point);
  }
  if (points->len > 0 && trend->range == VIRFS_RANGE_MONTH)
    virfs_forecast ((const VirfsHistoryPoint *) (gpointer) points->data, points->len, 100,
                    &self->forecast);
}

VirfsTrend *
virfs_trend_new (const VirfsReportFleet *fleet, VirfsTrendKind kind)
{
  const Trend *trend = &trends[kind];
  VirfsTrend *self = g_new0 (VirfsTrend, 1);
  g_autofree double *whole = NULL;
  Sum sum;

  self->step = virfs_range_step (trend->range);
  self->n = (guint) (virfs_range_length (trend->range) / self->step);
  self->from = (fleet->now / self->step - self->n + 1) * self->step;
  self->percent = g_new0 (double, self->n);
  whole = g_new0 (double, self->n);
  sum = (Sum){ self, whole, virfs_infra_history (fleet->infra) };
  foreach_source (fleet, trend, add_source, &sum);
  finish (trend, self, whole);
  return self;
}

void
virfs_trend_free (VirfsTrend *trend)
{
  g_free (trend->percent);
  g_free (trend);
}

/* Waiting for several. */

typedef struct {
  gint pending; /* atomic */
  VirfsHistory *history;
  void (*ready) (gpointer data);
  gpointer data;
} Wait;

/* Whether that was the last. */
static gboolean
is_last (Wait *wait)
{
  return g_atomic_int_dec_and_test (&wait->pending);
}

static void
one_is_ready (gpointer data)
{
  Wait *wait = data;

  if (!is_last (wait))
    return;
  wait->ready (wait->data);
  g_free (wait);
}

static void
await_source (const Trend *trend, gpointer object, double whole, gpointer data)
{
  Wait *wait = data;

  g_atomic_int_inc (&wait->pending);
  if (virfs_history_await (wait->history, object, trend->index, trend->range, one_is_ready, wait))
    g_atomic_int_add (&wait->pending, -1);
}

gboolean
virfs_trend_await (VirfsInfra *infra, void (*ready) (gpointer data), gpointer data)
{
  g_autoptr (VirfsReportFleet) fleet = NULL;
  Wait *wait;

  if (!virfs_history_is_on (virfs_infra_history (infra)))
    return TRUE;
  fleet = virfs_report_fleet_new_hosts (infra);
  wait = g_new (Wait, 1);
  *wait = (Wait){ 1, virfs_infra_history (infra), ready, data };
  for (guint i = 0; i < VIRFS_N_TRENDS; i++)
    foreach_source (fleet, &trends[i], await_source, wait);
  if (!is_last (wait))
    return FALSE;
  g_free (wait);
  return TRUE;
}
