/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "log_verify.h"

#include "chain.h"
#include "database.h"
#include "error.h"
#include "event_line.h"
#include "file.h"

#include <string.h>

typedef struct {
  VirfsLogReport *report;
  StoreLink anchor, head, at;
  gboolean has_head;
  /* what is looked for */
  const char *saved; /* the hash; NULL: nothing */
  guint64 saved_position;
  gboolean saved_has_position, found;
} Verification;

static char *
time_of (const char *text)
{
  VirfsEventLine line;

  virfs_event_line_parse (text, strlen (text), &line);
  return g_strndup (line.time.start, line.time.length);
}

static void
look (Verification *self)
{
  if (self->saved != NULL && g_str_equal (self->saved, self->at.hash)
      && (!self->saved_has_position || self->saved_position == self->at.position))
    self->found = TRUE;
}

/* Only the first fault tells something. */
static void
set_fault (Verification *self, const char *text)
{
  g_autofree char *time = time_of (text), *safe = g_strescape (time, NULL);

  self->report->fault = g_strdup_printf (
    "broken at line %" G_GUINT64_FORMAT " of what is kept (%s, position %" G_GUINT64_FORMAT
    "): it or those just before were changed, taken out, put in or moved",
    self->report->lines, safe, self->at.position);
}

static void
take_line (StoreRow *row, gpointer data)
{
  Verification *self = data;
  VirfsLogReport *report = self->report;
  guint64 position = (guint64) store_row_int (row, 0);
  const char *text = store_row_text (row, 1), *hash = store_row_text (row, 2);
  /* what is behind a zero would be in no hash */
  gboolean sound
    = text != NULL && store_row_length (row, 1) == strlen (text) && position >= self->at.position;

  report->lines++;
  if (report->fault != NULL)
    return;
  text = text ? text : "";
  if (report->from == NULL)
    report->from = time_of (text);
  g_free (report->to);
  report->to = time_of (text);
  store_link_add (&self->at, position, text);
  if (!sound || g_strcmp0 (hash, self->at.hash) != 0)
    set_fault (self, text);
  else
    look (self);
}

static void
take_end (StoreRow *row, gpointer data)
{
  Verification *self = data;
  gboolean head = g_strcmp0 (store_row_text (row, 0), "head") == 0;
  StoreLink *link = head ? &self->head : &self->anchor;
  gboolean set = store_link_set (link, (guint64) store_row_int (row, 1), store_row_text (row, 2));

  self->has_head |= head && set;
}

/* What is left when the lines fit together. */
static void
check_end (Verification *self)
{
  VirfsLogReport *report = self->report;
  gboolean same = self->has_head ? self->head.position == self->at.position
                                     && g_str_equal (self->head.hash, self->at.hash)
                                 : report->lines == 0;

  report->head = g_strdup_printf ("%" G_GUINT64_FORMAT " %s", self->at.position, self->at.hash);
  if (report->fault == NULL && !same)
    report->fault = g_strdup_printf ("broken at its end, behind line %" G_GUINT64_FORMAT
                                     " (%s): lines that were written after it are missing",
                                     report->lines, report->to ? report->to : "none");
}

/* FALSE: it cannot be told. */
static gboolean
check_saved (Verification *self, GError **error)
{
  VirfsLogReport *report = self->report;

  if (self->saved == NULL || self->found || report->fault != NULL)
    return TRUE;
  if (self->saved_has_position && self->saved_position < self->anchor.position) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_AGAIN,
                 "the saved head (position %" G_GUINT64_FORMAT ") is older than what is kept, which"
                 " begins at %" G_GUINT64_FORMAT ": save a newer one, and more often, or raise"
                 " events_keep; what is kept is unbroken",
                 self->saved_position, self->anchor.position);
    return FALSE;
  }
  if (!self->saved_has_position && self->anchor.position > 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_AGAIN,
                 "the saved head is not in it, and may be older than what is kept, which begins at"
                 " %" G_GUINT64_FORMAT ": give the position too; what is kept is unbroken",
                 self->anchor.position);
    return FALSE;
  }
  report->fault
    = self->saved_has_position && self->saved_position > self->at.position
        ? g_strdup_printf ("the saved head (position %" G_GUINT64_FORMAT ") is behind the end"
                           " (%" G_GUINT64_FORMAT "): the end was cut off, or this is another log",
                           self->saved_position, self->at.position)
        : g_strdup ("the saved head is not in it: what was written up to then was replaced as a"
                    " whole, or this is another log");
  return TRUE;
}

/* `POSITION HASH` or `HASH`, in *COPY (the caller owns it). */
static gboolean
parse_saved (Verification *self, const char *saved, char **copy, GError **error)
{
  char *end = NULL;
  StoreLink link;

  if (saved == NULL)
    return TRUE;
  *copy = g_strstrip (g_ascii_strdown (saved, -1));
  self->saved = *copy;
  if (strlen (*copy) != STORE_HASH_LENGTH) {
    self->saved_position = g_ascii_strtoull (*copy, &end, 10);
    self->saved_has_position = end != *copy && (*end == ' ' || *end == ':');
    self->saved = end + strspn (end, " :");
  }
  if (store_link_set (&link, 0, self->saved))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "\"%s\" is not what events/head shows: a position and a hash of 64 digits", saved);
  return FALSE;
}

/* One transaction, so that what a program writes meanwhile is not seen. */
static gboolean
read_log (StoreDb *db, Verification *self, GError **error)
{
  if (!store_db_script (db, "BEGIN", error)
      || !store_db_each (db, take_end, self, error, "SELECT name, position, hash FROM log_ends",
                         ""))
    return FALSE;
  self->at = self->anchor;
  look (self);
  return store_db_each (db, take_line, self, error,
                        "SELECT position, text, hash FROM log ORDER BY position", "");
}

gboolean
virfs_log_verify (const char *directory, const char *saved, VirfsLogReport *report, GError **error)
{
  g_autofree char *copy = NULL;
  g_autoptr (StoreDb) db = NULL;
  Verification self = { .report = report };

  *report = (VirfsLogReport){ 0 };
  store_link_init (&self.anchor);
  store_link_init (&self.head);
  if (!parse_saved (&self, saved, &copy, error))
    return FALSE;
  db = store_file_open_to_read (directory, error);
  if (db == NULL || !read_log (db, &self, error))
    return FALSE;
  check_end (&self);
  return check_saved (&self, error);
}

void
virfs_log_report_clear (VirfsLogReport *report)
{
  g_free (report->from);
  g_free (report->to);
  g_free (report->head);
  g_free (report->fault);
}
