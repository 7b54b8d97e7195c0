/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One line of the log of events: how it is written, taken apart, and shown as JSON.
 *
 *     TIME OBJECT KIND KEY=VALUE…
 *
 * Object and values are escaped (virfs_text_escape()); what is not one word then stands in quotation marks,
 * with a backslash before each that is in it.
 */
#pragma once

#include <glib.h>

/* Bytes of a value, before it is escaped; what is longer is cut and ends in `…`. */
#define VIRFS_EVENT_VALUE_MAX 1000

/* A piece of a line, as it stands there. */
typedef struct {
  const char *start;
  gsize length;
} VirfsEventWord;

typedef struct {
  VirfsEventWord time, object, kind;
  VirfsEventWord details; /* all the rest */
} VirfsEventLine;

/* Appends a line, with its newline.  DETAILS, made by one of the next two, may be NULL; control characters
 * in them are escaped. */
void virfs_event_line_append (GString *out, gint64 time, const char *object, const char *kind,
                              const char *details);
/* Appends `KEY=VALUE` to DETAILS, without passwords of URIs; nothing if VALUE is NULL. */
void virfs_event_append (GString *details, const char *key, const char *value);
/* Details of keys, each with its value, up to NULL as a key; the caller owns them. */
char *virfs_event_details (const char *key, ...) G_GNUC_NULL_TERMINATED;

/* TEXT: LENGTH bytes, without the newline.  What is missing in a line is empty. */
void virfs_event_line_parse (const char *text, gsize length, VirfsEventLine *line);
/* Takes the next detail off DETAILS; FALSE if there is none. */
gboolean virfs_event_line_next (VirfsEventWord *details, VirfsEventWord *key,
                                VirfsEventWord *value);
/* Whether there is such a detail. */
gboolean virfs_event_line_has (const VirfsEventLine *line, const char *key, const char *value);
/* WORD without its quotation marks, still escaped; the caller owns it. */
char *virfs_event_word_text (const VirfsEventWord *word);

/* Appends the line as a JSON object, with a newline. */
void virfs_event_line_append_json (GString *out, const char *text, gsize length);
