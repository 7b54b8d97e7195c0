/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Beginning a backup: it is recorded before, and a guest that was frozen for it is thawed whatever
 * comes.
 */
#include "agent.h"
#include "backup_work.h"
#include "connection.h"
#include "error.h"
#include "fail.h"
#include "freeze.h"
#include "nvram.h"
#include "operate.h"
#include "xml_backup.h"
#include "xml_snapshot.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
  LvTask *task;
  virDomainPtr domain;
  GPtrArray *disks; /* of LvDisk* */
  char *xml;        /* of the guest as it runs */
  char *socket;
  VirfsBackupInfo *info; /* what is told when it is open */
  gboolean thawed;       /* as far as is known */
} Beginning;

/* Where what it takes is, apart from the parent and the port. */
static LvBackupPlan
plan_of (const Beginning *self)
{
  return (LvBackupPlan){ .place = &self->task->link->uri->place,
                         .socket = self->socket,
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

  if (plan.place->listen == NULL)
    g_ptr_array_add (paths, g_strdup (self->socket));
  return paths;
}

static gboolean
keep (const Beginning *self, GError **error)
{
  g_autoptr (GPtrArray) files = self->disks ? files_of (self) : NULL;
  gboolean freezes = !(self->info->part.parts && self->thawed) && self->xml && has_agent (self);

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

/* A socket of another machine cannot be reached. */
static gboolean
check_place (LvTask *task, GError **error)
{
  const LvUri *uri = task->link->uri;

  if (uri->local || uri->place.listen != NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "%s is another machine: its uri has to say where its hypervisor may listen,"
               " backup_listen=ADDRESS; see virfs.conf(5)",
               task->link->connection->name);
  return FALSE;
}

/* Its checkpoint gets the same name. */
static gboolean
check_name (const Beginning *self, GError **error)
{
  const char *name = self->task->wanted->name;
  g_autoptr (virDomainCheckpoint) checkpoint
    = LV (virDomainCheckpointLookupByName (self->domain, name, 0));

  if (checkpoint == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS,
               "there is a checkpoint %s, of an earlier backup; take another name, or rmdir"
               " checkpoints/%s first",
               name, name);
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

static guint64
created_of (virDomainCheckpointPtr checkpoint)
{
  char *xml = LV (virDomainCheckpointGetXMLDesc (checkpoint, VIR_DOMAIN_CHECKPOINT_XML_NO_DOMAIN));
  VirfsCheckpointInfo *info = xml ? lv_xml_read_checkpoint (xml) : NULL;
  guint64 created = info ? info->created : 0;

  virfs_part_info_unref (info);
  free (xml);
  return created;
}

/* The newest checkpoint, a child after its parent where both are of the same second; not one of
 * a backup that was lost.  The caller owns it. */
static char *
newest_checkpoint (const Beginning *self)
{
  virDomainCheckpointPtr *items = NULL;
  int n = LV (
    virDomainListAllCheckpoints (self->domain, &items, VIR_DOMAIN_CHECKPOINT_LIST_TOPOLOGICAL));
  g_autoptr (GPtrArray) all = lv_take_checkpoints (items, n);
  guint64 newest = 0;
  char *name = NULL;

  for (guint i = 0; all && i < all->len; i++) {
    const char *candidate = virDomainCheckpointGetName (all->pdata[i]);
    guint64 created = created_of (all->pdata[i]);

    if (created < newest || lv_backup_is_lost (self->task->link, self->task->uuid, candidate))
      continue;
    newest = created;
    g_free (name);
    name = g_strdup (candidate);
  }
  return name;
}

/* So that two that are begun at the same time do not try the same. */
static guint
next_port (LvLink *link)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);
  const LvPlace *place = &link->uri->place;

  return place->port + link->ports_tried++ % place->n_ports;
}

/* In QEMU's words; libvirt has no code for it. */
static gboolean
is_port_taken (void)
{
  const virError *error = lv_last_error ();

  return error != NULL && error->message != NULL && strstr (error->message, "already in use");
}

/* libvirt wants a port and knows of none that is free. */
static int
begin_somewhere (Beginning *self, LvBackupPlan *plan, const char *mark, GError **error)
{
  guint tries = plan->place->listen ? plan->place->n_ports : 1;
  int result;

  do {
    g_autofree char *backup = NULL;

    plan->port = plan->place->listen ? next_port (self->task->link) : 0;
    backup = lv_xml_make_backup (plan, self->disks, error);
    if (backup == NULL)
      return -1;
    result = LV (virDomainBackupBegin (self->domain, backup, mark, 0));
  } while (result < 0 && --tries > 0 && is_port_taken ());
  if (result < 0 && plan->place->listen != NULL && is_port_taken ())
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "all ports of %s that backups may take are in use, %u to %u", plan->place->listen,
                 plan->place->port, plan->place->port + plan->place->n_ports - 1);
  else if (result < 0)
    lv_fail (error, "cannot begin a backup of %s", self->task->name);
  return result;
}

/* All disks in one instant. */
static int
begin_once (Beginning *self, const char *parent, gboolean checkpoint, GError **error)
{
  LvBackupPlan plan = plan_of (self);
  g_autofree char *mark = NULL;
  LvFreeze *freeze = NULL;
  gboolean quiet;
  int result;

  plan.parent = parent;
  mark = checkpoint ? lv_xml_make_checkpoint (plan.name, self->disks) : NULL;
  virfs_ref_string_set (&self->info->parent, parent);
  virfs_ref_string_set (&self->info->checkpoint, mark ? plan.name : NULL);
  if (has_agent (self) && lv_agent_may_freeze (self->task->link, self->domain))
    freeze = lv_freeze_begin (self->task->link, self->domain);
  result = begin_somewhere (self, &plan, mark, error);
  quiet = lv_freeze_end (freeze, &self->thawed);
  self->info->consistency
    = quiet || self->info->started ? VIRFS_BACKUP_FILESYSTEM : VIRFS_BACKUP_CRASH;
  return result;
}

/* Somebody may have removed the checkpoint since it was written to `base`: then it is a full one. */
static const char *
known_base (Beginning *self, const char *base)
{
  g_autoptr (virDomainCheckpoint) checkpoint = NULL;
  g_autofree char *reason = NULL;

  if (base == NULL || g_str_equal (base, "none"))
    return base;
  checkpoint = LV (virDomainCheckpointLookupByName (self->domain, base, 0));
  if (checkpoint != NULL || lv_last_code () != VIR_ERR_NO_DOMAIN_CHECKPOINT)
    return base;
  reason = g_strdup_printf ("the checkpoint %s, which base names, is not there any more", base);
  virfs_ref_string_set (&self->info->reason, reason);
  return "none";
}

/* With what can be had: a disk that cannot have a checkpoint, or that lacks the parent, makes it
 * a full one without. */
static int
begin (Beginning *self, const char *wanted, GError **error)
{
  const char *base = known_base (self, wanted);
  g_autofree char *newest = base == NULL ? newest_checkpoint (self) : NULL;
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

/* A backup without it is better than none. */
static gboolean
read_nvram (Beginning *self)
{
  g_autoptr (GError) error = NULL;

  if (lv_nvram_read (&self->task->here, self->xml, &self->info->nvram, &error))
    return TRUE;
  g_message ("%s: a backup without its NVRAM: %s", self->task->name, error->message);
  virfs_ref_string_set (&self->info->reason, error->message);
  return TRUE;
}

static gboolean
read_back (Beginning *self, GError **error)
{
  GPtrArray *disks = lv_backup_disks (self->task->link, self->domain, self->task->uuid);

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
    lv_backup_forsake (task->link, self->domain, task->uuid, self->info->checkpoint);
  }
  lv_backup_recover_one (task->link, task->here.conn, task->uuid, NULL);
}

static gboolean
check_disks (const Beginning *self, GError **error)
{
  for (guint i = 0; i < self->disks->len; i++)
    if (!((const LvDisk *) self->disks->pdata[i])->readonly)
      return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED, "%s has no disk that can be backed up",
               self->task->name);
  return FALSE;
}

static gboolean
open_backup (Beginning *self, GError **error)
{
  LvTask *task = self->task;
  const char *place = task->link->uri->place.directory;
  g_autofree char *definition = lv_domain_xml (self->domain, VIR_DOMAIN_XML_INACTIVE);
  g_autofree char *directory = NULL;

  self->xml = lv_domain_xml (self->domain, 0);
  self->disks = self->xml ? lv_xml_read_disks (self->xml) : NULL;
  directory = place ? g_strdup (place) : directory_of (self->domain);
  self->socket = g_strdup_printf ("%s/virfs-%s.sock", directory, task->uuid);
  if (self->disks == NULL || definition == NULL)
    return lv_fail (error, "cannot read the definition of %s", task->name);
  if (!check_disks (self, error))
    return FALSE;
  self->info->xml = virfs_blob_new (definition);
  lv_backup_drop_lost (task->link, self->domain, task->uuid);
  self->info->created = (guint64) g_get_real_time ();
  return check_name (self, error) && keep (self, error) && begin (self, task->text, error) == 0
         && read_nvram (self) && read_back (self, error) && keep (self, error);
}

static gboolean
begin_in_turn (Beginning *self, const LvFacts *facts, GError **error)
{
  LvTask *task = self->task;

  self->info->created = (guint64) g_get_real_time ();
  /* what a crash has left */
  lv_backup_recover_one (task->link, task->here.conn, task->uuid, "it was left open");
  if (!check_place (task, error) || !check_no_job (task, self->domain, error))
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
