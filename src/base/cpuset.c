/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of CPUs: text and bits. */
#include "cpuset.h"

#include "error.h"

static void
add_number (GByteArray *set, guint number)
{
  guint old = set->len;

  if (number / 8 >= old) {
    g_byte_array_set_size (set, number / 8 + 1);
    for (guint i = old; i < set->len; i++)
      set->data[i] = 0;
  }
  set->data[number / 8] |= 1u << number % 8;
}

static gboolean
read_number (const char **text, guint64 *number)
{
  char *end;

  if (!g_ascii_isdigit (**text))
    return FALSE;
  *number = g_ascii_strtoull (*text, &end, 10);
  *text = end;
  return *number < VIRFS_CPUSET_MOST;
}

/* One number or range. */
static gboolean
read_range (const char **text, GByteArray *set)
{
  guint64 first, last;

  if (!read_number (text, &first))
    return FALSE;
  last = first;
  if (**text == '-') {
    (*text)++;
    if (!read_number (text, &last) || last < first)
      return FALSE;
  }
  for (guint64 i = first; i <= last; i++)
    add_number (set, (guint) i);
  return TRUE;
}

static gboolean
read_ranges (const char *text, GByteArray *set)
{
  if (*text == '\0')
    return TRUE;
  while (read_range (&text, set)) {
    if (*text == '\0')
      return TRUE;
    if (*text++ != ',')
      return FALSE;
  }
  return FALSE;
}

GByteArray *
virfs_cpuset_parse (const char *text, GError **error)
{
  g_autoptr (GByteArray) set = g_byte_array_new ();

  if (read_ranges (text, set))
    return g_steal_pointer (&set);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "numbers and ranges of them are wanted, as in 0-3,8");
  return NULL;
}

char *
virfs_cpuset_print (const GByteArray *set)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < set->len * 8; i++) {
    guint first = i;

    if (!virfs_cpuset_has (set, i))
      continue;
    while (virfs_cpuset_has (set, i + 1))
      i++;
    g_string_append_printf (text, "%s%u", text->len ? "," : "", first);
    if (i > first)
      g_string_append_printf (text, "-%u", i);
  }
  return g_string_free (text, FALSE);
}

GByteArray *
virfs_cpuset_first (guint n)
{
  GByteArray *set = g_byte_array_new ();

  for (guint i = 0; i < n; i++)
    add_number (set, i);
  return set;
}

void
virfs_cpuset_add (GByteArray *set, const GByteArray *other)
{
  for (guint i = 0; i < other->len * 8; i++)
    if (virfs_cpuset_has (other, i))
      add_number (set, i);
}

gboolean
virfs_cpuset_has (const GByteArray *set, guint number)
{
  return number / 8 < set->len && (set->data[number / 8] >> number % 8 & 1) != 0;
}

gboolean
virfs_cpuset_covers (const GByteArray *set, const GByteArray *other)
{
  for (guint i = 0; i < other->len * 8; i++)
    if (virfs_cpuset_has (other, i) && !virfs_cpuset_has (set, i))
      return FALSE;
  return TRUE;
}

gboolean
virfs_cpuset_text_covers (const char *text, const GByteArray *other)
{
  g_autoptr (GByteArray) set = text ? virfs_cpuset_parse (text, NULL) : NULL;

  return set != NULL && virfs_cpuset_covers (set, other);
}
