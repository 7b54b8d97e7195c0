/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "alarm_objects.h"

#include "error.h"

#include <string.h>

#define MOST_LINES 1000

typedef struct {
  gboolean except;
  VirfsKind kind;
  gboolean tag;
  GPatternSpec *spec; /* of a path, or of a tag; NULL: all of its kind */
} Pattern;

static void
free_pattern (gpointer data)
{
  Pattern *pattern = data;

  g_clear_pointer (&pattern->spec, g_pattern_spec_free);
  g_free (pattern);
}

static const struct {
  const char *all;    /* stands for all of that kind */
  const char *prefix; /* of what stands for some, in front of a pattern */
  const char *path;   /* what comes in front of the pattern instead */
  gboolean tag;
  VirfsKind kind;
} forms[] = {
  { "vms", "vms/", "vms/", FALSE, VIRFS_KIND_VM },
  { NULL, "tag:", "", TRUE, VIRFS_KIND_VM },
  { "pools", "pools/", "hosts/*/pools/", FALSE, VIRFS_KIND_POOL },
  { "hosts", "hosts/", "hosts/", FALSE, VIRFS_KIND_HOST },
};

static Pattern *
new_pattern (guint form, const char *rest)
{
  Pattern *pattern = g_new0 (Pattern, 1);
  g_autofree char *text = rest ? g_strconcat (forms[form].path, rest, NULL) : NULL;

  pattern->kind = forms[form].kind;
  pattern->tag = forms[form].tag;
  /* a pool by its path */
  if (pattern->kind == VIRFS_KIND_HOST && rest != NULL && strstr (rest, "/pools/") != NULL)
    pattern->kind = VIRFS_KIND_POOL;
  if (text != NULL)
    pattern->spec = g_pattern_spec_new (text);
  return pattern;
}

static Pattern *
parse_line (const char *line, GError **error)
{
  gboolean except = *line == '!';
  Pattern *pattern = NULL;

  line += except;
  for (guint i = 0; i < G_N_ELEMENTS (forms) && pattern == NULL; i++)
    if (g_strcmp0 (line, forms[i].all) == 0)
      pattern = new_pattern (i, NULL);
    else if (g_str_has_prefix (line, forms[i].prefix) && line[strlen (forms[i].prefix)] != '\0'
             && g_utf8_validate (line, -1, NULL))
      pattern = new_pattern (i, line + strlen (forms[i].prefix));
  if (pattern == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "\"%.60s\" does not say which objects: write vms, hosts or pools, a path as in"
                 " vms/web*, hosts/h1 or pools/default, or tag:TAG",
                 line);
    return NULL;
  }
  pattern->except = except;
  return pattern;
}

static gboolean
add_line (GPtrArray *patterns, char *line, GString *lines, GError **error)
{
  Pattern *pattern;

  g_strstrip (line);
  if (*line == '\0')
    return TRUE;
  pattern = parse_line (line, error);
  if (pattern == NULL)
    return FALSE;
  g_ptr_array_add (patterns, pattern);
  g_string_append_printf (lines, "%s%s", lines->len > 0 ? "\n" : "", line);
  return TRUE;
}

static gboolean
check (const GPtrArray *patterns, GError **error)
{
  gboolean some = FALSE, alike = TRUE;

  for (guint i = 0; i < patterns->len; i++) {
    const Pattern *pattern = patterns->pdata[i];

    some |= !pattern->except;
    alike &= pattern->kind == ((const Pattern *) patterns->pdata[0])->kind;
  }
  if (!alike)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "one rule is about guests, or about hosts, or about pools");
  else if (!some)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "it must say what it is about, not only what it is not about");
  else if (patterns->len > MOST_LINES)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "these are more than %d lines",
                 MOST_LINES);
  return alike && some && patterns->len <= MOST_LINES;
}

GPtrArray *
virfs_objects_parse (const char *text, VirfsKind *kind, char **lines, GError **error)
{
  g_autoptr (GPtrArray) patterns = g_ptr_array_new_with_free_func (free_pattern);
  g_autoptr (GString) all = g_string_new (NULL);
  g_auto (GStrv) words = g_strsplit (text, "\n", -1);

  for (char **word = words; *word; word++)
    if (!add_line (patterns, *word, all, error))
      return NULL;
  if (!check (patterns, error))
    return NULL;
  *kind = ((const Pattern *) patterns->pdata[0])->kind;
  *lines = g_string_free (g_steal_pointer (&all), FALSE);
  return g_steal_pointer (&patterns);
}

static gboolean
has_tag (const char *tags, GPatternSpec *spec)
{
  g_auto (GStrv) each = g_strsplit (tags ? tags : "", "\n", -1);

  for (char **tag = each; *tag; tag++)
    if (**tag && g_pattern_spec_match_string (spec, *tag))
      return TRUE;
  return FALSE;
}

gboolean
virfs_objects_cover (const GPtrArray *patterns, const char *path, const char *tags)
{
  gboolean covered = FALSE;

  for (guint i = 0; i < patterns->len; i++) {
    const Pattern *pattern = patterns->pdata[i];
    gboolean fits = pattern->spec == NULL
                    || (pattern->tag ? has_tag (tags, pattern->spec)
                                     : g_pattern_spec_match_string (pattern->spec, path));

    if (fits && pattern->except)
      return FALSE;
    covered |= fits;
  }
  return covered;
}
