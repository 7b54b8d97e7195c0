/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Charts as SVG text: lines over time with the band between least and most, bars, sparklines.  Each is a
 * document of its own that can also stand within HTML; colours follow prefers-color-scheme, title and
 * description are for who does not see it.  A value that is not there is NAN and leaves a gap.
 */
#pragma once

#include <glib.h>

/* How values are written and where ticks are. */
typedef enum {
  VIRFS_CHART_NUMBER,  /* 1000 is 1 k */
  VIRFS_CHART_BYTES,   /* 1024 is 1 KiB */
  VIRFS_CHART_SECONDS, /* 0.001 is 1 ms */
  VIRFS_CHART_PERCENT,
} VirfsChartUnit;

/* VALUE for people, three digits: `1.50 GiB`, `12 ms`, `7.3 %`; PER_SECOND adds `/s`. */
void virfs_chart_append_value (GString *out, VirfsChartUnit unit, gboolean per_second,
                               double value);
/* TEXT within XML; what XML cannot have is left out. */
void virfs_chart_append_text (GString *out, const char *text);

typedef struct {
  gint64 time; /* microseconds since the epoch; ascending */
  double value;
  double low, high; /* of the band; NAN: none */
} VirfsChartPoint;

typedef struct {
  const char *label; /* for the legend; NULL: none */
  const VirfsChartPoint *points;
  guint n;
  gint64 gap;      /* points further apart are not joined; 0: all are */
  gboolean area;   /* filled down to the axis */
  gboolean dashed; /* as of what is only expected */
} VirfsChartLine;

typedef struct {
  const char *title;       /* shown, and told */
  const char *description; /* only told; NULL: made of the lines */
  VirfsChartUnit unit;
  gboolean per_second;
  gint64 from, to; /* microseconds since the epoch */
  double top;      /* the axis ends there at least; NAN: where the values end */
  double limit;    /* a line across, as of a capacity; NAN: none */
  const char *limit_label;
  guint width, height; /* 0: 720 and 240 */
  const VirfsChartLine *lines;
  guint n_lines; /* up to 8 have colours of their own */
} VirfsChart;

void virfs_chart_append (GString *out, const VirfsChart *chart);

/* Horizontal bars, one below the other, each of segments side by side. */
typedef struct {
  const char *label;
  const double *segments; /* as many as the chart has names */
  double total;           /* where the bar's frame ends: what there is; NAN: none */
} VirfsChartBar;

typedef struct {
  const char *title;
  const char *description;
  VirfsChartUnit unit;
  const char *const *names; /* of the segments, for the legend */
  guint n_segments;
  const VirfsChartBar *bars;
  guint n_bars;
  guint width; /* 0: 720; the height follows from the number of bars */
} VirfsChartBars;

void virfs_chart_append_bars (GString *out, const VirfsChartBars *bars);

/* A line without axes, for tables: VALUES from 0 to TOP (NAN: the greatest); LABEL is told.  It has the
 * colour of its text. */
void virfs_chart_append_spark (GString *out, const double *values, guint n, double top, guint width,
                               guint height, const char *label);
