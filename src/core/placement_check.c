/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a host cannot have what is wished. */
#include "placement_private.h"

#include "image.h"

#include "error.h"
#include "fit.h"
#include "registry.h"
#include "upkeep.h"

#include <string.h>

static const VirfsPoolInfo *
find_pool (const VirfsHostInfo *info, const char *name)
{
  const VirfsPoolInfo *pool = virfs_part_list_find (info->parts[VIRFS_HOST_POOLS], name);

  return pool && virfs_pool_is_active (pool) ? pool : NULL;
}

static gboolean
lists (const VirfsPoolInfo *pool, const char *volume)
{
  return pool->part.parts == NULL || virfs_part_list_find (pool->part.parts, volume) != NULL;
}

static gboolean
host_lists (const VirfsHostInfo *info, const VirfsPoolInfo *pool, const char *volume)
{
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];

  for (guint i = 0; pools && i < pools->len; i++)
    if (virfs_pool_is_same (pools->pdata[i], pool)
        && virfs_part_list_find (((VirfsPartInfo *) pools->pdata[i])->parts, volume) != NULL)
      return TRUE;
  return FALSE;
}

/* What another host has made in storage that they share this one need not have heard of. */
static gboolean
pool_has (VirfsInfra *infra, const VirfsPoolInfo *pool, const char *volume)
{
  GHashTableIter iter;
  gpointer host;

  if (lists (pool, volume))
    return TRUE;
  g_hash_table_iter_init (&iter, infra->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host))
    if (host_lists (((VirfsHost *) host)->info, pool, volume))
      return TRUE;
  return FALSE;
}

/* A file that is in a directory of no pool may be there. */
static gboolean
has_file (const VirfsHost *host, const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  GPtrArray *pools = host->info->parts[VIRFS_HOST_POOLS];

  for (guint i = 0; pools && i < pools->len; i++) {
    const VirfsPoolInfo *pool = pools->pdata[i];

    if (virfs_pool_is_active (pool) && g_strcmp0 (pool->path, directory) == 0)
      return pool_has (host->object.infra, pool, name);
  }
  return TRUE;
}

static gboolean
has_source (const VirfsHost *host, const char *source)
{
  const char *slash = strchr (source, '/');
  g_autofree char *name = NULL;
  const VirfsPoolInfo *pool;

  if (*source == '/' || slash == NULL)
    return has_file (host, source);
  name = g_strndup (source, slash - source);
  pool = find_pool (host->info, name);
  return pool != NULL && pool_has (host->object.infra, pool, slash + 1);
}

static gboolean
check_only (const VirfsWish *wish, const VirfsHost *host, GError **error)
{
  if (wish->only == NULL || wish->only == host)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "what it is made of is on %s",
               wish->only->name);
  return FALSE;
}

static gboolean
check_rights (const VirfsWish *wish, const VirfsHost *host, GError **error)
{
  const GError *refusal = wish->refused ? g_hash_table_lookup (wish->refused, host) : NULL;

  if (refusal != NULL)
    g_propagate_error (error, g_error_copy (refusal));
  return refusal == NULL;
}

static gboolean
check_sources (const VirfsWish *wish, const VirfsHost *host, GError **error)
{
  for (const char *const *p = wish->sources; p && *p; p++)
    if (!has_source (host, *p)) {
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s does not have %s", host->name,
                   *p);
      return FALSE;
    }
  return TRUE;
}

gboolean
virfs_place_has_image (const VirfsWish *wish, const VirfsHost *host)
{
  GPtrArray *volumes = wish->image ? wish->image->info->volumes : NULL;

  for (guint i = 0; volumes && i < volumes->len; i++)
    if (virfs_part_root (volumes->pdata[i]) == &host->object)
      return TRUE;
  return FALSE;
}

/* What is based on another image is not copied, for that would have to be copied, too. */
static gboolean
check_image (const VirfsWish *wish, const VirfsHost *host, GError **error)
{
  const VirfsVolumeInfo *volume
    = wish->image ? (const VirfsVolumeInfo *) wish->image->info->volume : NULL;

  if (wish->image == NULL || virfs_place_has_image (wish, host)
      || (virfs_image_pool (host, host->info) != NULL && volume && volume->backing == NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s does not have the image %s, and %s",
               host->name, wish->image->label,
               volume && volume->backing ? "it is based on another" : "no pool for images");
  return FALSE;
}

static gboolean
check_pool (const VirfsWish *wish, const char *name, const VirfsHostInfo *info, GError **error)
{
  const VirfsPoolInfo *pool;

  if (wish->pool == NULL || info->parts[VIRFS_HOST_POOLS] == NULL)
    return TRUE;
  pool = find_pool (info, wish->pool);
  if (pool != NULL && pool->available >= wish->pool_bytes)
    return TRUE;
  if (pool == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s has no active pool %s", name,
                 wish->pool);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE,
                 "the pool %s of %s has %" G_GUINT64_FORMAT " bytes left, %" G_GUINT64_FORMAT
                 " are wanted",
                 wish->pool, name, pool->available, wish->pool_bytes);
  return FALSE;
}

static gboolean
check_network (const VirfsWish *wish, const char *name, const VirfsHostInfo *info, GError **error)
{
  if (wish->network == NULL || info->networks == NULL
      || g_ptr_array_find_with_equal_func (info->networks, wish->network, g_str_equal, NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s has no active network %s", name,
               wish->network);
  return FALSE;
}

static gboolean
check_needs (const VirfsWish *wish, const char *name, const VirfsHostInfo *info, GError **error)
{
  return wish->needs == NULL || virfs_fit_needs (wish->needs, name, info, error);
}

static gboolean
check_arch (const VirfsWish *wish, const char *name, const VirfsHostInfo *info, GError **error)
{
  for (guint i = 0; info->guest_types && wish->arch && i < info->guest_types->len; i++) {
    const char *arch = strchr (info->guest_types->pdata[i], ' ');

    if (arch != NULL && g_str_equal (arch + 1, wish->arch))
      return TRUE;
  }
  if (wish->arch == NULL || info->guest_types == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED, "%s cannot run guests for %s", name,
               wish->arch);
  return FALSE;
}

static gboolean
check_state (const char *name, const VirfsHostInfo *info, GError **error)
{
  if (info->state == VIRFS_HOST_UP)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is %s", name,
               virfs_host_state_name (info->state));
  return FALSE;
}

static gboolean
check_memory (const VirfsWish *wish, const char *name, const VirfsHostInfo *info, guint64 there,
              GError **error)
{
  g_autofree char *wanted = NULL, *free = NULL;

  if (wish->memory <= there || info->memory == 0)
    return TRUE;
  wanted = g_format_size_full (wish->memory, G_FORMAT_SIZE_IEC_UNITS);
  free = g_format_size_full (there, G_FORMAT_SIZE_IEC_UNITS);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE, "%s has %s of memory free, %s is wanted",
               name, free, wanted);
  return FALSE;
}

gboolean
virfs_place_check (const VirfsWish *wish, const VirfsHost *host, guint64 memory, GError **error)
{
  const VirfsHostInfo *info = host->info;
  const char *name = host->name;
  gboolean here = host == wish->present;

  return check_rights (wish, host, error) && check_state (name, info, error)
         && (here || virfs_upkeep_check (name, info, error)) && check_only (wish, host, error)
         && check_arch (wish, name, info, error) && check_network (wish, name, info, error)
         && check_needs (wish, name, info, error) && check_pool (wish, name, info, error)
         && check_sources (wish, host, error) && check_image (wish, host, error)
         && (here || check_memory (wish, name, info, memory, error));
}
