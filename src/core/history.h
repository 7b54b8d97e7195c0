/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What metrics were: of guests (by UUID, wherever they run), hosts and pools (by name).
 *
 * Samples are taken as they come (metrics_keep.c) and kept in blocks: as sampled for hours, as means of five
 * minutes for months, as means of hours for years.  A thread of its own writes, reads, makes the coarser of
 * the finer and drops what is old; the blocks are kept by a VirfsHistoryStore, which does not know what is in
 * them.  Without one there is no history.
 *
 * Counters are kept as what was added since the sample before, so a restart of the guest or of this program
 * makes no step: what is shown of them is a rate.  Where nothing was sampled there is a gap.
 *
 * Its lock is a leaf: it is taken under that of metrics.c, and nothing is called under it.
 */
#pragma once

#include "host.h"
#include "metric.h"

typedef struct VirfsHistory VirfsHistory;

typedef struct {
  gint64 time;           /* its beginning, microseconds since the epoch */
  gint64 covered;        /* microseconds of it that samples tell of */
  double mean, min, max; /* bytes, seconds, percent; of counters: a second */
} VirfsHistoryPoint;

typedef struct {
  gatomicrefcount refs;
  gint64 from, to, step; /* microseconds; step 0: as sampled */
  gint64 made;           /* monotonic */
  GArray *points;        /* of VirfsHistoryPoint; none where nothing is known */
} VirfsSeries;

VirfsSeries *virfs_series_ref (VirfsSeries *series);
void virfs_series_unref (VirfsSeries *series);
/* All that a counter was counting within it: means times time. */
double virfs_series_total (const VirfsSeries *series);
/* Microseconds between two points that follow each other without a gap, at most. */
gint64 virfs_series_gap (const VirfsSeries *series);

/* Up to now, that is. */
typedef enum {
  VIRFS_RANGE_HOUR,  /* as sampled */
  VIRFS_RANGE_DAY,   /* a point every 5 minutes */
  VIRFS_RANGE_WEEK,  /* 30 minutes */
  VIRFS_RANGE_MONTH, /* 31 days; 2 hours */
  VIRFS_RANGE_YEAR,  /* 366 days; a day */
  VIRFS_N_RANGES,
} VirfsRange;

const char *virfs_range_name (VirfsRange range);
gint64 virfs_range_length (VirfsRange range); /* microseconds, as the next */
gint64 virfs_range_step (VirfsRange range);   /* 0: as sampled */

/* What is kept of OBJECT, a host, guest or pool: its metrics, NULL for none; the index of one counts on with
 * the rates, as in metric.h.  And its key; the caller owns it. */
const VirfsMetricSet *virfs_history_set_of (gconstpointer object);
char *virfs_history_key (gconstpointer object);

/* How its values are to be read. */
VirfsMetricUnit virfs_history_unit (const VirfsMetricSet *set, guint index, gboolean *per_second);

VirfsHistory *virfs_infra_history (VirfsInfra *infra);
/* Whether there is one. */
gboolean virfs_history_is_on (VirfsHistory *history);

/* Metric INDEX of the object with KEY, in steps (microseconds; 0: as sampled, where that is still known).
 * Waits for the disk, so never to be called by a thread of FUSE or under a lock.  The caller owns the
 * reference; NULL with ERROR if it cannot be read. */
VirfsSeries *virfs_history_read (VirfsHistory *history, const VirfsMetricSet *set, const char *key,
                                 guint index, gint64 from, gint64 to, gint64 step, GError **error);
/* The same of RANGE up to now, of OBJECT; what was read at most MAX_AGE microseconds ago will do. */
VirfsSeries *virfs_history_read_range (VirfsHistory *history, gpointer object, guint index,
                                       VirfsRange range, gint64 max_age, GError **error);
/* The sum of all KEYS (of char *) in steps, of what is known of each: means, and least and greatest as if all had
 * theirs at once. */
VirfsSeries *virfs_history_read_sum (VirfsHistory *history, const VirfsMetricSet *set,
                                     GPtrArray *keys, guint index, gint64 from, gint64 to,
                                     gint64 step, GError **error);
/* For files: FALSE if what is known of RANGE is still to be read; then READY is called once, from any thread,
 * also before this returns.  Then virfs_history_series() has it for a while (NULL: it cannot be read, or there is
 * no history). */
gboolean virfs_history_await (VirfsHistory *history, gpointer object, guint index, VirfsRange range,
                              void (*ready) (gpointer data), gpointer data);
VirfsSeries *virfs_history_series (VirfsHistory *history, gpointer object, guint index,
                                   VirfsRange range);

/* When OBJECT was sampled last, microseconds since the epoch; 0: not in the last hours. */
gint64 virfs_history_changed (VirfsHistory *history, gconstpointer object);

/* The last hour from memory, for many objects in one moment: means of minutes, the last is the current one's;
 * NAN where nothing is known.  FALSE if there is nothing, or INDEX is not one of those kept: cpu_percent,
 * memory_rss, memory_free and the counters of bytes of disks and NICs. */
#define VIRFS_HISTORY_MINUTES 60
gboolean virfs_history_recent (VirfsHistory *history, gconstpointer object, guint index,
                               double minutes[VIRFS_HISTORY_MINUTES]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsSeries, virfs_series_unref)

/* For metrics_keep.c: OBJECT showed BEFORE (NULL: nothing) and now SAMPLE; and the pools of HOST are what they
 * are now. */
void virfs_history_take (VirfsHistory *history, gpointer object, const VirfsSample *before,
                         const VirfsSample *sample);
void virfs_history_take_pools (VirfsHistory *history, VirfsHost *host);
