/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest writes to its console, made safe to be shown. */
#include "console.h"

/* Bytes that are taken at AT of N; 0: it takes more to tell. */
static gsize
take_character (GString *log, const char *at, gsize n)
{
  gunichar c = g_utf8_get_char_validated (at, (gssize) n);

  if (c == (gunichar) -2 && n < 4)
    return 0;
  if (c == (gunichar) -1 || c == (gunichar) -2 || g_unichar_iscntrl (c)) {
    g_string_append_printf (log, "\\x%02x", (guchar) *at);
    return 1;
  }
  g_string_append_unichar (log, c);
  return (gsize) (g_utf8_next_char (at) - at);
}

/* That of the line's end, or that which writes over the line. */
static gsize
take_return (GString *log, const char *at, gsize n)
{
  if (n == 1)
    return 0;
  if (at[1] != '\n' && at[1] != '\r')
    g_string_append (log, "\\r");
  return 1;
}

static gsize
take (GString *log, const char *at, gsize n)
{
  if (*at == '\r')
    return take_return (log, at, n);
  if (*at != '\n' && *at != '\t' && (*at < ' ' || *at > '~'))
    return take_character (log, at, n);
  g_string_append_c (log, *at);
  return 1;
}

void
virfs_console_escape (GString *log, GString *carry, const char *bytes, gsize size)
{
  gsize at = 0, taken;

  g_string_append_len (carry, bytes, (gssize) size);
  while (at < carry->len && (taken = take (log, carry->str + at, carry->len - at)) > 0)
    at += taken;
  g_string_erase (carry, 0, (gssize) at);
}
