/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of an upload when it is complete; in its thread. */
#include "upload_private.h"

#include "image_header.h"
#include "text.h"

#include <string.h>

/* Looking at it. */

/* The name in the repository of what an image is based on, in *NAME (borrowed): one file of the same
 * directory, by its name alone or by its full path. */
static gboolean
name_backing (const VirfsPoolInfo *pool, const char *backing, const char **name)
{
  gsize length = pool->path ? strlen (pool->path) : 0;

  *name = backing;
  if (*backing == '/' && length > 0 && strncmp (backing, pool->path, length) == 0
      && backing[length] == '/')
    *name = backing + length + 1;
  return strchr (*name, '/') == NULL && (*name != backing || strchr (backing, ':') == NULL);
}

static gboolean
check_backing (VirfsUpload *upload, const char *backing, GError **error)
{
  g_autoptr (VirfsHostInfo) host = virfs_host_info (upload->host);
  const VirfsPoolInfo *pool = virfs_part_list_find (host->parts[VIRFS_HOST_POOLS], upload->pool);
  g_autoptr (GString) shown = g_string_new (NULL);
  const char *name = NULL;

  if (backing == NULL
      || (pool != NULL && name_backing (pool, backing, &name)
          && virfs_part_list_find (pool->part.parts, name) != NULL))
    return TRUE;
  virfs_text_escape (shown, backing);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "the image is based on \"%s\", which is no image of the same repository (the pool %s"
               " of %s): put that there first, or convert this one to one without a backing file",
               shown->str, upload->pool, upload->host->name);
  return FALSE;
}

/* A name that says qcow2 of what is none: an error page that was downloaded, more often than not.  A copy has the
 * name that it has. */
static gboolean
check_suffix (VirfsUpload *upload, const char *format, const char *name, GError **error)
{
  static const char *const formats[] = { "qcow2", "qcow", "qed", "vmdk", "vdi", "vhdx" };

  for (guint i = 0; !upload->copy && i < G_N_ELEMENTS (formats); i++) {
    g_autofree char *suffix = g_strconcat (".", formats[i], NULL);

    if (!g_str_has_suffix (name, suffix) || !g_str_equal (format, "raw"))
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%s is no %s image, for it does not begin like one: give it another name if it is"
                 " to be used as it is",
                 name, formats[i]);
    return FALSE;
  }
  return TRUE;
}

gboolean
virfs_upload_check (VirfsUpload *upload, const char *name, GError **error)
{
  g_autofree guint8 *bytes = g_malloc (VIRFS_IMAGE_HEADER_BYTES);
  gssize length
    = upload->file->class->read (upload->file, 0, bytes, VIRFS_IMAGE_HEADER_BYTES, error);
  g_auto (VirfsImageHeader) header = { 0 };

  return length >= 0
         && virfs_image_header_parse (bytes, (gsize) length, virfs_upload_length (upload), &header,
                                      error)
         && check_backing (upload, header.backing, error)
         && (name == NULL || check_suffix (upload, header.format, name, error));
}

/* Publishing it. */

/* The checksum if all came in order. */
static char *
take_sum (VirfsUpload *upload)
{
  guint64 length = virfs_upload_length (upload);

  if (upload->sum == NULL || length < upload->summed)
    return NULL;
  if (length > upload->summed) { /* cut behind its end */
    virfs_sum_add_zeros (upload->sum, length - upload->summed);
    upload->summed = length;
  }
  return virfs_sum_text (upload->sum);
}

/* The model shows the volume NAME, and its checksum. */
static void
tell (VirfsUpload *upload, const char *name)
{
  g_autofree char *owner = virfs_part_label (&virfs_pool_class, upload->pool);
  g_autofree char *label = virfs_part_label (&virfs_volume_class, name);
  g_autofree char *sum = take_sum (upload);
  g_autoptr (VirfsPart) pool = NULL;
  g_autoptr (VirfsPart) volume = NULL;

  upload->file->class->tell (upload->file);
  pool = virfs_infra_part (upload->infra, upload->host, &virfs_pool_class, owner);
  volume = pool ? virfs_infra_part (upload->infra, pool, &virfs_volume_class, label) : NULL;
  if (volume == NULL)
    return;
  virfs_volume_note_sum (volume, sum);
  virfs_image_volume_written (volume);
}

static void
set_modified (VirfsUpload *upload)
{
  gint64 modified;

  g_mutex_lock (&upload->lock);
  modified = upload->modified;
  upload->modified = 0;
  g_mutex_unlock (&upload->lock);
  if (modified != 0)
    upload->file->class->set_modified (upload->file, modified);
}

void
virfs_upload_tell (VirfsUpload *upload)
{
  g_autoptr (VirfsImage) image = virfs_upload_image (upload);

  set_modified (upload);
  if (image != NULL)
    tell (upload, image->name);
}

static void
give (VirfsUpload *upload, VirfsImage *image)
{
  g_autofree char *path = virfs_object_path (image);
  g_autoptr (GError) error = NULL;
  VirfsOwner owner;
  gboolean given;

  g_mutex_lock (&upload->lock);
  owner = upload->owner;
  given = upload->given;
  g_mutex_unlock (&upload->lock);
  if (given && !virfs_infra_give (upload->infra, image, path, &owner, &error))
    g_warning ("%s: its owner is not kept: %s", path, error->message);
}

/* A copy replaces nothing. */
static gboolean
check_copy (VirfsUpload *upload, const char *name, GError **error)
{
  g_autoptr (VirfsHostInfo) host = virfs_host_info (upload->host);
  const VirfsPoolInfo *pool = virfs_part_list_find (host->parts[VIRFS_HOST_POOLS], upload->pool);

  if (pool == NULL || virfs_part_list_find (pool->part.parts, name) == NULL)
    return TRUE;
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_EXISTS,
    "the pool %s of %s has another %s, or one whose checksum is not known: write verify to"
    " the ctl of both",
    upload->pool, upload->host->name, name);
  return FALSE;
}

/* Whether the name is free, or what has it can be replaced; CROSS if that is elsewhere. */
static gboolean
check_name (VirfsUpload *upload, const char *name, GError **error)
{
  g_autoptr (VirfsImage) image = virfs_infra_image (upload->infra, name);
  g_autoptr (VirfsPart) there = image ? virfs_image_on_host (image, upload->host) : NULL;
  g_autoptr (VirfsUpload) writer = image ? virfs_image_upload (image) : NULL;

  if (!virfs_image_check_name (name, error))
    return FALSE;
  if (upload->copy)
    return check_copy (upload, name, error);
  if (image == NULL || writer == upload)
    return TRUE;
  if (writer != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "the image %s is being written", name);
  else if (there == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CROSS,
                 "the image %s is not where this one is: it can be copied there", name);
  else
    return virfs_image_check_unused (image, "be replaced", error);
  return FALSE;
}

/* The image that NAME is now goes on with the upload. */
static void
follow (VirfsUpload *upload, const char *name)
{
  g_autoptr (VirfsImage) image = virfs_infra_image (upload->infra, name);
  g_autoptr (VirfsImage) before = NULL;

  g_mutex_lock (&upload->lock);
  before = g_steal_pointer (&upload->image);
  upload->image = image ? virfs_object_ref (image) : NULL;
  g_mutex_unlock (&upload->lock);
  if (before == image)
    return;
  g_mutex_lock (&upload->infra->lock);
  if (before != NULL && !before->removed)
    virfs_registry_remove_image (before);
  if (before != NULL && before->upload == upload)
    virfs_registry_set_upload (before, NULL);
  if (image != NULL && !image->removed)
    virfs_registry_set_upload (image, upload);
  g_mutex_unlock (&upload->infra->lock);
}

/* From one name with a dot to another. */
static gboolean
rename_hidden (VirfsUpload *upload, const char *name, GError **error)
{
  g_autoptr (VirfsImage) image = NULL;

  if (!check_name (upload, name, error))
    return FALSE;
  g_mutex_lock (&upload->infra->lock);
  image = virfs_registry_add_upload (upload->infra, name, upload->pool, upload);
  g_mutex_unlock (&upload->infra->lock);
  if (image != NULL)
    follow (upload, name);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "there is a %s already", name);
  return image != NULL;
}

gboolean
virfs_upload_publish (VirfsUpload *upload, const char *name, GError **error)
{
  g_autoptr (VirfsImage) image = NULL;

  if (*name == '.')
    return rename_hidden (upload, name, error);
  if (!check_name (upload, name, error))
    return FALSE;
  g_atomic_int_set (&upload->published, TRUE);
  set_modified (upload);
  if (!upload->file->class->rename (upload->file, name, error)) {
    g_atomic_int_set (&upload->published, FALSE);
    return FALSE;
  }
  tell (upload, name);
  follow (upload, name);
  image = virfs_upload_image (upload);
  if (image != NULL && !upload->copy)
    give (upload, image);
  g_mutex_lock (&upload->lock);
  upload->sealed = upload->untrusted;
  g_mutex_unlock (&upload->lock);
  return TRUE;
}
