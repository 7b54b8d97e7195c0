/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures one thing of ours beside a peer's and prints a line of the table.  The exit status tells
 * whether the target was met.
 *
 *   measure open    WHAT LIMIT OUR_FILE PEER_FILE      open, read, read the end, close
 *   measure pread   WHAT LIMIT OUR_FILE PEER_FILE      of open files
 *   measure command WHAT LIMIT OPERATIONS OUR_COMMAND PEER_COMMAND
 *   measure value   WHAT LIMIT VALUE UNIT
 *   measure head    WHAT LIMIT                         the head of the table
 *
 * LIMIT is what the ratio (or the value) should be at most; 0: no target, a value's is then -1.
 * BENCH_ROUNDS tells how many rounds, BENCH_BEFORE a command to be run before each, untimed.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MISSED = 1 };

/* How often a round does what is too short to be timed alone. */
#define OPENS  20000
#define PREADS 200000

static guint
rounds (guint standard)
{
  const char *text = g_getenv ("BENCH_ROUNDS");

  return text ? MAX (strtoul (text, NULL, 10), 1) : standard;
}

static void
open_and_read (gpointer data)
{
  const char *path = data;
  char buffer[4096];

  for (guint i = 0; i < OPENS; i++) {
    int fd = open (path, O_RDONLY);

    if (fd < 0 || read (fd, buffer, sizeof buffer) <= 0 || read (fd, buffer, sizeof buffer) != 0)
      bench_die ("%s: %s", path, g_strerror (errno));
    close (fd);
  }
}

static void
read_again (gpointer data)
{
  int fd = *(int *) data;
  char buffer[4096];

  for (guint i = 0; i < PREADS; i++)
    if (pread (fd, buffer, sizeof buffer, 0) <= 0)
      bench_die ("pread: %s", g_strerror (errno));
}

static void
run_command (gpointer command)
{
  int status = system (command);

  if (status != 0)
    bench_die ("status %d of: %s", status, (const char *) command);
}

static void
prepare (gpointer unused)
{
  run_command ((gpointer) g_getenv ("BENCH_BEFORE"));
}

static BenchFunc
before (void)
{
  return g_getenv ("BENCH_BEFORE") ? prepare : NULL;
}

static gboolean
measure_open (const char *what, double limit, char **args)
{
  g_autoptr (BenchPair) pair
    = bench_pair (rounds (11), before (), open_and_read, args[0], open_and_read, args[1]);

  return bench_print_pair (what, pair, OPENS, limit);
}

static gboolean
measure_pread (const char *what, double limit, char **args)
{
  int ours = open (args[0], O_RDONLY), peers = open (args[1], O_RDONLY);
  g_autoptr (BenchPair) pair = NULL;

  if (ours < 0 || peers < 0)
    bench_die ("%s, %s: %s", args[0], args[1], g_strerror (errno));
  pair = bench_pair (rounds (11), before (), read_again, &ours, read_again, &peers);
  return bench_print_pair (what, pair, PREADS, limit);
}

static gboolean
measure_command (const char *what, double limit, char **args)
{
  g_autoptr (BenchPair) pair
    = bench_pair (rounds (7), before (), run_command, args[1], run_command, args[2]);

  return bench_print_pair (what, pair, g_ascii_strtod (args[0], NULL), limit);
}

static gboolean
measure_value (const char *what, double limit, char **args)
{
  return bench_print_value (what, g_ascii_strtod (args[0], NULL), args[1], limit);
}

static gboolean
print_head (const char *what, double limit, char **args)
{
  bench_print_head (what);
  return TRUE;
}

static const struct {
  const char *name;
  int n_args;
  gboolean (*run) (const char *what, double limit, char **args);
} kinds[] = {
  { "open", 2, measure_open },   { "pread", 2, measure_pread }, { "command", 3, measure_command },
  { "value", 2, measure_value }, { "head", 0, print_head },
};

int
main (int argc, char **argv)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds) && argc > 3; i++)
    if (strcmp (argv[1], kinds[i].name) == 0 && argc == 4 + kinds[i].n_args)
      return kinds[i].run (argv[2], g_ascii_strtod (argv[3], NULL), argv + 4) ? EXIT_SUCCESS
                                                                              : MISSED;
  bench_die ("usage: see the head of measure.c");
}
