/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When pools and volumes are read: after an operation, and again and again. */
#include "inventory_private.h"

#include "gate.h"
#include "image_open.h"
#include "lent.h"
#include "seat.h"
#include "share.h"

/* At one look: volumes that are new, and others that are looked at again. */
#define MOST_NEW   1024
#define MOST_AGAIN 256

/* How often an operation's reading gives way to other hosts. */
#define MOST_OVERTAKEN 3

LvInventory *
lv_inventory_new (void)
{
  LvInventory *self = g_new0 (LvInventory, 1);

  g_mutex_init (&self->lock);
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->changed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->hidden = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return self;
}

void
lv_inventory_free (LvInventory *self)
{
  g_hash_table_unref (self->told);
  g_hash_table_unref (self->changed);
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

/* Readings from their beginning to their end. */

static guint64
draw_ticket (LvInventory *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return ++self->ticket;
}

/* FALSE if the host was closed. */
static gboolean
begin (LvReading *reading)
{
  g_autoptr (VirfsHostInfo) known = lv_gate_copy_host (reading->link->connection);
  GPtrArray *pools = known ? known->parts[VIRFS_HOST_POOLS] : NULL;

  reading->ticket = draw_ticket (reading->link->inventory);
  reading->known = pools ? g_ptr_array_ref (pools) : NULL;
  reading->read = virfs_part_list_new ();
  return known != NULL;
}

static void
end (LvReading *reading, gboolean tell)
{
  if (tell)
    lv_reading_tell (reading);
  g_clear_pointer (&reading->known, g_ptr_array_unref);
  g_ptr_array_unref (reading->read);
}

gboolean
lv_inventory_read_pools (LvLink *link, virConnectPtr conn)
{
  LvReading reading = { .link = link, .conn = conn, .pools = TRUE };
  gboolean done = begin (&reading) && lv_reading_take_pools (&reading);

  end (&reading, done);
  return done;
}

void
lv_inventory_overtake (LvLink *link, const char *pool)
{
  LvInventory *self = link->inventory;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_hash_table_insert (self->changed, g_strdup (pool), GSIZE_TO_POINTER (++self->ticket));
}

static void
refresh_once (LvReading *reading)
{
  g_autoptr (virStoragePool) pool = NULL;
  gboolean told = begin (reading);

  pool = told ? LV (virStoragePoolLookupByName (reading->conn, reading->only)) : NULL;
  if (pool != NULL)
    lv_reading_take_pool (reading, pool);
  end (reading, told && (pool != NULL || lv_link_is_alive (reading->link)));
  if (reading->more)
    lv_inventory_poll (reading->link);
}

/* Who has changed something looks again until that is told. */
static void
refresh (LvLink *link, virConnectPtr conn, const char *name, const char *volume, gboolean all)
{
  gboolean overtaken = TRUE;

  for (guint i = 1; overtaken; i++) {
    LvReading reading = {
      .link = link,
      .conn = conn,
      .only = name,
      .volume = volume,
      .all = all,
      .room = MOST_NEW,
      .obstinate = i == MOST_OVERTAKEN,
    };

    refresh_once (&reading);
    overtaken = reading.overtaken;
  }
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
advance (LvInventory *self, const LvReading *reading)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->cursor = reading->last < reading->number ? reading->last : 0;
  self->again |= reading->more;
}

static void
poll_once (LvLink *link, virConnectPtr conn)
{
  LvInventory *self = link->inventory;
  LvReading reading = { .link = link, .conn = conn, .room = MOST_NEW };
  gboolean begun;

  g_mutex_lock (&self->lock);
  reading.first = self->cursor;
  g_mutex_unlock (&self->lock);
  reading.last = reading.first + MOST_AGAIN;
  if (!self->joined)
    lv_lent_recover (link, conn);
  if (!self->joined)
    lv_image_recover (link, conn);
  begun = begin (&reading);
  lv_share_look (link, conn); /* what is marked from now on overtakes this reading */
  end (&reading, begun && lv_reading_take_pools (&reading));
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
