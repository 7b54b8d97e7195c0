/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of events in the store: a row for each line, chained (chain.h), and a row for each end of the
 * chain: where what is kept begins (`anchor`), and its newest line (`head`).  Lines and ends are written
 * by one transaction, so they agree whenever the program ends.  All under db_lock.
 */
#include "private.h"

#include <string.h>

/* Bytes of the log that are taken at once. */
#define PIECE 65536

static gboolean
write_end (VirfsStore *store, const char *name, const StoreLink *link, GError **error)
{
  return store_db_run (store->db, error,
                       "INSERT OR REPLACE INTO log_ends (name, position, hash, added)"
                       " VALUES (?, ?, ?, ?)",
                       "sisi", name, (gint64) link->position, link->hash,
                       virfs_event_log_changed (virfs_infra_events (store->infra)));
}

/* Writing. */

static gboolean
write_line (VirfsStore *store, StoreLink *head, guint64 position, const char *line, GError **error)
{
  store_link_add (head, position, line);
  return store_db_run (store->db, error, "INSERT INTO log (position, text, hash) VALUES (?, ?, ?)",
                       "iss", (gint64) position, line, head->hash);
}

/* Lines that are to be written: TEXT up to END, from POSITION on. */
typedef struct {
  const char *text, *end;
  guint64 position;
} Lines;

/* The next line, without its newline; the caller owns it. */
static char *
take_next (Lines *lines)
{
  const char *newline = memchr (lines->text, '\n', lines->end - lines->text);
  char *line = g_strndup (lines->text, newline - lines->text);

  lines->position += newline + 1 - lines->text;
  lines->text = newline + 1;
  return line;
}

static GString *
loss_line (guint64 lost)
{
  g_autofree char *details = g_strdup_printf ("bytes=%" G_GUINT64_FORMAT, lost);
  GString *line = g_string_new (NULL);

  virfs_event_line_append (line, g_get_real_time (), "events", "lost", details);
  g_string_truncate (line, line->len - 1);
  return line;
}

/* Lines between *HEAD and LINES have gone before they could be written.  The line that says so takes their
 * place, up to what follows; where it is longer than they were, the next are given up, too. */
static gboolean
write_loss (VirfsStore *store, StoreLink *head, Lines *lines, GError **error)
{
  g_autoptr (GString) line = loss_line (lines->position - head->position);

  while (line->len + 1 > lines->position - head->position && lines->text < lines->end) {
    g_free (take_next (lines));
    g_string_free (line, TRUE);
    line = loss_line (lines->position - head->position);
  }
  if (line->len + 1 > lines->position - head->position)
    return TRUE;
  return write_line (store, head, lines->position - (line->len + 1), line->str, error);
}

static gboolean
write_lines (VirfsStore *store, StoreLink *head, Lines *lines, GError **error)
{
  while (lines->text < lines->end) {
    guint64 position = lines->position;
    g_autofree char *line = take_next (lines);

    if (!write_line (store, head, position, line, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
store_log_write (VirfsStore *store, StoreLink *head, GError **error)
{
  VirfsEventLog *log = virfs_infra_events (store->infra);
  guint64 before;

  do {
    Lines lines = { .position = head->position };
    g_autoptr (GBytes) bytes = virfs_event_log_since (log, &lines.position, PIECE);
    gsize size;

    before = head->position;
    if (bytes == NULL)
      break;
    lines.text = g_bytes_get_data (bytes, &size);
    lines.end = lines.text + size;
    if ((lines.position > head->position && !write_loss (store, head, &lines, error))
        || !write_lines (store, head, &lines, error))
      return FALSE;
    /* a loss with too little behind it to have room for its line waits for more */
  } while (head->position > before);
  return write_end (store, "head", head, error);
}

/* Rotation. */

static void
take_link (StoreRow *row, gpointer link)
{
  store_link_set (link, (guint64) store_row_int (row, 0), store_row_text (row, 1));
}

/* The end of the newest line that is to go. */
static gboolean
find_cut (VirfsStore *store, guint64 before, StoreLink *cut, GError **error)
{
  return store_db_each (store->db, take_link, cut, error,
                        "SELECT position + length (CAST (text AS BLOB)) + 1, hash FROM log"
                        " WHERE position < ? ORDER BY position DESC LIMIT 1",
                        "i", (gint64) before);
}

gboolean
store_log_rotate (VirfsStore *store, const StoreLink *head, StoreLink *anchor, GError **error)
{
  guint64 kept = head->position - anchor->position;

  if (kept <= store->events_keep + store->events_keep / 16)
    return TRUE;
  return find_cut (store, head->position - store->events_keep, anchor, error)
         && store_db_run (store->db, error, "DELETE FROM log WHERE position < ?", "i",
                          (gint64) anchor->position)
         && write_end (store, "anchor", anchor, error);
}

/* Restoring. */

typedef struct {
  StoreLink link;
  gint64 added;
} End;

static void
take_end (StoreRow *row, gpointer data)
{
  End *end = data;

  take_link (row, &end->link);
  end->added = store_row_int (row, 2);
}

static gboolean
read_end (VirfsStore *store, const char *name, End *end, GError **error)
{
  end->added = 0;
  store_link_init (&end->link);
  return store_db_each (store->db, take_end, end, error,
                        "SELECT position, hash, added FROM log_ends WHERE name = ?", "s", name);
}

static void
take_line (StoreRow *row, gpointer text)
{
  const char *line = store_row_text (row, 0);

  g_string_append_printf (text, "%s\n", line ? line : "");
}

gboolean
store_log_restore (VirfsStore *store, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  End head, anchor;

  if (!read_end (store, "head", &head, error) || !read_end (store, "anchor", &anchor, error)
      || !store_db_each (store->db, take_line, text, error,
                         "SELECT text FROM log WHERE position >= ? ORDER BY position", "i",
                         (gint64) head.link.position - VIRFS_EVENT_BYTES))
    return FALSE;
  store->log_head = head.link;
  store->log_anchor = anchor.link;
  /* where some are missing in between the last keep their positions */
  virfs_event_log_restore (virfs_infra_events (store->infra),
                           head.link.position - MIN (text->len, head.link.position), text->str,
                           text->len, head.added ? head.added : g_get_real_time ());
  return TRUE;
}
