/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks of backups that are made up. */
#include "fake_disk.h"

#include <string.h>

typedef struct {
  VirfsDiskSource source;
  Disk *disk;
} FakeSource;

typedef struct {
  VirfsContent content;
  Disk *disk;
  VirfsExtents *wanted;
} FakeContent;

typedef struct {
  FakeContent *from;
  guint64 offset;
  gsize length;
  VirfsContentDone done;
  gpointer data;
} FakeRead;

static gint failure; /* atomic */

void
virfs_fake_disk_fail (int error)
{
  g_atomic_int_set (&failure, error);
}

Disk *
virfs_fake_disk (const char *backup, const char *base)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_str_hash (backup));
  g_autoptr (Disk) before = base ? virfs_fake_disk (base, NULL) : NULL;

  return disk_random (rand, before, base ? "before.qcow2" : NULL);
}

/* What nobody wanted is zero. */
static void
blank (const FakeRead *read, guint8 *buffer)
{
  for (guint64 at = read->offset, end = at + read->length, next; at < end; at = next) {
    const VirfsExtent *extent = virfs_extents_find (read->from->wanted, at);

    next = MIN (end, extent->start + extent->length);
    if (extent->kind != VIRFS_EXTENT_DATA)
      memset (buffer + (at - read->offset), 0, next - at);
  }
}

static void
answer (gpointer data, gpointer unused)
{
  g_autofree FakeRead *read = data;
  g_autoptr (GPtrArray) pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  int error = g_atomic_int_get (&failure);
  guint64 size = disk_size (read->from->disk);
  guint8 *buffer;

  if (read->offset < size && !error) {
    read->length = MIN (read->length, size - read->offset);
    buffer = g_malloc (read->length);
    disk_read (read->from->disk, read->offset, read->length, buffer);
    blank (read, buffer);
    /* in two pieces */
    if (read->length > 1)
      g_ptr_array_add (pieces, g_bytes_new (buffer, read->length / 2));
    g_ptr_array_add (pieces,
                     g_bytes_new (buffer + read->length / 2, read->length - read->length / 2));
    g_free (buffer);
    if (read->length == 1)
      g_assert_cmpuint (pieces->len, ==, 1);
  }
  read->done (error, error ? NULL : pieces, read->data);
}

static GThreadPool *
threads (void)
{
  static gsize pool;

  if (g_once_init_enter (&pool))
    g_once_init_leave (&pool, (gsize) g_thread_pool_new (answer, NULL, 2, FALSE, NULL));
  return (GThreadPool *) pool;
}

static void
read_fake (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done,
           gpointer data)
{
  FakeRead *read = g_new (FakeRead, 1);

  *read = (FakeRead){ (FakeContent *) content, offset, length, done, data };
  g_thread_pool_push (threads (), read, NULL);
}

static void
close_fake (VirfsContent *content)
{
  virfs_extents_free (((FakeContent *) content)->wanted);
  g_free (content);
}

static const VirfsContentClass content_class = { .read = read_fake, .close = close_fake };

static VirfsExtents *
copy_extents (const VirfsExtents *extents, gboolean unchanged_is_data)
{
  VirfsExtents *copy = virfs_extents_new ();
  gsize n;
  const VirfsExtent *list = virfs_extents_list (extents, &n);

  for (gsize i = 0; i < n; i++)
    virfs_extents_append (copy, list[i].length,
                          unchanged_is_data && list[i].kind == VIRFS_EXTENT_UNCHANGED
                            ? VIRFS_EXTENT_DATA
                            : list[i].kind);
  return copy;
}

static VirfsContent *
open_fake (VirfsDiskSource *source, const VirfsExtents *wanted)
{
  FakeContent *content = g_new0 (FakeContent, 1);

  content->content.class = &content_class;
  content->disk = ((FakeSource *) source)->disk;
  content->wanted = copy_extents (wanted, FALSE);
  return &content->content;
}

static gboolean
fake_works (VirfsDiskSource *source)
{
  return TRUE;
}

static void
free_fake (VirfsDiskSource *source)
{
  disk_free (((FakeSource *) source)->disk);
  g_free (source);
}

static const VirfsDiskSourceClass source_class = { open_fake, fake_works, free_fake };

VirfsDiskView *
virfs_fake_view (Disk *disk, const char *backing_file)
{
  FakeSource *source = g_new0 (FakeSource, 1);
  g_autoptr (GError) error = NULL;
  VirfsDiskView *view;

  source->source.class = &source_class;
  source->disk = disk;
  view = virfs_disk_view_new (&source->source, copy_extents (disk->extents, TRUE),
                              backing_file ? copy_extents (disk->extents, FALSE) : NULL,
                              backing_file, "qcow2", &error);
  g_assert_no_error (error);
  return view;
}
