/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of charts share: chart.c lines, chart_bars.c bars and sparklines, chart_scale.c numbers. */
#pragma once

#include "chart.h"

/* Colours: classes `c0` to `c7` of lines and areas, by number. */
#define VIRFS_CHART_COLOURS 8

/* A number as SVG has it, with one digit behind the point. */
void virfs_chart_append_number (GString *out, double number);
/* Opens the document: size, title, description, style. */
void virfs_chart_begin (GString *out, guint width, guint height, const char *title,
                        const char *description);
/* Names beside their colours at Y, from X on. */
void virfs_chart_append_legend (GString *out, double x, double y, const char *const *names,
                                guint n);
void virfs_chart_append_label (GString *out, double x, double y, const char *anchor,
                               const char *text);

/* The distance of ticks for an axis from 0 to TOP with about WANTED of them: 1, 2 or 5 times a power of 10, of
 * bytes a power of 2, of small seconds as of numbers. */
double virfs_chart_tick (VirfsChartUnit unit, double top, guint wanted);
/* Likewise of time, in microseconds: minutes, hours, days, months. */
gint64 virfs_chart_time_tick (gint64 length, guint wanted);
/* Writes what is at TIME, with ticks of that distance, in the time of this machine. */
void virfs_chart_append_time (GString *out, gint64 time, gint64 tick);
/* The first tick at or after FROM, and the next one. */
gint64 virfs_chart_first_tick (gint64 from, gint64 tick);
