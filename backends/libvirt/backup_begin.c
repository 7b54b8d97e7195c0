/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Beginning a backup: it is recorded before, and a guest that was frozen for it is thawed whatever
 * comes.
 */
#include "backup_work.h"
#include "connection.h"
#include "error.h"
#include "fail.h"
#include "operate.h"
#include "xml_backup.h"
#include "xml_snapshot.h"

#include <stdlib.h>

/* Seconds that the agent in a guest may take to answer. */
#define AGENT_TIMEOUT 5

typedef struct {
  LvTask *task;
  virDomainPtr domain;
  GPtrArray *disks; /* of LvDisk* */
  char *xml;        /* of the guest as it runs */
  char *socket;
  VirfsBackupInfo *info; /* what is told when it is open */
} Beginning;

/* Where what it takes is, apart from the parent. */
static LvBackupPlan
plan_of (const Beginning *self)
{
  return (LvBackupPlan){ .socket = self->socket,
                         .scratch = self->task->link->backup_dir,
                         .name = self->task->wanted->name,
                         .uuid = self->task->uuid };
}

static gboolean
has_agent (const Beginning *self)
{
  return lv_xml_has_agent (self->xml);
}

/* The files that libvirt removes, unless its hypervisor crashes. */
static GPtrArray *
files_of (const Beginning *self)
{
  LvBackupPlan plan = plan_of (self);
  GPtrArray *paths = lv_backup_scratch_paths (&plan, self->disks);

  g_ptr_array_add (paths, g_strdup (self->socket));
  return paths;
}

static gboolean
keep (const Beginning *self, GError **error)
{
  g_autoptr (GPtrArray) files = self->disks ? files_of (self) : NULL;
  /* until it is open */
  gboolean freezes = self->info->part.parts == NULL && self->xml && has_agent (self);

  return lv_backup_keep (self->task, self->info, freezes, files, error);
}

/* The directory of its own that QEMU's profile lets it make a socket in; libvirt's
 * virDomainDefGetShortName() gives its name. */
static char *
directory_of (virDomainPtr domain)
{
  const char *name = virDomainGetName (domain);
  g_autofree char *shortened = g_strndup (name, 20);

  return g_strdup_printf ("/var/lib/libvirt/qemu/domain-%u-%s", virDomainGetID (domain), shortened);
}

/* Another job of the guest's would let us wait, and must not be ended by us. */
static gboolean
check_no_job (LvTask *task, virDomainPtr domain, GError **error)
{
  virDomainJobInfo job;

  if (LV (virDomainGetJobInfo (domain, &job)) < 0 || job.type == VIR_DOMAIN_JOB_NONE)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "a job of the hypervisor runs for %s already, which was not begun here: wait for its"
               " end, or end it with virsh domjobabort",
               task->name);
  return FALSE;
}

static gboolean
start_paused (Beginning *self, const LvFacts *facts, GError **error)
{
  if (virfs_vm_state_active (facts->state))
    return TRUE;
  self->info->started = TRUE;
  if (!keep (self, error))
    return FALSE;
  if (LV (virDomainCreateWithFlags (self->domain, VIR_DOMAIN_START_PAUSED)) == 0)
    return TRUE;
  self->info->started = FALSE;
  return lv_fail (error, "cannot start %s, paused, for its backup", self->task->name);
}

/* The newest checkpoint: nothing goes on from it. */
static char *
newest_checkpoint (virDomainPtr domain)
{
  virDomainCheckpointPtr *all = NULL;
  int n = LV (virDomainListAllCheckpoints (domain, &all, VIR_DOMAIN_CHECKPOINT_LIST_LEAVES));
  char *name = n > 0 ? g_strdup (virDomainCheckpointGetName (all[0])) : NULL;

  for (int i = 0; i < n; i++)
    LV (virDomainCheckpointFree (all[i]));
  free (all);
  return name;
}

/* All disks in one instant; a guest that was frozen for it is thawed whatever comes. */
static int
begin_once (Beginning *self, const char *parent, gboolean checkpoint, GError **error)
{
  LvBackupPlan plan = plan_of (self);
  g_autofree char *backup = NULL, *mark = NULL;
  gboolean frozen;
  int result;

  plan.parent = parent;
  backup = lv_xml_make_backup (&plan, self->disks, error);
  if (backup == NULL)
    return -1;
  mark = checkpoint ? lv_xml_make_checkpoint (plan.name, self->disks) : NULL;
  virfs_ref_string_set (&self->info->parent, parent);
  virfs_ref_string_set (&self->info->checkpoint, mark ? plan.name : NULL);
  if (has_agent (self))
    LV (virDomainAgentSetResponseTimeout (self->domain, AGENT_TIMEOUT, 0));
  frozen = has_agent (self) && LV (virDomainFSFreeze (self->domain, NULL, 0, 0)) >= 0;
  result = LV (virDomainBackupBegin (self->domain, backup, mark, 0));
  lv_keep_error ();
  if (frozen)
    virDomainFSThaw (self->domain, NULL, 0, 0);
  if (result < 0)
    lv_fail (error, "cannot begin a backup of %s", self->task->name);
  self->info->consistency
    = frozen || self->info->started ? VIRFS_BACKUP_FILESYSTEM : VIRFS_BACKUP_CRASH;
  return result;
}

/* With what can be had: a disk that cannot have a checkpoint, or that lacks the parent, makes it a full one
 * without. */
static int
begin (Beginning *self, const char *base, GError **error)
{
  g_autofree char *newest = base == NULL ? newest_checkpoint (self->domain) : NULL;
  const char *parent = base == NULL ? newest : g_str_equal (base, "none") ? NULL : base;
  g_autoptr (GError) reason = NULL;

  if (begin_once (self, parent, TRUE, &reason) == 0)
    return 0;
  if (g_error_matches (reason, VIRFS_ERROR, VIRFS_ERROR_BUSY)) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return -1;
  }
  if (base == NULL && parent != NULL) {
    g_message ("%s: a full backup, because an incremental one cannot be: %s", self->task->name,
               reason->message);
    virfs_ref_string_set (&self->info->reason, reason->message);
    g_clear_error (&reason);
    if (begin_once (self, NULL, TRUE, &reason) == 0)
      return 0;
  }
  if (base != NULL && !g_str_equal (base, "none")) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return -1;
  }
  g_message ("%s: a backup without a checkpoint: %s", self->task->name, reason->message);
  virfs_ref_string_set (&self->info->reason, reason->message);
  return begin_once (self, NULL, FALSE, error);
}

static gboolean
read_back (Beginning *self, GError **error)
{
  GPtrArray *disks = lv_backup_disks (self->domain, self->task->uuid);

  self->info->part.parts = disks;
  if (disks == NULL)
    return lv_fail (error, "cannot tell where the backup of %s is served", self->task->name);
  return lv_backup_open_disks (self->task->link, self->task->uuid, self->info, disks, error);
}

static void
undo (Beginning *self)
{
  LvTask *task = self->task;

  if (lv_backup_state (self->domain, task->uuid) == LV_BACKUP_OPEN) {
    LV (virDomainAbortJob (self->domain));
    lv_backup_wait_until_closed (task->link, self->domain, task->uuid);
  }
  lv_backup_recover_one (task->link, task->here.conn, task->uuid, NULL);
}

static gboolean
open_backup (Beginning *self, GError **error)
{
  LvTask *task = self->task;

  g_autofree char *definition = lv_domain_xml (self->domain, VIR_DOMAIN_XML_INACTIVE);
  g_autofree char *directory = NULL;

  self->xml = lv_domain_xml (self->domain, 0);
  self->disks = self->xml ? lv_xml_read_disks (self->xml) : NULL;
  directory
    = task->link->backup_dir ? g_strdup (task->link->backup_dir) : directory_of (self->domain);
  self->socket = g_strdup_printf ("%s/virfs-%s.sock", directory, task->uuid);
  if (self->disks == NULL || definition == NULL)
    return lv_fail (error, "cannot read the definition of %s", task->name);
  self->info->created = (guint64) g_get_real_time ();
  self->info->xml = virfs_blob_new (definition);
  lv_backup_drop_lost (task->link, self->domain, task->uuid);
  return keep (self, error) && begin (self, task->text, error) == 0 && read_back (self, error)
         && keep (self, error);
}

static gboolean
begin_in_turn (Beginning *self, const LvFacts *facts, GError **error)
{
  LvTask *task = self->task;

  /* what a crash has left */
  lv_backup_recover_one (task->link, task->here.conn, task->uuid, "it was left open");
  if (!check_no_job (task, self->domain, error))
    return FALSE;
  if (!start_paused (self, facts, error) || !open_backup (self, error)) {
    undo (self);
    return FALSE;
  }
  lv_backup_show (task->link, task->uuid, self->info);
  lv_backup_tell_event (task, "backup-begun", self->info);
  lv_backup_look (task->link, task->uuid, TRUE);
  return TRUE;
}

static LvOutcome
run_begin (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  Beginning self = { .task = task, .domain = domain };
  g_autoptr (VirfsPartInfo) info = virfs_part_info_copy (task->wanted);
  gboolean ok;

  if (domain == NULL || !lv_operate_check (task, LV_CALL_BACKUPS, "begin a backup of", error))
    return LV_FAILED;
  self.info = (VirfsBackupInfo *) info;
  lv_operate_take_turn (task->uuid);
  ok = begin_in_turn (&self, &facts, error);
  lv_operate_end_turn (task->uuid);
  lv_task_refresh (task);
  g_clear_pointer (&self.disks, g_ptr_array_unref);
  g_free (self.xml);
  g_free (self.socket);
  return ok ? LV_DONE : LV_FAILED;
}

void
lv_backup_begin (VirfsVm *vm, const VirfsBackupWish *wish, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_LONG, run_begin);
  VirfsBackupInfo *wanted;

  if (task == NULL)
    return;
  wanted = virfs_part_info_new (&virfs_backup_class, wish->name);
  virfs_ref_string_set (&wanted->backing, wish->backing ? wish->backing : VIRFS_BACKUP_BACKING);
  task->wanted = &wanted->part;
  task->text = g_strdup (wish->base);
  lv_task_submit (task);
}
