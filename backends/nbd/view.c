/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks of one instant, read through a reader that all open files share. */
#include "view.h"

#include "reader.h"

typedef struct {
  VirfsDiskSource source;
  VirfsReader *reader;
} NbdSource;

typedef struct {
  VirfsContent content;
  VirfsReaderFile *file;
} NbdContent;

static void
read_content (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done,
              gpointer data)
{
  virfs_reader_read (((NbdContent *) content)->file, offset, length, done, data);
}

static void
close_content (VirfsContent *content)
{
  virfs_reader_close (((NbdContent *) content)->file);
  g_free (content);
}

static const VirfsContentClass content_class = { .read = read_content, .close = close_content };

static VirfsDataMap *
map_of (const VirfsExtents *wanted)
{
  VirfsDataMap *map = virfs_data_map_new ();
  gsize n;
  const VirfsExtent *list = virfs_extents_list (wanted, &n);

  for (gsize i = 0; i < n; i++)
    if (list[i].kind == VIRFS_EXTENT_DATA)
      virfs_data_map_add (map, list[i].start, list[i].length);
  return map;
}

static VirfsContent *
open_source (VirfsDiskSource *source, const VirfsExtents *wanted)
{
  NbdContent *content = g_new0 (NbdContent, 1);
  g_autoptr (VirfsDataMap) map = map_of (wanted);

  content->content.class = &content_class;
  content->file = virfs_reader_open (((NbdSource *) source)->reader, map);
  return &content->content;
}

static gboolean
source_works (VirfsDiskSource *source)
{
  VirfsReader *reader = ((NbdSource *) source)->reader;
  g_autofree char *failure = virfs_nbd_failure (virfs_reader_nbd (reader));

  return failure == NULL;
}

static gpointer
close_reader (gpointer reader)
{
  virfs_reader_free (reader);
  return NULL;
}

/* Taking leave of a server may take time. */
static void
free_source (VirfsDiskSource *source)
{
  g_thread_unref (g_thread_new ("virfs-close", close_reader, ((NbdSource *) source)->reader));
  g_free (source);
}

static const VirfsDiskSourceClass source_class = { open_source, source_works, free_source };

static VirfsExtentKind
allocation_kind (guint32 flags)
{
  return flags & VIRFS_NBD_ZERO ? VIRFS_EXTENT_ZERO : VIRFS_EXTENT_DATA;
}

static VirfsExtentKind
change_kind (guint32 flags)
{
  return flags & VIRFS_NBD_CHANGED ? VIRFS_EXTENT_DATA : VIRFS_EXTENT_UNCHANGED;
}

static VirfsExtents *
read_map (VirfsNbd *nbd, VirfsNbdContext context, VirfsExtentKind (*kind) (guint32 flags),
          GCancellable *cancellable, GError **error)
{
  g_autoptr (GArray) runs = virfs_nbd_map (nbd, context, cancellable, error);
  VirfsExtents *extents;

  if (runs == NULL)
    return NULL;
  extents = virfs_extents_new ();
  for (guint i = 0; i < runs->len; i++) {
    const VirfsNbdRun *run = &g_array_index (runs, VirfsNbdRun, i);

    virfs_extents_append (extents, run->length, kind (run->flags));
  }
  return extents;
}

VirfsDiskView *
virfs_nbd_view (const VirfsNbdSpec *spec, VirfsBudget *budget, const char *backing_file,
                const char *backing_format, GCancellable *cancellable, GError **error)
{
  g_autoptr (VirfsNbd) nbd = virfs_nbd_open (spec, error);
  g_autoptr (VirfsExtents) allocation = NULL, dirty = NULL, changes = NULL;
  NbdSource *source;

  if (nbd == NULL)
    return NULL;
  allocation = read_map (nbd, VIRFS_NBD_ALLOCATION, allocation_kind, cancellable, error);
  if (allocation == NULL)
    return NULL;
  if (spec->bitmap != NULL) {
    dirty = read_map (nbd, VIRFS_NBD_CHANGES, change_kind, cancellable, error);
    if (dirty == NULL)
      return NULL;
    changes = virfs_extents_changed (allocation, dirty);
  }
  source = g_new0 (NbdSource, 1);
  source->source.class = &source_class;
  source->reader = virfs_reader_new (g_steal_pointer (&nbd), budget);
  return virfs_disk_view_new (&source->source, g_steal_pointer (&allocation),
                              g_steal_pointer (&changes), backing_file, backing_format, error);
}
