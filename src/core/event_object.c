/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which lines of the log of events are of which object.  Of an object its last line is known, and of each
 * line the one before it: so nothing is kept of an object that nothing was told of, and a line costs
 * four bytes.
 */
#include "event_private.h"

#include <string.h>

typedef struct {
  guint64 last; /* number of its last line, since the first of all */
  gsize bytes;  /* of all its lines that are kept */
  gint64 changed;
} Object;

GHashTable *
virfs_log_objects_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

/* `vms/web` of `vms/web/state`; TRUE if that is all of it. */
static gboolean
cut_path (char *path)
{
  char *slash = strchr (path, '/');

  slash = slash ? strchr (slash + 1, '/') : NULL;
  if (slash != NULL)
    *slash = '\0';
  return slash == NULL;
}

static gint64
time_of (const VirfsEventWord *word)
{
  g_autofree char *text = g_strndup (word->start, word->length);
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, NULL);

  return time ? g_date_time_to_unix (time) * G_USEC_PER_SEC : 0;
}

/* The line before line I of the same object; -1 if it is the first that is kept. */
static gint64
line_before (VirfsEventLog *log, gint64 i)
{
  guint32 back = virfs_log_line (log, (guint) i)->back;

  return back == 0 || back > i ? -1 : i - back;
}

/* OBJECT, which had another name, is KEY now.  What KEY was told of until then was told of it, too, if
 * that came before: the end of a renaming is told of the old name.  Else that was of another. */
static void
rename_object (VirfsEventLog *log, Object *object, const char *key)
{
  const Object *known = g_hash_table_lookup (log->objects, key);
  gint64 first = (gint64) (object->last - log->dropped), before;

  while ((before = line_before (log, first)) >= 0)
    first = before;
  if (known != NULL && log->dropped + first > known->last) {
    virfs_log_line (log, (guint) first)->back = (guint32) (log->dropped + first - known->last);
    object->bytes += known->bytes;
  }
  g_hash_table_insert (log->objects, g_strdup (key), object);
}

static void
follow_name (VirfsEventLog *log, const VirfsEventLine *line, const char *key)
{
  VirfsEventWord rest = line->details, name, value;
  g_autofree char *from = NULL, *old = NULL, *dir = g_path_get_dirname (key);
  gpointer old_key, object;

  while (from == NULL && virfs_event_line_next (&rest, &name, &value))
    if (name.length == 4 && memcmp (name.start, "from", 4) == 0)
      from = virfs_event_word_text (&value);
  if (from == NULL)
    return;
  /* the name alone, or the path */
  old = strchr (from, '/') ? g_steal_pointer (&from) : g_strconcat (dir, "/", from, NULL);
  if (!g_str_equal (old, key)
      && g_hash_table_steal_extended (log->objects, old, &old_key, &object)) {
    rename_object (log, object, key);
    g_free (old_key);
  }
}

static void
append_line (VirfsEventLog *log, const char *key, guint i, gint64 time)
{
  Object *object = g_hash_table_lookup (log->objects, key);
  guint64 number = log->dropped + i;

  if (object == NULL) {
    object = g_new0 (Object, 1);
    g_hash_table_insert (log->objects, g_strdup (key), object);
  } else {
    virfs_log_line (log, i)->back = (guint32) (number - object->last);
  }
  object->last = number;
  object->bytes += virfs_log_line_length (log, i);
  object->changed = time;
}

static gboolean
is_kind (const VirfsEventLine *line, const char *kind)
{
  return line->kind.length == strlen (kind)
         && memcmp (line->kind.start, kind, line->kind.length) == 0;
}

void
virfs_log_take_object (VirfsEventLog *log, guint i, gint64 time)
{
  g_autofree char *key = NULL;
  VirfsEventLine line;
  gboolean whole, done;

  virfs_event_line_parse (log->text->str + virfs_log_line (log, i)->offset,
                          virfs_log_line_length (log, i) - 1, &line);
  key = virfs_event_word_text (&line.object);
  whole = cut_path (key);
  done = whole && virfs_event_line_has (&line, "outcome", "ok");
  if (whole && (is_kind (&line, "renamed") || (done && is_kind (&line, "rename"))))
    follow_name (log, &line, key);
  append_line (log, key, i, time ? time : time_of (&line.time));
  if (whole && (is_kind (&line, "removed") || (done && is_kind (&line, "remove"))))
    g_hash_table_remove (log->objects, key);
}

void
virfs_log_cut_objects (VirfsEventLog *log)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, log->objects);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Object *object = value;

    if (object->last < log->dropped) {
      g_hash_table_iter_remove (&iter);
      continue;
    }
    object->bytes = 0;
    for (gint64 i = (gint64) (object->last - log->dropped); i >= 0; i = line_before (log, i))
      object->bytes += virfs_log_line_length (log, (guint) i);
  }
}

/* PATH as lines have it. */
static Object *
find (VirfsEventLog *log, const char *path)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree char *key = NULL;
  VirfsEventLine parsed;

  virfs_event_line_append (line, 0, path, "", NULL);
  virfs_event_line_parse (line->str, line->len - 1, &parsed);
  key = virfs_event_word_text (&parsed.object);
  return g_hash_table_lookup (log->objects, key);
}

gsize
virfs_event_log_size_of (VirfsEventLog *log, const char *path)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);
  const Object *object = find (log, path);

  return object ? object->bytes : 0;
}

gint64
virfs_event_log_changed_of (VirfsEventLog *log, const char *path)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);
  const Object *object = find (log, path);

  return object ? object->changed : 0;
}

/* From its last line backwards: the piece that begins at OFFSET is filled from its end. */
gsize
virfs_event_log_read_of (VirfsEventLog *log, const char *path, goffset offset, char *buffer,
                         gsize size)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&log->lock);
  const Object *object = find (log, path);
  goffset begin, end;

  if (object == NULL || offset < 0 || (guint64) offset >= object->bytes)
    return 0;
  size = MIN (size, object->bytes - (gsize) offset);
  end = (goffset) object->bytes;
  for (gint64 i = (gint64) (object->last - log->dropped); i >= 0 && end > offset;
       i = line_before (log, i), end = begin) {
    const char *text = log->text->str + virfs_log_line (log, (guint) i)->offset;
    goffset from, to;

    begin = end - (goffset) virfs_log_line_length (log, (guint) i);
    from = MAX (begin, offset);
    to = MIN (end, offset + (goffset) size);
    if (from < to)
      memcpy (buffer + (from - offset), text + (from - begin), to - from);
  }
  return size;
}
