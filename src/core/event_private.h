/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the log of events.
 *
 *   event.c         the text
 *   event_object.c  which lines are of which object
 *   event_json.c    the same as JSON
 *
 * All functions here run under the log's lock; no other is taken under it.
 */
#pragma once

#include "event.h"

typedef struct {
  guint32 offset; /* in the text */
  guint32
    back; /* how many lines before is the one of the same object before it; 0: there is none */
  guint32 json; /* where it begins in the log as JSON, if that is known; see json_lines */
} VirfsLogLine;

struct VirfsEventLog {
  GMutex lock; /* guards all below */
  gsize limit; /* does not change */
  GString *text;
  guint64 start; /* position of the first byte of text */
  gint64 changed;
  GArray *lines;       /* of VirfsLogLine */
  guint64 dropped;     /* how many lines there were before the first of them */
  GHashTable *objects; /* path, as a line has it -> Object*, see event_object.c */

  gboolean json_used; /* somebody has asked */
  guint json_lines;   /* of that many lines, the first, it is known where they are */
  gsize json_size;    /* bytes of these */
  guint64 json_start; /* position of the first byte */
};

static inline VirfsLogLine *
virfs_log_line (VirfsEventLog *log, guint i)
{
  return &g_array_index (log->lines, VirfsLogLine, i);
}

/* Bytes of line I, with its newline. */
gsize virfs_log_line_length (VirfsEventLog *log, guint i);

/* event_object.c.  Line I is new and was added at TIME; 0: as it says itself. */
GHashTable *virfs_log_objects_new (void);
void virfs_log_take_object (VirfsEventLog *log, guint i, gint64 time);
/* The first lines have gone: `dropped` and `lines` are right already. */
void virfs_log_cut_objects (VirfsEventLog *log);

/* event_json.c.  The N first lines are about to go. */
void virfs_log_drop_json (VirfsEventLog *log, guint n);

/* `TIME events lost bytes=N`, with its newline. */
GString *virfs_log_loss (guint64 lost);
