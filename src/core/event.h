/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of events: one line each, `TIME OBJECT KIND KEY=VALUE…`.  It is a text that grows at its
 * end and, as long as it is kept in memory only, loses its older half when it has grown too long.
 *
 * Positions count bytes since the start of the program, so that a reader who falls behind can tell
 * how much he has missed.
 */
#pragma once

#include <glib.h>

typedef struct VirfsEventLog VirfsEventLog;

/* LIMIT: bytes that are kept at most. */
VirfsEventLog *virfs_event_log_new (gsize limit);
void virfs_event_log_free (VirfsEventLog *log);

/* Appends a line.  DETAILS, made by virfs_event_append(), may be NULL. */
void virfs_event_log_add (VirfsEventLog *log, const char *object, const char *kind,
                          const char *details);
/* Appends `KEY=VALUE` to DETAILS, escaped (virfs_text_escape()), in quotation marks where it would
 * not be one word otherwise; nothing if VALUE is NULL. */
void virfs_event_append (GString *details, const char *key, const char *value);

/* Bytes kept now, and the position of the first of them. */
gsize virfs_event_log_size (VirfsEventLog *log, guint64 *start);
/* When the last line was added, microseconds since the epoch. */
gint64 virfs_event_log_changed (VirfsEventLog *log);
/* Copies up to SIZE bytes from OFFSET bytes after the first that is kept. */
gsize virfs_event_log_read (VirfsEventLog *log, goffset offset, char *buffer, gsize size);
/* Copies up to SIZE bytes of whole lines from *POSITION on and moves it.  If the reader has fallen
 * behind what is kept a line `TIME events lost bytes=N` comes first.  0: nothing new. */
gsize virfs_event_log_follow (VirfsEventLog *log, guint64 *position, char *buffer, gsize size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsEventLog, virfs_event_log_free)
