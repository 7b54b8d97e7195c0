/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks of one instant as files. */
#include "disk_view.h"

#include "qcow2.h"

#include <errno.h>

struct VirfsDiskView {
  gatomicrefcount refs;
  VirfsDiskSource *source;
  VirfsExtents *allocation, *changes; /* the latter is NULL if it is full */
  VirfsExtents *clusters;             /* what the qcow2 file has, in whole clusters */
  VirfsQcow2 *qcow2;
};

VirfsDiskView *
virfs_disk_view_new (VirfsDiskSource *source, VirfsExtents *allocation, VirfsExtents *changes,
                     const char *backing_file, const char *backing_format, GError **error)
{
  g_autoptr (VirfsDiskView) view = g_new0 (VirfsDiskView, 1);

  g_atomic_ref_count_init (&view->refs);
  view->source = source;
  view->allocation = allocation;
  view->changes = changes;
  if (changes == NULL)
    backing_file = backing_format = NULL;
  view->clusters = virfs_extents_in_units (virfs_disk_view_extents (view), VIRFS_QCOW2_CLUSTER);
  view->qcow2
    = virfs_qcow2_new (virfs_disk_view_extents (view), backing_file, backing_format, error);
  return view->qcow2 ? g_steal_pointer (&view) : NULL;
}

VirfsDiskView *
virfs_disk_view_ref (VirfsDiskView *view)
{
  g_atomic_ref_count_inc (&view->refs);
  return view;
}

void
virfs_disk_view_unref (VirfsDiskView *view)
{
  if (view == NULL || !g_atomic_ref_count_dec (&view->refs))
    return;
  view->source->class->free (view->source);
  virfs_extents_free (view->allocation);
  virfs_extents_free (view->changes);
  virfs_extents_free (view->clusters);
  virfs_qcow2_free (view->qcow2);
  g_free (view);
}

const VirfsExtents *
virfs_disk_view_extents (const VirfsDiskView *view)
{
  return view->changes ? view->changes : view->allocation;
}

guint64
virfs_disk_view_size (const VirfsDiskView *view, VirfsViewFormat format)
{
  return format == VIRFS_VIEW_RAW ? virfs_extents_size (view->allocation)
                                  : virfs_qcow2_size (view->qcow2);
}

guint64
virfs_disk_view_allocated (const VirfsDiskView *view, VirfsViewFormat format)
{
  return format == VIRFS_VIEW_RAW ? virfs_extents_bytes (view->allocation, VIRFS_EXTENT_DATA)
                                  : virfs_qcow2_allocated (view->qcow2);
}

gboolean
virfs_disk_view_works (const VirfsDiskView *view)
{
  return view->source->class->works (view->source);
}

/* Open files. */

typedef struct {
  VirfsContent content;
  VirfsDiskView *view;
  VirfsContent *disk;
} OpenView;

static void
close_view (VirfsContent *content)
{
  OpenView *self = (OpenView *) content;

  self->disk->class->close (self->disk);
  virfs_disk_view_unref (self->view);
  g_free (self);
}

static void
read_raw (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done, gpointer data)
{
  OpenView *self = (OpenView *) content;

  self->disk->class->read (self->disk, offset, length, done, data);
}

static guint64
next_data_of_raw (VirfsContent *content, guint64 offset)
{
  return virfs_extents_next_data (((OpenView *) content)->view->allocation, offset);
}

static guint64
next_hole_of_raw (VirfsContent *content, guint64 offset)
{
  return virfs_extents_next_hole (((OpenView *) content)->view->allocation, offset);
}

static guint64
next_data_of_qcow2 (VirfsContent *content, guint64 offset)
{
  return virfs_qcow2_next_data (((OpenView *) content)->view->qcow2, offset);
}

static guint64
next_hole_of_qcow2 (VirfsContent *content, guint64 offset)
{
  return virfs_qcow2_next_hole (((OpenView *) content)->view->qcow2, offset);
}

/* A read of the qcow2 file: stretches that are the disk's data, and others. */

typedef struct {
  GPtrArray *stretches; /* of GPtrArray* of GBytes*, NULL as long as one is missing */
  gint pending;         /* atomic: stretches, and one for who asks for them */
  gint error;           /* atomic: the first */
  VirfsContentDone done;
  gpointer data;
} Read;

typedef struct {
  Read *read;
  guint index;
  gsize length;
} Stretch;

static void
unref_pieces (gpointer pieces)
{
  if (pieces != NULL)
    g_ptr_array_unref (pieces);
}

static void
end_one (Read *read)
{
  g_autoptr (GPtrArray) pieces = NULL;
  int error;

  if (!g_atomic_int_dec_and_test (&read->pending))
    return;
  error = g_atomic_int_get (&read->error);
  pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  for (guint i = 0; !error && i < read->stretches->len; i++) {
    GPtrArray *stretch = read->stretches->pdata[i];

    for (guint k = 0; k < stretch->len; k++)
      g_ptr_array_add (pieces, g_bytes_ref (stretch->pdata[k]));
  }
  read->done (error, error ? NULL : pieces, read->data);
  g_ptr_array_unref (read->stretches);
  g_free (read);
}

static gsize
total (const GPtrArray *pieces)
{
  gsize length = 0;

  for (guint i = 0; i < pieces->len; i++)
    length += g_bytes_get_size (pieces->pdata[i]);
  return length;
}

static void
on_stretch (int error, GPtrArray *pieces, gpointer data)
{
  g_autofree Stretch *stretch = data;
  Read *read = stretch->read;

  if (error == 0 && total (pieces) != stretch->length)
    error = EIO;
  if (error != 0)
    g_atomic_int_compare_and_exchange (&read->error, 0, error);
  else
    read->stretches->pdata[stretch->index] = g_ptr_array_ref (pieces);
  end_one (read);
}

/* What is not the disk's. */
static GPtrArray *
make_stretch (const VirfsQcow2 *qcow2, guint64 offset, gsize length)
{
  GPtrArray *pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  guint8 *buffer = g_malloc (length);

  virfs_qcow2_fill (qcow2, offset, length, buffer);
  g_ptr_array_add (pieces, g_bytes_new_take (buffer, length));
  return pieces;
}

/* Where in the file, and in the disk (G_MAXUINT64: not there). */
typedef struct {
  guint64 offset, guest;
  gsize length;
} Place;

static GArray *
plan (const VirfsQcow2 *qcow2, guint64 offset, gsize length)
{
  GArray *places = g_array_new (FALSE, FALSE, sizeof (Place));

  while (length > 0) {
    Place place = { .offset = offset };
    gboolean is_data;

    place.length = virfs_qcow2_at (qcow2, offset, length, &is_data, &place.guest);
    if (place.length == 0)
      break;
    if (!is_data)
      place.guest = G_MAXUINT64;
    g_array_append_val (places, place);
    offset += place.length;
    length -= place.length;
  }
  return places;
}

static void
read_qcow2 (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done,
            gpointer data)
{
  OpenView *self = (OpenView *) content;
  g_autoptr (GArray) places = plan (self->view->qcow2, offset, length);
  Read *read = g_new0 (Read, 1);

  *read = (Read){ g_ptr_array_new_full (places->len, unref_pieces), (gint) places->len + 1, 0, done,
                  data };
  g_ptr_array_set_size (read->stretches, (gint) places->len);
  for (guint i = 0; i < places->len; i++) {
    const Place *place = &g_array_index (places, Place, i);
    Stretch *stretch;

    if (place->guest == G_MAXUINT64) {
      read->stretches->pdata[i] = make_stretch (self->view->qcow2, place->offset, place->length);
      end_one (read);
      continue;
    }
    stretch = g_new (Stretch, 1);
    *stretch = (Stretch){ read, i, place->length };
    self->disk->class->read (self->disk, place->guest, place->length, on_stretch, stretch);
  }
  end_one (read);
}

static const VirfsContentClass classes[VIRFS_VIEW_N_FORMATS] = {
  [VIRFS_VIEW_RAW] = { read_raw, next_data_of_raw, next_hole_of_raw, close_view },
  [VIRFS_VIEW_QCOW2] = { read_qcow2, next_data_of_qcow2, next_hole_of_qcow2, close_view },
};

VirfsContent *
virfs_disk_view_open (VirfsDiskView *view, VirfsViewFormat format)
{
  OpenView *self = g_new0 (OpenView, 1);
  const VirfsExtents *wanted = format == VIRFS_VIEW_RAW ? view->allocation : view->clusters;

  self->content.class = &classes[format];
  self->view = virfs_disk_view_ref (view);
  self->disk = view->source->class->open (view->source, wanted);
  return &self->content;
}
