/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of events in memory.  Its own lock guards the text; no other is taken under it. */
#include "event.h"

#include "text.h"

#include <string.h>

struct VirfsEventLog {
  GMutex lock;
  GString *text;  /* under lock */
  guint64 start;  /* under lock: position of the first byte of text */
  gint64 changed; /* under lock */
  gsize limit;
};

VirfsEventLog *
virfs_event_log_new (gsize limit)
{
  VirfsEventLog *log = g_new0 (VirfsEventLog, 1);

  g_mutex_init (&log->lock);
  log->text = g_string_new (NULL);
  log->changed = g_get_real_time ();
  log->limit = limit;
  return log;
}

void
virfs_event_log_free (VirfsEventLog *log)
{
  g_string_free (log->text, TRUE);
  g_mutex_clear (&log->lock);
  g_free (log);
}

/* Drops the older half, up to the end of a line. */
static void
shorten (VirfsEventLog *log)
{
  const char *line = strchr (log->text->str + log->text->len / 2, '\n');
  gsize drop = line ? (gsize) (line + 1 - log->text->str) : log->text->len;

  g_string_erase (log->text, 0, drop);
  log->start += drop;
}

void
virfs_event_log_add (VirfsEventLog *log, const char *object, const char *kind, const char *details)
{
  g_autoptr (GString) line = g_string_new (NULL);
  gint64 now = g_get_real_time ();

  virfs_text_append_time (line, now);
  g_string_append_c (line, ' ');
  virfs_text_escape (line, object);
  g_string_append_printf (line, " %s", kind);
  if (details != NULL && *details)
    g_string_append_printf (line, " %s", details);
  g_string_append_c (line, '\n');

  g_mutex_lock (&log->lock);
  g_string_append_len (log->text, line->str, line->len);
  if (log->text->len > log->limit)
    shorten (log);
  log->changed = now;
  g_mutex_unlock (&log->lock);
}

void
virfs_event_append (GString *details, const char *key, const char *value)
{
  g_autoptr (GString) escaped = g_string_new (NULL);

  if (value == NULL)
    return;
  virfs_text_escape (escaped, value);
  g_string_append_printf (details, "%s%s=", details->len > 0 ? " " : "", key);
  if (*value && strpbrk (value, " \"") == NULL) {
    g_string_append (details, escaped->str);
    return;
  }
  g_string_replace (escaped, "\"", "\\\"", 0);
  g_string_append_printf (details, "\"%s\"", escaped->str);
}

gsize
virfs_event_log_size (VirfsEventLog *log, guint64 *start)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);

  if (start != NULL)
    *start = log->start;
  return log->text->len;
}

gint64
virfs_event_log_changed (VirfsEventLog *log)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);

  return log->changed;
}

gsize
virfs_event_log_read (VirfsEventLog *log, goffset offset, char *buffer, gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);

  if (offset < 0 || (guint64) offset >= log->text->len)
    return 0;
  size = MIN (size, log->text->len - offset);
  memcpy (buffer, log->text->str + offset, size);
  return size;
}

static gsize
tell_loss (guint64 lost, char *buffer, gsize size)
{
  g_autoptr (GString) line = g_string_new (NULL);

  virfs_text_append_time (line, g_get_real_time ());
  g_string_append_printf (line, " events lost bytes=%" G_GUINT64_FORMAT "\n", lost);
  g_strlcpy (buffer, line->str, size);
  return MIN (line->len, size);
}

gsize
virfs_event_log_follow (VirfsEventLog *log, guint64 *position, char *buffer, gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);
  const char *from;
  const char *newline;
  gsize available;

  if (*position < log->start) {
    guint64 lost = log->start - *position;

    *position = log->start;
    return tell_loss (lost, buffer, size);
  }
  from = log->text->str + (*position - log->start);
  available = log->text->len - (*position - log->start);
  size = MIN (size, available);
  /* whole lines, unless the caller has no room for one */
  newline = memrchr (from, '\n', size);
  if (newline != NULL)
    size = newline + 1 - from;
  memcpy (buffer, from, size);
  *position += size;
  return size;
}

void
virfs_event_log_restore (VirfsEventLog *log, guint64 start, const char *text, gsize size,
                         gint64 changed)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);

  log->start = start;
  g_string_append_len (log->text, text, size);
  if (log->text->len > log->limit)
    shorten (log);
  log->changed = changed;
}

GBytes *
virfs_event_log_since (VirfsEventLog *log, guint64 *position, gsize max)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);
  const char *from, *end;
  gsize available;

  *position = MAX (*position, log->start);
  from = log->text->str + (*position - log->start);
  available = log->text->len - (*position - log->start);
  if (available == 0)
    return NULL;
  end = memrchr (from, '\n', MIN (available, max));
  if (end == NULL)
    end = memchr (from, '\n', available);
  return g_bytes_new (from, end + 1 - from);
}
