/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the measuring programs share: clocks, medians, and the lines of the table.
 *
 * Nothing is compared that was not measured in the same run, in turns, so that what else the machine
 * does falls on both sides; a ratio is the median of the ratios of the rounds.
 */
#pragma once

#include <glib.h>

/* Ends the program with a sentence, and a status that does not mean a target missed. */
void bench_die (const char *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;

/* Of N values, which are sorted by it; FRACTION 0.5 is the median. */
double bench_quantile (double *values, guint n, double fraction);

typedef void (*BenchFunc) (gpointer data);

/* Seconds of each round, ours and the peer's. */
typedef struct {
  guint rounds;
  double *ours, *peers;
} BenchPair;

/* Runs both in turns, with the order changing from round to round; BEFORE, if
 * there is one, runs before each, untimed.  Without it one more round comes first and does not count. */
BenchPair *bench_pair (guint rounds, BenchFunc before, BenchFunc ours, gpointer our_data,
                       BenchFunc peers, gpointer peer_data);
void bench_pair_free (BenchPair *pair);

void bench_print_head (const char *title);
/* A line of the table: the medians, each divided by the number of OPERATIONS in it, and their ratio,
 * which should be at most LIMIT (0: no target).  Returns whether it is. */
gboolean bench_print_pair (const char *what, const BenchPair *pair, double operations,
                           double limit);
/* A line with two times in seconds; ours should be at most LIMIT seconds (0: no target).  On a machine
 * that is so busy that the peer's are more nothing is missed. */
gboolean bench_print_times (const char *what, double ours, double peers, double limit);
/* A line with one value, of UNIT: `s` for a time, scaled to what can be read. */
gboolean bench_print_value (const char *what, double value, const char *unit, double limit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchPair, bench_pair_free)
