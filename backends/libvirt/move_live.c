/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks of a guest that runs: its hypervisor copies one after the other, and writes what the guest
 * writes to both places until all have come that far.  Then it goes on with the new ones.
 */
#include "move_work.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "xml.h"

/* Between looks how far it is; that it is ready is an event. */
#define LOOK_INTERVAL (500 * G_TIME_SPAN_MILLISECOND)

static gboolean
begin_copy (LvMoveDisk *disk, virDomainPtr domain, GError **error)
{
  g_autofree char *xml = lv_xml_make_disk ((VirfsDiskInfo *) disk->wanted);
  guint flags = VIR_DOMAIN_BLOCK_COPY_REUSE_EXT | VIR_DOMAIN_BLOCK_COPY_TRANSIENT_JOB
                | (disk->based ? VIR_DOMAIN_BLOCK_COPY_SHALLOW : 0);
  g_auto (LvParams) params = { 0 };

  virTypedParamsAddULLong (&params.items, &params.n, &params.allocated,
                           VIR_DOMAIN_BLOCK_COPY_BANDWIDTH,
                           (unsigned long long) lv_options ()->move_mib << 20);
  return LV (virDomainBlockCopy (domain, disk->record.disk, xml, params.items, params.n, flags))
           == 0
         || lv_fail (error, "cannot copy %s of %s", disk->record.disk, disk->task->name);
}

/* Waits until it is told that the copy has got further, the task is cancelled or it is time to
 * look. */
static LvCopyState
await_state (LvMoveDisk *disk, gboolean *cancelled)
{
  LvTask *task = disk->task;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&task->lock);
  gint64 end = g_get_monotonic_time () + LOOK_INTERVAL;

  while (disk->state == LV_COPY_RUNS && !task->cancelled
         && g_cond_wait_until (&task->changed, &task->lock, end))
    ;
  *cancelled = task->cancelled;
  return disk->state;
}

/* Whether there is still something to wait for. */
static gboolean
look (LvMoveDisk *disk, virDomainPtr domain, GError **error)
{
  LvTask *task = disk->task;
  LvMove *move = task->move;
  virDomainBlockJobInfo info;
  int found = LV (virDomainGetBlockJobInfo (domain, disk->record.disk, &info, 0));

  if (found < 0)
    return lv_fail (error, "cannot tell how far %s of %s is copied", disk->record.disk, task->name);
  if (found == 0)
    return TRUE; /* its end is being told */
  if (info.end > 0)
    lv_gate_progress_job (task->link->connection, task->job,
                          move->done + (guint64) (info.cur * (double) disk->size / info.end),
                          move->total);
  return TRUE;
}

static gboolean
fail_ended (LvMoveDisk *disk, virDomainPtr domain, GError **error)
{
  virStoragePoolInfo info = { .available = G_MAXUINT64 };
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByVolume (disk->made));

  if (virDomainIsActive (domain) != 1) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "%s has stopped while %s was copied: it is where it was", disk->task->name,
                 disk->record.disk);
    return FALSE;
  }
  /* the hypervisor tells no reason */
  if (pool != NULL && LV (virStoragePoolRefresh (pool, 0)) == 0)
    LV (virStoragePoolGetInfo (pool, &info));
  if (info.available < (1 << 20))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE,
                 "the pool %s is full, and %s of %s is where it was", disk->record.pool,
                 disk->record.disk, disk->task->name);
  else
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_FAILED,
      "the hypervisor could not copy %s of %s to %s, see its log on the host; it is where"
      " it was",
      disk->record.disk, disk->task->name, disk->record.pool);
  return FALSE;
}

static gboolean
check_cancelled (LvTask *task, gboolean cancelled, GError **error)
{
  if (cancelled)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED,
                 "cancelled: the disks of %s stay where they are", task->name);
  return !cancelled;
}

static gboolean
await_copy (LvMoveDisk *disk, virDomainPtr domain, GError **error)
{
  for (;;) {
    gboolean cancelled;
    LvCopyState state = await_state (disk, &cancelled);

    if (!check_cancelled (disk->task, cancelled, error))
      return FALSE;
    if (state == LV_COPY_ENDED)
      return fail_ended (disk, domain, error);
    if (state == LV_COPY_READY) {
      disk->task->move->done += disk->size;
      return TRUE;
    }
    if (!look (disk, domain, error))
      return FALSE;
  }
}

/* libvirt changes the guest's definition with it. */
static gboolean
switch_over (LvMoveDisk *disk, virDomainPtr domain, GError **error)
{
  return LV (virDomainBlockJobAbort (domain, disk->record.disk, VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT))
           == 0
         || lv_fail (error, "%s of %s is copied, but the guest cannot go on with the copy",
                     disk->record.disk, disk->task->name);
}

static gboolean
switch_all (LvTask *task, virDomainPtr domain, GError **error)
{
  GPtrArray *disks = task->move->disks;

  for (guint i = 0; i < disks->len; i++)
    if (!switch_over (disks->pdata[i], domain, error))
      return FALSE;
  return TRUE;
}

gboolean
lv_move_live (LvTask *task, virDomainPtr domain, LvPool *pool, GError **error)
{
  GPtrArray *disks = task->move->disks;
  gboolean ok;

  for (guint i = 0; i < disks->len; i++)
    if (!begin_copy (disks->pdata[i], domain, error)
        || !await_copy (disks->pdata[i], domain, error))
      return FALSE;
  lv_task_allow_cancel (task, FALSE);
  if (!check_cancelled (task, lv_task_is_cancelled (task), error))
    return FALSE;
  lv_operate_take_turn (task->uuid);
  ok = lv_move_keep_phase (task, LV_MOVE_SWITCHING, error) && switch_all (task, domain, error);
  lv_operate_end_turn (task->uuid);
  return ok;
}
