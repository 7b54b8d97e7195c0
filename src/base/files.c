/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trees of files that are somebody else's: what they all have. */
#include "files.h"

#include <stdlib.h>
#include <string.h>

VirfsFiles *
virfs_files_ref (VirfsFiles *files)
{
  g_atomic_ref_count_inc (&files->refs);
  return files;
}

void
virfs_files_unref (VirfsFiles *files)
{
  if (g_atomic_ref_count_dec (&files->refs))
    files->class->free (files);
}

char *
virfs_files_path (const char *directory, const char *name)
{
  return g_strconcat (directory, directory[1] != '\0' ? "/" : "", name, NULL);
}

/* Lists. */

static int
compare (const void *a, const void *b)
{
  return strcmp (((const VirfsFilesEntry *) a)->name, ((const VirfsFilesEntry *) b)->name);
}

static void
drop_doubles (VirfsFilesList *list)
{
  guint kept = 0;

  for (guint i = 0; i < list->n; i++)
    if (kept == 0 || compare (&list->entries[kept - 1], &list->entries[i]) != 0)
      list->entries[kept++] = list->entries[i];
  list->n = kept;
}

VirfsFilesList *
virfs_files_list_new (const GArray *entries)
{
  VirfsFilesList *list = g_new0 (VirfsFilesList, 1);
  gsize length = 0;
  char *at;

  g_atomic_ref_count_init (&list->refs);
  list->n = entries->len;
  list->entries = g_memdup2 (entries->data, sizeof (VirfsFilesEntry) * entries->len);
  for (guint i = 0; i < list->n; i++)
    length += strlen (list->entries[i].name) + 1;
  at = list->names = g_malloc (length);
  for (guint i = 0; i < list->n; i++) {
    const char *name = list->entries[i].name;

    list->entries[i].name = at;
    at = stpcpy (at, name) + 1;
  }
  if (list->n > 0)
    qsort (list->entries, list->n, sizeof *list->entries, compare);
  drop_doubles (list);
  return list;
}

VirfsFilesList *
virfs_files_list_ref (VirfsFilesList *list)
{
  g_atomic_ref_count_inc (&list->refs);
  return list;
}

void
virfs_files_list_unref (VirfsFilesList *list)
{
  if (!g_atomic_ref_count_dec (&list->refs))
    return;
  g_free (list->entries);
  g_free (list->names);
  g_free (list);
}

guint
virfs_files_list_find (const VirfsFilesList *list, const char *name)
{
  VirfsFilesEntry key = { .name = name };
  const VirfsFilesEntry *found
    = list->n > 0 ? bsearch (&key, list->entries, list->n, sizeof key, compare) : NULL;

  return found ? (guint) (found - list->entries) : G_MAXUINT;
}

/* Disks. */

static void
image_free (gpointer data)
{
  VirfsFilesImage *image = data;

  g_free (image->file);
  g_free (image->format);
  g_free (image);
}

VirfsFilesDisk *
virfs_files_disk_new (const char *target, const char *uri, const char *certificates)
{
  VirfsFilesDisk *disk = g_new0 (VirfsFilesDisk, 1);

  disk->target = g_strdup (target);
  disk->uri = g_strdup (uri);
  disk->certificates = g_strdup (certificates);
  disk->images = g_ptr_array_new_with_free_func (image_free);
  return disk;
}

void
virfs_files_disk_add (VirfsFilesDisk *disk, const char *file, const char *format)
{
  VirfsFilesImage *image = g_new0 (VirfsFilesImage, 1);

  image->file = g_strdup (file);
  image->format = g_strdup (format);
  g_ptr_array_add (disk->images, image);
}

void
virfs_files_disk_free (VirfsFilesDisk *disk)
{
  g_free (disk->target);
  g_free (disk->uri);
  g_free (disk->certificates);
  g_ptr_array_unref (disk->images);
  g_free (disk);
}
