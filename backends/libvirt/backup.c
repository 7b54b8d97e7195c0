/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups in pull mode: QEMU serves the disks as they were (NBD), on a socket of the host.
 *
 * What is begun is recorded before (keeper.h), so that whoever comes after an end of the program finds
 * it again, or ends it: a guest must neither stay frozen nor paused for a backup that nobody knows.
 */
#include "backup.h"

#include "connection.h"
#include "domain.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "uri.h"
#include "xml_backup.h"
#include "xml_snapshot.h"

#include <glib/gstdio.h>
#include <stdlib.h>

/* Seconds that the agent in a guest may take to answer. */
#define AGENT_TIMEOUT 5
/* Seconds that QEMU may take to end a backup. */
#define CLOSE_TIMEOUT 30
#define GROUP         "backup"

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

static const char *
name_of (const LvTask *task)
{
  return task->wanted->name;
}

static void recover_one (LvLink *link, virConnectPtr conn, const char *uuid);

static gboolean
has_agent (const Beginning *self)
{
  return lv_xml_has_agent (self->xml);
}

/* The record. */

/* The files that libvirt removes, unless its hypervisor crashes. */
static void
keep_paths (const Beginning *self, GKeyFile *file)
{
  LvBackupPlan plan = plan_of (self);
  g_autoptr (GPtrArray) paths = lv_backup_scratch_paths (&plan, self->disks);

  g_ptr_array_add (paths, g_strdup (self->socket));
  g_key_file_set_string_list (file, GROUP, "files", (const char *const *) paths->pdata, paths->len);
}

static gboolean
keep_record (Beginning *self, GError **error)
{
  LvTask *task = self->task;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *text = NULL;
  VirfsHost *host;
  gboolean kept = FALSE;

  g_key_file_set_string (file, GROUP, "name", name_of (task));
  g_key_file_set_string (file, GROUP, "host", task->link->connection->name);
  virfs_part_info_save (self->info, file, GROUP);
  /* until it is open */
  g_key_file_set_boolean (file, GROUP, "freezes",
                          self->info->part.parts == NULL && self->xml && has_agent (self));
  if (self->disks != NULL)
    keep_paths (self, file);
  text = g_key_file_to_data (file, NULL, NULL);
  host = lv_gate_enter (task->link->connection);
  if (host != NULL) {
    kept = virfs_infra_keep (host->object.infra, VIRFS_RECORD_BACKUP, task->uuid, text, error);
    lv_gate_leave (task->link->connection);
  } else {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "the host is gone");
  }
  return kept;
}

/* On the host; here, where that is the same place. */
static void
remove_file (LvLink *link, virConnectPtr conn, const char *path)
{
  g_autoptr (LvUri) uri = lv_uri_parse (link->connection->uri, NULL);
  g_autoptr (virStorageVol) volume = NULL;

  if (link->backup_dir != NULL || (uri != NULL && uri->local)) {
    g_unlink (path);
    return;
  }
  volume = LV (virStorageVolLookupByPath (conn, path));
  if (volume != NULL)
    LV (virStorageVolDelete (volume, 0));
}

static void
remove_files (LvLink *link, virConnectPtr conn, GKeyFile *record)
{
  g_auto (GStrv) paths = g_key_file_get_string_list (record, GROUP, "files", NULL, NULL);

  for (char **path = paths; path && *path; path++)
    remove_file (link, conn, *path);
}

static void
forget_record (LvLink *link, const char *uuid)
{
  VirfsHost *host = lv_gate_enter (link->connection);
  g_autoptr (GError) error = NULL;

  if (host == NULL)
    return;
  if (!virfs_infra_forget (host->object.infra, VIRFS_RECORD_BACKUP, uuid, &error))
    g_warning ("the record of a backup of %s stays: %s", uuid, error->message);
  lv_gate_leave (link->connection);
}

/* What the tree shows. */

static void
take_backup (VirfsVmInfo *info, gpointer backup)
{
  GPtrArray *list = virfs_part_list_new ();

  if (backup != NULL)
    g_ptr_array_add (list, virfs_part_info_ref (backup));
  virfs_part_lists_set (info->parts, VIRFS_VM_BACKUPS, list);
}

/* NULL: none is open. */
static void
show (LvLink *link, const char *uuid, VirfsBackupInfo *backup)
{
  guint64 ticket = lv_gate_begin_reading (link);

  lv_gate_edit_vm (link, ticket, uuid, take_backup, backup);
  lv_gate_end_reading (link);
}

static void
tell_event (LvTask *task, const char *kind, const VirfsBackupInfo *info)
{
  g_autoptr (GString) details = g_string_new (NULL);

  virfs_event_append (details, "name", name_of (task));
  if (info != NULL) {
    virfs_event_append (details, "consistency", info->consistency);
    virfs_event_append (details, "parent", info->parent);
  }
  lv_gate_tell_event (task->link, task->uuid, kind, details->str);
}

/* Where. */

/* The directory of its own that QEMU's profile lets it make a socket in; libvirt's
 * virDomainDefGetShortName() gives its name. */
static char *
directory_of (virDomainPtr domain)
{
  const char *name = virDomainGetName (domain);
  g_autofree char *shortened = g_strndup (name, 20);

  return g_strdup_printf ("/var/lib/libvirt/qemu/domain-%u-%s", virDomainGetID (domain), shortened);
}

/* What is not ours. */

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

/* A guest that was started for a backup; one that somebody has resumed meanwhile is his. */
static void
stop_again (virDomainPtr domain)
{
  LvFacts facts;

  if (lv_domain_ask_facts (domain, &facts) && facts.state == VIRFS_VM_PAUSED)
    LV (virDomainDestroy (domain));
}

/* Beginning. */

static gboolean
start_paused (Beginning *self, const LvFacts *facts, GError **error)
{
  if (virfs_vm_state_active (facts->state))
    return TRUE;
  self->info->started = TRUE;
  if (!keep_record (self, error))
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
    g_clear_error (&reason);
    if (begin_once (self, NULL, TRUE, &reason) == 0)
      return 0;
  }
  if (base != NULL && !g_str_equal (base, "none")) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return -1;
  }
  g_message ("%s: a backup without a checkpoint: %s", self->task->name, reason->message);
  return begin_once (self, NULL, FALSE, error);
}

/* What libvirt has made of it, if it is ours: a list of the disks.  NULL: it is not open. */
static GPtrArray *
read_disks (virDomainPtr domain, const char *uuid)
{
  char *xml = LV (virDomainBackupGetXMLDesc (domain, 0));
  g_autofree char *socket = NULL;
  g_autofree char *ours = g_strdup_printf ("virfs-%s.sock", uuid);
  g_autoptr (GPtrArray) disks = xml ? lv_xml_read_backup (xml, &socket) : NULL;

  free (xml);
  if (disks == NULL || !g_str_has_suffix (socket, ours))
    return NULL;
  for (guint i = 0; i < disks->len; i++) {
    VirfsBackupDiskInfo *disk = disks->pdata[i];
    virDomainBlockInfo facts;

    if (LV (virDomainGetBlockInfo (domain, disk->part.name, &facts, 0)) == 0)
      disk->size = facts.capacity;
  }
  return g_steal_pointer (&disks);
}

/* libvirt has QEMU told when it returns; its event of the end is not about this job more than another. */
static void
wait_until_closed (LvTask *task, virDomainPtr domain)
{
  gint64 end = g_get_monotonic_time () + CLOSE_TIMEOUT * G_TIME_SPAN_SECOND;
  g_autoptr (GPtrArray) disks = NULL;

  while ((disks = read_disks (domain, task->uuid)) != NULL && g_get_monotonic_time () < end) {
    g_clear_pointer (&disks, g_ptr_array_unref);
    lv_task_sleep (task, G_TIME_SPAN_MILLISECOND * 20);
  }
}

static gboolean
read_back (Beginning *self, GError **error)
{
  self->info->part.parts = read_disks (self->domain, self->task->uuid);
  return self->info->part.parts != NULL
         || lv_fail (error, "cannot tell where the backup of %s is served", self->task->name);
}

static void
undo (Beginning *self)
{
  g_autoptr (GPtrArray) ours = read_disks (self->domain, self->task->uuid);

  if (ours != NULL) {
    LV (virDomainAbortJob (self->domain));
    wait_until_closed (self->task, self->domain);
  }
  recover_one (self->task->link, self->task->here.conn, self->task->uuid);
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
  return keep_record (self, error) && begin (self, task->text, error) == 0
         && read_back (self, error) && keep_record (self, error);
}

static gboolean
begin_in_turn (Beginning *self, const LvFacts *facts, GError **error)
{
  LvTask *task = self->task;

  /* what a crash has left */
  recover_one (task->link, task->here.conn, task->uuid);
  if (!check_no_job (task, self->domain, error))
    return FALSE;
  if (!start_paused (self, facts, error) || !open_backup (self, error)) {
    undo (self);
    return FALSE;
  }
  show (task->link, task->uuid, self->info);
  tell_event (task, "backup-begun", self->info);
  return TRUE;
}

static LvOutcome
run_begin (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  Beginning self = { .task = task, .domain = domain };
  g_autoptr (VirfsPartInfo) info = virfs_part_info_new (&virfs_backup_class, name_of (task));
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

/* Ending. */

static gboolean
drop_checkpoint (LvTask *task, virDomainPtr domain, const VirfsBackupInfo *info, GError **error)
{
  g_autoptr (virDomainCheckpoint) checkpoint
    = info->checkpoint ? LV (virDomainCheckpointLookupByName (domain, info->checkpoint, 0)) : NULL;

  if (checkpoint == NULL || LV (virDomainCheckpointDelete (checkpoint, 0)) == 0)
    return TRUE;
  return lv_fail (error, "the backup is closed, but its checkpoint %s cannot be removed",
                  info->checkpoint);
}

static gboolean
end (LvTask *task, virDomainPtr domain, const VirfsBackupInfo *info, GError **error)
{
  g_autoptr (GPtrArray) ours = read_disks (domain, task->uuid);

  if (ours != NULL && LV (virDomainAbortJob (domain)) < 0
      && lv_last_code () != VIR_ERR_OPERATION_INVALID)
    return lv_fail (error, "cannot close the backup %s of %s", name_of (task), task->name);
  wait_until_closed (task, domain);
  return task->number == 0 || drop_checkpoint (task, domain, info, error);
}

static LvOutcome
run_end (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  g_autoptr (VirfsVmInfo) known = virfs_vm_info (task->vm);
  const VirfsBackupInfo *info
    = virfs_part_list_find (known->parts[VIRFS_VM_BACKUPS], name_of (task));
  gboolean ok = TRUE;

  if (domain == NULL)
    return LV_FAILED;
  lv_operate_take_turn (task->uuid);
  if (info != NULL && virfs_vm_state_active (facts.state))
    ok = end (task, domain, info, error);
  if (ok)
    recover_one (task->link, task->here.conn, task->uuid);
  lv_operate_end_turn (task->uuid);
  if (ok) {
    show (task->link, task->uuid, NULL);
    if (task->number)
      tell_event (task, "backup-discarded", NULL);
    else
      tell_event (task, "backup-closed", NULL);
  }
  lv_task_refresh (task);
  return ok ? LV_DONE : LV_FAILED;
}

/* After an end of the program, or of the connection. */

typedef struct {
  GPtrArray *uuids, *texts; /* of char* */
} Records;

static void
add_record (const char *uuid, const char *text, gpointer data)
{
  Records *records = data;

  g_ptr_array_add (records->uuids, g_strdup (uuid));
  g_ptr_array_add (records->texts, g_strdup (text));
}

/* It was begun, but not to the end: nobody was told of it. */
static void
clean_up (LvLink *link, virDomainPtr domain, const char *uuid, GKeyFile *record,
          const VirfsBackupInfo *info)
{
  if (info->started)
    stop_again (domain);
  remove_files (link, virDomainGetConnect (domain), record);
  show (link, uuid, NULL);
  forget_record (link, uuid);
}

static void
recover (LvLink *link, virConnectPtr conn, const char *uuid, const char *text)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *name = NULL, *host = NULL;
  g_autoptr (virDomain) domain = NULL;
  g_autoptr (VirfsPartInfo) info = NULL;

  if (!g_key_file_load_from_data (file, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
    return;
  name = g_key_file_get_string (file, GROUP, "name", NULL);
  host = g_key_file_get_string (file, GROUP, "host", NULL);
  if (name == NULL || g_strcmp0 (host, link->connection->name) != 0)
    return;
  domain = LV (virDomainLookupByUUIDString (conn, uuid));
  if (domain == NULL)
    return;
  info = virfs_part_info_new (&virfs_backup_class, name);
  virfs_part_info_load (info, file, GROUP);
  /* it was killed in that moment */
  if (g_key_file_get_boolean (file, GROUP, "freezes", NULL))
    LV (virDomainFSThaw (domain, NULL, 0, 0));
  info->parts = read_disks (domain, uuid);
  if (info->parts != NULL)
    show (link, uuid, (VirfsBackupInfo *) info);
  else
    clean_up (link, domain, uuid, file, (VirfsBackupInfo *) info);
}

static void
read_records (LvLink *link, Records *records)
{
  VirfsHost *host = lv_gate_enter (link->connection);

  *records
    = (Records){ g_ptr_array_new_with_free_func (g_free), g_ptr_array_new_with_free_func (g_free) };
  if (host == NULL)
    return;
  virfs_infra_recall (host->object.infra, VIRFS_RECORD_BACKUP, add_record, records);
  lv_gate_leave (link->connection);
}

static void
clear_records (Records *records)
{
  g_ptr_array_unref (records->uuids);
  g_ptr_array_unref (records->texts);
}

/* In the guest's turn. */
static void
recover_one (LvLink *link, virConnectPtr conn, const char *uuid)
{
  Records records;

  read_records (link, &records);
  for (guint i = 0; i < records.uuids->len; i++)
    if (g_str_equal (uuid, records.uuids->pdata[i]))
      recover (link, conn, uuid, records.texts->pdata[i]);
  clear_records (&records);
}

/* What is being begun or closed is not for us to judge: hence the turns. */
void
lv_backup_recover (LvLink *link, virConnectPtr conn)
{
  Records records;

  g_atomic_int_set (&link->lost_backups, FALSE);
  read_records (link, &records);
  for (guint i = 0; i < records.uuids->len; i++) {
    lv_operate_take_turn (records.uuids->pdata[i]);
    recover_one (link, conn, records.uuids->pdata[i]);
    lv_operate_end_turn (records.uuids->pdata[i]);
  }
  clear_records (&records);
}

/* The backend's functions. */

void
lv_backup_begin (VirfsVm *vm, const VirfsBackupWish *wish, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_LONG, run_begin);

  if (task == NULL)
    return;
  task->wanted = virfs_part_info_new (&virfs_backup_class, wish->name);
  task->text = g_strdup (wish->base);
  lv_task_submit (task);
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
