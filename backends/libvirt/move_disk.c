/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks that are to move, and their new volumes. */
#include "move_work.h"

#include "connection.h"
#include "disk_move.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "inventory.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

/* The list. */

static GMutex lock;
static GHashTable *listed; /* under it: UUID/DISK -> LvMoveDisk* */

static char *
key_of (const char *uuid, const char *disk)
{
  return g_strdup_printf ("%s/%s", uuid, disk);
}

gboolean
lv_move_enlist (LvMoveDisk *disk, GError **error)
{
  g_autofree char *key = key_of (disk->record.uuid, disk->record.disk);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  if (listed == NULL)
    listed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!g_hash_table_contains (listed, key)) {
    g_hash_table_insert (listed, g_steal_pointer (&key), disk);
    return TRUE;
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s of %s is being moved already: wait until that is over, or cancel it in jobs/",
               disk->record.disk, disk->task->name);
  return FALSE;
}

void
lv_move_strike (LvMoveDisk *disk)
{
  g_autofree char *key = key_of (disk->record.uuid, disk->record.disk);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  if (listed != NULL && g_hash_table_lookup (listed, key) == disk)
    g_hash_table_remove (listed, key);
}

gboolean
lv_move_is_listed (const char *uuid, const char *disk)
{
  g_autofree char *key = key_of (uuid, disk);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return listed != NULL && g_hash_table_contains (listed, key);
}

/* Under the list's lock, which comes before the task's. */
static void
set_state (LvMoveDisk *disk, LvLink *link, LvCopyState state)
{
  if (disk->task->link != link)
    return;
  g_mutex_lock (&disk->task->lock);
  disk->state = state;
  g_cond_broadcast (&disk->task->changed);
  g_mutex_unlock (&disk->task->lock);
}

void
lv_move_tell (LvLink *link, const char *uuid, const char *disk, int status)
{
  g_autofree char *key = key_of (uuid, disk);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  LvMoveDisk *found = listed ? g_hash_table_lookup (listed, key) : NULL;

  if (found != NULL)
    set_state (found, link, status == VIR_DOMAIN_BLOCK_JOB_READY ? LV_COPY_READY : LV_COPY_ENDED);
}

/* Under the list's lock, as before. */
static void
set_started (LvMoveDisk *disk, LvLink *link)
{
  if (disk->task->link != link)
    return;
  g_mutex_lock (&disk->task->lock);
  disk->started = TRUE;
  g_mutex_unlock (&disk->task->lock);
}

void
lv_move_tell_started (LvLink *link, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  GHashTableIter iter;
  gpointer disk;

  if (listed == NULL)
    return;
  g_hash_table_iter_init (&iter, listed);
  while (g_hash_table_iter_next (&iter, NULL, &disk))
    if (g_str_equal (((LvMoveDisk *) disk)->record.uuid, uuid))
      set_started (disk, link);
}

void
lv_move_tell_stopped (LvLink *link, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  GHashTableIter iter;
  gpointer disk;

  if (listed == NULL)
    return;
  g_hash_table_iter_init (&iter, listed);
  while (g_hash_table_iter_next (&iter, NULL, &disk))
    if (g_str_equal (((LvMoveDisk *) disk)->record.uuid, uuid))
      set_state (disk, link, LV_COPY_ENDED);
}

/* Finding out what there is. */

void
lv_move_disk_free (gpointer data)
{
  LvMoveDisk *disk = data;

  lv_move_strike (disk);
  lv_move_record_clear (&disk->record);
  virfs_part_info_unref (disk->known);
  virfs_part_info_unref (disk->wanted);
  g_clear_pointer (&disk->old, virStorageVolFree);
  g_clear_pointer (&disk->made, virStorageVolFree);
  lv_pool_free (disk->old_pool);
  g_free (disk->old_xml);
  g_free (disk);
}

/* Devices in /dev are not looked for as files. */
static virStorageVolPtr
find_old (LvMoveDisk *disk)
{
  const VirfsDiskInfo *known = (VirfsDiskInfo *) disk->known;
  LvSeat *seat = &disk->task->here;

  if (known->pool != NULL) {
    disk->old_pool = lv_pool_by_name (seat, known->pool, NULL);
    return disk->old_pool
             ? lv_pool_fresh_volume (disk->old_pool, known->source + strlen (known->pool) + 1)
             : NULL;
  }
  if (g_strcmp0 (known->type, "file") == 0)
    return lv_pool_find_path (seat, known->source, &disk->old_pool);
  return *known->source == '/' ? LV (virStorageVolLookupByPath (seat->conn, known->source)) : NULL;
}

/* What a volume of that name in POOL would be is free to be chosen: as it is called now, if
 * nothing has that name. */
static char *
choose_name (LvMoveDisk *disk, LvPool *pool, const char *format)
{
  g_autofree char *guest = g_strdelimit (g_strdup (disk->task->name), "/", '_');
  g_autofree char *suffix = g_strconcat (".", format, NULL);
  g_autoptr (virStorageVol) there = NULL;

  if (disk->old != NULL)
    there = LV (virStorageVolLookupByName (pool->pool, virStorageVolGetName (disk->old)));
  return disk->old != NULL && there == NULL
           ? g_strdup (virStorageVolGetName (disk->old))
           : lv_pool_free_name (pool, guest, disk->record.disk, suffix);
}

static gboolean
read_sizes (LvMoveDisk *disk, virDomainPtr domain, GError **error)
{
  virDomainBlockInfo info = { 0 };
  virStorageVolInfo volume = { 0 };
  gboolean known = disk->old != NULL && LV (virStorageVolGetInfo (disk->old, &volume)) == 0;

  if (LV (virDomainGetBlockInfo (domain, disk->record.disk, &info, 0)) < 0)
    return lv_fail (error, "cannot tell the size of %s of %s", disk->record.disk, disk->task->name);
  disk->size = info.capacity;
  disk->allocation = !disk->files ? info.capacity : known ? volume.allocation : info.allocation;
  return TRUE;
}

static gboolean
check_encryption (LvMoveDisk *disk, GPtrArray *described, GError **error)
{
  for (guint i = 0; i < described->len; i++) {
    const LvDisk *it = described->pdata[i];

    if (g_strcmp0 (it->target, disk->record.disk) != 0 || !it->encrypted)
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "the disk %s of %s is encrypted, and cannot be copied", it->target,
                 disk->task->name);
    return FALSE;
  }
  return TRUE;
}

static void
read_old (LvMoveDisk *disk)
{
  char *xml;
  g_autofree char *backing = NULL;

  disk->old = find_old (disk);
  xml = disk->old ? LV (virStorageVolGetXMLDesc (disk->old, 0)) : NULL;
  disk->old_xml = g_strdup (xml);
  free (xml);
  backing = disk->old_xml ? lv_xml_volume_backing (disk->old_xml) : NULL;
  /* what a guest has written to a raw disk may look as if it had one */
  disk->based = disk->files && backing != NULL
                && g_strcmp0 (((VirfsDiskInfo *) disk->known)->format, "qcow2") == 0;
  disk->relative = disk->based && lv_move_is_relative (disk->old);
}

static LvMoveDisk *
new_disk (LvTask *task, const VirfsDiskInfo *known, const VirfsPoolInfo *pool)
{
  LvMoveDisk *disk = g_new0 (LvMoveDisk, 1);

  disk->task = task;
  disk->known = virfs_part_info_ref (known);
  disk->wanted = virfs_part_info_copy (known);
  ((VirfsDiskInfo *) disk->wanted)->format = virfs_move_format (known->format, pool);
  disk->record.uuid = g_strdup (task->uuid);
  disk->record.disk = g_strdup (known->part.name);
  disk->record.from = g_strdup (known->source);
  disk->record.from_type = g_strdup (known->type);
  disk->record.from_format = g_strdup (known->format);
  disk->files = virfs_pool_has_files (pool);
  return disk;
}

static gboolean
add_disk (GPtrArray *disks, LvTask *task, virDomainPtr domain, const VirfsVmInfo *guest,
          const VirfsDiskInfo *known, const VirfsPoolInfo *pool, GPtrArray *described,
          GError **error)
{
  LvMoveDisk *disk;

  if (!virfs_move_check_disk (guest, known, error)
      || !virfs_move_check_pool (guest, known, pool, error))
    return FALSE;
  disk = new_disk (task, known, pool);
  g_ptr_array_add (disks, disk);
  read_old (disk);
  return check_encryption (disk, described, error) && read_sizes (disk, domain, error);
}

static gboolean
is_meant (const LvMove *move, const VirfsDiskInfo *disk)
{
  return move->disk ? g_str_equal (disk->part.name, move->disk) : virfs_move_comes_along (disk);
}

GPtrArray *
lv_move_find_disks (LvTask *task, virDomainPtr domain, LvPool *pool, GError **error)
{
  g_autoptr (VirfsVmInfo) guest = virfs_vm_info (task->vm);
  char *pool_xml = LV (virStoragePoolGetXMLDesc (pool->pool, 0));
  g_autoptr (VirfsPartInfo) there = pool_xml ? (VirfsPartInfo *) lv_xml_read_pool (pool_xml) : NULL;
  g_autofree char *xml = lv_domain_xml (domain, 0);
  g_autoptr (GPtrArray) described = lv_xml_read_disks (xml ? xml : "");
  g_autoptr (GPtrArray) disks = g_ptr_array_new_with_free_func (lv_move_disk_free);
  GPtrArray *known = guest->parts[VIRFS_VM_DISKS];

  free (pool_xml);
  if (there == NULL || xml == NULL) {
    lv_fail (error, "cannot read what %s or the pool %s is", task->name, pool->name);
    return NULL;
  }
  ((VirfsPoolInfo *) there)->state
    = LV (virStoragePoolIsActive (pool->pool)) == 1 ? "running" : "inactive";
  for (guint i = 0; known && i < known->len; i++)
    if (is_meant (task->move, known->pdata[i])
        && !virfs_move_is_there (known->pdata[i], (VirfsPoolInfo *) there)
        && !add_disk (disks, task, domain, guest, known->pdata[i], (VirfsPoolInfo *) there,
                      described, error))
      return NULL;
  return g_steal_pointer (&disks);
}

/* Making. */

/* It would show the guest another size. */
static gboolean
check_size (LvMoveDisk *disk, GError **error)
{
  virStorageVolInfo info;

  if (LV (virStorageVolGetInfo (disk->made, &info)) < 0)
    return lv_fail (error, "cannot tell the size of %s", lv_volume_name (disk->made));
  if (info.type != VIR_STORAGE_VOL_BLOCK || info.capacity == disk->size)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "the pool %s makes volumes of %llu bytes, and %s has %" G_GUINT64_FORMAT
               ": write the former to its size first",
               disk->record.pool, info.capacity, disk->record.disk, disk->size);
  return FALSE;
}

static gboolean
read_made (LvMoveDisk *disk, GError **error)
{
  VirfsDiskInfo *wanted = (VirfsDiskInfo *) disk->wanted;
  char *path = LV (virStorageVolGetPath (disk->made));
  virStorageVolInfo info;

  if (path == NULL || LV (virStorageVolGetInfo (disk->made, &info)) < 0) {
    free (path);
    return lv_fail (error, "cannot tell where %s is", lv_volume_name (disk->made));
  }
  wanted->type = info.type == VIR_STORAGE_VOL_BLOCK ? "block" : "file";
  virfs_ref_string_set (&wanted->source, path);
  virfs_ref_string_set (&wanted->pool, NULL);
  disk->record.to = g_strdup (path);
  disk->record.to_type = g_strdup (wanted->type);
  disk->record.to_format = g_strdup (wanted->format);
  free (path);
  return lv_move_keep (disk->task->link, &disk->record, error);
}

static gboolean
fail_made (LvMoveDisk *disk, GError **error)
{
  lv_fail (error, "cannot make %s in the pool %s", disk->record.volume, disk->record.pool);
  /* what has that name is not ours */
  lv_move_forget (disk->task->link, &disk->record);
  disk->recorded = FALSE;
  return FALSE;
}

gboolean
lv_move_is_by_host (const LvMoveDisk *disk)
{
  const VirfsDiskInfo *known = (const VirfsDiskInfo *) disk->known;
  const VirfsDiskInfo *wanted = (const VirfsDiskInfo *) disk->wanted;

  return disk->relative || g_strcmp0 (known->format, wanted->format) != 0;
}

/* As the disk is now, as far as the pool can have that. */
static char *
describe (LvMoveDisk *disk)
{
  const char *format = ((VirfsDiskInfo *) disk->wanted)->format;

  return disk->old_xml ? lv_xml_move_volume (disk->old_xml, disk->record.volume, format, disk->size)
                       : lv_xml_make_volume (disk->record.volume, format, disk->size);
}

gboolean
lv_move_make_copy (LvMoveDisk *disk, LvPool *pool, GError **error)
{
  g_autofree char *xml = describe (disk);

  disk->made = LV (virStorageVolCreateXMLFrom (pool->pool, xml, disk->old, 0));
  return disk->made ? check_size (disk, error) && read_made (disk, error) : fail_made (disk, error);
}

gboolean
lv_move_make (LvMoveDisk *disk, LvPool *pool, gboolean live, GError **error)
{
  const char *format = ((VirfsDiskInfo *) disk->wanted)->format;
  g_autofree char *xml = NULL;

  disk->record.pool = g_strdup (pool->name);
  disk->record.volume = choose_name (disk, pool, format);
  if (!lv_move_keep (disk->task->link, &disk->record, error))
    return FALSE;
  disk->recorded = TRUE;
  lv_inventory_hide (disk->task->link, pool->name, disk->record.volume, TRUE);
  if (!live && lv_move_is_by_host (disk))
    return TRUE;
  /* bytes of a file make it what it is */
  xml = live ? describe (disk)
             : lv_xml_make_volume (disk->record.volume, "raw", disk->files ? 0 : disk->size);
  disk->made = LV (virStorageVolCreateXML (pool->pool, xml, 0));
  return disk->made ? check_size (disk, error) && read_made (disk, error) : fail_made (disk, error);
}
