/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes virfs(7): copies the page given as argument and puts, in place of the line `@FILES@`, what
 * the rows of the tree say of its files.  So no file can be missing there.
 */
#include "tree.h"

#include <stdio.h>
#include <string.h>

#define PLACE "@FILES@\n"

/* Text as roff shows it unchanged. */
static void
append_text (GString *out, const char *text)
{
  static const struct {
    gunichar c;
    const char *roff;
  } special[] = {
    { '\\', "\\e" },  { '-', "\\-" },   { '\'', "\\(aq" }, { '`', "\\(ga" },
    { '^', "\\(ha" }, { '~', "\\(ti" }, { '"', "\\(dq" },
  };

  for (const char *p = text; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    guint i = 0;

    while (i < G_N_ELEMENTS (special) && special[i].c != c)
      i++;
    if (i < G_N_ELEMENTS (special))
      g_string_append (out, special[i].roff);
    else if (c < 0x80)
      g_string_append_c (out, (char) c);
    else
      g_string_append_printf (out, "\\[u%04X]", c);
  }
}

/* What kind of file it is, and what can be done with it. */
static void
append_kind (GString *out, const VirfsRow *row)
{
  const VirfsDir *dir = row->dir;

  if (S_ISLNK (row->mode))
    g_string_append (out, "link");
  else if (S_ISDIR (row->mode))
    g_string_append_printf (out, "directory%s%s%s", dir && dir->make ? ", mkdir" : "",
                            dir && dir->remove ? ", rmdir" : "", dir && dir->move ? ", mv" : "");
  else
    g_string_append_printf (out, "%s%s%s", virfs_row_is_writable (row) ? "rw" : "r",
                            row->flags & VIRFS_ROW_DOCUMENT ? ", document" : "",
                            row->flags & VIRFS_ROW_UNLISTED ? ", not listed" : "");
}

/* Where the file is, as in `vms/<vm>/state`; the caller owns it. */
static char *
path_of (const VirfsClass *class, const VirfsRow *row)
{
  const char *end = S_ISDIR (row->mode) ? "/" : "";

  if (*row->path == '/')
    return g_strconcat (row->path + 1, end, NULL);
  if (*class->path == '\0')
    return g_strconcat (row->path, end, NULL);
  return g_strconcat (class->path, *row->path ? "/" : "", row->path, end, NULL);
}

static void
append_row (GString *out, const VirfsClass *class, const VirfsRow *row)
{
  g_autofree char *path = path_of (class, row);

  g_string_append (out, ".TP\n\\fB");
  append_text (out, path);
  g_string_append (out, "\\fR (");
  append_kind (out, row);
  g_string_append (out, ")\n");
  append_text (out, row->help);
  g_string_append (out, ".\n");
}

static void
append_class (GString *out, const VirfsClass *class)
{
  g_string_append (out, ".SS ");
  append_text (out, *class->path ? class->path : "The top");
  g_string_append_c (out, '\n');
  for (guint i = 0; i < class->n_rows; i++)
    append_row (out, class, &class->rows[i]);
}

static gboolean
print_page (const char *file, GError **error)
{
  g_autofree char *page = NULL;
  g_autoptr (GString) files = g_string_new (NULL);
  const char *place;

  if (!g_file_get_contents (file, &page, NULL, error))
    return FALSE;
  place = strstr (page, PLACE);
  if (place == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "%s has no line " PLACE, file);
    return FALSE;
  }
  for (const VirfsClass *const *class = virfs_tree_classes (); *class != NULL; class ++)
    append_class (files, *class);
  printf ("%.*s%s%s", (int) (place - page), page, files->str, place + strlen (PLACE));
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc != 2) {
    g_printerr ("usage: rows PAGE\n");
    return 2;
  }
  if (print_page (argv[1], &error))
    return 0;
  g_printerr ("rows: %s\n", error->message);
  return 1;
}
