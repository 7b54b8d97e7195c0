/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of sampling: metrics.c is when, metrics_keep.c is what. */
#pragma once

#include "metrics.h"
#include "registry.h"

/* What is kept of a host or guest. */
typedef struct {
  guint64 host; /* its number: who has told it last */
  guint64 round;
  VirfsSample *raw, *shown;
} VirfsKeptSample;

typedef struct {
  VirfsMetricsListener func;
  gpointer data;
} VirfsMetricsListening;

typedef struct {
  guint64 id;
  gint64 wanted; /* sampled until then, as all times here monotonic */
  gint64 due;
  gint64 taken; /* when the last sample came; 0: none has */
  gint64 begun; /* a sample is under way since then; 0: none is */
  guint64 round;
} VirfsSampled;

typedef struct {
  GBytes *bytes; /* NULL: none */
  guint64 serial;
  gint64 changed, made;
  gboolean opened; /* not made for its size alone, before all was there that it shows */
} VirfsMetricsText;

struct VirfsMetrics {
  VirfsInfra *infra;
  gint64 interval;
  GMutex lock;
  GCond wake;
  /* under lock */
  GHashTable *hosts; /* id -> VirfsSampled* */
  GHashTable *kept;  /* id -> VirfsKeptSample* */
  GArray *waiters;   /* of Waiter */
  GArray *listeners; /* of VirfsMetricsListening */
  gboolean running, stopping;
  guint holders; /* VirfsMetricsHolder */
  gint64 looked; /* with any: when it was last looked which hosts there are */
  guint64 serial;
  gint64 changed; /* microseconds since the epoch: when serial was */
  VirfsMetricsText texts[VIRFS_METRICS_N_TEXTS];
};
