/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The samples of the fleet, and when they are taken: of a host and all of its guests at once, every interval,
 * and only as long as somebody reads.  Without readers there are neither samples nor a thread.
 *
 * Its lock comes before the registry's.
 */
#pragma once

#include "metric.h"
#include "vm.h"

typedef struct VirfsMetrics VirfsMetrics;

#define VIRFS_METRICS_INTERVAL 15 /* seconds, if nobody says otherwise */
/* Intervals that sampling goes on after the last reader, so that a scraper finds counters going on. */
#define VIRFS_METRICS_LINGER 8
/* How long (microseconds) a reader waits for the first sample of a host, and for those of all hosts.  A
 * sample that takes longer than that is waited for by nobody: a walk must not be held up by each file
 * of a host that hangs. */
#define VIRFS_METRICS_PATIENCE       (G_USEC_PER_SEC * 3 / 10)
#define VIRFS_METRICS_FLEET_PATIENCE (2 * G_USEC_PER_SEC)

/* For the registry. */
VirfsMetrics *virfs_metrics_new (VirfsInfra *infra);
/* Ends sampling, and lets all go on who wait. */
void virfs_metrics_stop (VirfsMetrics *metrics);
void virfs_metrics_free (VirfsMetrics *metrics);

VirfsMetrics *virfs_infra_metrics (VirfsInfra *infra);
/* Of at least one second; before the first reader. */
void virfs_metrics_set_interval (VirfsMetrics *metrics, guint seconds);
guint virfs_metrics_interval (VirfsMetrics *metrics);
/* Who wants samples though nobody reads. */
typedef enum {
  VIRFS_METRICS_FOR_HISTORY = 1 << 0,
  VIRFS_METRICS_FOR_ALARMS = 1 << 1,
} VirfsMetricsHolder;
/* Samples all hosts, also those that come, whether somebody reads or not, or no longer for WHO. */
void virfs_metrics_hold (VirfsMetrics *metrics, VirfsMetricsHolder who, gboolean hold);
/* FUNC runs when HOST has been sampled: what is shown of it and of its guests is new.  It must only take
 * note, for it runs under the lock.  Any number of listeners; to be removed before they go. */
typedef void (*VirfsMetricsListener) (VirfsHost *host, gpointer data);
void virfs_metrics_listen (VirfsMetrics *metrics, VirfsMetricsListener func, gpointer data);
void virfs_metrics_unlisten (VirfsMetrics *metrics, VirfsMetricsListener func, gpointer data);

/*
 * Somebody is about to read what HOST (NULL: each host) has: it is sampled for a while.  FALSE if there is no
 * sample yet and one is to be expected: then READY is called, once and from any thread, when it is there
 * or after VIRFS_METRICS_PATIENCE (NULL: VIRFS_METRICS_FLEET_PATIENCE).
 */
gboolean virfs_metrics_await (VirfsMetrics *metrics, VirfsHost *host, void (*ready) (gpointer data),
                              gpointer data);
/* What is shown of OBJECT, a host or guest; the caller owns the reference.  NULL if there is none, or it is
 * too old to be true. */
VirfsSample *virfs_metrics_sample (VirfsMetrics *metrics, gconstpointer object);
/* Other than before if any sample is. */
guint64 virfs_metrics_serial (VirfsMetrics *metrics);
/* When that was, microseconds since the epoch; 0: never. */
gint64 virfs_metrics_changed (VirfsMetrics *metrics);
/*
 * What MAKE makes of all samples, under number WHICH (below VIRFS_METRICS_N_TEXTS): the last, as long as
 * nothing has changed, but a second at most.  The caller owns the reference.
 *
 * Who does not OPEN it, and wants its size alone, gets that of the last for two seconds: fstat(2) does not tell
 * which open file it is about, and is to agree with what has just been opened.
 */
#define VIRFS_METRICS_N_TEXTS 32
typedef GString *(*VirfsMetricsMake) (VirfsInfra *infra, guint which);
GBytes *virfs_metrics_text (VirfsMetrics *metrics, guint which, gboolean open,
                            VirfsMetricsMake make);

/* For backends, at the end of what `host_sample` begins, also if it has failed (OF_HOST is NULL then): a
 * raw sample of HOST, and those of its guests (of VirfsSample*); both are taken. */
void virfs_metrics_tell (VirfsMetrics *metrics, VirfsHost *host, VirfsSample *of_host,
                         GPtrArray *guests);
