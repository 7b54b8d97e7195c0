/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A backend without hypervisors: operations change the model, in threads of their own. */
#include "fake.h"

#include "device.h"
#include "fake_image.h"
#include "snapshot.h"

#include "error.h"

#include <stdlib.h>
#include <string.h>

guint virfs_fake_delay;
gint virfs_fake_stubborn;

typedef struct {
  VirfsVm *vm;
  VirfsJob *job;
  VirfsHost *host;    /* that it runs on; borrowed: that waits for it when it is closed */
  VirfsVmState state; /* N_STATES: keep */
  VirfsVmSetting setting;
  char *text;
  gboolean sets;
  VirfsHost *target;
  gboolean cancelled; /* under lock */
} Operation;

/* Who cancels a job may come when its operation has just ended, so he looks here for it. */
static GMutex lock;
static GCond changed;
static GList *running; /* under lock; of Operation* */

static GPtrArray *
one_part (gpointer info)
{
  GPtrArray *list = virfs_part_list_new ();

  g_ptr_array_add (list, info);
  return list;
}

static void
add_parts (VirfsVmInfo *info)
{
  VirfsDiskInfo *disk = virfs_part_info_new (&virfs_disk_class, "vda");
  VirfsNicInfo *nic = virfs_part_info_new (&virfs_nic_class, "net0");
  VirfsSnapshotInfo *snapshot = virfs_part_info_new (&virfs_snapshot_class, "first");
  VirfsCheckpointInfo *checkpoint = virfs_part_info_new (&virfs_checkpoint_class, "sat");

  disk->device = "disk";
  disk->source = g_ref_string_new ("/images/a\033disk");
  nic->mac = g_ref_string_new ("52:54:00:00:00:01");
  snapshot->state = "running";
  snapshot->kind = VIRFS_SNAPSHOT_FULL;
  snapshot->description = g_ref_string_new ("before\nthe upgrade");
  snapshot->current = TRUE;
  checkpoint->created = G_GUINT64_CONSTANT (1700000000) * G_USEC_PER_SEC;
  info->parts[VIRFS_VM_DISKS] = one_part (disk);
  info->parts[VIRFS_VM_NICS] = one_part (nic);
  info->parts[VIRFS_VM_SNAPSHOTS] = one_part (snapshot);
  info->parts[VIRFS_VM_CHECKPOINTS] = one_part (checkpoint);
}

VirfsVmInfo *
virfs_fake_vm (const char *name, guint number, VirfsVmState state)
{
  g_autofree char *uuid = g_strdup_printf ("%08x-0000-4000-8000-%012x", g_str_hash (name), number);
  g_autofree char *xml
    = g_strdup_printf ("<domain><name>guest %u</name><uuid>%s</uuid></domain>\n", number, uuid);
  VirfsVmInfo *info = virfs_vm_info_new (uuid, name);

  info->state = state;
  info->id = virfs_vm_state_active (state) ? (int) number : -1;
  info->reason = virfs_vm_state_active (state) ? "booted" : "shutdown";
  info->persistent = TRUE;
  info->image = g_ref_string_new ("debian.qcow2");
  info->vcpus = info->vcpus_max = 2;
  info->memory = info->memory_max = 512u << 20;
  add_parts (info);
  info->xml = virfs_blob_new (xml);
  info->xml_inactive = virfs_blob_ref (info->xml);
  return info;
}

static gboolean
check_uri (const char *uri, GError **error)
{
  if (g_str_has_prefix (uri, "fake:"))
    return TRUE;
  /* it may hold a password: not repeated */
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "a URI of the fake is wanted, as in fake:2");
  return FALSE;
}

static void
host_open (VirfsHost *host)
{
  VirfsInfra *infra = host->object.infra;
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *info = virfs_host_info_copy (known);
  GPtrArray *vms = g_ptr_array_new ();
  guint count = (guint) strtoul (info->uri + strlen ("fake:"), NULL, 10);

  for (guint i = 1; i <= count; i++) {
    g_autofree char *name = g_strdup_printf ("%s-%u", host->name, i);

    VirfsVmInfo *vm = virfs_fake_vm (name, i, i % 2 ? VIRFS_VM_RUNNING : VIRFS_VM_SHUTOFF);

    if (i % 2)
      virfs_fake_connect_agent (vm);
    g_ptr_array_add (vms, vm);
  }
  host->connection = host;
  virfs_infra_sync_vms (infra, host, vms);
  info->state = VIRFS_HOST_UP;
  info->cpus = 4;
  info->memory = info->memory_free = G_GUINT64_CONSTANT (8) << 30;
  virfs_ref_string_set (&info->arch, "x86_64");
  virfs_part_lists_set (info->parts, VIRFS_HOST_POOLS, virfs_fake_pools (host->name));
  virfs_part_lists_set (info->parts, VIRFS_HOST_FILTERS, virfs_fake_filters ());
  virfs_part_lists_set (info->parts, VIRFS_HOST_INTERFACES,
                        virfs_fake_interfaces ("eth0 up\neth1 up"));
  virfs_part_lists_set (info->parts, VIRFS_HOST_DEVICES, virfs_fake_devices ());
  virfs_part_lists_set (info->parts, VIRFS_HOST_NETWORKS, virfs_fake_networks (host->name));
  virfs_infra_update_host (infra, host, info, NULL);
}

/* Ends the operations on HOST; whether there were any. */
static gboolean
end_operations (VirfsHost *host)
{
  gboolean busy = FALSE;

  for (GList *l = running; l; l = l->next) {
    Operation *operation = l->data;

    if (operation->host == host || operation->target == host)
      busy = operation->cancelled = TRUE;
  }
  g_cond_broadcast (&changed);
  return busy;
}

static void
host_close (VirfsHost *host)
{
  host->connection = NULL;
  g_mutex_lock (&lock);
  while (end_operations (host))
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
}

void
virfs_fake_cut (VirfsHost *host)
{
  g_mutex_lock (&lock);
  end_operations (host);
  g_mutex_unlock (&lock);
}

static VirfsVmNeeds *
vm_needs (const VirfsVmInfo *info, GError **error)
{
  return virfs_vm_needs_new ();
}

static void
cancel (VirfsJob *job, gpointer data)
{
  g_mutex_lock (&lock);
  for (GList *l = running; l; l = l->next)
    if (((Operation *) l->data)->job == job)
      ((Operation *) l->data)->cancelled = TRUE;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

static gboolean
wait_out (Operation *operation)
{
  gint64 end = g_get_monotonic_time () + (guint) g_atomic_int_get (&virfs_fake_delay);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  while (!operation->cancelled && g_cond_wait_until (&changed, &lock, end))
    ;
  return !operation->cancelled;
}

static void
set_text (VirfsVmInfo *info, VirfsVmField field, const char *text)
{
  switch (field) {
  case VIRFS_VM_TITLE:
    virfs_ref_string_set (&info->title, text);
    break;
  case VIRFS_VM_DESCRIPTION:
    virfs_ref_string_set (&info->description, text);
    break;
  case VIRFS_VM_VCPU_PINS:
    virfs_ref_string_set (&info->vcpu_pins, text);
    break;
  case VIRFS_VM_EMULATOR_CPUSET:
    virfs_ref_string_set (&info->emulator_cpuset, text);
    break;
  case VIRFS_VM_NUMA_MODE:
    info->numa_mode = g_intern_string (text);
    break;
  case VIRFS_VM_NUMA_NODESET:
    virfs_ref_string_set (&info->numa_nodeset, text);
    break;
  case VIRFS_VM_BOOT:
    virfs_ref_string_set (&info->boot, text);
    break;
  case VIRFS_VM_FIRMWARE:
    info->firmware = g_intern_string (text);
    break;
  default:
    virfs_ref_string_set (&info->machine, text);
    break;
  }
}

static void
apply (VirfsVmInfo *info, gpointer data)
{
  Operation *operation = data;
  guint64 number = operation->setting.number;

  if (operation->state != VIRFS_VM_N_STATES) {
    info->state = operation->state;
    info->id = virfs_vm_state_active (info->state) ? 7 : -1;
  }
  if (!operation->sets)
    return;
  switch (operation->setting.field) {
  case VIRFS_VM_AUTOSTART:
    info->autostart = (gboolean) number;
    break;
  case VIRFS_VM_VCPUS:
    info->vcpus = (guint) number;
    break;
  case VIRFS_VM_VCPUS_MAX:
    info->vcpus_max = (guint) number;
    break;
  case VIRFS_VM_MEMORY:
    info->memory = number;
    break;
  case VIRFS_VM_MEMORY_MAX:
    info->memory_max = number;
    break;
  case VIRFS_VM_CPU_SHARES:
    info->cpu_shares = number;
    break;
  case VIRFS_VM_CPU_QUOTA:
    info->cpu_quota = (gint64) number;
    break;
  case VIRFS_VM_CPU_PERIOD:
    info->cpu_period = number;
    break;
  case VIRFS_VM_XML:
    virfs_blob_unref (info->xml);
    info->xml = virfs_blob_new (operation->text);
    break;
  default:
    set_text (info, operation->setting.field, operation->text);
    break;
  }
}

static void
move (Operation *operation)
{
  VirfsInfra *infra = operation->vm->object.infra;
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (operation->vm);

  virfs_infra_update_vm (infra, operation->target, virfs_vm_info_copy (info));
  virfs_infra_remove_vm (infra, info->host, info->uuid);
}

static void
carry_out (Operation *operation)
{
  VirfsInfra *infra = operation->vm->object.infra;
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (operation->vm);
  GError *error = NULL;

  if (operation->target != NULL)
    virfs_infra_begin_move (infra, operation->vm);
  if (!wait_out (operation))
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "cancelled");
  else if (operation->target != NULL)
    move (operation);
  else
    virfs_infra_edit_vm (infra, info->host, info->uuid, apply, operation);
  if (operation->target != NULL)
    virfs_infra_end_move (infra, operation->vm);
  virfs_job_finish (operation->job, error);
}

/* What it refers to goes before it leaves the list: its host waits for that. */
static void
end (Operation *operation)
{
  VirfsJob *job = operation->job;

  g_mutex_lock (&lock);
  operation->job = NULL;
  g_mutex_unlock (&lock);
  virfs_object_unref (operation->vm);
  virfs_object_unref (operation->target);
  virfs_object_unref (job);
  g_mutex_lock (&lock);
  running = g_list_remove (running, operation);
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  g_free (operation->text);
  g_free (operation);
}

static gpointer
work (gpointer data)
{
  Operation *operation = data;

  if (virfs_job_start (operation->job, g_atomic_int_get (&virfs_fake_stubborn) ? NULL : cancel,
                       NULL))
    carry_out (operation);
  end (operation);
  return NULL;
}

static Operation *
new_operation (VirfsVm *vm, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  Operation *operation = g_new0 (Operation, 1);

  operation->vm = virfs_object_ref (vm);
  operation->job = virfs_object_ref (job);
  operation->host = info->host;
  operation->state = VIRFS_VM_N_STATES;
  return operation;
}

/* Why nothing can be done on HOST; NULL: it answers. */
static GError *
refuse_host (VirfsHost *host)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

  if (info->state == VIRFS_HOST_UP)
    return NULL;
  return g_error_new (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is %s", host->name,
                      virfs_host_state_name (info->state));
}

gboolean
virfs_fake_begin (VirfsHost *host, VirfsJob *job)
{
  GError *error = refuse_host (host);

  if (error == NULL)
    return virfs_job_start (job, NULL, NULL);
  virfs_job_finish (job, error);
  return FALSE;
}

/* In a thread of its own, or not at all where the host does not answer. */
static void
begin (Operation *operation)
{
  GError *error = refuse_host (operation->host);

  g_mutex_lock (&lock);
  running = g_list_prepend (running, operation);
  g_mutex_unlock (&lock);
  if (error == NULL) {
    g_thread_unref (g_thread_new ("fake", work, operation));
  } else {
    virfs_job_finish (operation->job, error);
    end (operation);
  }
}

static void
vm_bring (VirfsVm *vm, VirfsVmState state, VirfsJob *job)
{
  Operation *operation = new_operation (vm, job);

  operation->state = state;
  begin (operation);
}

static void
vm_verb (VirfsVm *vm, VirfsVmVerb verb, VirfsJob *job)
{
  static const VirfsVmState states[VIRFS_VM_N_VERBS] = {
    [VIRFS_VERB_START] = VIRFS_VM_RUNNING,   [VIRFS_VERB_SHUTDOWN] = VIRFS_VM_SHUTOFF,
    [VIRFS_VERB_DESTROY] = VIRFS_VM_SHUTOFF, [VIRFS_VERB_REBOOT] = VIRFS_VM_RUNNING,
    [VIRFS_VERB_RESET] = VIRFS_VM_RUNNING,   [VIRFS_VERB_SUSPEND] = VIRFS_VM_PAUSED,
    [VIRFS_VERB_RESUME] = VIRFS_VM_RUNNING,  [VIRFS_VERB_SAVE] = VIRFS_VM_SHUTOFF,
    [VIRFS_VERB_RESTORE] = VIRFS_VM_RUNNING, [VIRFS_VERB_DISCARD] = VIRFS_VM_SHUTOFF,
    [VIRFS_VERB_NMI] = VIRFS_VM_RUNNING,     [VIRFS_VERB_PMSUSPEND] = VIRFS_VM_PMSUSPENDED,
    [VIRFS_VERB_WAKEUP] = VIRFS_VM_RUNNING,
  };

  vm_bring (vm, states[verb], job);
}

static void
vm_set (VirfsVm *vm, const VirfsVmSetting *setting, VirfsJob *job)
{
  Operation *operation = new_operation (vm, job);

  operation->sets = TRUE;
  operation->setting = *setting;
  operation->text = g_strdup (setting->text);
  begin (operation);
}

static void
vm_define (VirfsVm *vm, const char *xml, VirfsJob *job)
{
  const VirfsVmSetting setting = { .field = VIRFS_VM_XML, .text = xml };

  if (g_str_has_prefix (xml, "<domain"))
    vm_set (vm, &setting, job);
  else
    virfs_job_finish (job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_INVALID, "this is no domain"));
}

static void
vm_migrate (VirfsVm *vm, VirfsHost *target, VirfsJob *job)
{
  Operation *operation = new_operation (vm, job);

  operation->target = virfs_object_ref (target);
  begin (operation);
}

const VirfsBackend virfs_fake_backend = {
  .name = "fake",
  .check_uri = check_uri,
  .host_open = host_open,
  .host_close = host_close,
  .host_sample = virfs_fake_sample,
  .host_uses = virfs_fake_host_uses,
  .vm_needs = vm_needs,
  .vm_bring = vm_bring,
  .vm_verb = vm_verb,
  .vm_set = vm_set,
  .vm_note = virfs_fake_note,
  .vm_isolate = virfs_fake_isolate,
  .vm_define = vm_define,
  .vm_seed = virfs_fake_seed,
  .vm_create = virfs_fake_create,
  .draft_clean = virfs_fake_draft_clean,
  .vm_undefine = virfs_fake_undefine,
  .vm_rename = virfs_fake_rename,
  .vm_migrate = vm_migrate,
  .snapshot_take = virfs_fake_snapshot_take,
  .snapshot_delete = virfs_fake_snapshot_delete,
  .snapshot_revert = virfs_fake_snapshot_revert,
  .snapshot_describe = virfs_fake_snapshot_describe,
  .checkpoint_make = virfs_fake_checkpoint_make,
  .checkpoint_delete = virfs_fake_checkpoint_delete,
  .backup_begin = virfs_fake_backup_begin,
  .backup_end = virfs_fake_backup_end,
  .vm_keys = virfs_fake_keys,
  .vm_screenshot = virfs_fake_screenshot,
  .vm_password = virfs_fake_password,
  .console_open = virfs_fake_console_open,
  .console_send = virfs_fake_console_send,
  .console_leave = virfs_fake_console_leave,
  .agent_verb = virfs_fake_agent_verb,
  .agent_set_time = virfs_fake_agent_set_time,
  .agent_set_password = virfs_fake_agent_set_password,
  .agent_exec = virfs_fake_agent_exec,
  .agent_ssh_keys = virfs_fake_agent_ssh_keys,
  .device_attach = virfs_fake_attach,
  .device_detach = virfs_fake_detach,
  .device_set = virfs_fake_set_device,
  .disks_move = virfs_fake_disks_move,
  .pool_verb = virfs_fake_pool_verb,
  .pool_set = virfs_fake_pool_set,
  .pool_define = virfs_fake_pool_define,
  .network_verb = virfs_fake_network_verb,
  .network_set = virfs_fake_network_set,
  .network_define = virfs_fake_network_define,
  .filter_define = virfs_fake_filter_define,
  .filter_undefine = virfs_fake_filter_undefine,
  .node_device_verb = virfs_fake_node_device_verb,
  .node_device_set_autostart = virfs_fake_node_device_set_autostart,
  .host_apply = virfs_fake_apply,
  .definition_check = virfs_fake_definition_check,
  .definition_read = virfs_fake_definition_read,
  .definition_write = virfs_fake_definition_write,
  .definition_made = virfs_fake_definition_made,
  .definition_differ = virfs_fake_definition_differ,
  .volume_create = virfs_fake_volume_create,
  .volume_resize = virfs_fake_volume_resize,
  .volume_verb = virfs_fake_volume_verb,
  .volume_rename = virfs_fake_volume_rename,
  .volume_file = virfs_fake_volume_file,
  .volume_read = virfs_fake_volume_read,
  .volume_write = virfs_fake_volume_write,
};
