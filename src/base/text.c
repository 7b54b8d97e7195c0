/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text: escapes, names, numbers and times.  Nothing here keeps state. */
#include "text.h"

#include "error.h"

#include <string.h>

/* The length of the UTF-8 character at P, or 0 if there is none. */
static int
utf8_length (const char *p)
{
  gunichar c = g_utf8_get_char_validated (p, -1);

  if (c == (gunichar) -1 || c == (gunichar) -2)
    return 0;
  return g_utf8_skip[*(const guchar *) p];
}

/* C1 controls (U+0080…U+009F) move the cursor of some terminals just as C0 controls do. */
static gboolean
is_control (const char *p, int length)
{
  if (length == 1)
    return g_ascii_iscntrl (*p);
  return g_unichar_iscntrl (g_utf8_get_char (p));
}

/* LEAD and two digits for each byte. */
static void
append_bytes (GString *out, const char *lead, const char *digits, const char *p, int length)
{
  for (int i = 0; i < length; i++) {
    guchar byte = (guchar) p[i];

    g_string_append (out, lead);
    g_string_append_c (out, digits[byte >> 4]);
    g_string_append_c (out, digits[byte & 15]);
  }
}

static void
escape (GString *out, const char *value, gboolean backslashes)
{
  for (const char *p = value ? value : ""; *p;) {
    int length = utf8_length (p);
    int step = MAX (length, 1);

    if (*p == '\\' && backslashes)
      g_string_append (out, "\\\\");
    else if (*p == '\n')
      g_string_append (out, "\\n");
    else if (*p == '\t')
      g_string_append (out, "\\t");
    else if (length == 0 || is_control (p, length))
      append_bytes (out, "\\x", "0123456789abcdef", p, step);
    else
      g_string_append_len (out, p, length);
    p += step;
  }
}

void
virfs_text_escape (GString *out, const char *value)
{
  escape (out, value, TRUE);
}

void
virfs_text_escape_rest (GString *out, const char *text)
{
  escape (out, text, FALSE);
}

static gboolean
unescape_hex (const char *p, GString *out)
{
  int high = g_ascii_xdigit_value (p[0]);
  int low = high < 0 ? -1 : g_ascii_xdigit_value (p[1]);

  if (low < 0 || (high == 0 && low == 0))
    return FALSE;
  g_string_append_c (out, (char) (high * 16 + low));
  return TRUE;
}

char *
virfs_text_unescape (const char *text, GError **error)
{
  g_autoptr (GString) out = g_string_sized_new (strlen (text));

  for (const char *p = text; *p; p++) {
    if (*p != '\\') {
      g_string_append_c (out, *p);
      continue;
    }
    p++;
    if (*p == '\\')
      g_string_append_c (out, '\\');
    else if (*p == 'n')
      g_string_append_c (out, '\n');
    else if (*p == 't')
      g_string_append_c (out, '\t');
    else if (*p == 'x' && unescape_hex (p + 1, out))
      p += 2;
    else {
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                   "a backslash begins \\n, \\t, \\\\ or \\xNN; write \\\\ for a backslash");
      return NULL;
    }
  }
  if (!g_utf8_validate_len (out->str, out->len, NULL)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "the text is not valid UTF-8");
    return NULL;
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* Cuts OUT to what a file name may have and tells the cut names apart. */
static void
shorten_name (GString *out, const char *name)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, name, -1);
  gsize keep = VIRFS_NAME_OWN_MAX - 18;

  while (keep > 0 && ((guchar) out->str[keep] & 0xc0) == 0x80)
    keep--;
  g_string_truncate (out, keep);
  g_string_append_printf (out, "~%.16s", sum);
}

char *
virfs_name_encode (const char *name)
{
  g_autoptr (GString) out = g_string_new (NULL);

  for (const char *p = name; *p;) {
    int length = utf8_length (p);
    int step = MAX (length, 1);

    if (length == 0 || is_control (p, length) || *p == '/' || *p == '%' || (*p == '.' && p == name))
      append_bytes (out, "%", "0123456789ABCDEF", p, step);
    else
      g_string_append_len (out, p, length);
    p += step;
  }
  if (out->len > VIRFS_NAME_OWN_MAX)
    shorten_name (out, name);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

gboolean
virfs_parse_u64 (const char *text, guint64 *value, GError **error)
{
  if (g_ascii_isdigit (*text) && g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64, value, NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "a number is wanted, as in 2");
  return FALSE;
}

gboolean
virfs_parse_i64 (const char *text, gint64 *value, GError **error)
{
  if (g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, value, NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "a whole number is wanted, as in 2 or -1");
  return FALSE;
}

gboolean
virfs_parse_size (const char *text, guint64 *bytes, GError **error)
{
  static const char units[] = "KMGTPE";
  char *end = NULL;
  guint64 number = g_ascii_isdigit (*text) ? g_ascii_strtoull (text, &end, 10) : 0;
  guint shift = 0;

  if (end != NULL && *end) {
    const char *unit = strchr (units, g_ascii_toupper (*end));

    if (unit != NULL) {
      shift = 10 * (guint) (unit - units + 1);
      end++;
      if (g_str_equal (end, "iB") || g_str_equal (end, "B"))
        end += strlen (end);
    }
  }
  if (end == NULL || *end || number > ((guint64) G_MAXINT64 >> shift)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a number of bytes is wanted, as in 536870912, 512M or 2G");
    return FALSE;
  }
  *bytes = number << shift;
  return TRUE;
}

gboolean
virfs_parse_bool (const char *text, gboolean *value, GError **error)
{
  if (!g_str_equal (text, "0") && !g_str_equal (text, "1")) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "0 or 1 is wanted");
    return FALSE;
  }
  *value = *text == '1';
  return TRUE;
}

void
virfs_text_append_time (GString *out, gint64 time)
{
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_utc (time / G_USEC_PER_SEC);
  g_autofree char *text = when ? g_date_time_format (when, "%Y-%m-%dT%H:%M:%SZ") : NULL;

  if (text != NULL)
    g_string_append (out, text);
}

char *
virfs_text_mask (const char *text, const char *ends)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *uri;

  while ((uri = strstr (text, "://")) != NULL) {
    const char *from = uri + strlen ("://");
    const char *end = from + strcspn (from, ends);
    const char *at = memrchr (from, '@', end - from);
    const char *colon = at ? memchr (from, ':', at - from) : NULL;

    g_string_append_len (out, text, (colon ? colon + 1 : from) - text);
    g_string_append (out, colon ? "***" : "");
    text = colon ? at : from;
  }
  g_string_append (out, text);
  return g_string_free (g_steal_pointer (&out), FALSE);
}
