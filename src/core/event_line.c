/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the log of events.  Nothing here keeps state. */
#include "event_line.h"

#include "text.h"

#include <string.h>

/* Writing. */

/* VALUE, cut before a character that would not fit; the caller owns it. */
static char *
cut (const char *value)
{
  gsize length = VIRFS_EVENT_VALUE_MAX;

  if (strnlen (value, length + 1) <= length)
    return g_strdup (value);
  while (length > VIRFS_EVENT_VALUE_MAX - 4 && ((guchar) value[length] & 0xc0) == 0x80)
    length--;
  return g_strdup_printf ("%.*s…", (int) length, value);
}

static void
append_word (GString *out, const char *value)
{
  g_autoptr (GString) escaped = g_string_new (NULL);
  g_autofree char *masked = virfs_text_mask (value, " \t\n");
  g_autofree char *bounded = cut (masked);

  virfs_text_escape (escaped, bounded);
  if (*value && strpbrk (escaped->str, " \"") == NULL) {
    g_string_append (out, escaped->str);
    return;
  }
  g_string_replace (escaped, "\"", "\\\"", 0);
  g_string_append_printf (out, "\"%s\"", escaped->str);
}

void
virfs_event_line_append (GString *out, gint64 time, const char *object, const char *kind,
                         const char *details)
{
  virfs_text_append_time (out, time);
  g_string_append_c (out, ' ');
  append_word (out, object);
  g_string_append_printf (out, " %s", kind);
  if (details != NULL && *details)
    g_string_append_c (out, ' ');
  /* an event is one line, whatever whoever tells of it has forgotten */
  virfs_text_escape_rest (out, details);
  g_string_append_c (out, '\n');
}

void
virfs_event_append (GString *details, const char *key, const char *value)
{
  if (value == NULL)
    return;
  g_string_append_printf (details, "%s%s=", details->len > 0 ? " " : "", key);
  append_word (details, value);
}

char *
virfs_event_details (const char *key, ...)
{
  g_autoptr (GString) details = g_string_new (NULL);
  va_list args;

  va_start (args, key);
  for (; key != NULL; key = va_arg (args, const char *))
    virfs_event_append (details, key, va_arg (args, const char *));
  va_end (args);
  return g_string_free (g_steal_pointer (&details), FALSE);
}

/* Reading. */

/* Bytes of the word at TEXT: up to a space that is not within quotation marks. */
static gsize
word_length (const char *text, gsize length)
{
  gboolean quoted = FALSE;
  gsize i;

  for (i = 0; i < length && (quoted || text[i] != ' '); i++)
    if (quoted && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      quoted = !quoted;
  return MIN (i, length);
}

static VirfsEventWord
take_word (VirfsEventWord *rest)
{
  VirfsEventWord word = { rest->start, word_length (rest->start, rest->length) };
  gsize taken = MIN (word.length + 1, rest->length);

  rest->start += taken;
  rest->length -= taken;
  return word;
}

void
virfs_event_line_parse (const char *text, gsize length, VirfsEventLine *line)
{
  VirfsEventWord rest = { text, length };

  line->time = take_word (&rest);
  line->object = take_word (&rest);
  line->kind = take_word (&rest);
  line->details = rest;
}

gboolean
virfs_event_line_next (VirfsEventWord *details, VirfsEventWord *key, VirfsEventWord *value)
{
  while (details->length > 0) {
    VirfsEventWord word = take_word (details);
    const char *equals = memchr (word.start, '=', word.length);

    if (equals == NULL)
      continue;
    *key = (VirfsEventWord){ word.start, equals - word.start };
    *value = (VirfsEventWord){ equals + 1, word.start + word.length - equals - 1 };
    return TRUE;
  }
  return FALSE;
}

static gboolean
is_word (const VirfsEventWord *word, const char *text)
{
  return word->length == strlen (text) && memcmp (word->start, text, word->length) == 0;
}

gboolean
virfs_event_line_has (const VirfsEventLine *line, const char *key, const char *value)
{
  VirfsEventWord rest = line->details, name, is;

  while (virfs_event_line_next (&rest, &name, &is))
    if (is_word (&name, key) && is_word (&is, value))
      return TRUE;
  return FALSE;
}

char *
virfs_event_word_text (const VirfsEventWord *word)
{
  g_autoptr (GString) text = NULL;

  if (word->length < 2 || *word->start != '"')
    return g_strndup (word->start, word->length);
  text = g_string_new_len (word->start + 1, (gssize) word->length - 2);
  g_string_replace (text, "\\\"", "\"", 0);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* JSON (RFC 8259). */

static void
append_json_string (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *p = text; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (c == '"' || c == '\\')
      g_string_append_printf (out, "\\%c", (char) c);
    else if (g_unichar_iscntrl (c))
      g_string_append_printf (out, "\\u%04x", c);
    else
      g_string_append_len (out, p, g_utf8_next_char (p) - p);
  }
  g_string_append_c (out, '"');
}

/* What is not text, as a name of other bytes, keeps its escapes. */
static void
append_json_word (GString *out, const VirfsEventWord *word)
{
  g_autofree char *escaped = virfs_event_word_text (word);
  g_autofree char *text = virfs_text_unescape (escaped, NULL);
  g_autofree char *valid = text ? NULL : g_utf8_make_valid (escaped, -1);

  append_json_string (out, text ? text : valid);
}

static gboolean
is_number (const VirfsEventWord *key, const VirfsEventWord *value)
{
  static const char *const keys[] = { "uid", "job", "bytes" };
  guint i = 0;

  while (i < G_N_ELEMENTS (keys) && !is_word (key, keys[i]))
    i++;
  if (i == G_N_ELEMENTS (keys) || value->length == 0 || value->length > 19
      || (*value->start == '0' && value->length > 1))
    return FALSE;
  for (gsize n = 0; n < value->length; n++)
    if (!g_ascii_isdigit (value->start[n]))
      return FALSE;
  return TRUE;
}

void
virfs_event_line_append_json (GString *out, const char *text, gsize length)
{
  VirfsEventWord key, value;
  VirfsEventLine line;

  virfs_event_line_parse (text, length, &line);
  g_string_append (out, "{\"time\": ");
  append_json_word (out, &line.time);
  g_string_append (out, ", \"object\": ");
  append_json_word (out, &line.object);
  g_string_append (out, ", \"kind\": ");
  append_json_word (out, &line.kind);
  while (virfs_event_line_next (&line.details, &key, &value)) {
    g_string_append (out, ", ");
    append_json_word (out, &key);
    g_string_append (out, ": ");
    if (is_number (&key, &value))
      g_string_append_len (out, value.start, (gssize) value.length);
    else
      append_json_word (out, &value);
  }
  g_string_append (out, "}\n");
}
