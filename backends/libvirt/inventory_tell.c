/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of pools and volumes that several threads read at the same time. */
#include "inventory_private.h"

#include "gate.h"

#include <string.h>

static gboolean
is_outdated (LvReading *reading, const char *pool)
{
  return GPOINTER_TO_SIZE (g_hash_table_lookup (reading->link->inventory->told, pool))
         > reading->ticket;
}

/* Pools alone are told of without volumes. */
static gboolean
is_overtaken (LvReading *reading, const char *pool)
{
  return !reading->obstinate && !reading->pools
         && GPOINTER_TO_SIZE (g_hash_table_lookup (reading->link->inventory->changed, pool))
              > reading->ticket;
}

static void
remember (LvReading *reading, const char *pool)
{
  g_hash_table_insert (reading->link->inventory->told, g_strdup (pool),
                       GSIZE_TO_POINTER (reading->ticket));
}

/* Volumes that this reading has only taken over may have been read by somebody else meanwhile: NOW. */
static void
catch_up (LvReading *reading, VirfsPartInfo *pool, const VirfsPartInfo *now)
{
  const VirfsPartInfo *then = virfs_part_list_find (reading->known, pool->name);
  GPtrArray *list;

  if (then == NULL || pool->parts == NULL || now->parts == then->parts)
    return;
  list = virfs_part_list_new ();
  for (guint i = 0; i < pool->parts->len; i++) {
    VirfsPartInfo *volume = pool->parts->pdata[i];
    VirfsPartInfo *newer = virfs_part_list_find (then->parts, volume->name) == volume
                             ? virfs_part_list_find (now->parts, volume->name)
                             : NULL;

    g_ptr_array_add (list, virfs_part_info_ref (newer ? newer : volume));
  }
  virfs_part_lists_set (&pool->parts, 0, list);
}

/* A reading that began later has told already, and volumes that it has only taken over, or had no room for, this
 * one has read: what is to be told of the pool, the caller owns it. */
static VirfsPartInfo *
add_read (LvReading *reading, const VirfsPartInfo *pool, const VirfsPartInfo *now)
{
  const VirfsPartInfo *then = virfs_part_list_find (reading->known, pool->name);
  VirfsPartInfo *merged = virfs_part_info_copy (now);
  GPtrArray *list = virfs_part_list_new ();

  for (guint i = 0; i < now->parts->len; i++) {
    VirfsPartInfo *volume = now->parts->pdata[i];
    VirfsPartInfo *read = virfs_part_list_find (pool->parts, volume->name);
    gboolean taken_over
      = ((VirfsVolumeInfo *) volume)->type == NULL
        || (then != NULL && virfs_part_list_find (then->parts, volume->name) == volume);

    g_ptr_array_add (list, virfs_part_info_ref (read && taken_over ? read : volume));
  }
  virfs_part_lists_set (&merged->parts, 0, list);
  return merged;
}

/* What is to be told of a pool that was read and KNOWN, told later, is told of now; the caller owns it. */
static VirfsPartInfo *
settle_outdated (LvReading *reading, VirfsPartInfo *pool, VirfsPartInfo *known)
{
  if (reading->all && pool->parts != NULL && known->parts != NULL)
    return add_read (reading, pool, known);
  return virfs_part_info_ref (known);
}

/* What is to be told of a pool that was read; KNOWN is what is told of it now, or NULL. */
static void
settle_read (LvReading *reading, GPtrArray *list, VirfsPartInfo *pool, VirfsPartInfo *known)
{
  if (is_overtaken (reading, pool->name)) {
    reading->overtaken = TRUE;
    if (known != NULL)
      g_ptr_array_add (list, virfs_part_info_ref (known));
    return;
  }
  if (is_outdated (reading, pool->name)) {
    if (known != NULL)
      g_ptr_array_add (list, settle_outdated (reading, pool, known));
    return;
  }
  remember (reading, pool->name);
  if (known != NULL)
    catch_up (reading, pool, known);
  g_ptr_array_add (list, virfs_part_info_ref (pool));
}

/* And of one that was not. */
static void
settle_missing (LvReading *reading, GPtrArray *list, VirfsPartInfo *known)
{
  gboolean meant = reading->only == NULL || g_str_equal (reading->only, known->name);

  if (known->draft)
    return;
  if (!meant || is_outdated (reading, known->name))
    g_ptr_array_add (list, virfs_part_info_ref (known));
  else
    remember (reading, known->name);
}

/* Runs while nobody else tells something of the host. */
static void
settle (VirfsHostInfo *info, gpointer data)
{
  LvReading *reading = data;
  GPtrArray *known = info->parts[VIRFS_HOST_POOLS], *list = virfs_part_list_new ();
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&reading->link->inventory->lock);

  for (guint i = 0; i < reading->read->len; i++) {
    VirfsPartInfo *pool = reading->read->pdata[i];

    settle_read (reading, list, pool, virfs_part_list_find (known, pool->name));
  }
  for (guint i = 0; known && i < known->len; i++)
    if (virfs_part_list_find (reading->read, ((VirfsPartInfo *) known->pdata[i])->name) == NULL)
      settle_missing (reading, list, known->pdata[i]);
  virfs_part_list_sort (list);
  virfs_part_lists_set (info->parts, VIRFS_HOST_POOLS, list);
}

void
lv_reading_tell (LvReading *reading)
{
  virfs_part_list_sort (reading->read);
  lv_gate_edit_host (reading->link->connection, reading->link, settle, reading, NULL);
}
