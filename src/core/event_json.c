/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of events as JSON, an object a line.  It is made when it is read; kept is only where each
 * line begins, and that from when somebody asks for it.
 */
#include "event_private.h"

#include <string.h>

static GString *
make_line (VirfsEventLog *log, guint i)
{
  GString *out = g_string_sized_new (256);

  virfs_event_line_append_json (out, log->text->str + virfs_log_line (log, i)->offset,
                                virfs_log_line_length (log, i) - 1);
  return out;
}

/* Under the lock, as all but the public ones: it is known where all lines are. */
static void
catch_up (VirfsEventLog *log)
{
  log->json_used = TRUE;
  for (; log->json_lines < log->lines->len; log->json_lines++) {
    g_autoptr (GString) line = make_line (log, log->json_lines);

    virfs_log_line (log, log->json_lines)->json = (guint32) log->json_size;
    log->json_size += line->len;
  }
}

void
virfs_log_drop_json (VirfsEventLog *log, guint n)
{
  gsize bytes;

  if (!log->json_used)
    return;
  catch_up (log);
  bytes = n < log->lines->len ? virfs_log_line (log, n)->json : log->json_size;
  for (guint i = n; i < log->lines->len; i++)
    virfs_log_line (log, i)->json -= bytes;
  log->json_lines -= n;
  log->json_size -= bytes;
  log->json_start += bytes;
}

/* The line that has the byte at OFFSET. */
static guint
find_line (VirfsEventLog *log, gsize offset)
{
  guint low = 0, high = log->lines->len;

  while (high - low > 1) {
    guint middle = low + (high - low) / 2;

    if (virfs_log_line (log, middle)->json <= offset)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static gsize
copy (VirfsEventLog *log, gsize offset, char *buffer, gsize size)
{
  gsize done = 0;

  if (offset >= log->json_size)
    return 0;
  for (guint i = find_line (log, offset); i < log->lines->len && done < size; i++) {
    g_autoptr (GString) line = make_line (log, i);
    gsize skip = offset + done - virfs_log_line (log, i)->json;
    gsize n = MIN (line->len - skip, size - done);

    memcpy (buffer + done, line->str + skip, n);
    done += n;
  }
  return done;
}

gsize
virfs_event_log_json_size (VirfsEventLog *log, guint64 *start)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);

  catch_up (log);
  if (start != NULL)
    *start = log->json_start;
  return log->json_size;
}

gsize
virfs_event_log_json_read (VirfsEventLog *log, goffset offset, char *buffer, gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);

  catch_up (log);
  return offset < 0 ? 0 : copy (log, (gsize) offset, buffer, size);
}

static gsize
tell_loss (guint64 lost, char *buffer, gsize size)
{
  g_autoptr (GString) line = virfs_log_loss (lost);
  g_autoptr (GString) json = g_string_new (NULL);

  virfs_event_line_append_json (json, line->str, line->len - 1);
  size = MIN (json->len, size);
  memcpy (buffer, json->str, size);
  return size;
}

gsize
virfs_event_log_json_follow (VirfsEventLog *log, guint64 *position, char *buffer, gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);
  const char *newline;

  catch_up (log);
  if (*position < log->json_start) {
    guint64 lost = log->json_start - *position;

    *position = log->json_start;
    return tell_loss (lost, buffer, size);
  }
  size = copy (log, (gsize) (*position - log->json_start), buffer, size);
  /* whole lines, unless the caller has no room for one */
  newline = memrchr (buffer, '\n', size);
  if (newline != NULL)
    size = newline + 1 - buffer;
  *position += size;
  return size;
}
