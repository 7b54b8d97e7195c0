/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entries of a directory at the moment when somebody begins to read it, sorted by name. */
#include "engine.h"

#include <string.h>

typedef struct {
  guint64 ino;
  guint32 name; /* offset in names */
  mode_t type;
} Entry;

struct VirfsListing {
  GArray *entries; /* of Entry */
  GString *names;  /* each with its NUL */
};

void
virfs_listing_add (VirfsListing *listing, const char *name, guint64 ino, mode_t type)
{
  Entry entry = { .ino = ino, .name = listing->names->len, .type = type & S_IFMT };

  g_string_append_len (listing->names, name, strlen (name) + 1);
  g_array_append_val (listing->entries, entry);
}

static void
add_rows (VirfsListing *listing, const VirfsNode *dir)
{
  guint self = dir->row - dir->class->rows;

  for (guint i = 0; i < dir->class->n_rows; i++) {
    const VirfsRow *row = &dir->class->rows[i];
    const char *slash = strrchr (row->path, '/');
    g_autoptr (GString) target = NULL;

    if (dir->class->parents[i] != self || row->flags & VIRFS_ROW_UNLISTED)
      continue;
    if (row->link != NULL) {
      VirfsNode node = *dir;

      node.row = row;
      target = g_string_new (NULL);
      row->link (&node, target);
      if (target->len == 0)
        continue;
    }
    virfs_listing_add (listing, slash ? slash + 1 : row->path,
                       virfs_inode (dir->class, dir->id, row), row->mode);
  }
}

static gint
compare (gconstpointer a, gconstpointer b, gpointer names)
{
  const Entry *p = a, *q = b;

  return strcmp ((const char *) names + p->name, (const char *) names + q->name);
}

VirfsListing *
virfs_listing_new (void)
{
  VirfsListing *listing = g_new (VirfsListing, 1);

  listing->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  listing->names = g_string_new (NULL);
  return listing;
}

void
virfs_listing_fill (VirfsListing *listing, const VirfsNode *dir)
{
  g_array_set_size (listing->entries, 0);
  g_string_truncate (listing->names, 0);
  virfs_listing_add (listing, ".", virfs_node_inode (dir), S_IFDIR);
  virfs_listing_add (listing, "..", virfs_node_parent (dir), S_IFDIR);
  add_rows (listing, dir);
  if (dir->row->dir != NULL)
    dir->row->dir->list (dir, listing);
  g_array_sort_with_data (listing->entries, compare, listing->names->str);
}

void
virfs_listing_free (VirfsListing *listing)
{
  g_array_unref (listing->entries);
  g_string_free (listing->names, TRUE);
  g_free (listing);
}

gboolean
virfs_listing_get (const VirfsListing *listing, guint64 index, const char **name, guint64 *ino,
                   mode_t *type)
{
  const Entry *entry;

  if (index >= listing->entries->len)
    return FALSE;
  entry = &g_array_index (listing->entries, Entry, index);
  *name = listing->names->str + entry->name;
  *ino = entry->ino;
  *type = entry->type;
  return TRUE;
}
