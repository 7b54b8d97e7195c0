/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of pools and volumes. */
#include "pool.h"

static const VirfsMember pool_members[] = {
  VIRFS_MEMBER (VirfsPoolInfo, state, WORD, STATE),
  VIRFS_MEMBER (VirfsPoolInfo, type, WORD, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, path, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, source, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, capacity, NUMBER, SIZE),
  VIRFS_MEMBER (VirfsPoolInfo, allocation, NUMBER, USE),
  VIRFS_MEMBER (VirfsPoolInfo, available, NUMBER, USE),
  VIRFS_MEMBER (VirfsPoolInfo, autostart, BOOL, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, persistent, BOOL, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, xml, BLOB, XML),
};

const VirfsPartClass virfs_pool_class = {
  .kind = VIRFS_KIND_POOL,
  .directory = "pools",
  .size = sizeof (VirfsPoolInfo),
  .members = pool_members,
  .n_members = G_N_ELEMENTS (pool_members),
};

static const VirfsMember volume_members[] = {
  VIRFS_MEMBER (VirfsVolumeInfo, type, WORD, CONFIG),
  VIRFS_MEMBER (VirfsVolumeInfo, format, WORD, CONFIG),
  VIRFS_MEMBER (VirfsVolumeInfo, path, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsVolumeInfo, backing, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsVolumeInfo, size, NUMBER, SIZE),
  VIRFS_MEMBER (VirfsVolumeInfo, allocation, NUMBER, USE),
};

const VirfsPartClass virfs_volume_class = {
  .kind = VIRFS_KIND_VOLUME,
  .directory = "volumes",
  .size = sizeof (VirfsVolumeInfo),
  .members = volume_members,
  .n_members = G_N_ELEMENTS (volume_members),
};

gboolean
virfs_pool_is_active (const VirfsPoolInfo *pool)
{
  return g_strcmp0 (pool->state, "running") == 0 || g_strcmp0 (pool->state, "degraded") == 0;
}
