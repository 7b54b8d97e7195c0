/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an image goes to. */
#include "upload.h"

#include "error.h"

static guint
count_shares (GPtrArray *hosts, const VirfsPoolInfo *pool)
{
  guint n = 0;

  for (guint i = 0; i < hosts->len; i++) {
    g_autoptr (VirfsHostInfo) info = virfs_host_info (hosts->pdata[i]);
    VirfsPoolInfo *other = virfs_image_pool (hosts->pdata[i], info);

    n += info->state == VIRFS_HOST_UP && other != NULL && virfs_pool_is_same (pool, other);
  }
  return n;
}

VirfsHost *
virfs_image_choose_host (VirfsInfra *infra, char **pool, GError **error)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (infra);
  VirfsHost *best = NULL;
  guint most = 0;
  guint64 room = 0;

  for (guint i = 0; i < hosts->len; i++) {
    g_autoptr (VirfsHostInfo) info = virfs_host_info (hosts->pdata[i]);
    VirfsPoolInfo *its = virfs_image_pool (hosts->pdata[i], info);
    guint shares = info->state == VIRFS_HOST_UP && its && virfs_pool_has_files (its)
                     ? count_shares (hosts, its)
                     : 0;

    if (shares < most || shares == 0 || (shares == most && its->available <= room))
      continue;
    best = hosts->pdata[i];
    most = shares;
    room = its->available;
    g_free (*pool);
    *pool = g_strdup (its->part.name);
  }
  if (best == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN,
                 "no host that is up has a pool for images: one that is called images or default,"
                 " or as images in virfs.conf(5) says");
  return best ? virfs_object_ref (best) : NULL;
}

char *
virfs_image_pool_of (VirfsHost *host, GError **error)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  const VirfsPoolInfo *pool = virfs_image_pool (host, info);

  if (info->state == VIRFS_HOST_UP && pool != NULL && virfs_pool_has_files (pool))
    return g_strdup (pool->part.name);
  g_set_error (error, VIRFS_ERROR,
               info->state == VIRFS_HOST_UP ? VIRFS_ERROR_NOT_FOUND : VIRFS_ERROR_HOST_DOWN,
               "%s has no pool of files for images that is active", host->name);
  return NULL;
}
