/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ending a backup. */
#include "backup_work.h"
#include "error.h"
#include "fail.h"
#include "operate.h"

/* Seconds that QEMU may take to end a backup. */
#define CLOSE_TIMEOUT 30

/* Each event of the end of a job lets us look, as it does not say of which. */
gboolean
lv_backup_wait_until_closed (LvLink *link, virDomainPtr domain, const char *uuid)
{
  gint64 end = g_get_monotonic_time () + CLOSE_TIMEOUT * G_TIME_SPAN_SECOND;
  LvBackupState state;
  guint64 seen;

  do {
    seen = lv_link_jobs_ended (link);
    state = lv_backup_state (domain, uuid);
  } while (state == LV_BACKUP_OPEN && lv_link_await_job (link, seen, end));
  return state == LV_BACKUP_GONE;
}

static gboolean
drop_checkpoint (LvTask *task, virDomainPtr domain, const VirfsBackupInfo *info, GError **error)
{
  g_autoptr (virDomainCheckpoint) checkpoint
    = info->checkpoint ? LV (virDomainCheckpointLookupByName (domain, info->checkpoint, 0)) : NULL;

  if (checkpoint == NULL || lv_checkpoint_remove (checkpoint) == 0)
    return TRUE;
  return lv_fail (error, "the backup is closed, but its checkpoint %s cannot be removed",
                  info->checkpoint);
}

static gboolean
end (LvTask *task, virDomainPtr domain, const VirfsBackupInfo *info, GError **error)
{
  if (lv_backup_state (domain, task->uuid) == LV_BACKUP_OPEN && LV (virDomainAbortJob (domain)) < 0
      && lv_last_code () != VIR_ERR_OPERATION_INVALID)
    return lv_fail (error, "cannot close the backup %s of %s", task->wanted->name, task->name);
  if (!lv_backup_wait_until_closed (task->link, domain, task->uuid)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_TIMED_OUT, "the backup %s of %s does not end",
                 task->wanted->name, task->name);
    return FALSE;
  }
  return task->number == 0 || drop_checkpoint (task, domain, info, error);
}

static LvOutcome
run_end (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  g_autoptr (VirfsVmInfo) known = virfs_vm_info (task->vm);
  const VirfsBackupInfo *info
    = virfs_part_list_find (known->parts[VIRFS_VM_BACKUPS], task->wanted->name);
  gboolean ok = TRUE;

  if (domain == NULL)
    return LV_FAILED;
  lv_operate_take_turn (task->uuid);
  if (info != NULL && virfs_vm_state_active (facts.state))
    ok = end (task, domain, info, error);
  if (ok)
    lv_backup_recover_one (task->link, task->here.conn, task->uuid, NULL);
  lv_operate_end_turn (task->uuid);
  if (ok) {
    lv_backup_show (task->link, task->uuid, NULL);
    if (task->number)
      lv_backup_tell_event (task, "backup-discarded", NULL);
    else
      lv_backup_tell_event (task, "backup-closed", NULL);
  }
  lv_task_refresh (task);
  return ok ? LV_DONE : LV_FAILED;
}

void
lv_backup_end (VirfsVm *vm, const char *name, gboolean discard, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_LONG, run_end);

  if (task == NULL)
    return;
  task->wanted = virfs_part_info_new (&virfs_backup_class, name);
  task->number = discard;
  lv_task_submit (task);
}
