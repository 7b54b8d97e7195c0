/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of events in memory: its text. */
#include "event_private.h"

#include "text.h"

#include <string.h>

VirfsEventLog *
virfs_event_log_new (gsize limit)
{
  VirfsEventLog *log = g_new0 (VirfsEventLog, 1);

  g_mutex_init (&log->lock);
  log->text = g_string_new (NULL);
  log->lines = g_array_new (FALSE, FALSE, sizeof (VirfsLogLine));
  log->objects = virfs_log_objects_new ();
  log->changed = g_get_real_time ();
  log->limit = limit;
  return log;
}

void
virfs_event_log_free (VirfsEventLog *log)
{
  g_hash_table_unref (log->objects);
  g_array_unref (log->lines);
  g_string_free (log->text, TRUE);
  g_mutex_clear (&log->lock);
  g_free (log);
}

/* All functions from here to the next public ones run under the lock. */

gsize
virfs_log_line_length (VirfsEventLog *log, guint i)
{
  gsize end = i + 1 < log->lines->len ? virfs_log_line (log, i + 1)->offset : log->text->len;

  return end - virfs_log_line (log, i)->offset;
}

/* The first line that begins at OFFSET or behind it; their number if there is none. */
static guint
find_line (VirfsEventLog *log, gsize offset)
{
  guint low = 0, high = log->lines->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (virfs_log_line (log, middle)->offset < offset)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* Drops the older half. */
static void
shorten (VirfsEventLog *log)
{
  guint n = find_line (log, log->text->len / 2);
  gsize bytes = n < log->lines->len ? virfs_log_line (log, n)->offset : log->text->len;

  virfs_log_drop_json (log, n);
  g_array_remove_range (log->lines, 0, n);
  for (guint i = 0; i < log->lines->len; i++)
    virfs_log_line (log, i)->offset -= bytes;
  g_string_erase (log->text, 0, (gssize) bytes);
  log->start += bytes;
  log->dropped += n;
  virfs_log_cut_objects (log);
}

static void
add_line (VirfsEventLog *log, const char *text, gsize length, gint64 time)
{
  VirfsLogLine line = { .offset = (guint32) log->text->len };

  g_string_append_len (log->text, text, (gssize) length);
  g_array_append_val (log->lines, line);
  virfs_log_take_object (log, log->lines->len - 1, time);
}

gboolean
virfs_event_log_add (VirfsEventLog *log, const char *object, const char *kind, const char *details)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GMutexLocker) locker = NULL;
  gint64 now = g_get_real_time ();
  gboolean full;

  virfs_event_line_append (line, now, object, kind, details);
  locker = g_mutex_locker_new (&log->lock);
  add_line (log, line->str, line->len, now);
  full = log->text->len > log->limit;
  if (full)
    shorten (log);
  log->changed = now;
  return full;
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

GString *
virfs_log_loss (guint64 lost)
{
  GString *line = g_string_new (NULL);
  g_autofree char *details = g_strdup_printf ("bytes=%" G_GUINT64_FORMAT, lost);

  virfs_event_line_append (line, g_get_real_time (), "events", "lost", details);
  return line;
}

static gsize
tell_loss (guint64 lost, char *buffer, gsize size)
{
  g_autoptr (GString) line = virfs_log_loss (lost);

  size = MIN (line->len, size);
  memcpy (buffer, line->str, size);
  return size;
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
  const char *end = text + size, *newline;

  log->start = start;
  for (const char *line = text; line < end; line = newline + 1) {
    newline = memchr (line, '\n', end - line);
    if (newline == NULL)
      break;
    add_line (log, line, newline + 1 - line, 0);
  }
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
