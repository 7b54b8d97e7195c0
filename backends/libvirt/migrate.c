/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moving a guest to another host: while it runs, with its memory (migrate_live.c); or its definition alone
 * (migrate_cold.c).  Either way what both hosts do not share of its disks is copied, and stays where it was, too.
 */
#include "claim.h"
#include "connection.h"
#include "error.h"
#include "gate.h"
#include "migrate_work.h"
#include "operate.h"

static const struct {
  VirfsVmState state;
  gboolean (*move) (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error);
} ways[] = {
  { VIRFS_VM_RUNNING, lv_migrate_running },     { VIRFS_VM_PAUSED, lv_migrate_running },
  { VIRFS_VM_PMSUSPENDED, lv_migrate_running }, { VIRFS_VM_UNKNOWN, lv_migrate_running },
  { VIRFS_VM_SHUTOFF, lv_migrate_definition },
};

static gboolean
is_half_way (const LvFacts *facts)
{
  return facts->state == VIRFS_VM_PAUSED
         && g_strcmp0 (facts->reason, VIRFS_VM_POST_COPY_FAILED) == 0;
}

static gboolean
move_guest (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  if (is_half_way (facts))
    return lv_migrate_resume (task, domain, facts, error);
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    if (ways[i].state == facts->state)
      return ways[i].move (task, domain, facts, error);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "cannot move %s: it is %s", task->name,
               virfs_vm_state_name (facts->state));
  return FALSE;
}

static LvOutcome
migrate_claimed (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  GError *failure = NULL;

  if (domain == NULL || !lv_task_reach_target (task, error))
    return LV_FAILED;
  lv_task_allow_cancel (task, !is_half_way (&facts));
  lv_gate_move (task->link, task->target, task->vm, TRUE);
  move_guest (task, domain, &facts, &failure);
  lv_task_allow_cancel (task, FALSE);
  /* where it is first, so that it is somewhere all the time */
  lv_domain_refresh (task->target, task->there.conn, task->uuid, 0);
  lv_task_refresh (task);
  lv_gate_move (task->link, task->target, task->vm, FALSE);
  if (failure == NULL)
    return LV_DONE;
  if (lv_migration_is_half_way (domain) || lv_migration_check_cancelled (task, error))
    g_propagate_error (error, failure);
  else
    g_error_free (failure);
  return LV_FAILED;
}

static LvOutcome
run_migrate (LvTask *task, GError **error)
{
  LvOutcome outcome;

  if (task->link->connection == task->target->connection) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s is on %s already", task->name,
                 task->target->connection->name);
    return LV_FAILED;
  }
  if (!virfs_claim_begin (task->vm, VIRFS_CLAIM_MIGRATE, task->job, error))
    return LV_FAILED;
  outcome = migrate_claimed (task, error);
  virfs_claim_end (task->vm, task->job);
  return outcome;
}

void
lv_vm_migrate (VirfsVm *vm, VirfsHost *target, VirfsJob *job)
{
  /* what failed in post-copy goes on where it is, from where the rest of its memory is */
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autoptr (VirfsHost) source
    = info->host == target ? virfs_infra_post_copy_source (vm->object.infra, vm) : NULL;
  LvTask *task = source ? lv_task_new_at (vm, source, job, LV_LANE_LONG, run_migrate)
                        : lv_task_new (vm, job, LV_LANE_LONG, run_migrate);

  if (task == NULL)
    return;
  if (lv_task_set_target (task, target))
    lv_task_submit (task);
  else
    lv_task_unref (task);
}
