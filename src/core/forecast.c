/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line through what was.  Noise has a slope, too, so it counts only if the line explains a good part of how
 * the values differ and the growth over what was looked at stands out from what is left.
 */
#include "forecast.h"

#include <math.h>

#define LEAST_POINTS 12
#define LEAST_FIT    0.5
/* No forecast reaches further than so many times what it was made from. */
#define FURTHEST 10

/* How long a forecast of a pool holds. */
#define POOL_AGE (10 * G_TIME_SPAN_MINUTE)

#define DAY_SECONDS (24.0 * 3600)

typedef struct {
  double n, x, y, xx, xy, yy; /* means, after divide() */
} Sums;

static double
seconds (const VirfsHistoryPoint *point, const VirfsHistoryPoint *last)
{
  return (double) (point->time - last->time) / G_USEC_PER_SEC;
}

/* Values are taken from the last one on, so that large ones with small changes keep their digits. */
static Sums
sum_up (const VirfsHistoryPoint *points, guint n, const VirfsHistoryPoint *last)
{
  Sums sums = { .n = n };

  for (guint i = 0; i < n; i++) {
    double x = seconds (&points[i], last), y = points[i].mean - last->mean;

    sums.x += x / n;
    sums.y += y / n;
  }
  for (guint i = 0; i < n; i++) {
    double x = seconds (&points[i], last) - sums.x, y = points[i].mean - last->mean - sums.y;

    sums.xx += x * x / n;
    sums.xy += x * y / n;
    sums.yy += y * y / n;
  }
  return sums;
}

/* Whether points are there for half of the time: a few at both ends say nothing of what was between. */
static gboolean
is_dense (const VirfsHistoryPoint *points, guint n)
{
  gint64 length = points[n - 1].time - points[0].time, joined = 0;
  gint64 usual = length / (n - 1) * 2;

  for (guint i = 1; i < n; i++)
    if (points[i].time - points[i - 1].time <= usual)
      joined += points[i].time - points[i - 1].time;
  return joined * 2 >= length;
}

void
virfs_forecast (const VirfsHistoryPoint *points, guint n, double limit, VirfsForecast *forecast)
{
  const VirfsHistoryPoint *last = points + n - 1;
  double slope, left, length;
  Sums sums;

  *forecast = (VirfsForecast){ .value = n > 0 ? last->mean : NAN };
  if (n < LEAST_POINTS || last->time <= points->time || !is_dense (points, n))
    return;
  forecast->known = TRUE;
  sums = sum_up (points, n, last);
  slope = sums.xy / sums.xx;
  forecast->per_day = slope * DAY_SECONDS;
  forecast->value = last->mean + sums.y - slope * sums.x;
  forecast->fit = sums.yy > 0 ? sums.xy * sums.xy / (sums.xx * sums.yy) : 0;
  left = limit - forecast->value;
  length = -seconds (points, last);
  if (slope == 0 || forecast->fit < LEAST_FIT || (left > 0) != (slope > 0))
    return;
  forecast->grows = TRUE;
  if (left / slope <= FURTHEST * length)
    forecast->reaches = last->time + (gint64) (left / slope * G_USEC_PER_SEC);
}

double
virfs_forecast_pool_full (VirfsInfra *infra, VirfsPart *pool)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (pool);
  g_autoptr (VirfsSeries) week
    = virfs_history_read_range (virfs_infra_history (infra), pool, VIRFS_POOL_METRIC_ALLOCATION,
                                VIRFS_RANGE_WEEK, POOL_AGE, NULL);
  const VirfsHistoryPoint *points;
  VirfsForecast forecast;

  if (week == NULL || week->points->len == 0)
    return NAN;
  points = (const VirfsHistoryPoint *) week->points->data;
  virfs_forecast (points, week->points->len, (double) ((const VirfsPoolInfo *) info)->capacity,
                  &forecast);
  if (!forecast.known)
    return NAN;
  if (forecast.reaches == 0)
    return INFINITY;
  return (double) MAX (forecast.reaches - week->to, 0) / G_USEC_PER_SEC;
}
