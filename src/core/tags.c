/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of tags. */
#include "tags.h"

#include "error.h"

#include <string.h>

static gboolean
is_tag (const char *tag)
{
  if (strlen (tag) > VIRFS_TAG_BYTES || !g_utf8_validate (tag, -1, NULL)
      || !g_unichar_isalnum (g_utf8_get_char (tag)))
    return FALSE;
  for (const char *p = tag; *p; p = g_utf8_next_char (p))
    if (!g_unichar_isalnum (g_utf8_get_char (p)) && strchr ("._-+:@=", *p) == NULL)
      return FALSE;
  return TRUE;
}

gboolean
virfs_tag_check (const char *tag, GError **error)
{
  if (is_tag (tag))
    return TRUE;
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
    "a tag is made of letters, digits and . _ - + : @ =, begins with a letter or digit and"
    " has %d bytes at most",
    VIRFS_TAG_BYTES);
  return FALSE;
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* TAGS (borrowed texts) as one text. */
static char *
join (GPtrArray *tags)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < tags->len; i++)
    g_string_append_printf (text, "%s%s", i ? "\n" : "", (char *) tags->pdata[i]);
  return g_string_free (text, FALSE);
}

/* In order, each once. */
static void
sort (GPtrArray *tags)
{
  g_ptr_array_sort (tags, compare);
  for (guint i = tags->len; i-- > 1;)
    if (strcmp (tags->pdata[i - 1], tags->pdata[i]) == 0)
      g_ptr_array_remove_index (tags, i);
}

static gboolean
check_number (guint number, GError **error)
{
  if (number <= VIRFS_TAGS_MOST)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "a guest can have %d tags at most",
               VIRFS_TAGS_MOST);
  return FALSE;
}

char *
virfs_tags_parse (const char *text, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) tags = g_ptr_array_new ();

  for (char **line = lines; *line; line++)
    if (*g_strstrip (*line) != '\0') {
      if (!virfs_tag_check (*line, error))
        return NULL;
      g_ptr_array_add (tags, *line);
    }
  sort (tags);
  return check_number (tags->len, error) ? join (tags) : NULL;
}

char *
virfs_tags_salvage (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) tags = g_ptr_array_new ();

  for (char **line = lines; *line; line++)
    if (is_tag (g_strstrip (*line)))
      g_ptr_array_add (tags, *line);
  sort (tags);
  g_ptr_array_set_size (tags, MIN (tags->len, VIRFS_TAGS_MOST));
  return join (tags);
}

char *
virfs_tags_with (const char *tags, const char *tag, GError **error)
{
  g_autofree char *text = g_strconcat (tags ? tags : "", "\n", tag, NULL);

  return virfs_tags_parse (text, error);
}

char *
virfs_tags_without (const char *tags, const char *tag)
{
  g_auto (GStrv) lines = g_strsplit (tags ? tags : "", "\n", -1);
  g_autoptr (GPtrArray) left = g_ptr_array_new ();

  for (char **line = lines; *line; line++)
    if (strcmp (*line, tag) != 0)
      g_ptr_array_add (left, *line);
  return join (left);
}
