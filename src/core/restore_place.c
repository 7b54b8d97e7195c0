/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has arrived takes the place of a disk.  A volume is renamed, in one step; where that cannot be, because the
 * pool can be reached by libvirt only, the new one has a name of its own and the disk becomes that.
 */
#include "restore_private.h"

#include "device.h"
#include "error.h"
#include "image_header.h"
#include "pool.h"
#include "spans.h"
#include "wait.h"

#include <string.h>

#define AT_ONCE (1024 * 1024)
#define SECTOR  512

static const VirfsBackend *
backend_of (VirfsArrival *self)
{
  return virfs_infra_backend (self->disk->object.infra);
}

/* The pool that the volume is in; a reference, NULL: it is gone. */
static VirfsPart *
pool_of (VirfsArrival *self)
{
  g_autofree char *label = virfs_part_label (&virfs_pool_class, self->pool);

  return virfs_infra_part (self->disk->object.infra, self->host, &virfs_pool_class, label);
}

/* The name of what is replaced if that is missing, or one like it which nobody has: `web-1.qcow2` for
 * `web.qcow2`; the caller owns it. */
static char *
fresh_name (VirfsArrival *self)
{
  g_autoptr (VirfsPart) pool = pool_of (self);
  g_autoptr (VirfsPartInfo) info = pool ? virfs_part_info (pool) : NULL;
  const char *dot = strrchr (self->volume, '.');
  gsize stem
    = dot != NULL && dot != self->volume ? (gsize) (dot - self->volume) : strlen (self->volume);
  char *name = NULL;

  for (guint i = 0; name == NULL; i++) {
    name = i == 0 ? g_strdup (self->volume)
                  : g_strdup_printf ("%.*s-%u%s", (int) stem, self->volume, i, self->volume + stem);
    if ((info != NULL && virfs_part_list_find (info->parts, name) != NULL)
        || g_strcmp0 (name, self->fresh) == 0)
      g_clear_pointer (&name, g_free);
  }
  return name;
}

VirfsFile *
virfs_restore_open (VirfsArrival *self, GError **error)
{
  char *name = fresh_name (self);

  g_free (self->fresh);
  self->fresh = name;
  return backend_of (self)->volume_write (self->host, self->pool, name, TRUE, error);
}

/* What the disk has, in clusters. */

static gboolean
has_cluster (VirfsArrival *self, guint64 cluster)
{
  return cluster / 8 < self->filled->len && self->filled->data[cluster / 8] & (1u << (cluster % 8));
}

static VirfsExtents *
extents_of (VirfsArrival *self)
{
  VirfsExtents *extents = virfs_extents_new ();

  for (guint64 at = 0; at < self->length; at += VIRFS_ARRIVAL_CLUSTER)
    virfs_extents_append (extents, MIN (VIRFS_ARRIVAL_CLUSTER, self->length - at),
                          has_cluster (self, at / VIRFS_ARRIVAL_CLUSTER) ? VIRFS_EXTENT_DATA
                                                                         : VIRFS_EXTENT_ZERO);
  return extents;
}

/* A raw image becomes a qcow2 file. */

static gboolean
copy_piece (VirfsArrival *self, VirfsFile *to, const VirfsQcow2 *qcow2, guint64 offset,
            gsize *length, guint8 *buffer, GError **error)
{
  gboolean is_data;
  guint64 guest;
  gssize got;

  *length = virfs_qcow2_at (qcow2, offset, AT_ONCE, &is_data, &guest);
  if (*length == 0)
    return TRUE;
  if (!is_data) {
    virfs_qcow2_fill (qcow2, offset, *length, buffer);
    return virfs_file_write_sparse (to, offset, buffer, *length, error);
  }
  got = self->file->class->read (self->file, guest, buffer, *length, error);
  if (got >= 0 && (gsize) got < *length)
    memset (buffer + got, 0, *length - (gsize) got);
  return got >= 0 && virfs_file_write_sparse (to, offset, buffer, *length, error);
}

static gboolean
fill_qcow2 (VirfsArrival *self, VirfsFile *to, const VirfsQcow2 *qcow2, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (AT_ONCE);
  guint64 size = virfs_qcow2_size (qcow2);
  gsize length = 1;

  for (guint64 offset = 0; length > 0; offset += length) {
    if (virfs_job_is_cancelled (self->job)) {
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "it was cancelled");
      return FALSE;
    }
    if (!copy_piece (self, to, qcow2, offset, &length, buffer, error))
      return FALSE;
    virfs_job_progress (self->job, offset, size);
  }
  return to->class->cut (to, size, error);
}

static gboolean
convert (VirfsArrival *self, GError **error)
{
  g_autoptr (VirfsExtents) extents = extents_of (self);
  g_autoptr (VirfsQcow2) qcow2 = virfs_qcow2_new (extents, NULL, NULL, error);
  VirfsFile *to = qcow2 ? virfs_restore_open (self, error) : NULL;

  if (to == NULL)
    return FALSE;
  if (!fill_qcow2 (self, to, qcow2, error)) {
    to->class->close (to, TRUE);
    return FALSE;
  }
  self->file->class->close (self->file, TRUE);
  self->file = to;
  return TRUE;
}

/* Whether it can be the disk. */

static gboolean
check_raw (VirfsArrival *self, const VirfsDiskInfo *disk, GError **error)
{
  if (disk->size != 0 ? self->length == disk->size : self->length % SECTOR == 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "%" G_GUINT64_FORMAT
               " bytes have come, which is no qcow2 file, and a raw image of this"
               " disk has %" G_GUINT64_FORMAT,
               self->length, disk->size);
  return FALSE;
}

static gboolean
check_qcow2 (const VirfsImageHeader *header, GError **error)
{
  if (header->backing == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "what has come is only what has changed since \"%s\": merge the two first, with"
               " qemu-img convert -O qcow2",
               header->backing);
  return FALSE;
}

static gboolean
check_arrived (VirfsArrival *self, GError **error)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (self->disk);
  const VirfsDiskInfo *disk = (VirfsDiskInfo *) info;
  g_autofree guint8 *bytes = g_malloc (VIRFS_IMAGE_HEADER_BYTES);
  gssize length = self->file->class->read (self->file, 0, bytes, VIRFS_IMAGE_HEADER_BYTES, error);
  g_auto (VirfsImageHeader) header = { 0 };

  if (length < 0)
    return FALSE;
  if (g_strcmp0 (disk->format, "raw") == 0)
    return check_raw (self, disk, error);
  if (!virfs_image_header_parse (bytes, (gsize) length, self->length, &header, error))
    return FALSE;
  if (g_strcmp0 (header.format, disk->format) == 0)
    return check_qcow2 (&header, error);
  if (g_str_equal (header.format, "raw") && g_strcmp0 (disk->format, "qcow2") == 0)
    return check_raw (self, disk, error) && convert (self, error);
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
    "the disk is %s, and what has come is %s: convert it first, with qemu-img convert -O %s",
    disk->format, header.format, disk->format);
  return FALSE;
}

/* The disk becomes another volume. */

static gboolean
change_source (VirfsArrival *self, GError **error)
{
  g_autofree char *source = g_strdup_printf ("%s/%s", self->pool, self->fresh);
  VirfsDeviceSetting setting
    = { .member = G_STRUCT_OFFSET (VirfsDiskInfo, source), .text = source };
  g_auto (VirfsWait) wait = VIRFS_WAIT_INIT;
  VirfsJobSpec spec = { .operation = "set source",
                        .object = &self->disk->object,
                        .host = &self->host->object,
                        .uid = self->uid,
                        .done = virfs_wait_for_job,
                        .data = &wait };
  g_autoptr (VirfsJob) job = virfs_job_new (self->disk->object.infra, &spec);

  backend_of (self)->device_set (self->disk, &setting, job);
  return virfs_wait_end (&wait, error);
}

/* The guest does not need the volume NAME any more, or not yet. */
static void
remove_volume (VirfsArrival *self, const char *name)
{
  VirfsInfra *infra = self->disk->object.infra;
  g_autofree char *label = virfs_part_label (&virfs_volume_class, name);
  g_autoptr (VirfsPart) pool = pool_of (self);
  g_autoptr (VirfsPart) volume
    = pool ? virfs_infra_part (infra, pool, &virfs_volume_class, label) : NULL;
  g_auto (VirfsWait) wait = VIRFS_WAIT_INIT;
  VirfsJobSpec spec = { .operation = "delete",
                        .object = &volume->object,
                        .host = &self->host->object,
                        .uid = self->uid,
                        .done = virfs_wait_for_job,
                        .data = &wait };
  g_autoptr (VirfsJob) job = volume ? virfs_job_new (infra, &spec) : NULL;
  g_autoptr (GError) error = NULL;

  if (volume == NULL)
    return;
  backend_of (self)->volume_verb (volume, VIRFS_VOLUME_DELETE, job);
  if (!virfs_wait_end (&wait, &error))
    g_message ("%s in the pool %s of %s is not used any more, and stays: %s", name, self->pool,
               self->host->name, error->message);
}

/* FILE is closed. */
static gboolean
take_fresh (VirfsArrival *self, VirfsFile *file, GError **error)
{
  gboolean ok = file->class->rename (file, self->fresh, error);

  if (ok)
    file->class->tell (file);
  file->class->close (file, !ok);
  if (ok && !change_source (self, error)) {
    remove_volume (self, self->fresh);
    return FALSE;
  }
  if (ok)
    remove_volume (self, self->volume);
  return ok;
}

static gboolean
put_in_place (VirfsArrival *self, GError **error)
{
  g_autoptr (GError) failed = NULL;
  VirfsFile *file;

  if (self->file->class->rename (self->file, self->volume, &failed)) {
    file = g_steal_pointer (&self->file);
    file->class->tell (file);
    file->class->close (file, FALSE);
    return TRUE;
  }
  if (g_error_matches (failed, VIRFS_ERROR, VIRFS_ERROR_CROSS))
    return take_fresh (self, g_steal_pointer (&self->file), error);
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}

/* The guest may have been started meanwhile. */
gboolean
virfs_restore_replace (VirfsArrival *self, GError **error)
{
  gboolean ok;

  if (!check_arrived (self, error) || !self->file->class->flush (self->file, TRUE, error)
      || !virfs_restore_claim (self, error))
    return FALSE;
  ok = put_in_place (self, error);
  virfs_restore_release (self);
  return ok;
}
