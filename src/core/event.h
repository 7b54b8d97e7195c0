/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of events: one line each, see event_line.h.  It is a text that grows at its end and loses its
 * older half when it has grown too long.
 *
 * Positions count bytes since the first event of all, so that a reader who falls behind can tell how
 * much he has missed, and the store what it has written already.
 *
 * The same lines can be had as JSON, and those of one object alone.  An object is one in the first level
 * of the tree, as vms/web; what is told of its files and parts is told of it.  Its lines follow it when it
 * is renamed, and are forgotten here when it is removed, so that another of its name has its own.
 */
#pragma once

#include "event_line.h"

/* How much of the log is kept in memory. */
#define VIRFS_EVENT_BYTES (4 * 1024 * 1024)

typedef struct VirfsEventLog VirfsEventLog;

/* LIMIT: bytes that are kept at most. */
VirfsEventLog *virfs_event_log_new (gsize limit);
void virfs_event_log_free (VirfsEventLog *log);

/* Appends a line.  DETAILS, made by virfs_event_append(), may be NULL.  TRUE if older lines had to go,
 * also from those of other objects. */
gboolean virfs_event_log_add (VirfsEventLog *log, const char *object, const char *kind,
                              const char *details);

/* Bytes kept now, and the position of the first of them. */
gsize virfs_event_log_size (VirfsEventLog *log, guint64 *start);
/* When the last line was added, microseconds since the epoch. */
gint64 virfs_event_log_changed (VirfsEventLog *log);
/* Copies up to SIZE bytes from OFFSET bytes after the first that is kept. */
gsize virfs_event_log_read (VirfsEventLog *log, goffset offset, char *buffer, gsize size);
/* Copies up to SIZE bytes of whole lines from *POSITION on and moves it.  If the reader has fallen
 * behind what is kept a line `TIME events lost bytes=N` comes first.  0: nothing new. */
gsize virfs_event_log_follow (VirfsEventLog *log, guint64 *position, char *buffer, gsize size);

/* The same as JSON, an object a line; positions count its bytes since it was asked for first. */
gsize virfs_event_log_json_size (VirfsEventLog *log, guint64 *start);
gsize virfs_event_log_json_read (VirfsEventLog *log, goffset offset, char *buffer, gsize size);
gsize virfs_event_log_json_follow (VirfsEventLog *log, guint64 *position, char *buffer, gsize size);

/* The lines of OBJECT, a path as vms/web.  `changed` is 0 if nothing has been told of it. */
gsize virfs_event_log_size_of (VirfsEventLog *log, const char *object);
gint64 virfs_event_log_changed_of (VirfsEventLog *log, const char *object);
gsize virfs_event_log_read_of (VirfsEventLog *log, const char *object, goffset offset, char *buffer,
                               gsize size);

/* For the store: lines of an earlier run, from START on, that end where this run begins; CHANGED is
 * when the last of them was added, in microseconds since the epoch.  Before any line is added. */
void virfs_event_log_restore (VirfsEventLog *log, guint64 start, const char *text, gsize size,
                              gint64 changed);
/* Whole lines from *POSITION (or what is left of them) on, at most MAX bytes unless one is longer.
 * Moves *POSITION to where they begin.  The caller owns them; NULL: nothing new. */
GBytes *virfs_event_log_since (VirfsEventLog *log, guint64 *position, gsize max);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsEventLog, virfs_event_log_free)
