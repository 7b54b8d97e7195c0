/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving disks: what both ways have in common. */
#include "move_work.h"

#include "claim.h"
#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "inventory.h"
#include "operate.h"

void
lv_move_free (LvMove *move)
{
  if (move == NULL)
    return;
  g_free (move->disk);
  g_free (move->pool);
  g_clear_pointer (&move->disks, g_ptr_array_unref);
  g_free (move);
}

/* What the pool has, and not what is known of it. */
static gboolean
check_room (LvMove *move, LvPool *pool, GError **error)
{
  virStoragePoolInfo info;
  guint64 wanted = 0;

  LV (virStoragePoolRefresh (pool->pool, 0));
  if (LV (virStoragePoolGetInfo (pool->pool, &info)) < 0)
    return lv_fail (error, "cannot tell how much room is in %s", pool->name);
  for (guint i = 0; i < move->disks->len; i++) {
    LvMoveDisk *disk = move->disks->pdata[i];

    wanted += disk->allocation;
    move->total += disk->size;
  }
  if (wanted <= info.available)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE,
               "the pool %s has %llu bytes left, and %" G_GUINT64_FORMAT
               " are wanted; nothing was changed",
               pool->name, info.available, wanted);
  return FALSE;
}

static gboolean
prepare (LvTask *task, virDomainPtr domain, LvPool *pool, gboolean live, GError **error)
{
  LvMove *move = task->move;

  move->disks = lv_move_find_disks (task, domain, pool, error);
  if (move->disks == NULL || !check_room (move, pool, error))
    return FALSE;
  for (guint i = 0; i < move->disks->len; i++)
    if (!lv_move_enlist (move->disks->pdata[i], error)
        || !lv_move_make (move->disks->pdata[i], pool, live, error))
      return FALSE;
  return TRUE;
}

static void
tell_moved (LvTask *task, const LvMoveRecord *record)
{
  g_autofree char *details
    = virfs_event_details ("disk", record->disk, "from", record->from, "to", record->to, NULL);

  lv_gate_tell_event (task->link, task->uuid, "disk-moved", details);
}

/* Whatever has come of it.  What a dead host has is settled when it is back. */
static guint
settle (LvTask *task)
{
  GPtrArray *disks = task->move->disks;
  guint n_moved = 0;

  for (guint i = 0; disks && i < disks->len; i++) {
    LvMoveDisk *disk = disks->pdata[i];
    gboolean moved = disk->recorded && lv_link_is_alive (task->link)
                     && lv_move_settle (task->link, task->here.conn, &disk->record) == LV_MOVE_DONE;

    lv_inventory_hide (task->link, disk->record.pool, disk->record.volume, FALSE);
    lv_move_strike (disk);
    n_moved += moved;
    if (moved)
      tell_moved (task, &disk->record);
  }
  return n_moved;
}

/* So that the job's end finds the outcome. */
static void
tell_pools (LvTask *task, LvPool *pool)
{
  GPtrArray *disks = task->move->disks;

  lv_task_refresh (task);
  lv_inventory_refresh (task->link, task->here.conn, pool->name, NULL);
  for (guint i = 0; disks && i < disks->len; i++) {
    const LvMoveDisk *disk = disks->pdata[i];
    g_autoptr (virStoragePool) old
      = disk->old ? LV (virStoragePoolLookupByVolume (disk->old)) : NULL;

    if (old != NULL)
      lv_inventory_refresh (task->link, task->here.conn, virStoragePoolGetName (old), NULL);
  }
}

static gboolean
move_in_turn (LvTask *task, virDomainPtr domain, LvPool *pool, gboolean live, GError **error)
{
  gboolean ok;
  guint moved;

  lv_operate_take_turn (task->uuid);
  ok = prepare (task, domain, pool, live, error);
  lv_operate_end_turn (task->uuid);
  lv_task_allow_cancel (task, TRUE);
  ok = ok && (live ? lv_move_live : lv_move_cold) (task, domain, pool, error);
  lv_task_allow_cancel (task, FALSE);
  lv_operate_take_turn (task->uuid);
  moved = settle (task);
  lv_operate_end_turn (task->uuid);
  tell_pools (task, pool);
  if (!ok && moved > 0)
    g_prefix_error (error, "(%u of %u disks have moved) ", moved, task->move->disks->len);
  return ok;
}

/* Nobody starts it meanwhile, if it is shut off. */
static gboolean
move_claimed (LvTask *task, virDomainPtr domain, LvPool *pool, gboolean live, GError **error)
{
  gboolean ok;

  if (!virfs_claim_begin (task->vm, live ? VIRFS_CLAIM_COPY : VIRFS_CLAIM_MOVE, task->job, error))
    return FALSE;
  ok = move_in_turn (task, domain, pool, live, error);
  virfs_claim_end (task->vm, task->job);
  return ok;
}

static LvOutcome
run_move (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  g_autoptr (LvPool) pool = NULL;
  gboolean ok;

  if (domain == NULL)
    return LV_FAILED;
  pool = lv_pool_by_name (&task->here, task->move->pool, error);
  if (pool == NULL)
    return LV_FAILED;
  lv_task_refresh (task);
  ok = move_claimed (task, domain, pool, virfs_vm_state_active (facts.state), error);
  /* what they hold is of this seat */
  g_clear_pointer (&task->move->disks, g_ptr_array_unref);
  return ok ? LV_DONE : LV_FAILED;
}

void
lv_disks_move (VirfsVm *vm, const char *disk, const char *pool, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_LONG, run_move);

  if (task == NULL)
    return;
  task->move = g_new0 (LvMove, 1);
  task->move->disk = g_strdup (disk);
  task->move->pool = g_strdup (pool);
  lv_task_submit (task);
}
