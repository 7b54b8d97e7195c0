/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images as the tree asks for them; these take the registry's lock. */
#include "image.h"

#include "error.h"
#include "registry_image.h"
#include "text.h"

#include <string.h>

VirfsImage *
virfs_infra_image (VirfsInfra *infra, const char *label)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsImage *image = g_hash_table_lookup (infra->images, label);

  return image ? virfs_object_ref (image) : NULL;
}

void
virfs_infra_foreach_image (VirfsInfra *infra, VirfsImageFunc func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GHashTableIter iter;
  gpointer image;

  g_hash_table_iter_init (&iter, infra->images);
  while (g_hash_table_iter_next (&iter, NULL, &image))
    func (image, data);
}

VirfsImageInfo *
virfs_image_info (VirfsImage *image)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&image->object.infra->lock);

  g_atomic_ref_count_inc (&image->info->refs);
  return image->info;
}

/* Pools. */

void
virfs_infra_set_image_pool (VirfsInfra *infra, const char *host, const char *pool)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  g_hash_table_insert (infra->image_pools, g_strdup (host ? host : ""), g_strdup (pool));
}

static VirfsPoolInfo *
active_pool (const VirfsHostInfo *info, const char *name)
{
  VirfsPoolInfo *pool = virfs_part_list_find (info->parts[VIRFS_HOST_POOLS], name);

  return pool && !pool->part.draft && virfs_pool_is_active (pool) ? pool : NULL;
}

/* What was said is said before there are hosts, and does not change: no lock is needed. */
VirfsPoolInfo *
virfs_image_pool (const VirfsHost *host, const VirfsHostInfo *info)
{
  GHashTable *said = host->object.infra->image_pools;
  const char *name = g_hash_table_lookup (said, host->name);
  VirfsPoolInfo *pool;

  if (name == NULL)
    name = g_hash_table_lookup (said, "");
  if (name != NULL)
    return active_pool (info, name);
  pool = virfs_part_list_find (info->parts[VIRFS_HOST_POOLS], "images");
  return pool && !pool->part.draft ? active_pool (info, "images") : active_pool (info, "default");
}

/* Places. */

VirfsPart *
virfs_image_on_host (VirfsImage *image, VirfsHost *host)
{
  g_autoptr (VirfsImageInfo) info = virfs_image_info (image);

  for (guint i = 0; i < info->volumes->len; i++)
    if (virfs_part_root (info->volumes->pdata[i]) == &host->object)
      return virfs_object_ref (info->volumes->pdata[i]);
  return NULL;
}

gboolean
virfs_image_check_name (const char *name, GError **error)
{
  g_autofree char *encoded = virfs_name_encode (name + (*name == '.'));

  if (*encoded != '\0' && g_str_equal (encoded, name + (*name == '.'))
      && !g_str_has_suffix (name, ".d"))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "\"%s\" cannot be the name of an image: it ends in .d, is too long, or has a %% or a"
               " control character in it",
               name);
  return FALSE;
}

/* Users. */

static gboolean
is_listed (GPtrArray *users, const VirfsUser *user)
{
  for (guint i = 0; i < users->len; i++)
    if (g_str_equal (((VirfsUser *) users->pdata[i])->path, user->path))
      return TRUE;
  return FALSE;
}

GPtrArray *
virfs_image_users (VirfsImage *image)
{
  g_autoptr (VirfsImageInfo) info = virfs_image_info (image);
  GPtrArray *users = NULL;

  for (guint i = 0; i < info->volumes->len; i++) {
    GPtrArray *more = virfs_volume_users (info->volumes->pdata[i]);

    if (users == NULL) {
      users = more;
      continue;
    }
    for (guint j = more->len; j > 0; j--)
      if (!is_listed (users, more->pdata[j - 1]))
        g_ptr_array_add (users, g_ptr_array_steal_index (more, j - 1));
    g_ptr_array_unref (more);
  }
  return users ? users : g_ptr_array_new ();
}

gboolean
virfs_image_check_unused (VirfsImage *image, const char *what, GError **error)
{
  g_autoptr (GPtrArray) users = virfs_image_users (image);
  g_autoptr (GString) names = g_string_new (NULL);

  if (users->len == 0)
    return TRUE;
  for (guint i = 0; i < MIN (users->len, 3); i++)
    g_string_append_printf (names, "%s%s", i ? ", " : "", ((VirfsUser *) users->pdata[i])->path);
  if (users->len > 3)
    g_string_append_printf (names, " and %u others", users->len - 3);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "the image %s cannot %s: it is used by %s",
               image->label, what, names->str);
  return FALSE;
}

VirfsImage *
virfs_volume_image (VirfsPart *volume)
{
  VirfsInfra *infra = volume->object.infra;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GPtrArray *namesakes = g_hash_table_lookup (infra->image_names, volume->name);

  for (guint i = 0; namesakes && i < namesakes->len; i++) {
    VirfsImage *image = namesakes->pdata[i];

    if (g_ptr_array_find (image->info->volumes, volume, NULL))
      return virfs_object_ref (image);
  }
  return NULL;
}

static gboolean
is_alike (const VirfsVolumeInfo *a, const VirfsVolumeInfo *b)
{
  return a->length == b->length && g_strcmp0 (a->modified, b->modified) == 0;
}

/* Of the volume of that NAME as HOST knows it, if its pool is the same as POOL; it is NOW (NULL: gone). */
static void
set_outdated (VirfsHost *host, const VirfsPoolInfo *pool, const char *name,
              const VirfsVolumeInfo *now)
{
  GHashTable *outdated = host->object.infra->outdated;
  VirfsPoolInfo *other = virfs_image_pool (host, host->info);
  VirfsVolumeInfo *volume = other && virfs_pool_is_same (pool, other)
                              ? virfs_part_list_find (other->part.parts, name)
                              : NULL;

  if (volume == NULL)
    return;
  if (now != NULL && is_alike (volume, now))
    g_hash_table_remove (outdated, volume);
  else
    g_hash_table_add (outdated, virfs_part_info_ref (volume));
}

/* What the other hosts say of VOLUME does not count before they have looked, unless it is what it is NOW. */
static void
overrule (VirfsPart *volume, const VirfsVolumeInfo *now)
{
  VirfsInfra *infra = volume->object.infra;
  g_autoptr (VirfsPartInfo) pool = virfs_part_info ((VirfsPart *) volume->owner);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GHashTableIter iter;
  gpointer host;

  g_hash_table_iter_init (&iter, infra->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host))
    if (host != virfs_part_root (volume))
      set_outdated (host, (VirfsPoolInfo *) pool, volume->name, now);
  virfs_registry_regroup (infra, volume->name);
}

void
virfs_image_volume_gone (VirfsPart *volume)
{
  overrule (volume, NULL);
}

void
virfs_image_volume_written (VirfsPart *volume)
{
  g_autoptr (VirfsPartInfo) now = virfs_part_info (volume);

  overrule (volume, (VirfsVolumeInfo *) now);
}
