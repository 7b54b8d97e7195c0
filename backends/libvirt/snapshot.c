/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking, deleting and describing snapshots, and going back to one. */
#include "agent.h"
#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "snapshot_list.h"
#include "xml_snapshot.h"

#include <stdlib.h>

/* Seconds that the agent in a guest may take to answer. */
#define AGENT_TIMEOUT 5

static const char *
name_of (const LvTask *task)
{
  return task->wanted->name;
}

static virDomainSnapshotPtr
look_up (LvTask *task, virDomainPtr domain, GError **error)
{
  virDomainSnapshotPtr snapshot = LV (virDomainSnapshotLookupByName (domain, name_of (task), 0));

  if (snapshot == NULL)
    lv_fail (error, "cannot find snapshot %s of %s", name_of (task), task->name);
  return snapshot;
}

static void
tell_event (LvTask *task, const char *kind, const char *consistency)
{
  g_autoptr (GString) details = g_string_new (NULL);

  virfs_event_append (details, "name", name_of (task));
  virfs_event_append (details, "consistency", consistency);
  lv_gate_tell_event (task->link, task->uuid, kind, details->str);
}

/* Taking one. */

static gboolean
check_name (LvTask *task, virDomainPtr domain, GError **error)
{
  g_autoptr (virDomainSnapshot) known
    = LV (virDomainSnapshotLookupByName (domain, name_of (task), 0));

  if (known == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s has a snapshot %s already", task->name,
               name_of (task));
  return FALSE;
}

/* What QEMU can put into a disk; libvirt would say no more than that it is unsupported. */
static gboolean
check_disks (LvTask *task, GPtrArray *disks, GError **error)
{
  for (guint i = 0; i < disks->len; i++) {
    const LvDisk *disk = disks->pdata[i];

    if (disk->readonly || lv_disk_is_qcow2 (disk) || !g_str_equal (task->link->type, "QEMU"))
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "cannot take a snapshot of %s: its disk %s is %s, and only qcow2 holds memory and"
                 " disks; write disk to snapshots/kind for one of the disks alone",
                 task->name, disk->target, disk->format ? disk->format : "raw");
    return FALSE;
  }
  return TRUE;
}

static VirfsSnapshotInfo *
read_info (virDomainSnapshotPtr snapshot)
{
  char *xml = LV (virDomainSnapshotGetXMLDesc (snapshot, 0));
  VirfsSnapshotInfo *info = xml ? lv_xml_read_snapshot (xml) : NULL;

  free (xml);
  return info;
}

/* Of two such snapshots libvirt could delete neither. */
static gboolean
check_parent (LvTask *task, virDomainPtr domain, GError **error)
{
  g_autoptr (virDomainSnapshot) current = LV (virDomainSnapshotCurrent (domain, 0));
  g_autoptr (VirfsPartInfo) info = current ? (VirfsPartInfo *) read_info (current) : NULL;

  if (info == NULL || !g_str_equal (((VirfsSnapshotInfo *) info)->kind, VIRFS_SNAPSHOT_FULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "cannot take a snapshot of the disks of %s alone: it goes on from %s, whose kind is"
               " full, and libvirt could delete neither then; delete that first, or write full to"
               " snapshots/kind",
               task->name, info->name);
  return FALSE;
}

/* Quiesced if the agent in the guest answers.  What else is wrong is said when we try without it. */
static virDomainSnapshotPtr
take_disks (virDomainPtr domain, const char *xml, gboolean has_agent, gboolean *quiesced)
{
  const guint flags = VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC;
  virDomainSnapshotPtr snapshot = NULL;

  if (has_agent) {
    LV (virDomainAgentSetResponseTimeout (domain, AGENT_TIMEOUT, 0));
    snapshot
      = LV (virDomainSnapshotCreateXML (domain, xml, flags | VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE));
  }
  *quiesced = snapshot != NULL;
  return snapshot ? snapshot : LV (virDomainSnapshotCreateXML (domain, xml, flags));
}

/* What the file systems in it are like: sound, or as after a power failure; NULL: it goes on where it
 * was. */
static const char *
consistency_of (LvTask *task, const LvFacts *facts, gboolean quiesced)
{
  if (task->number == 0 && virfs_vm_state_active (facts->state))
    return NULL;
  return quiesced || !virfs_vm_state_active (facts->state) ? "filesystem" : "crash";
}

static LvOutcome
take (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  char *guest = LV (virDomainGetXMLDesc (domain, 0));
  g_autoptr (GPtrArray) disks = lv_xml_read_disks (guest ? guest : "");
  g_autofree char *xml = lv_xml_make_snapshot (name_of (task), disks, task->number != 0);
  gboolean quiesced = FALSE;
  gboolean has_agent
    = guest && lv_xml_has_agent (guest) && lv_agent_may_freeze (task->link, domain);
  g_autoptr (virDomainSnapshot) snapshot = NULL;
  LvOutcome outcome;

  free (guest);
  if (task->number == 0 && !check_disks (task, disks, error))
    return LV_FAILED;
  snapshot = task->number == 0 ? LV (virDomainSnapshotCreateXML (domain, xml, 0))
                               : take_disks (domain, xml, has_agent, &quiesced);
  outcome
    = lv_operate_end (task, snapshot ? 0 : -1, LV_CALL_SNAPSHOTS, "take a snapshot of", error);
  if (outcome == LV_DONE)
    tell_event (task, "snapshot-taken", consistency_of (task, facts, quiesced));
  return outcome;
}

static LvOutcome
run_take (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);

  if (domain == NULL || !lv_operate_check (task, LV_CALL_SNAPSHOTS, "take a snapshot of", error)
      || !check_name (task, domain, error)
      || (task->number != 0 && !check_parent (task, domain, error)))
    return LV_FAILED;
  return take (task, domain, &facts, error);
}

/* Deleting one. */

static LvOutcome
run_delete (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = lv_task_domain (task, error);
  g_autoptr (virDomainSnapshot) snapshot = domain ? look_up (task, domain, error) : NULL;
  LvOutcome outcome;

  if (domain != NULL && snapshot == NULL)
    lv_task_refresh (task);
  if (snapshot == NULL)
    return LV_FAILED;
  outcome = lv_operate_end (task, LV (virDomainSnapshotDelete (snapshot, 0)), LV_CALL_SNAPSHOTS,
                            "delete a snapshot of", error);
  if (outcome == LV_DONE)
    tell_event (task, "snapshot-deleted", NULL);
  return outcome;
}

/* Changing what libvirt has noted of one. */

static gboolean
define_anew (virDomainPtr domain, virDomainSnapshotPtr snapshot, const char *xml)
{
  guint flags = VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE;
  g_autoptr (virDomainSnapshot) defined = NULL;

  if (LV (virDomainSnapshotIsCurrent (snapshot, 0)) > 0)
    flags |= VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT;
  defined = xml ? LV (virDomainSnapshotCreateXML (domain, xml, flags)) : NULL;
  return defined != NULL;
}

/* Going back. */

static gboolean
check_inside (LvTask *task, virDomainSnapshotPtr snapshot, GError **error)
{
  g_autoptr (VirfsPartInfo) info = (VirfsPartInfo *) read_info (snapshot);
  const char *kind = info ? ((VirfsSnapshotInfo *) info)->kind : NULL;

  if (kind == NULL)
    return lv_fail (error, "cannot read snapshot %s of %s", name_of (task), task->name);
  if (g_str_equal (kind, VIRFS_SNAPSHOT_FULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "cannot revert %s to %s: libvirt cannot go back to a snapshot that is in other files"
               " (its kind is %s)",
               task->name, name_of (task), kind);
  return FALSE;
}

/* Whose the guest is, and that it is protected, does not change with what is in it. */
static gboolean
keep_metadata (LvTask *task, virDomainPtr domain, virDomainSnapshotPtr snapshot, GError **error)
{
  char *guest = LV (virDomainGetXMLDesc (domain, 0));
  char *xml = LV (virDomainSnapshotGetXMLDesc (snapshot, VIR_DOMAIN_SNAPSHOT_XML_SECURE));
  g_autofree char *adopted = guest && xml ? lv_xml_adopt_snapshot (xml, guest) : NULL;

  free (guest);
  free (xml);
  return define_anew (domain, snapshot, adopted)
         || lv_fail (error, "cannot revert %s to %s, because its owner would change", task->name,
                     name_of (task));
}

static LvOutcome
revert (LvTask *task, virDomainPtr domain, virDomainSnapshotPtr snapshot, GError **error)
{
  if (!keep_metadata (task, domain, snapshot, error))
    return LV_FAILED;
  return lv_operate_end (task, LV (virDomainRevertToSnapshot (snapshot, 0)), LV_CALL_SNAPSHOTS,
                         "revert", error);
}

static LvOutcome
run_revert (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = lv_task_domain (task, error);
  g_autoptr (virDomainSnapshot) snapshot = domain ? look_up (task, domain, error) : NULL;
  LvOutcome outcome;

  if (snapshot == NULL || !check_inside (task, snapshot, error))
    return LV_FAILED;
  lv_operate_take_turn (task->uuid);
  outcome = revert (task, domain, snapshot, error);
  lv_operate_end_turn (task->uuid);
  if (outcome == LV_DONE)
    tell_event (task, "snapshot-reverted", NULL);
  return outcome;
}

/* Describing one. */

static gboolean
describe (virDomainPtr domain, virDomainSnapshotPtr snapshot, const char *description)
{
  char *xml = LV (virDomainSnapshotGetXMLDesc (snapshot, VIR_DOMAIN_SNAPSHOT_XML_SECURE));
  g_autofree char *edited = xml ? lv_xml_describe (xml, description) : NULL;

  free (xml);
  return define_anew (domain, snapshot, edited);
}

static LvOutcome
run_describe (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = lv_task_domain (task, error);
  g_autoptr (virDomainSnapshot) snapshot = domain ? look_up (task, domain, error) : NULL;

  if (snapshot == NULL)
    return LV_FAILED;
  if (!describe (domain, snapshot, task->text)) {
    lv_fail (error, "cannot describe snapshot %s of %s", name_of (task), task->name);
    return LV_FAILED;
  }
  lv_snapshots_refresh (task->link, domain);
  return LV_DONE;
}

/* The backend's functions. */

static LvTask *
new_task (VirfsVm *vm, const char *name, VirfsJob *job, LvLane lane, LvTaskFunc run)
{
  LvTask *task = lv_task_new (vm, job, lane, run);

  if (task != NULL)
    task->wanted = virfs_part_info_new (&virfs_snapshot_class, name);
  return task;
}

void
lv_snapshot_take (VirfsVm *vm, const char *name, gboolean disks, VirfsJob *job)
{
  LvTask *task = new_task (vm, name, job, LV_LANE_LONG, run_take);

  if (task == NULL)
    return;
  task->number = disks;
  lv_task_submit (task);
}

void
lv_snapshot_delete (VirfsVm *vm, const char *name, VirfsJob *job)
{
  LvTask *task = new_task (vm, name, job, LV_LANE_LONG, run_delete);

  if (task != NULL)
    lv_task_submit (task);
}

void
lv_snapshot_revert (VirfsVm *vm, const char *name, VirfsJob *job)
{
  LvTask *task = new_task (vm, name, job, LV_LANE_LONG, run_revert);

  if (task != NULL)
    lv_task_submit (task);
}

void
lv_snapshot_describe (VirfsVm *vm, const char *name, const char *text, VirfsJob *job)
{
  LvTask *task = new_task (vm, name, job, LV_LANE_SHORT, run_describe);

  if (task == NULL)
    return;
  task->text = g_strdup (text);
  lv_task_submit (task);
}
