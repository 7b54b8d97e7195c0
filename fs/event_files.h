/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was told, as files (events.c). */
#pragma once

#include "classes.h"

/* events/log and events/stream: `size`, `read`, `follow_from` and `follow` of their rows. */
gsize virfs_log_size (const VirfsNode *node);
gsize virfs_log_read (const VirfsNode *node, goffset offset, char *buffer, gsize size);
guint64 virfs_stream_from (const VirfsNode *node);
gsize virfs_stream_follow (const VirfsNode *node, guint64 *position, char *buffer, gsize size);
/* The same of their twins. */
gsize virfs_json_log_size (const VirfsNode *node);
gsize virfs_json_log_read (const VirfsNode *node, goffset offset, char *buffer, gsize size);
guint64 virfs_json_stream_from (const VirfsNode *node);
gsize virfs_json_stream_follow (const VirfsNode *node, guint64 *position, char *buffer, gsize size);
void virfs_show_log_head (const VirfsNode *node, GString *out);

/* The rows of the root. */
/* clang-format off */
#define VIRFS_EVENTS_ROWS(events_field, head_field) \
  { "events", S_IFDIR | 0550, .help = "what happens" }, \
  { "events/log", S_IFREG | 0440, .fields = events_field, .size = virfs_log_size, .read = virfs_log_read, \
    .help = "one line an event: time, object, kind, details; `tail -f` follows it" }, \
  { "events/stream", S_IFREG | 0440, VIRFS_ROW_UNLISTED, .fields = events_field, \
    .follow_from = virfs_stream_from, .follow = virfs_stream_follow, \
    .help = "events from now on: a read waits for the next; not listed, because it has no end" }, \
  { "events/head", S_IFREG | 0440, .fields = head_field, .show = virfs_show_log_head, \
    .help = "how far the log is kept for good, and the hash of its chain up to there; keep a copy" \
            " elsewhere for `virfs --verify-log`" }, \
  { "events/log.json", S_IFREG | 0440, VIRFS_ROW_UNLISTED, .fields = events_field, \
    .size = virfs_json_log_size, .read = virfs_json_log_read, \
    .help = "events/log with one JSON object a line" }, \
  { "events/stream.json", S_IFREG | 0440, VIRFS_ROW_UNLISTED, .fields = events_field, \
    .follow_from = virfs_json_stream_from, .follow = virfs_json_stream_follow, \
    .help = "events/stream with one JSON object a line" }
/* clang-format on */

/* Of a host or guest: what was told of it. */
gsize virfs_events_size (const VirfsNode *node);
gsize virfs_events_read (const VirfsNode *node, goffset offset, char *buffer, gsize size);
/* Whether NODE shows that; *CHANGED is when something was told last, 0: nothing yet. */
gboolean virfs_is_events (const VirfsNode *node, gint64 *changed);

/* The row of it; FIELD: the bit that tells of a change. */
#define VIRFS_EVENTS_ROW(field)                                                                    \
  {                                                                                                \
    "events", S_IFREG | 0440,                                                                      \
      .fields = field, .size = virfs_events_size, .read = virfs_events_read,                       \
      .help = "what was told of it, and done to it: its lines of events/log"                       \
  }
