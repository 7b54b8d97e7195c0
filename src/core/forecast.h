/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When what has been going on will reach a limit, and whether that can be said. */
#pragma once

#include "history.h"
#include "pool.h"

typedef struct {
  gboolean known; /* enough is: else all that follows is 0 */
  double per_day; /* how much it grows, negative: shrinks */
  double value;   /* what it is now, by the line */
  double fit;     /* 0 (noise) to 1 (a line): the part of all variance that the line explains */
  gboolean grows; /* towards the limit, and so steadily that this is to be told */
  gint64
    reaches; /* when it reaches the limit, microseconds since the epoch; 0: does not grow, or in more
                     than ten times the time that was looked at */
} VirfsForecast;

/* A line through the means of POINTS (least squares), as long as they are at least 12 and cover half of the time
 * from the first to the last; else nothing grows.  LIMIT may be above or below. */
void virfs_forecast (const VirfsHistoryPoint *points, guint n, double limit,
                     VirfsForecast *forecast);

/* Seconds until POOL is full, as its last week goes on; INFINITY where it does not fill up, NAN where that is not
 * known (yet).
 * It may wait for the disk, once in ten minutes; so not in a thread of FUSE or under a lock. */
double virfs_forecast_pool_full (VirfsInfra *infra, VirfsPart *pool);
