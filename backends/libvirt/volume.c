/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be done to volumes.  libvirt cannot stop the making of a volume: whoever has waited for it
 * is let go when he wants, and it is there when it is made.
 */
#include "operate.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "inventory.h"
#include "xml.h"

#include <stdlib.h>

#define PROGRESS_INTERVAL (500 * G_TIME_SPAN_MILLISECOND)

static const char *
pool_name (VirfsPart *volume)
{
  return ((VirfsPart *) volume->owner)->name;
}

static virStoragePoolPtr
find_pool (virConnectPtr conn, VirfsPart *volume, GError **error)
{
  virStoragePoolPtr pool = LV (virStoragePoolLookupByName (conn, pool_name (volume)));

  if (pool == NULL)
    lv_fail (error, "cannot find the pool %s", pool_name (volume));
  return pool;
}

static virStorageVolPtr
find_volume (virConnectPtr conn, VirfsPart *volume, GError **error)
{
  g_autoptr (virStoragePool) pool = find_pool (conn, volume, error);
  virStorageVolPtr found = pool ? LV (virStorageVolLookupByName (pool, volume->name)) : NULL;

  if (pool != NULL && found == NULL)
    lv_fail (error, "cannot find the volume %s in %s", volume->name, pool_name (volume));
  return found;
}

static LvOutcome
end (LvTask *task, gboolean ok)
{
  lv_inventory_refresh (task->link, task->here.conn, pool_name (task->part), task->name);
  return ok ? LV_DONE : LV_FAILED;
}

/* Progress, told from a thread of its own while the host copies. */

typedef struct {
  LvTask *task;
  guint64 total; /* bytes that the original takes */
  GThread *thread;
  GMutex lock;
  GCond changed;
  gboolean ended; /* under lock */
} Meter;

static gboolean
wait_for_more (Meter *meter)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&meter->lock);
  gint64 due = g_get_monotonic_time () + PROGRESS_INTERVAL;

  while (!meter->ended && g_cond_wait_until (&meter->changed, &meter->lock, due))
    ;
  return !meter->ended;
}

static void
tell_progress (Meter *meter, virConnectPtr conn)
{
  g_autoptr (virStorageVol) volume = find_volume (conn, meter->task->part, NULL);
  virStorageVolInfo info = { 0 };

  if (volume != NULL && LV (virStorageVolGetInfo (volume, &info)) == 0)
    lv_gate_progress_job (meter->task->link->connection, meter->task->job,
                          MIN (info.allocation, meter->total), meter->total);
}

static gpointer
run_meter (gpointer data)
{
  Meter *meter = data;
  LvSeat seat = { 0 };

  if (!wait_for_more (meter) || !lv_seat_take (&seat, meter->task->link, NULL))
    return NULL;
  do
    tell_progress (meter, seat.conn);
  while (wait_for_more (meter));
  lv_seat_leave (&seat);
  return NULL;
}

static void
start_meter (Meter *meter, LvTask *task, virStorageVolPtr source)
{
  virStorageVolInfo info = { 0 };

  *meter = (Meter){ .task = task };
  if (LV (virStorageVolGetInfo (source, &info)) == 0)
    meter->total = info.allocation;
  g_mutex_init (&meter->lock);
  g_cond_init (&meter->changed);
  meter->thread = g_thread_new ("virfs-meter", run_meter, meter);
}

static void
stop_meter (Meter *meter)
{
  g_mutex_lock (&meter->lock);
  meter->ended = TRUE;
  g_cond_signal (&meter->changed);
  g_mutex_unlock (&meter->lock);
  g_thread_join (meter->thread);
  g_mutex_clear (&meter->lock);
  g_cond_clear (&meter->changed);
}

/* Making. */

/* Without the right format a guest could make its image tell us to read any file of the host. */
static char *
ask_format (LvTask *task, const char *path, GError **error)
{
  g_autoptr (virStorageVol) volume = LV (virStorageVolLookupByPath (task->here.conn, path));
  char *xml = volume ? LV (virStorageVolGetXMLDesc (volume, 0)) : NULL;
  char *format = xml ? lv_xml_volume_format (xml) : NULL;

  if (xml == NULL)
    lv_fail (error, "cannot find %s, which %s is to be based on", path, task->name);
  free (xml);
  return xml == NULL || format != NULL ? format : g_strdup ("raw");
}

static gboolean
copy (LvTask *task, virStoragePoolPtr pool, const char *xml, GError **error)
{
  g_autoptr (virStorageVol) source = find_volume (task->here.conn, task->source, error);
  g_autoptr (virStorageVol) made = NULL;
  Meter meter;

  if (source == NULL)
    return FALSE;
  start_meter (&meter, task, source);
  made = LV (virStorageVolCreateXMLFrom (pool, xml, source, 0));
  if (made == NULL)
    lv_fail (error, "cannot copy the volume %s to %s", task->source->name, task->name);
  stop_meter (&meter);
  return made != NULL;
}

static gboolean
make (LvTask *task, virStoragePoolPtr pool, GError **error)
{
  const VirfsVolumeInfo *wanted = (VirfsVolumeInfo *) task->wanted;
  g_autofree char *format = wanted->backing ? ask_format (task, wanted->backing, error) : NULL;
  g_autofree char *xml = NULL;
  g_autoptr (virStorageVol) made = NULL;

  if (wanted->backing != NULL && format == NULL)
    return FALSE;
  xml = lv_xml_describe_volume (wanted, format);
  if (task->source != NULL)
    return copy (task, pool, xml, error);
  made = LV (virStorageVolCreateXML (pool, xml, 0));
  return made != NULL || lv_fail (error, "cannot create the volume %s", task->name);
}

static LvOutcome
run_create (LvTask *task, GError **error)
{
  g_autoptr (virStoragePool) pool = find_pool (task->here.conn, task->part, error);
  gboolean ok;

  lv_inventory_hide (task->link, pool_name (task->part), task->name, TRUE);
  ok = pool != NULL && make (task, pool, error);
  lv_inventory_hide (task->link, pool_name (task->part), task->name, FALSE);
  return end (task, ok);
}

void
lv_volume_create (VirfsPart *volume, const VirfsVolumeInfo *wanted, VirfsPart *source,
                  VirfsJob *job)
{
  LvLane lane = source != NULL || wanted->allocation > 0 ? LV_LANE_LONG : LV_LANE_SHORT;

  lv_task_do (volume, job, lane, run_create, &(LvPartWork){ .wanted = wanted, .source = source });
}

/* Changing. */

static LvOutcome
run_resize (LvTask *task, GError **error)
{
  g_autoptr (virStorageVol) volume = find_volume (task->here.conn, task->part, error);
  gboolean ok = volume != NULL
                && (LV (virStorageVolResize (volume, task->number, 0)) == 0
                    || lv_fail (error, "cannot resize the volume %s", task->name));

  return end (task, ok);
}

void
lv_volume_resize (VirfsPart *volume, guint64 bytes, VirfsJob *job)
{
  lv_task_do (volume, job, LV_LANE_SHORT, run_resize, &(LvPartWork){ .number = bytes });
}

/* Of what it was formatted as nothing is left, which the pool has to see. */
static gboolean
wipe (LvTask *task, virStorageVolPtr volume, GError **error)
{
  g_autoptr (virStoragePool) pool = NULL;

  if (LV (virStorageVolWipe (volume, 0)) < 0)
    return lv_fail (error, "cannot wipe the volume %s", task->name);
  pool = LV (virStoragePoolLookupByVolume (volume));
  if (pool != NULL)
    LV (virStoragePoolRefresh (pool, 0));
  return TRUE;
}

static LvOutcome
run_verb (LvTask *task, GError **error)
{
  g_autoptr (virStorageVol) volume = find_volume (task->here.conn, task->part, error);
  gboolean ok = volume != NULL;

  if (ok && task->action == VIRFS_VOLUME_WIPE)
    ok = wipe (task, volume, error);
  else if (ok && task->action == VIRFS_VOLUME_DELETE)
    ok = LV (virStorageVolDelete (volume, VIR_STORAGE_VOL_DELETE_NORMAL)) == 0
         || lv_fail (error, "cannot delete the volume %s", task->name);
  return end (task, ok);
}

void
lv_volume_verb (VirfsPart *volume, VirfsVolumeVerb verb, VirfsJob *job)
{
  LvLane lane = verb == VIRFS_VOLUME_REFRESH ? LV_LANE_SHORT : LV_LANE_LONG;

  lv_task_do (volume, job, lane, run_verb, &(LvPartWork){ .action = verb });
}
