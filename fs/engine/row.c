/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows and classes: the index of a table, and the functions that many rows share. */
#include "row.h"

#include "text.h"

#include <string.h>

/* Names within one directory are told apart by the number of that directory's row in front. */
static char *
name_key (guint parent, const char *name)
{
  return g_strdup_printf ("%u/%s", parent, name);
}

static guint
find_path (const VirfsClass *class, const char *path, gsize length)
{
  for (guint i = 0; i < class->n_rows; i++)
    if (strncmp (class->rows[i].path, path, length) == 0 && class->rows[i].path[length] == '\0')
      return i;
  return G_MAXUINT;
}

void
virfs_class_init (VirfsClass *class)
{
  g_assert (class->n_rows < VIRFS_BIT_ROWS);
  class->parents = g_new (guint, class->n_rows);
  class->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < class->n_rows; i++) {
    const char *path = class->rows[i].path;
    const char *slash = strrchr (path, '/');

    class->parents[i] = G_MAXUINT;
    if (*path == '\0' || *path == '/')
      continue;
    class->parents[i] = slash ? find_path (class, path, slash - path) : 0;
    g_assert (class->parents[i] != G_MAXUINT);
    g_hash_table_insert (class->names, name_key (class->parents[i], slash ? slash + 1 : path),
                         GUINT_TO_POINTER (i));
  }
}

const VirfsRow *
virfs_class_row (const VirfsClass *class, const char *path)
{
  guint i = find_path (class, path, strlen (path));

  g_assert (i != G_MAXUINT);
  return &class->rows[i];
}

const VirfsRow *
virfs_class_find (const VirfsClass *class, const VirfsRow *dir, const char *name)
{
  g_autofree char *key = name_key (dir - class->rows, name);
  gpointer row;

  if (!g_hash_table_lookup_extended (class->names, key, NULL, &row))
    return NULL;
  return &class->rows[GPOINTER_TO_UINT (row)];
}

guint64
virfs_inode (const VirfsClass *class, guint64 id, const VirfsRow *row)
{
  return id << VIRFS_ROW_BITS | (guint64) (row - class->rows + 1);
}

gboolean
virfs_row_is_writable (const VirfsRow *row)
{
  return row->store || row->store_number || row->store_signed || row->store_size || row->store_bool
         || row->store_text || row->write || row->talk;
}

/* Showing. */

static gconstpointer
member (const VirfsNode *node)
{
  return (const char *) node->snapshot + node->row->offset;
}

void
virfs_show_text (const VirfsNode *node, GString *out)
{
  const char *text = *(const char *const *) member (node);

  if (text == NULL || *text == '\0')
    return;
  virfs_text_escape (out, text);
  g_string_append_c (out, '\n');
}

void
virfs_show_lines (const VirfsNode *node, GString *out)
{
  const char *text = *(const char *const *) member (node);

  if (text != NULL && *text != '\0')
    g_string_append_printf (out, "%s\n", text);
}

void
virfs_show_u64 (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "%" G_GUINT64_FORMAT "\n", *(const guint64 *) member (node));
}

void
virfs_show_known (const VirfsNode *node, GString *out)
{
  if (*(const guint64 *) member (node) != 0)
    virfs_show_u64 (node, out);
}

void
virfs_show_uint (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "%u\n", *(const guint *) member (node));
}

void
virfs_show_bool (const VirfsNode *node, GString *out)
{
  g_string_append (out, *(const gboolean *) member (node) ? "1\n" : "0\n");
}

void
virfs_show_time (const VirfsNode *node, GString *out)
{
  gint64 time = *(const gint64 *) member (node);

  if (time == 0)
    return;
  virfs_text_append_time (out, time);
  g_string_append_c (out, '\n');
}
