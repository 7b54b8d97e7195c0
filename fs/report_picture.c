/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures: what there is and what is used of it, what was used in the last day, and when it runs out. */
#include "report_trend.h"

#include "chart.h"
#include "text.h"

#include <math.h>
#include <string.h>

/* capacity.svg */

enum { USED, PROMISED, N_SEGMENTS };

typedef struct {
  GPtrArray *labels;
  GArray *segments; /* of double, N_SEGMENTS of each bar */
} Bars;

/* A bar of what is used of WHOLE, and promised beyond that, in percent; takes LABEL. */
static void
add_bar (Bars *bars, char *label, double used, double promised, double whole)
{
  double parts[N_SEGMENTS] = { CLAMP (used / whole, 0, 1) * 100 };

  parts[PROMISED] = CLAMP (promised / whole * 100 - parts[USED], 0, 100 - parts[USED]);
  g_ptr_array_add (bars->labels, label);
  g_array_append_vals (bars->segments, parts, N_SEGMENTS);
}

static void
add_pool (const VirfsReportHost *host, const VirfsPoolInfo *pool, gpointer bars)
{
  if (virfs_pool_is_active (pool) && pool->capacity > 0)
    add_bar (bars, g_strdup_printf ("%s: pool %s", host->host->name, pool->part.name),
             (double) (pool->capacity - MIN (pool->available, pool->capacity)), 0,
             (double) pool->capacity);
}

static void
add_host (Bars *bars, const VirfsReportHost *host)
{
  guint64 used = virfs_report_host_memory_used (host);

  if (host->info->state == VIRFS_HOST_UP && host->info->memory > 0)
    add_bar (bars, g_strdup_printf ("%s: memory", host->host->name),
             used == VIRFS_ABSENT ? 0 : (double) used, (double) host->promised.memory,
             (double) host->info->memory);
}

GString *
virfs_report_capacity (const VirfsReportFleet *fleet)
{
  static const char *const names[] = { "used", "promised beyond that" };
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GArray) segments = g_array_new (FALSE, FALSE, sizeof (double));
  Bars bars = { labels, segments };
  g_autofree VirfsChartBar *each = NULL;
  VirfsChartBars chart = { .title = "Capacity", .unit = VIRFS_CHART_PERCENT, .names = names };
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < fleet->hosts->len; i++)
    add_host (&bars, fleet->hosts->pdata[i]);
  virfs_report_foreach_pool (fleet, add_pool, &bars);
  each = g_new0 (VirfsChartBar, labels->len + 1);
  for (guint i = 0; i < labels->len; i++)
    each[i]
      = (VirfsChartBar){ labels->pdata[i], &g_array_index (segments, double, i *N_SEGMENTS), 100 };
  chart.n_segments = N_SEGMENTS;
  chart.bars = each;
  chart.n_bars = labels->len;
  virfs_chart_append_bars (out, &chart);
  return out;
}

/* usage.svg and trend.svg */

/* The caller owns the points that are known. */
static VirfsChartPoint *
points_of (const VirfsTrend *trend, guint *n)
{
  VirfsChartPoint *points = g_new (VirfsChartPoint, trend->n + 1);

  *n = 0;
  for (guint i = 0; i < trend->n; i++)
    if (!isnan (trend->percent[i]))
      points[(*n)++]
        = (VirfsChartPoint){ trend->from + i * trend->step, trend->percent[i], NAN, NAN };
  return points;
}

GString *
virfs_report_usage (const VirfsReportFleet *fleet)
{
  g_autoptr (VirfsTrend) cpu = virfs_trend_new (fleet, VIRFS_TREND_CPU_DAY);
  g_autoptr (VirfsTrend) memory = virfs_trend_new (fleet, VIRFS_TREND_MEMORY_DAY);
  guint n_cpu, n_memory;
  g_autofree VirfsChartPoint *of_cpu = points_of (cpu, &n_cpu);
  g_autofree VirfsChartPoint *of_memory = points_of (memory, &n_memory);
  const VirfsChartLine lines[] = {
    { .label = "CPUs", .points = of_cpu, .n = n_cpu, .gap = 3 * cpu->step, .area = TRUE },
    { .label = "memory", .points = of_memory, .n = n_memory, .gap = 3 * memory->step },
  };
  VirfsChart chart = { .title = "What the fleet used in the last day",
                       .unit = VIRFS_CHART_PERCENT,
                       .from = fleet->now - virfs_range_length (VIRFS_RANGE_DAY),
                       .to = fleet->now,
                       .top = 100,
                       .limit = NAN,
                       .lines = lines,
                       .n_lines = G_N_ELEMENTS (lines) };
  GString *out = g_string_new (NULL);

  virfs_chart_append (out, &chart);
  return out;
}

/* From now on, as far as the picture goes or until it is full. */
static guint
expect (const VirfsTrend *trend, gint64 now, gint64 to, VirfsChartPoint points[2])
{
  const VirfsForecast *forecast = &trend->forecast;
  gint64 end = forecast->reaches > 0 ? MIN (to, forecast->reaches) : to;
  double days = (double) (end - now) / (double) G_TIME_SPAN_DAY;

  if (!forecast->grows)
    return 0;
  points[0] = (VirfsChartPoint){ now, forecast->value, NAN, NAN };
  points[1]
    = (VirfsChartPoint){ end, MIN (100, forecast->value + days * forecast->per_day), NAN, NAN };
  return 2;
}

/* `memory, full on 2026-12-24`; the caller owns it. */
static char *
legend (const char *what, const VirfsTrend *trend)
{
  g_autoptr (GString) day = g_string_new (NULL);

  if (trend->forecast.reaches == 0)
    return g_strdup (what);
  virfs_text_append_time (day, trend->forecast.reaches);
  g_string_truncate (day, strlen ("2026-12-24"));
  return g_strdup_printf ("%s, full on %s if it goes on", what, day->str);
}

GString *
virfs_report_trends (const VirfsReportFleet *fleet)
{
  gint64 length = virfs_range_length (VIRFS_RANGE_MONTH), to = fleet->now + length;
  g_autoptr (VirfsTrend) memory = virfs_trend_new (fleet, VIRFS_TREND_MEMORY_MONTH);
  g_autoptr (VirfsTrend) storage = virfs_trend_new (fleet, VIRFS_TREND_STORAGE_MONTH);
  g_autofree char *of_memory = legend ("memory", memory), *of_storage = legend ("storage", storage);
  guint n_memory, n_storage;
  g_autofree VirfsChartPoint *memory_points = points_of (memory, &n_memory);
  g_autofree VirfsChartPoint *storage_points = points_of (storage, &n_storage);
  VirfsChartPoint memory_then[2], storage_then[2];
  const VirfsChartLine lines[] = {
    { .label = of_memory, .points = memory_points, .n = n_memory, .gap = 3 * memory->step },
    { .label = of_storage, .points = storage_points, .n = n_storage, .gap = 3 * storage->step },
    { .points = memory_then, .n = expect (memory, fleet->now, to, memory_then), .dashed = TRUE },
    { .points = storage_then, .n = expect (storage, fleet->now, to, storage_then), .dashed = TRUE },
  };
  VirfsChart chart = { .title = "Memory and storage, the last month and the next",
                       .unit = VIRFS_CHART_PERCENT,
                       .from = fleet->now - length,
                       .to = to,
                       .top = 100,
                       .limit = 100,
                       .limit_label = "full",
                       .lines = lines,
                       .n_lines = G_N_ELEMENTS (lines) };
  GString *out = g_string_new (NULL);

  virfs_chart_append (out, &chart);
  return out;
}
