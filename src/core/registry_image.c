/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The images of the registry: how they come and go.  Which there are is found out in
 * registry_image_group.c.  All static functions run under the registry's lock.
 */
#include "registry_image.h"

#include <string.h>

/* Infos. */

static void
free_volume (gpointer volume)
{
  virfs_object_unref (volume);
}

VirfsImageInfo *
virfs_registry_image_info_new (const char *pool)
{
  VirfsImageInfo *info = g_new0 (VirfsImageInfo, 1);

  g_atomic_ref_count_init (&info->refs);
  info->volumes = g_ptr_array_new_with_free_func (free_volume);
  info->pool = pool ? g_ref_string_new (pool) : NULL;
  info->modified = g_get_real_time ();
  return info;
}

void
virfs_image_info_unref (VirfsImageInfo *info)
{
  if (info == NULL || !g_atomic_ref_count_dec (&info->refs))
    return;
  g_ptr_array_unref (info->volumes);
  virfs_part_info_unref (info->volume);
  g_clear_pointer (&info->pool, g_ref_string_release);
  g_clear_pointer (&info->sha256, g_ref_string_release);
  virfs_os_unref (info->os);
  g_free (info);
}

static gboolean
same_volumes (const VirfsImageInfo *a, const VirfsImageInfo *b)
{
  return a->volumes->len == b->volumes->len
         && (a->volumes->len == 0
             || memcmp (a->volumes->pdata, b->volumes->pdata, a->volumes->len * sizeof (gpointer))
                  == 0);
}

static guint64
diff (const VirfsImageInfo *a, const VirfsImageInfo *b)
{
  guint64 fields = 0;

  if (a->volume != b->volume || a->length != b->length || a->modified != b->modified
      || a->written != b->written)
    fields |= VIRFS_BIT (VIRFS_IMAGE_CONTENT);
  if (!same_volumes (a, b))
    fields |= VIRFS_BIT (VIRFS_IMAGE_PLACES);
  if (g_strcmp0 (a->sha256, b->sha256) != 0)
    fields |= VIRFS_BIT (VIRFS_IMAGE_SUM);
  if (a->os != b->os)
    fields |= VIRFS_BIT (VIRFS_IMAGE_OS);
  return fields;
}

static void
stamp (VirfsImageInfo *info, guint64 fields)
{
  gint64 now = g_get_real_time ();

  for (guint i = 0; i < VIRFS_IMAGE_N_FIELDS; i++)
    if (fields & VIRFS_BIT (i))
      info->changed[i] = now;
}

void
virfs_registry_publish_image (VirfsImage *image, VirfsImageInfo *info)
{
  g_autoptr (VirfsImageInfo) before = image->info;
  guint64 fields;

  info->written = image->upload != NULL;
  fields = diff (before, info);
  memcpy (info->changed, before->changed, sizeof info->changed);
  stamp (info, fields);
  image->info = info;
  if (fields)
    virfs_registry_emit (image->object.infra, VIRFS_CHANGED, image, fields, before, info);
}

/* Images. */

static void
free_image (gpointer object)
{
  VirfsImage *image = object;

  virfs_image_info_unref (image->info);
  g_clear_pointer (&image->upload, virfs_upload_unref);
  g_ref_string_release (image->label);
  g_ref_string_release (image->name);
  g_free (image);
}

VirfsImage *
virfs_registry_add_image (VirfsInfra *infra, const char *label, const char *name,
                          VirfsImageInfo *info)
{
  VirfsImage *image = g_new0 (VirfsImage, 1);
  GPtrArray *namesakes = g_hash_table_lookup (infra->image_names, name);

  image->label = g_ref_string_new (label);
  image->name = g_ref_string_new (name);
  image->info = info;
  stamp (info, ~G_GUINT64_CONSTANT (0));
  virfs_registry_add (infra, image, VIRFS_KIND_IMAGE,
                      virfs_object_hash_id (VIRFS_KIND_IMAGE, label), free_image);
  g_hash_table_insert (infra->images, image->label, image);
  if (namesakes == NULL) {
    namesakes = g_ptr_array_new ();
    g_hash_table_insert (infra->image_names, g_strdup (name), namesakes);
  }
  g_ptr_array_add (namesakes, image);
  virfs_registry_emit (infra, VIRFS_ADDED, image, 0, NULL, info);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_IMAGES));
  return image;
}

void
virfs_registry_remove_image (VirfsImage *image)
{
  VirfsInfra *infra = image->object.infra;
  GPtrArray *namesakes = g_hash_table_lookup (infra->image_names, image->name);

  if (image->removed)
    return;
  image->removed = TRUE;
  g_hash_table_remove (infra->images, image->label);
  g_ptr_array_remove (namesakes, image);
  if (namesakes->len == 0)
    g_hash_table_remove (infra->image_names, image->name);
  virfs_registry_emit (infra, VIRFS_REMOVED, image, 0, image->info, NULL);
  virfs_registry_remove (infra, image);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_IMAGES));
}

VirfsImage *
virfs_registry_add_upload (VirfsInfra *infra, const char *label, const char *pool,
                           VirfsUpload *upload)
{
  VirfsImage *image;

  if (g_hash_table_contains (infra->images, label))
    return NULL;
  image = virfs_registry_add_image (infra, label, label, virfs_registry_image_info_new (pool));
  image->upload = virfs_upload_ref (upload);
  image->info->written = TRUE;
  return virfs_object_ref (image);
}

/* A copy to be published. */
static VirfsImageInfo *
copy_info (const VirfsImageInfo *from)
{
  VirfsImageInfo *info = virfs_registry_image_info_new (from->pool);

  for (guint i = 0; i < from->volumes->len; i++)
    g_ptr_array_add (info->volumes, virfs_object_ref (from->volumes->pdata[i]));
  info->volume = from->volume ? virfs_part_info_ref (from->volume) : NULL;
  info->sha256 = from->sha256 ? g_ref_string_acquire (from->sha256) : NULL;
  info->os = from->os ? virfs_os_ref (from->os) : NULL;
  info->length = from->length;
  info->modified = from->modified;
  return info;
}

void
virfs_registry_set_upload (VirfsImage *image, VirfsUpload *upload)
{
  VirfsUpload *before = image->upload;

  image->upload = upload ? virfs_upload_ref (upload) : NULL;
  if (!image->removed)
    virfs_registry_publish_image (image, copy_info (image->info));
  if (before != NULL)
    virfs_upload_unref (before);
}

void
virfs_registry_upload_grown (VirfsImage *image, guint64 length, gint64 modified)
{
  VirfsImageInfo *info;

  if (image->removed || (image->info->length == length && image->info->modified == modified))
    return;
  info = copy_info (image->info);
  info->length = length;
  info->modified = modified;
  virfs_registry_publish_image (image, info);
}

void
virfs_registry_open_images (VirfsInfra *infra)
{
  infra->images = g_hash_table_new (g_str_hash, g_str_equal);
  infra->image_names
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  infra->outdated
    = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) virfs_part_info_unref, NULL);
  infra->image_pools = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  virfs_registry_open_image_notes (infra);
}

void
virfs_registry_close_images (VirfsInfra *infra)
{
  g_hash_table_unref (infra->images);
  g_hash_table_unref (infra->image_names);
  g_hash_table_unref (infra->outdated);
  g_hash_table_unref (infra->image_pools);
  virfs_registry_close_image_notes (infra);
}
