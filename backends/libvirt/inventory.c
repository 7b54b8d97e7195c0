/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading pools and volumes. */
#include "inventory.h"

#include "fail.h"
#include "gate.h"
#include "image_open.h"
#include "lent.h"
#include "seat.h"
#include "share.h"
#include "state.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

/* At one look: volumes that are new, and others that are looked at again. */
#define MOST_NEW   1024
#define MOST_AGAIN 256

struct LvInventory {
  GMutex lock;
  /* under lock */
  gboolean busy, again; /* somebody polls; once more after that */
  gboolean joined;      /* see share.h; of who polls */
  guint64 ticket;       /* the last that was drawn */
  GHashTable *told;     /* name of a pool -> ticket (GSIZE) of what was told of it last */
  GHashTable *hidden;   /* set of `POOL/VOLUME` */
  guint cursor; /* of the polls: number of the volume that is the next to be looked at again */
};

/* One reading. */
typedef struct {
  LvLink *link;
  virConnectPtr conn;
  guint64 ticket;
  const char *only;   /* name of the only pool that it is about; NULL: all */
  const char *volume; /* is read in any case; NULL: none */
  gboolean all;       /* they all are */
  gboolean pools;     /* none is */
  guint first, last;  /* volumes by number, counted over all pools, that are looked at again */
  guint number;       /* of the next volume */
  guint room;         /* for new ones */
  gboolean more;      /* there was not room for all */
  GPtrArray *known;   /* pools as they were known when it began; NULL: not */
  GPtrArray *read;    /* pools as they are */
} Reading;

LvInventory *
lv_inventory_new (void)
{
  LvInventory *self = g_new0 (LvInventory, 1);

  g_mutex_init (&self->lock);
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->hidden = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
lv_inventory_free (LvInventory *self)
{
  g_hash_table_unref (self->told);
  g_hash_table_unref (self->hidden);
  g_mutex_clear (&self->lock);
  g_free (self);
}

void
lv_inventory_hide (LvLink *link, const char *pool, const char *volume, gboolean hide)
{
  g_autofree char *key = g_strdup_printf ("%s/%s", pool, volume);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->inventory->lock);

  if (hide)
    g_hash_table_add (link->inventory->hidden, g_steal_pointer (&key));
  else
    g_hash_table_remove (link->inventory->hidden, key);
}

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
is_due (Reading *reading, const VirfsVolumeInfo *known, const char *name, guint number)
{
  if (reading->all || g_strcmp0 (reading->volume, name) == 0
      || (number >= reading->first && number < reading->last))
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
take_volume (Reading *reading, virStorageVolPtr volume, GPtrArray *known)
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
read_volumes (Reading *reading, virStoragePoolPtr pool, GPtrArray *known)
{
  virStorageVolPtr *items = NULL;
  int n = LV (virStoragePoolListAllVolumes (pool, &items, 0));
  g_autoptr (GPtrArray) volumes = lv_take_volumes (items, n);
  GPtrArray *list;

  if (volumes == NULL)
    return NULL;
  list = virfs_part_list_new ();
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
read_pool (Reading *reading, virStoragePoolPtr pool)
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

static void
take_pool (Reading *reading, virStoragePoolPtr pool)
{
  VirfsPoolInfo *info;

  if (lv_lent_is_own (virStoragePoolGetName (pool)))
    return;
  info = read_pool (reading, pool);
  if (info != NULL)
    g_ptr_array_add (reading->read, info);
}

/* FALSE: they cannot be listed now.  A driver without pools has none. */
static gboolean
read_pools (Reading *reading)
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
    take_pool (reading, pools->pdata[i]);
  return TRUE;
}

/* Telling. */

static gboolean
is_outdated (Reading *reading, const char *pool)
{
  return GPOINTER_TO_SIZE (g_hash_table_lookup (reading->link->inventory->told, pool))
         > reading->ticket;
}

static void
remember (Reading *reading, const char *pool)
{
  g_hash_table_insert (reading->link->inventory->told, g_strdup (pool),
                       GSIZE_TO_POINTER (reading->ticket));
}

/* Volumes that this reading has only taken over may have been read by somebody else meanwhile: NOW. */
static void
catch_up (Reading *reading, VirfsPartInfo *pool, const VirfsPartInfo *now)
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
add_read (Reading *reading, const VirfsPartInfo *pool, const VirfsPartInfo *now)
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
settle_outdated (Reading *reading, VirfsPartInfo *pool, VirfsPartInfo *known)
{
  if (reading->all && pool->parts != NULL && known->parts != NULL)
    return add_read (reading, pool, known);
  return virfs_part_info_ref (known);
}

/* What is to be told of a pool that was read; KNOWN is what is told of it now, or NULL. */
static void
settle_read (Reading *reading, GPtrArray *list, VirfsPartInfo *pool, VirfsPartInfo *known)
{
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
settle_missing (Reading *reading, GPtrArray *list, VirfsPartInfo *known)
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
  Reading *reading = data;
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

/* Readings from their beginning to their end. */

static guint64
draw_ticket (LvInventory *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return ++self->ticket;
}

/* FALSE if the host was closed. */
static gboolean
begin (Reading *reading)
{
  g_autoptr (VirfsHostInfo) known = lv_gate_copy_host (reading->link->connection);
  GPtrArray *pools = known ? known->parts[VIRFS_HOST_POOLS] : NULL;

  reading->ticket = draw_ticket (reading->link->inventory);
  reading->known = pools ? g_ptr_array_ref (pools) : NULL;
  reading->read = virfs_part_list_new ();
  return known != NULL;
}

static void
end (Reading *reading, gboolean tell)
{
  if (tell) {
    virfs_part_list_sort (reading->read);
    lv_gate_edit_host (reading->link->connection, reading->link, settle, reading, NULL);
  }
  g_clear_pointer (&reading->known, g_ptr_array_unref);
  g_ptr_array_unref (reading->read);
}

gboolean
lv_inventory_read_pools (LvLink *link, virConnectPtr conn)
{
  Reading reading = { .link = link, .conn = conn, .pools = TRUE };
  gboolean done = begin (&reading) && read_pools (&reading);

  end (&reading, done);
  return done;
}

static void
refresh (LvLink *link, virConnectPtr conn, const char *name, const char *volume, gboolean all)
{
  Reading reading
    = { .link = link, .conn = conn, .only = name, .volume = volume, .all = all, .room = MOST_NEW };
  g_autoptr (virStoragePool) pool = NULL;
  gboolean told = begin (&reading);

  pool = told ? LV (virStoragePoolLookupByName (conn, name)) : NULL;
  if (pool != NULL)
    take_pool (&reading, pool);
  end (&reading, told && (pool != NULL || lv_link_is_alive (link)));
  if (reading.more)
    lv_inventory_poll (link);
}

void
lv_inventory_refresh (LvLink *link, virConnectPtr conn, const char *pool, const char *volume)
{
  refresh (link, conn, pool, volume, FALSE);
  lv_share_tell (link, pool);
}

void
lv_inventory_refresh_all (LvLink *link, virConnectPtr conn, const char *pool)
{
  refresh (link, conn, pool, NULL, TRUE);
}

/* Polling. */

static void
advance (LvInventory *self, const Reading *reading)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->cursor = reading->last < reading->number ? reading->last : 0;
  self->again |= reading->more;
}

static void
poll_once (LvLink *link, virConnectPtr conn)
{
  LvInventory *self = link->inventory;
  Reading reading = { .link = link, .conn = conn, .room = MOST_NEW };

  g_mutex_lock (&self->lock);
  reading.first = self->cursor;
  g_mutex_unlock (&self->lock);
  reading.last = reading.first + MOST_AGAIN;
  lv_share_look (link, conn);
  if (!self->joined)
    lv_lent_recover (link, conn);
  if (!self->joined)
    lv_image_recover (link, conn);
  end (&reading, begin (&reading) && read_pools (&reading));
  advance (self, &reading);
  if (!self->joined)
    lv_share_join (link);
  self->joined = TRUE;
}

/* Whether to do it once more. */
static gboolean
go_on (LvLink *link)
{
  LvInventory *self = link->inventory;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->busy = self->again && !g_atomic_int_get (&link->dead);
  self->again = FALSE;
  return self->busy;
}

static void
poll_link (gpointer data, gpointer unused)
{
  g_autoptr (LvLink) link = data;

  do {
    LvSeat seat = { 0 };

    if (!lv_seat_take (&seat, link, NULL))
      continue;
    poll_once (link, seat.conn);
    lv_seat_leave (&seat);
  } while (go_on (link));
}

void
lv_inventory_poll (LvLink *link)
{
  static GThreadPool *threads;
  static gsize once;
  LvInventory *self = link->inventory;
  gboolean begins;

  if (g_once_init_enter (&once)) {
    threads = g_thread_pool_new (poll_link, NULL, -1, FALSE, NULL);
    g_once_init_leave (&once, 1);
  }
  g_mutex_lock (&self->lock);
  begins = !self->busy;
  self->again |= self->busy;
  self->busy = TRUE;
  g_mutex_unlock (&self->lock);
  if (begins)
    g_thread_pool_push (threads, lv_link_ref (link), NULL);
}
