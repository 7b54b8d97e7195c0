/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making and deleting checkpoints.  A checkpoint is a bitmap in each qcow2 disk, which only a running
 * QEMU writes.
 */
#include "backup_work.h"
#include "error.h"
#include "fail.h"
#include "operate.h"
#include "xml_snapshot.h"

#include <stdlib.h>

static const char *
name_of (const LvTask *task)
{
  return task->wanted->name;
}

static gboolean
check_active (LvTask *task, const LvFacts *facts, const char *what, GError **error)
{
  if (virfs_vm_state_active (facts->state))
    return TRUE;
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
    "cannot %s %s: it is %s, and only a guest that runs can change its checkpoints; start"
    " it first",
    what, task->name, virfs_vm_state_name (facts->state));
  return FALSE;
}

/* What is to be made; NULL with ERROR.  The caller owns it. */
static char *
make_xml (LvTask *task, virDomainPtr domain, GError **error)
{
  char *guest = LV (virDomainGetXMLDesc (domain, 0));
  g_autoptr (GPtrArray) disks = lv_xml_read_disks (guest ? guest : "");
  char *xml = lv_xml_make_checkpoint (name_of (task), disks);

  if (guest == NULL)
    lv_fail (error, "cannot read the definition of %s", task->name);
  else if (xml == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "cannot make a checkpoint of %s: none of its disks is qcow2", task->name);
  free (guest);
  return xml;
}

static gboolean
check_name (LvTask *task, virDomainPtr domain, GError **error)
{
  g_autoptr (virDomainCheckpoint) known
    = LV (virDomainCheckpointLookupByName (domain, name_of (task), 0));

  if (known == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s has a checkpoint %s already", task->name,
               name_of (task));
  return FALSE;
}

static LvOutcome
run_make (LvTask *task, GError **error)
{
  static const char what[] = "make a checkpoint of";
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  g_autoptr (virDomainCheckpoint) made = NULL;
  g_autofree char *xml = NULL;

  if (domain == NULL || !lv_operate_check (task, LV_CALL_CHECKPOINTS, what, error)
      || !check_active (task, &facts, what, error) || !check_name (task, domain, error))
    return LV_FAILED;
  xml = make_xml (task, domain, error);
  if (xml == NULL)
    return LV_FAILED;
  /* the one of that name which was of no use has gone */
  lv_backup_forgive (task->link, task->uuid, name_of (task));
  made = LV (virDomainCheckpointCreateXML (domain, xml, 0));
  return lv_operate_end (task, made ? 0 : -1, LV_CALL_CHECKPOINTS, what, error);
}

int
lv_checkpoint_remove (virDomainCheckpointPtr checkpoint)
{
  int result = LV (virDomainCheckpointDelete (checkpoint, 0));

  if (result == 0
      || (lv_last_code () != VIR_ERR_INTERNAL_ERROR
          && lv_last_code () != VIR_ERR_CHECKPOINT_INCONSISTENT))
    return result;
  return LV (virDomainCheckpointDelete (checkpoint, VIR_DOMAIN_CHECKPOINT_DELETE_METADATA_ONLY));
}

static LvOutcome
run_delete (LvTask *task, GError **error)
{
  static const char what[] = "delete a checkpoint of";
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  g_autoptr (virDomainCheckpoint) checkpoint = NULL;

  if (domain == NULL || !check_active (task, &facts, what, error))
    return LV_FAILED;
  checkpoint = LV (virDomainCheckpointLookupByName (domain, name_of (task), 0));
  if (checkpoint == NULL)
    return lv_operate_end (task, -1, LV_CALL_CHECKPOINTS, what, error);
  return lv_operate_end (task, lv_checkpoint_remove (checkpoint), LV_CALL_CHECKPOINTS, what, error);
}

static void
submit (VirfsVm *vm, const char *name, VirfsJob *job, LvTaskFunc run)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run);

  if (task == NULL)
    return;
  task->wanted = virfs_part_info_new (&virfs_checkpoint_class, name);
  lv_task_submit (task);
}

void
lv_checkpoint_make (VirfsVm *vm, const char *name, VirfsJob *job)
{
  submit (vm, name, job, run_make);
}

void
lv_checkpoint_delete (VirfsVm *vm, const char *name, VirfsJob *job)
{
  submit (vm, name, job, run_delete);
}
