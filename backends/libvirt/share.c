/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one host changes in a pool that others have, too. */
#include "share.h"

#include "connection.h"
#include "gate.h"

static void
mark (VirfsHost *host, const VirfsPartInfo *pool)
{
  g_autoptr (LvLink) link = lv_host_link (host, NULL);

  if (link == NULL)
    return;
  g_mutex_lock (&link->lock);
  if (link->stale == NULL)
    link->stale = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (link->stale, g_strdup (pool->name));
  g_mutex_unlock (&link->lock);
}

static void
mark_same (VirfsHost *host, const VirfsPoolInfo *changed)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];

  for (guint i = 0; pools && i < pools->len; i++)
    if (virfs_pool_is_active (pools->pdata[i]) && virfs_pool_is_same (changed, pools->pdata[i]))
      mark (host, pools->pdata[i]);
}

static void
add_host (VirfsHost *host, const VirfsHostInfo *info, gpointer hosts)
{
  g_ptr_array_add (hosts, virfs_object_ref (host));
}

void
lv_share_tell (LvLink *link, const char *name)
{
  g_autoptr (VirfsHostInfo) info = lv_gate_copy_host (link->connection);
  GPtrArray *pools = info ? info->parts[VIRFS_HOST_POOLS] : NULL;
  const VirfsPoolInfo *pool = virfs_part_list_find (pools, name);
  g_autoptr (GPtrArray) hosts = g_ptr_array_new_with_free_func (virfs_object_unref);
  VirfsHost *own = pool ? lv_gate_enter (link->connection) : NULL;

  if (own == NULL)
    return;
  virfs_infra_foreach_host (own->object.infra, add_host, hosts);
  lv_gate_leave (link->connection);
  for (guint i = 0; i < hosts->len; i++)
    if (hosts->pdata[i] != own)
      mark_same (hosts->pdata[i], pool);
}

void
lv_share_look (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GHashTable) stale = NULL;
  GHashTableIter iter;
  gpointer name;

  g_mutex_lock (&link->lock);
  stale = g_steal_pointer (&link->stale);
  g_mutex_unlock (&link->lock);
  if (stale == NULL)
    return;
  g_hash_table_iter_init (&iter, stale);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByName (conn, name));

    if (pool != NULL)
      LV (virStoragePoolRefresh (pool, 0));
  }
}
