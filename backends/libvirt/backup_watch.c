/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking how open backups are.  What the guest overwrites needs room, and QEMU stops a guest
 * that can neither write nor put aside what was there (its write fails with ENOSPC).  So an
 * event is ordered for when half of the room is taken, then half of the rest, and the backup is
 * ended before the last of it.  Should the guest be quicker it is stopped for as long as ending
 * the backup takes: QEMU then writes what it could not, and the guest has seen no error.
 */
#include "backup_work.h"
#include "connection.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "scratch.h"

typedef struct {
  LvLink *link;
  char *uuid;
  char *key; /* of the two */
  gboolean news;
} Look;

static void
sacrifice (LvSeat *seat, virDomainPtr domain, const char *uuid)
{
  LvLink *link = seat->link;

  if (LV (virDomainAbortJob (domain)) == 0 && lv_backup_wait_until_closed (link, domain, uuid))
    lv_backup_recover_one (link, seat->conn, uuid,
                           "there is no more room for what the guest overwrites");
  else
    g_warning ("%s: there is no more room for what it overwrites, but its backup does not end",
               virDomainGetName (domain));
}

static void
show_scratch (LvLink *link, const char *uuid, const LvRoom *room)
{
  g_autoptr (VirfsPartInfo) shown = (VirfsPartInfo *) lv_backup_shown (link, uuid);
  VirfsBackupInfo *info = (VirfsBackupInfo *) shown;
  guint64 most = room->known ? room->taken + room->left : info ? info->scratch_max : 0;
  g_autoptr (VirfsPartInfo) next = NULL;

  if (info == NULL || (info->scratch == room->taken && info->scratch_max == most))
    return;
  next = virfs_part_info_copy (shown);
  info = (VirfsBackupInfo *) next;
  info->scratch = room->taken;
  info->scratch_max = most;
  lv_backup_show (link, uuid, info);
}

static void
look_at_scratch (LvSeat *seat, virDomainPtr domain, const char *uuid, gboolean news)
{
  gboolean stuck = lv_backup_stops_guest (domain);
  LvRoom room;

  if (!lv_scratch_measure (seat, domain, news || stuck, &room))
    return;
  /* a guest that was stopped although there is room has another trouble */
  if (room.known ? room.full : stuck)
    sacrifice (seat, domain, uuid);
  else
    show_scratch (seat->link, uuid, &room);
}

static gboolean
is_shown (LvLink *link, const char *uuid)
{
  g_autoptr (VirfsPartInfo) shown = (VirfsPartInfo *) lv_backup_shown (link, uuid);

  return shown != NULL;
}

static void
look_in_turn (LvSeat *seat, const char *uuid, gboolean news)
{
  g_autoptr (virDomain) domain = LV (virDomainLookupByUUIDString (seat->conn, uuid));
  LvBackupState state = domain ? lv_backup_state (domain, uuid) : LV_BACKUP_UNKNOWN;

  if (state == LV_BACKUP_GONE)
    lv_backup_recover_one (seat->link, seat->conn, uuid,
                           LV (virDomainIsActive (domain)) == 1
                             ? "somebody else has ended it"
                             : "the guest's hypervisor has ended");
  else if (state == LV_BACKUP_OPEN && !is_shown (seat->link, uuid))
    lv_backup_recover_one (seat->link, seat->conn, uuid, NULL);
  else if (state == LV_BACKUP_OPEN)
    look_at_scratch (seat, domain, uuid, news);
}

/* Those that have not begun, by their key; so that there is one of a guest at most, however long its turn
 * lasts. */
static GMutex lock;
static GHashTable *pending; /* under lock */

/* From now on the next has to look by itself. */
static void
begin_look (Look *look)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  g_hash_table_remove (pending, look->key);
}

/* Through a connection of its own, as it may have to wait. */
static void
run_look (gpointer data, gpointer unused)
{
  Look *look = data;
  LvSeat seat = { 0 };

  lv_operate_take_turn (look->uuid);
  begin_look (look);
  if (lv_link_is_alive (look->link) && lv_seat_take (&seat, look->link, NULL)) {
    look_in_turn (&seat, look->uuid, look->news);
    lv_seat_leave (&seat);
  }
  lv_operate_end_turn (look->uuid);
  lv_link_unref (look->link);
  g_free (look->uuid);
  g_free (look->key);
  g_free (look);
}

/* Under lock.  NULL: there is one that has not begun. */
static Look *
new_look (LvLink *link, const char *uuid, gboolean news)
{
  g_autofree char *key = g_strdup_printf ("%s %" G_GUINT64_FORMAT, uuid, link->serial);
  Look *look = g_hash_table_lookup (pending, key);

  if (look != NULL) {
    look->news |= news;
    return NULL;
  }
  look = g_new0 (Look, 1);
  *look = (Look){ lv_link_ref (link), g_strdup (uuid), g_steal_pointer (&key), news };
  g_hash_table_insert (pending, look->key, look);
  return look;
}

void
lv_backup_look (LvLink *link, const char *uuid, gboolean news)
{
  static GThreadPool *threads; /* under lock */
  g_autoptr (GMutexLocker) locker = NULL;
  Look *look;

  if (news && !is_shown (link, uuid))
    return;
  locker = g_mutex_locker_new (&lock);
  if (threads == NULL) {
    threads = g_thread_pool_new (run_look, NULL, -1, FALSE, NULL);
    pending = g_hash_table_new (g_str_hash, g_str_equal);
  }
  look = new_look (link, uuid, news);
  if (look != NULL)
    g_thread_pool_push (threads, look, NULL);
}
