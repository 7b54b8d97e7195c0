/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Uploads as others see them; upload_sink.c takes what is written, upload_open.c begins them, and
 * upload_run.c is their thread. */
#include "upload_private.h"

VirfsUpload *
virfs_upload_ref (VirfsUpload *upload)
{
  g_atomic_ref_count_inc (&upload->refs);
  return upload;
}

void
virfs_upload_unref (VirfsUpload *upload)
{
  if (!g_atomic_ref_count_dec (&upload->refs))
    return;
  g_cond_clear (&upload->changed);
  virfs_object_unref (upload->image);
  virfs_object_unref (upload->job);
  virfs_object_unref (upload->host);
  g_clear_error (&upload->failed);
  g_clear_pointer (&upload->sum, virfs_sum_free);
  g_mutex_clear (&upload->lock);
  g_free (upload->pool);
  g_free (upload);
}

gboolean
virfs_upload_is_published (VirfsUpload *upload, const VirfsHost *host)
{
  return g_atomic_int_get (&upload->published) && upload->host == host;
}

VirfsImage *
virfs_upload_image (VirfsUpload *upload)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&upload->lock);

  return upload->image ? virfs_object_ref (upload->image) : NULL;
}

guint64
virfs_upload_length (VirfsUpload *upload)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&upload->lock);

  return upload->length;
}

void
virfs_upload_fail (VirfsUpload *upload, const GError *error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&upload->lock);

  if (upload->failed == NULL)
    upload->failed = g_error_copy (error);
}

GError *
virfs_upload_failure (VirfsUpload *upload)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&upload->lock);

  return upload->failed ? g_error_copy (upload->failed) : NULL;
}

gboolean
virfs_upload_refuse_published (GError **error)
{
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
    "only root and the user who mounted the tree may write to an image that is published:"
    " write a new one under a name that begins with a dot, and rename it");
  return FALSE;
}

gboolean
virfs_upload_is_sealed (VirfsUpload *upload, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&upload->lock);

  if (upload->sealed)
    virfs_upload_refuse_published (error);
  return upload->sealed;
}

void
virfs_upload_set_owner (VirfsUpload *upload, const VirfsOwner *owner)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&upload->lock);

  upload->owner = *owner;
  upload->given = TRUE;
}

void
virfs_upload_get_owner (VirfsUpload *upload, VirfsOwner *owner)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&upload->lock);

  *owner = upload->owner;
}

void
virfs_upload_set_modified (VirfsUpload *upload, gint64 modified)
{
  g_autoptr (VirfsImage) image = virfs_upload_image (upload);
  guint64 length = virfs_upload_length (upload);

  g_mutex_lock (&upload->lock);
  upload->modified = modified;
  g_mutex_unlock (&upload->lock);
  if (image == NULL)
    return;
  g_mutex_lock (&upload->infra->lock);
  virfs_registry_upload_grown (image, length, modified);
  g_mutex_unlock (&upload->infra->lock);
}

gboolean
virfs_upload_begin_closing (VirfsUpload *upload)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&upload->lock);

  upload->closing |= upload->openers == 0;
  return upload->closing;
}

static void
stop_upload (VirfsImage *image, gpointer unused)
{
  if (image->upload != NULL)
    virfs_upload_push (image->upload, virfs_upload_command_new (VIRFS_UPLOAD_STOP, NULL, NULL));
}

void
virfs_registry_stop_uploads (VirfsInfra *infra, gint64 deadline)
{
  virfs_infra_foreach_image (infra, stop_upload, NULL);
  g_mutex_lock (&infra->lock);
  while (infra->uploads > 0 && g_cond_wait_until (&infra->settled, &infra->lock, deadline))
    ;
  g_mutex_unlock (&infra->lock);
}

VirfsUpload *
virfs_image_upload (VirfsImage *image)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&image->object.infra->lock);

  return image->upload ? virfs_upload_ref (image->upload) : NULL;
}
