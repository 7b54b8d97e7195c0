/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A writer for g_log(3). */
#include "log.h"

#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#define JOURNAL "/run/systemd/journal/socket"

static gboolean to_system; /* set once, before there are threads that log much */
static gboolean with_debug;

static const char *
field (const GLogField *fields, gsize n, const char *key)
{
  for (gsize i = 0; i < n; i++)
    if (g_str_equal (fields[i].key, key))
      return fields[i].value;
  return NULL;
}

static int
priority (GLogLevelFlags level)
{
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return LOG_ERR;
  if (level & G_LOG_LEVEL_WARNING)
    return LOG_WARNING;
  return level & G_LOG_LEVEL_MESSAGE ? LOG_NOTICE : LOG_DEBUG;
}

static GLogWriterOutput
write_message (GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
  const char *message = field (fields, n, "MESSAGE");
  const char *word = "";

  if (level & (G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG) && !with_debug)
    return G_LOG_WRITER_HANDLED;
  if (to_system && access (JOURNAL, W_OK) == 0)
    return g_log_writer_journald (level, fields, n, data);
  if (to_system) {
    syslog (priority (level), "%s", message ? message : "");
    return G_LOG_WRITER_HANDLED;
  }
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    word = "internal error: ";
  else if (level & G_LOG_LEVEL_WARNING)
    word = "warning: ";
  fprintf (stderr, "virfs: %s%s\n", word, message ? message : "");
  return G_LOG_WRITER_HANDLED;
}

void
virfs_log_to_stderr (void)
{
  g_log_set_writer_func (write_message, NULL, NULL);
}

void
virfs_log_verbosely (void)
{
  with_debug = TRUE;
}

void
virfs_log_to_system (void)
{
  openlog ("virfs", LOG_PID, LOG_DAEMON);
  to_system = TRUE;
}
