/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The entries of a directory at one moment.
 *
 * Directories are read in pieces, and the kernel asks for each on its own, of a directory that nobody
 * has opened as far as we know.  So a place in a directory must mean the same in every listing of it,
 * whatever came and went in between: each entry has a position, which depends on itself alone, and
 * reading goes on with the first entry at or behind the position that is asked for.  "." and ".." come
 * first, then the rows in the order of their table, then all others by a hash of their name.
 *
 * The place behind an entry is the position of the next one, not its own: who removes what he has
 * read (rm -r, find -delete) then asks for one that is there.
 */
#include "engine.h"

#include <string.h>

enum { SELF, PARENT, FIRST_ROW, FIRST_NAME = FIRST_ROW + VIRFS_BIT_ROWS };

typedef struct {
  guint64 position;
  guint64 ino;
  guint32 name; /* offset in names */
  mode_t type;
} Entry;

struct VirfsListing {
  gatomicrefcount refs;
  guint64 dir, ticket;
  gint64 changed;  /* of the directory, before it was listed */
  GArray *entries; /* of Entry, in the order of their positions, which are all different */
  GString *names;  /* each with its NUL */
};

static void
add (VirfsListing *listing, guint64 position, const char *name, guint64 ino, mode_t type)
{
  Entry entry = { position, ino, listing->names->len, type & S_IFMT };

  g_string_append_len (listing->names, name, strlen (name) + 1);
  g_array_append_val (listing->entries, entry);
}

/* FNV-1a, without the bits that an offset has no room for. */
static guint64
name_position (const char *name)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);

  for (const char *c = name; *c != '\0'; c++)
    hash = (hash ^ (guchar) *c) * G_GUINT64_CONSTANT (0x100000001b3);
  return FIRST_NAME + (hash >> 2);
}

void
virfs_listing_add (VirfsListing *listing, const char *name, guint64 ino, mode_t type)
{
  add (listing, name_position (name), name, ino, type);
}

static void
add_rows (VirfsListing *listing, const VirfsNode *dir)
{
  guint self = dir->row - dir->class->rows;

  for (guint i = 0; i < dir->class->n_rows; i++) {
    const VirfsRow *row = &dir->class->rows[i];
    const char *slash;

    if (dir->class->parents[i] != self || row->flags & VIRFS_ROW_UNLISTED
        || !virfs_node_has (dir, row))
      continue;
    slash = strrchr (row->path, '/');
    add (listing, FIRST_ROW + i, slash ? slash + 1 : row->path,
         virfs_inode (dir->class, dir->id, row), row->mode);
  }
}

static gint
compare (gconstpointer a, gconstpointer b, gpointer names)
{
  const Entry *p = a, *q = b;

  if (p->position != q->position)
    return p->position < q->position ? -1 : 1;
  return strcmp ((const char *) names + p->name, (const char *) names + q->name);
}

/* Names of the same hash stand side by side, so that reading always gets on. */
static void
sort (VirfsListing *listing)
{
  g_array_sort_with_data (listing->entries, compare, listing->names->str);
  for (guint i = 1; i < listing->entries->len; i++) {
    const Entry *before = &g_array_index (listing->entries, Entry, i - 1);
    Entry *entry = &g_array_index (listing->entries, Entry, i);

    entry->position = MAX (entry->position, before->position + 1);
  }
}

VirfsListing *
virfs_listing_new (const VirfsNode *dir, guint64 ticket)
{
  VirfsListing *listing = g_new (VirfsListing, 1);

  g_atomic_ref_count_init (&listing->refs);
  listing->dir = virfs_node_inode (dir);
  listing->ticket = ticket;
  listing->changed = virfs_node_changed (dir);
  listing->entries = g_array_sized_new (FALSE, FALSE, sizeof (Entry), 2 + dir->class->n_rows);
  listing->names = g_string_sized_new (16 * dir->class->n_rows);
  add (listing, SELF, ".", listing->dir, S_IFDIR);
  add (listing, PARENT, "..", virfs_node_parent (dir), S_IFDIR);
  add_rows (listing, dir);
  if (dir->row->dir != NULL) {
    dir->row->dir->list (dir, listing);
    sort (listing);
  }
  return listing;
}

VirfsListing *
virfs_listing_ref (VirfsListing *listing)
{
  g_atomic_ref_count_inc (&listing->refs);
  return listing;
}

void
virfs_listing_unref (VirfsListing *listing)
{
  if (!g_atomic_ref_count_dec (&listing->refs))
    return;
  g_array_unref (listing->entries);
  g_string_free (listing->names, TRUE);
  g_free (listing);
}

guint64
virfs_listing_dir (const VirfsListing *listing)
{
  return listing->dir;
}

guint64
virfs_listing_ticket (const VirfsListing *listing)
{
  return listing->ticket;
}

gboolean
virfs_listing_holds (const VirfsListing *listing, const VirfsNode *dir)
{
  return listing->changed == virfs_node_changed (dir);
}

guint
virfs_listing_find (const VirfsListing *listing, guint64 position)
{
  guint low = 0, high = listing->entries->len;

  while (low < high) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (listing->entries, Entry, middle).position < position)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

gboolean
virfs_listing_get (const VirfsListing *listing, guint index, VirfsEntry *entry)
{
  const Entry *at;

  if (index >= listing->entries->len)
    return FALSE;
  at = &g_array_index (listing->entries, Entry, index);
  *entry = (VirfsEntry){ listing->names->str + at->name, at->ino, at->type, VIRFS_LISTING_END };
  if (index + 1 < listing->entries->len)
    entry->next = at[1].position;
  return TRUE;
}
