/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a caller was interrupted by.  The kernel tells us once that a signal has come, and not which;
 * then the caller sleeps on until we answer.  Many signals are no wish to stop: bash gets SIGCHLD
 * when a job in the background ends and SIGWINCH when its window changes, Go's runtime sends itself
 * SIGURG all the time.  As long as a thread sleeps in the kernel its signals are pending, and /proc
 * tells of them.
 */
#include "engine.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const int harmless[] = {
  SIGCHLD, SIGWINCH, SIGURG, SIGPROF, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU,
};

/* The set of signals that stands behind KEY, as in `SigPnd:`. */
static guint64
read_set (const char *status, const char *key)
{
  const char *line = strstr (status, key);

  return line ? strtoull (line + strlen (key), NULL, 16) : 0;
}

static guint64
harmless_set (void)
{
  guint64 set = 0;

  for (guint i = 0; i < G_N_ELEMENTS (harmless); i++)
    set |= G_GUINT64_CONSTANT (1) << (harmless[i] - 1);
  return set;
}

/* Field N of /proc/PID/stat, counted from 1, of those behind the name; see proc(5). */
static gint64
read_field (const char *stat, guint n)
{
  const char *end = strrchr (stat, ')');
  g_auto (GStrv) fields = g_strsplit (end ? end + 2 : "", " ", -1);

  return g_strv_length (fields) > n - 3 ? g_ascii_strtoll (fields[n - 3], NULL, 10) : 0;
}

gboolean
virfs_signal_killed (int thread)
{
  enum { FLAGS = 9, EXIT_CODE = 52, EXITING = 4 };
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", thread);
  g_autofree char *stat = NULL;

  return thread != 0 && g_file_get_contents (path, &stat, NULL, NULL)
         && read_field (stat, FLAGS) & EXITING && read_field (stat, EXIT_CODE) & 0x7f;
}

gboolean
virfs_signal_stops (int thread)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/status", thread);
  g_autofree char *status = NULL;
  guint64 pending, deaf;

  if (thread == 0 || !g_file_get_contents (path, &status, NULL, NULL))
    return TRUE;
  pending = read_set (status, "\nSigPnd:") | read_set (status, "\nShdPnd:");
  deaf = read_set (status, "\nSigBlk:") | read_set (status, "\nSigIgn:");
  return (pending & ~deaf & ~harmless_set ()) != 0;
}
