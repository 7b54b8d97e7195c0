/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Measuring and printing. */
#include "bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STATUS_FAILED = 2 };

void
bench_die (const char *format, ...)
{
  g_autofree char *sentence = NULL;
  va_list args;

  va_start (args, format);
  sentence = g_strdup_vprintf (format, args);
  va_end (args);
  g_printerr ("%s: %s\n", program_invocation_short_name, sentence);
  exit (STATUS_FAILED);
}

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + (double) time.tv_nsec * 1e-9;
}

static double
time_of (BenchFunc func, gpointer data)
{
  double start = now ();

  func (data);
  return now () - start;
}

static int
compare (const void *a, const void *b)
{
  double p = *(const double *) a, q = *(const double *) b;

  return (p > q) - (p < q);
}

double
bench_quantile (double *values, guint n, double fraction)
{
  qsort (values, n, sizeof *values, compare);
  return values[MIN ((guint) (fraction * n), n - 1)];
}

BenchPair *
bench_pair (guint rounds, BenchFunc before, BenchFunc ours, gpointer our_data, BenchFunc peers,
            gpointer peer_data)
{
  BenchPair *pair = g_new (BenchPair, 1);

  *pair = (BenchPair){ rounds, g_new (double, rounds + 1), g_new (double, rounds + 1) };
  /* the first round warms up and is overwritten, unless each begins cold */
  for (guint i = before ? 1 : 0; i <= rounds; i++)
    for (guint turn = 0; turn < 2; turn++) {
      if (before != NULL)
        before (NULL);
      if ((i + turn) % 2 == 0)
        pair->ours[i] = time_of (ours, our_data);
      else
        pair->peers[i] = time_of (peers, peer_data);
    }
  pair->ours[0] = pair->ours[rounds];
  pair->peers[0] = pair->peers[rounds];
  return pair;
}

void
bench_pair_free (BenchPair *pair)
{
  g_free (pair->ours);
  g_free (pair->peers);
  g_free (pair);
}

/* Text of a time; static strings are not needed for long. */
static char *
format_time (double seconds)
{
  static const struct {
    double scale;
    const char *unit;
  } units[] = { { 1, "s" }, { 1e-3, "ms" }, { 1e-6, "us" }, { 1e-9, "ns" } };
  guint i = 0;

  while (i + 1 < G_N_ELEMENTS (units) && ABS (seconds) < units[i].scale)
    i++;
  return g_strdup_printf ("%.3g %s", seconds / units[i].scale, units[i].unit);
}

static gboolean
print_line (const char *what, const char *ours, const char *peers, const char *ratio,
            const char *limit, gboolean met)
{
  g_print ("%-46s %9s %9s %18s %10s  %s\n", what, ours, peers, ratio, limit, met ? "" : "MISSED");
  return met;
}

void
bench_print_head (const char *title)
{
  print_line (title, "virfs", "beside", "ratio (range)", "target", TRUE);
}

gboolean
bench_print_pair (const char *what, const BenchPair *pair, double operations, double limit)
{
  guint n = pair->rounds;
  g_autofree double *ratios = g_new (double, n);
  g_autofree double *ours = g_memdup2 (pair->ours, n * sizeof *ours);
  g_autofree double *peers = g_memdup2 (pair->peers, n * sizeof *peers);
  g_autofree char *our_text = NULL, *peer_text = NULL, *ratio_text = NULL, *limit_text = NULL;
  double ratio;

  for (guint i = 0; i < n; i++)
    ratios[i] = pair->ours[i] / pair->peers[i];
  ratio = bench_quantile (ratios, n, 0.5);
  our_text = format_time (bench_quantile (ours, n, 0.5) / operations);
  peer_text = format_time (bench_quantile (peers, n, 0.5) / operations);
  ratio_text = g_strdup_printf ("%.2f (%.2f-%.2f)", ratio, ratios[0], ratios[n - 1]);
  limit_text = limit > 0 ? g_strdup_printf ("<= %.3g", limit) : g_strdup ("");
  return print_line (what, our_text, peer_text, ratio_text, limit_text,
                     limit <= 0 || ratio <= limit);
}

gboolean
bench_print_times (const char *what, double ours, double peers, double limit)
{
  g_autofree char *our_text = format_time (ours), *peer_text = format_time (peers);
  g_autofree char *bound = format_time (limit);
  g_autofree char *limit_text = limit > 0 ? g_strdup_printf ("<= %s", bound) : g_strdup ("");
  gboolean met = limit <= 0 || ours <= limit;

  if (!met && peers > limit)
    return print_line (what, our_text, peer_text, "", "too busy", TRUE);
  return print_line (what, our_text, peer_text, "", limit_text, met);
}

static char *
format_value (double value, const char *unit)
{
  return g_str_equal (unit, "s") ? format_time (value) : g_strdup_printf ("%.4g %s", value, unit);
}

gboolean
bench_print_value (const char *what, double value, const char *unit, double limit)
{
  g_autofree char *text = format_value (value, unit);
  g_autofree char *limit_text = NULL;

  if (limit >= 0) {
    g_autofree char *bound = format_value (limit, unit);

    limit_text = g_strdup_printf ("<= %s", bound);
  }
  return print_line (what, text, "", "", limit_text ? limit_text : "", limit < 0 || value <= limit);
}
