/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading pools and volumes. */
#include "inventory_private.h"

#include "fail.h"
#include "image_open.h"
#include "lent.h"
#include "share.h"
#include "state.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

static gboolean
is_hidden (LvLink *link, const char *pool, const char *volume)
{
  LvInventory *self = link->inventory;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  g_autofree char *key = NULL;

  if (lv_image_is_written (link, pool, volume))
    return TRUE;
  if (g_hash_table_size (self->hidden) == 0)
    return FALSE;
  key = g_strdup_printf ("%s/%s", pool, volume);
  return g_hash_table_contains (self->hidden, key);
}

/* Volumes. */

/* A type tells those that were looked at from those that were not yet. */
static VirfsVolumeInfo *
read_volume (virStorageVolPtr volume)
{
  char *xml = LV (virStorageVolGetXMLDesc (volume, 0));
  VirfsVolumeInfo *info = xml ? lv_xml_read_volume (xml) : NULL;

  free (xml);
  if (info == NULL) {
    info = virfs_part_info_new (&virfs_volume_class, virStorageVolGetName (volume));
    info->type = LV_VOLUME_UNREAD;
  }
  return info;
}

/* Whether volume NUMBER, of which we know KNOWN, is to be read. */
static gboolean
is_due (LvReading *reading, const VirfsVolumeInfo *known, const char *name, guint number)
{
  if (reading->all || g_strcmp0 (reading->volume, name) == 0
      || (!reading->behind && number >= reading->first && number < reading->last))
    return TRUE;
  if (known != NULL && !known->part.draft && known->type != NULL)
    return FALSE;
  if (reading->room > 0) {
    reading->room--;
    return TRUE;
  }
  reading->more = TRUE;
  return FALSE;
}

static gpointer
take_volume (LvReading *reading, virStorageVolPtr volume, GPtrArray *known)
{
  const char *name = virStorageVolGetName (volume);
  VirfsVolumeInfo *before = virfs_part_list_find (known, name);

  if (is_due (reading, before, name, reading->number++))
    return read_volume (volume);
  return before != NULL && !before->part.draft ? virfs_part_info_ref (before)
                                               : virfs_part_info_new (&virfs_volume_class, name);
}

/* What tells nothing new is left as it is. */
static GPtrArray *
keep_known (GPtrArray *known, GPtrArray *taken)
{
  g_autoptr (GPtrArray) list = taken;

  if (known == NULL || known->len != list->len)
    return g_steal_pointer (&list);
  for (guint i = 0; i < list->len; i++) {
    const VirfsPartInfo *a = known->pdata[i], *b = list->pdata[i];

    if (a != b && (strcmp (a->name, b->name) != 0 || virfs_part_info_diff (a, b) != 0))
      return g_steal_pointer (&list);
  }
  return g_ptr_array_ref (known);
}

/* NULL: they cannot be listed. */
static GPtrArray *
read_volumes (LvReading *reading, virStoragePoolPtr pool, GPtrArray *known)
{
  virStorageVolPtr *items = NULL;
  int n = LV (virStoragePoolListAllVolumes (pool, &items, 0));
  g_autoptr (GPtrArray) volumes = lv_take_volumes (items, n);
  GPtrArray *list;

  if (volumes == NULL)
    return NULL;
  list = virfs_part_list_new ();
  reading->behind = lv_share_is_marked (reading->link, virStoragePoolGetName (pool));
  for (guint i = 0; i < volumes->len; i++)
    if (!is_hidden (reading->link, virStoragePoolGetName (pool),
                    virStorageVolGetName (volumes->pdata[i])))
      g_ptr_array_add (list, take_volume (reading, volumes->pdata[i], known));
  virfs_part_list_sort (list);
  return keep_known (known, list);
}

/* Pools. */

static void
read_facts (virStoragePoolPtr pool, VirfsPoolInfo *info)
{
  virStoragePoolInfo facts = { 0 };
  int autostart = 0;

  if (LV (virStoragePoolGetInfo (pool, &facts)) == 0)
    info->state = lv_pool_state (facts.state);
  if (LV (virStoragePoolGetAutostart (pool, &autostart)) == 0)
    info->autostart = autostart != 0;
  info->persistent = LV (virStoragePoolIsPersistent (pool)) > 0;
}

char *
lv_pool_definition (virStoragePoolPtr pool)
{
  char *xml = LV (virStoragePoolGetXMLDesc (pool, VIR_STORAGE_XML_INACTIVE));

  return xml == NULL && lv_last_refused_flags () ? LV (virStoragePoolGetXMLDesc (pool, 0)) : xml;
}

static void
read_definition (virStoragePoolPtr pool, VirfsPoolInfo *info)
{
  char *xml = info->persistent ? lv_pool_definition (pool) : NULL;
  g_autofree char *settled = xml ? lv_xml_settle_pool (xml) : NULL;

  info->definition = settled ? virfs_blob_new (settled) : NULL;
  free (xml);
}

/* NULL if it is gone meanwhile. */
static VirfsPoolInfo *
read_pool (LvReading *reading, virStoragePoolPtr pool)
{
  char *xml = LV (virStoragePoolGetXMLDesc (pool, 0));
  VirfsPoolInfo *info = xml ? lv_xml_read_pool (xml) : NULL;
  VirfsPartInfo *known;

  if (info != NULL) {
    known = virfs_part_list_find (reading->known, info->part.name);
    info->xml = virfs_blob_new (xml);
    read_facts (pool, info);
    read_definition (pool, info);
    if (!virfs_pool_is_active (info))
      info->part.parts = virfs_part_list_new ();
    else if (!reading->pools)
      info->part.parts = read_volumes (reading, pool, known ? known->parts : NULL);
  }
  free (xml);
  return info;
}

void
lv_reading_take_pool (LvReading *reading, virStoragePoolPtr pool)
{
  VirfsPoolInfo *info;

  if (lv_lent_is_own (virStoragePoolGetName (pool)))
    return;
  info = read_pool (reading, pool);
  if (info != NULL)
    g_ptr_array_add (reading->read, info);
}

gboolean
lv_reading_take_pools (LvReading *reading)
{
  virStoragePoolPtr *items = NULL;
  g_autoptr (GPtrArray) pools = NULL;
  int n;

  if (lv_link_lacks (reading->link, LV_CALL_POOLS))
    return TRUE;
  n = LV (virConnectListAllStoragePools (reading->conn, &items, 0));
  pools = lv_take_pools (items, n);
  if (pools == NULL) {
    lv_link_note (reading->link, LV_CALL_POOLS);
    return lv_link_lacks (reading->link, LV_CALL_POOLS);
  }
  for (guint i = 0; i < pools->len; i++)
    lv_reading_take_pool (reading, pools->pdata[i]);
  return TRUE;
}
