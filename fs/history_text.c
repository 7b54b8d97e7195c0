/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Series as tables and as pictures.  Times in tables are seconds since 1970, which awk, gnuplot and spreadsheets
 * count with; an empty line stands for a gap, where gnuplot lifts its pen.
 */
#include "history_files.h"

#include "chart.h"

#include <math.h>

static const VirfsHistoryPoint *
points_of (const VirfsSeries *series)
{
  return (const VirfsHistoryPoint *) series->points->data;
}

/* Tables. */

static void
append_value (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  const char *format = value >= 1e6 || value == floor (value) ? "%.0f" : "%.6g";

  g_string_append_printf (out, "\t%s", g_ascii_formatd (text, sizeof text, format, value));
}

void
virfs_history_append_tsv (GString *out, const VirfsMetricSet *set, guint index,
                          const VirfsSeries *series)
{
  gboolean counter;
  gint64 gap;

  if (series == NULL)
    return;
  virfs_history_unit (set, index, &counter);
  gap = virfs_series_gap (series);
  g_string_append_printf (out, "time\tmean\tmin\tmax%s\n", counter ? "\ttotal" : "");
  for (guint i = 0; i < series->points->len; i++) {
    const VirfsHistoryPoint *point = &points_of (series)[i];

    if (i > 0 && point->time - point[-1].time > gap)
      g_string_append_c (out, '\n');
    g_string_append_printf (out, "%" G_GINT64_FORMAT, point->time / G_USEC_PER_SEC);
    append_value (out, point->mean);
    append_value (out, point->min);
    append_value (out, point->max);
    if (counter)
      append_value (out, point->mean * (double) point->covered / G_USEC_PER_SEC);
    g_string_append_c (out, '\n');
  }
}

/* Pictures. */

static VirfsChartUnit
chart_unit (VirfsMetricUnit unit)
{
  static const VirfsChartUnit units[] = {
    [VIRFS_METRIC_NUMBER] = VIRFS_CHART_NUMBER,
    [VIRFS_METRIC_BYTES] = VIRFS_CHART_BYTES,
    [VIRFS_METRIC_SECONDS] = VIRFS_CHART_SECONDS,
    [VIRFS_METRIC_PERCENT] = VIRFS_CHART_PERCENT,
  };

  return units[unit];
}

/* A step is shown where its middle is. */
static GArray *
chart_points (const VirfsSeries *series)
{
  GArray *points = g_array_new (FALSE, FALSE, sizeof (VirfsChartPoint));

  for (guint i = 0; i < series->points->len; i++) {
    const VirfsHistoryPoint *from = &points_of (series)[i];
    VirfsChartPoint point = { from->time + series->step / 2, from->mean, from->min, from->max };

    g_array_append_val (points, point);
  }
  return points;
}

void
virfs_history_append_svg (GString *out, const VirfsMetricSet *set, guint index, const char *object,
                          VirfsRange range, const VirfsSeries *series)
{
  g_autoptr (GArray) points = NULL;
  g_autofree char *title = NULL;
  VirfsChartLine line;
  VirfsChart chart;

  if (series == NULL)
    return;
  points = chart_points (series);
  title = g_strdup_printf ("%s: %s, last %s", object, virfs_metric_name (set, index),
                           virfs_range_name (range));
  line = (VirfsChartLine){ .points = (const VirfsChartPoint *) points->data,
                           .n = points->len,
                           .gap = virfs_series_gap (series),
                           .area = TRUE };
  chart = (VirfsChart){ .title = title,
                        .from = series->from,
                        .to = series->to,
                        .top = NAN,
                        .limit = NAN,
                        .lines = &line,
                        .n_lines = 1 };
  chart.unit = chart_unit (virfs_history_unit (set, index, &chart.per_second));
  virfs_chart_append (out, &chart);
}
