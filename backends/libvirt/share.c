/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one host changes in a pool that others have, too. */
#include "share.h"

#include "connection.h"
#include "gate.h"
#include "inventory.h"
#include "poll.h"

static void
mark_name (LvLink *link, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);

  if (link->stale == NULL)
    link->stale = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (link->stale, g_strdup (name));
}

gboolean
lv_share_is_marked (LvLink *link, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);

  return link->stale != NULL && g_hash_table_contains (link->stale, name);
}

static void
mark (VirfsHost *host, const VirfsPartInfo *pool)
{
  g_autoptr (LvLink) link = lv_host_link (host, NULL);

  if (link == NULL)
    return;
  mark_name (link, pool->name);
  lv_inventory_overtake (link, pool->name);
  lv_poll_hasten (link);
}

/* Whether HOST has CHANGED, too. */
static gboolean
mark_same (VirfsHost *host, const VirfsPoolInfo *changed)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];
  gboolean found = FALSE;

  for (guint i = 0; pools && i < pools->len; i++) {
    if (!virfs_pool_is_active (pools->pdata[i]) || !virfs_pool_is_same (changed, pools->pdata[i]))
      continue;
    mark (host, pools->pdata[i]);
    found = TRUE;
  }
  return found;
}

/* All hosts, the own one first; NULL if that is closed. */
static GPtrArray *
list_hosts (LvLink *link)
{
  GPtrArray *hosts = NULL;
  VirfsHost *own = lv_gate_enter (link->connection);

  if (own == NULL)
    return NULL;
  hosts = virfs_infra_hosts (own->object.infra);
  g_ptr_array_insert (hosts, 0, virfs_object_ref (own));
  lv_gate_leave (link->connection);
  return hosts;
}

static gboolean
mark_others (GPtrArray *hosts, const VirfsPoolInfo *pool)
{
  gboolean found = FALSE;

  for (guint i = 1; i < hosts->len; i++)
    if (hosts->pdata[i] != hosts->pdata[0])
      found |= mark_same (hosts->pdata[i], pool);
  return found;
}

void
lv_share_tell (LvLink *link, const char *name)
{
  g_autoptr (VirfsHostInfo) info = lv_gate_copy_host (link->connection);
  GPtrArray *pools = info ? info->parts[VIRFS_HOST_POOLS] : NULL;
  const VirfsPoolInfo *pool = virfs_part_list_find (pools, name);
  g_autoptr (GPtrArray) hosts = pool ? list_hosts (link) : NULL;

  if (hosts != NULL)
    mark_others (hosts, pool);
}

void
lv_share_join (LvLink *link)
{
  g_autoptr (GPtrArray) hosts = list_hosts (link);
  g_autoptr (VirfsHostInfo) info = hosts ? virfs_host_info (hosts->pdata[0]) : NULL;
  GPtrArray *pools = info ? info->parts[VIRFS_HOST_POOLS] : NULL;

  for (guint i = 0; pools && i < pools->len; i++)
    if (virfs_pool_is_active (pools->pdata[i]) && mark_others (hosts, pools->pdata[i]))
      mark (hosts->pdata[0], pools->pdata[i]);
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

    /* while a volume is being made it refuses to */
    if (pool != NULL && LV (virStoragePoolRefresh (pool, 0)) < 0
        && LV (virStoragePoolIsActive (pool)) == 1)
      mark_name (link, name);
  }
}
