/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fleet as a whole used, of what its hosts and pools have kept of that; in percent of what there is. */
#pragma once

#include "forecast.h"
#include "report.h"

typedef enum {
  VIRFS_TREND_CPU_DAY,
  VIRFS_TREND_MEMORY_DAY,
  VIRFS_TREND_MEMORY_MONTH,
  VIRFS_TREND_STORAGE_MONTH,
  VIRFS_N_TRENDS,
} VirfsTrendKind;

typedef struct {
  gint64 from, step; /* microseconds, since the epoch */
  guint n;
  double *percent; /* of each step; NAN: not known */
  double whole;    /* CPUs or bytes that there are */
  VirfsForecast forecast;
} VirfsTrend;

const char *virfs_trend_title (VirfsTrendKind kind);
VirfsTrend *virfs_trend_new (const VirfsReportFleet *fleet, VirfsTrendKind kind);
void virfs_trend_free (VirfsTrend *trend);
/* FALSE if something that trends are made of is still to be read; then READY is called, once and from any
 * thread, when it has been. */
gboolean virfs_trend_await (VirfsInfra *infra, void (*ready) (gpointer data), gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsTrend, virfs_trend_free)
