/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/: a guest and its attributes; see vm_files.h for those that are not here. */
#include "access.h"
#include "agent_files.h"
#include "claim.h"
#include "console_files.h"
#include "event_files.h"
#include "history_files.h"
#include "kept.h"
#include "metric_files.h"
#include "migration_files.h"
#include "move.h"
#include "part_class.h"
#include "seed.h"
#include "tags.h"
#include "vm_files.h"

const char *
virfs_vm_shown_as (const VirfsVmInfo *info)
{
  return info->label ? info->label : info->uuid;
}

VirfsJob *
virfs_vm_job (VirfsCall *call, const VirfsNode *node, const char *operation)
{
  const VirfsVmInfo *info = node->snapshot;

  return virfs_call_job (call, operation, node->object, info->host, NULL);
}

gboolean
virfs_vm_check_claims (VirfsCall *call, VirfsVm *vm, VirfsClaim from)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autoptr (GError) error = NULL;

  if (virfs_claim_check (info, from, &error))
    return TRUE;
  g_prefix_error (&error, "%s: ", virfs_vm_shown_as (info));
  virfs_call_finish (call, error);
  return FALSE;
}

gboolean
virfs_vm_check_settled (VirfsCall *call, VirfsVm *vm)
{
  return virfs_vm_check_claims (call, vm, VIRFS_CLAIM_CLONE);
}

/* Attributes. */

static void
link_host (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  g_string_append_printf (out, "../../hosts/%s", info->host->name);
}

static void
show_id (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  if (info->id >= 0)
    g_string_append_printf (out, "%d\n", info->id);
}

static void
show_uuid (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  g_string_append_printf (out, "%s\n", info->uuid);
}

void
virfs_vm_set (VirfsCall *call, const VirfsNode *node, guint64 number, const char *text)
{
  VirfsVmSetting setting = { .field = (VirfsVmField) g_bit_nth_lsf (node->row->fields, -1),
                             .number = number,
                             .text = text };
  g_autofree char *operation = g_strdup_printf ("set %s", node->row->path);
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, node->object))
    return;
  job = virfs_vm_job (call, node, operation);
  virfs_node_backend (node)->vm_set (node->object, &setting, job);
}

static void
store_number (VirfsCall *call, const VirfsNode *node, guint64 value)
{
  virfs_vm_set (call, node, value, NULL);
}

static void
store_bool (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  virfs_vm_set (call, node, value, NULL);
}

static void
store_text (VirfsCall *call, const VirfsNode *node, const char *value)
{
  virfs_vm_set (call, node, 0, value);
}

static void
store_xml (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, node->object))
    return;
  job = virfs_vm_job (call, node, "define");
  virfs_node_backend (node)->vm_define (node->object, text, job);
}

void
virfs_vm_note (VirfsCall *call, VirfsVm *vm, const char *operation, const VirfsVmNote *change)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, vm))
    return;
  job = virfs_call_job (call, operation, vm, info->host, NULL);
  virfs_infra_backend (vm->object.infra)->vm_note (vm, change, job);
}

static void
note (VirfsCall *call, const VirfsNode *node, const VirfsVmNote *change)
{
  g_autofree char *operation = g_strdup_printf ("set %s", node->row->path);

  virfs_vm_note (call, node->object, operation, change);
}

static void
store_timeout (VirfsCall *call, const VirfsNode *node, guint64 seconds)
{
  if (seconds == 0 || seconds > 7 * 24 * 3600) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID, "a number of seconds is wanted, 1 to a week");
    return;
  }
  note (call, node,
        &(VirfsVmNote){ .field = VIRFS_VM_SHUTDOWN_TIMEOUT, .number = (guint) seconds });
}

/* Tags, protection, owner. */

static void
store_tags (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsVmInfo *info = node->snapshot;
  g_autoptr (GError) error = NULL;
  g_autofree char *tags = virfs_tags_parse (text, &error);

  if (tags == NULL || g_str_equal (tags, info->tags ? info->tags : ""))
    virfs_call_finish (call, error);
  else
    note (call, node, &(VirfsVmNote){ .field = VIRFS_VM_TAGS, .text = tags });
}

static void
store_protect (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  note (call, node, &(VirfsVmNote){ .field = VIRFS_VM_PROTECT, .number = value });
}

static void
owner (const VirfsNode *node, VirfsOwner *owner_of_it)
{
  *owner_of_it = ((const VirfsVmInfo *) node->snapshot)->owner;
}

static void
set_owner (VirfsCall *call, const VirfsNode *node, const VirfsOwner *wanted)
{
  const VirfsVmInfo *info = node->snapshot;
  VirfsVmNote change = { .field = VIRFS_VM_OWNER, .owner = *wanted };
  g_autoptr (GError) error = NULL;

  if (*node->row->path != '\0')
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED,
                     "this belongs to whom vms/%s belongs: chown and chmod that",
                     virfs_vm_shown_as (info));
  else if (!virfs_access_check_give (call, &info->owner, wanted, &error))
    virfs_call_finish (call, error);
  else
    virfs_vm_note (call, node->object, "give", &change);
}

/* Links to the guest, elsewhere in the tree. */

static void
link_from_depth_3 (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "../../../vms/%s", virfs_vm_shown_as (node->snapshot));
}

static void
link_from_depth_5 (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "../../../../../vms/%s", virfs_vm_shown_as (node->snapshot));
}

static void
link_from_depth_2 (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "../../vms/%s", virfs_vm_shown_as (node->snapshot));
}

/* The class. */

#define F(field) VIRFS_BIT (VIRFS_VM_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsVmInfo, member)
#define SHOW_BLOB(field, member) SHOW (virfs_show_blob, field, member), .size = virfs_size_of_blob
/* What the host must be up for.  READY is the last bit: the first is the field that a row sets. */
#define WRITE   S_IFREG | 0640, VIRFS_ROW_NEEDS, F (READY)
#define COMMAND S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND, F (READY)

#define SEED(name, member)                                                                         \
  name, S_IFREG | 0600, VIRFS_ROW_NEEDS | VIRFS_ROW_DOCUMENT | VIRFS_ROW_PRIVATE,                  \
    .fields = F (READY) | F (KEPT), .show = virfs_seed_show,                                       \
    .offset = G_STRUCT_OFFSET (VirfsKept, member), .store = virfs_seed_store

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (STATE), .help = "a guest" },
  { "state", WRITE | F (STATE), .show = virfs_vm_show_state, .store = virfs_vm_store_state,
    .help = "running, paused, shutdown (on its way down), shutoff, crashed, pmsuspended, unknown;"
            " write running, paused, shutoff" },
  { "reason", S_IFREG | 0440, .fields = SHOW (virfs_show_text, REASON, reason),
    .help = "why it is in this state, in libvirt's words" },
  { "ctl", COMMAND | F (STATE) | F (SAVED) | F (KEPT), .show = virfs_vm_show_ctl,
    .store = virfs_vm_store_ctl,
    .help = "what can be done to it now, one verb a line; write one of them" },
  { "host", S_IFLNK | 0777, .fields = F (HOST), .link = link_host,
    .help = "the host that it is on" },
  { "migrate", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND | VIRFS_ROW_MEASURED,
    .fields = F (READY) | F (HOST), .show = virfs_vm_show_migrate, .store = virfs_vm_store_migrate,
    .help = "hosts that could take it now; write one to move it there, live if it runs" },
  { "move", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND | VIRFS_ROW_MEASURED,
    .fields = F (READY) | F (PARTS), .show = virfs_move_show_guest, .store = virfs_move_store_guest,
    .help = "pools of its host that could take all its disks; write one to move them, also live" },
  { "placement", S_IFREG | 0440, VIRFS_ROW_MEASURED, .fields = F (HOST),
    .show = virfs_vm_show_placement,
    .help = "how good each host would be for it, and why: a table, the best first" },
  { "migrate_verdict", S_IFREG | 0440, VIRFS_ROW_MEASURED, .fields = F (HOST),
    .show = virfs_vm_show_verdict,
    .help = "whether each host could take it: a table with yes or no, and all that is in the way" },
  VIRFS_MIGRATION_ROWS (vm, "how it is migrated; what is empty is as its host's migration/ says"),
  { "uuid", S_IFREG | 0440, .show = show_uuid, .help = "what it is known by for ever" },
  { "id", S_IFREG | 0440, .fields = F (ID), .show = show_id,
    .help = "its number on its host while it runs" },
  { "title", WRITE | SHOW (virfs_show_text, TITLE, title), .store_text = store_text,
    .help = "a short title; an empty line removes it" },
  { "description", WRITE | SHOW (virfs_show_text, DESCRIPTION, description),
    .store_text = store_text,
    .help = "a longer description, on one line: \\n stands for a new line" },
  { "autostart", WRITE | SHOW (virfs_show_bool, AUTOSTART, autostart), .store_bool = store_bool,
    .help = "1: starts with its host" },
  { "persistent", S_IFREG | 0440, .fields = SHOW (virfs_show_bool, PERSISTENT, persistent),
    .help = "0: vanishes when it stops" },
  { "created", S_IFREG | 0440, .fields = SHOW (virfs_show_time, CREATED, created),
    .help = "when it was made, where that is known" },
  { "vcpus", WRITE | SHOW (virfs_show_uint, VCPUS, vcpus), .store_number = store_number,
    .help = "virtual CPUs; hot up to vcpus_max" },
  { "vcpus_max", WRITE | SHOW (virfs_show_uint, VCPUS_MAX, vcpus_max), .store_number = store_number,
    .help = "virtual CPUs at most; can be set while it is shut off" },
  { "memory", WRITE | SHOW (virfs_show_u64, MEMORY, memory), .store_size = store_number,
    .help = "memory in bytes; hot up to memory_max where the guest has a balloon" },
  { "memory_max", WRITE | SHOW (virfs_show_u64, MEMORY_MAX, memory_max), .store_size = store_number,
    .help = "memory in bytes at most; can be set while it is shut off" },
  { "cpu_shares", WRITE | SHOW (virfs_vm_show_tuned, CPU_SHARES, cpu_shares),
    .store_signed = virfs_vm_store_tuned,
    .help
    = "weight among the guests of its host when CPU time is scarce; 0: the hypervisor's choice" },
  { "cpu_quota", WRITE | SHOW (virfs_vm_show_tuned, CPU_QUOTA, cpu_quota),
    .store_signed = virfs_vm_store_tuned,
    .help = "microseconds of CPU time for each vCPU in a cpu_period; -1: no limit; 0: the "
            "hypervisor's choice" },
  { "cpu_period", WRITE | SHOW (virfs_vm_show_tuned, CPU_PERIOD, cpu_period),
    .store_signed = virfs_vm_store_tuned,
    .help = "microseconds of the period that cpu_quota is about; 0: the hypervisor's choice" },
  { "cpuset", WRITE | F (VCPUS_MAX) | SHOW (virfs_vm_show_cpuset, VCPU_PINS, vcpu_pins),
    .store = virfs_vm_store_cpuset,
    .help = "CPUs of its host that its virtual CPUs may use, as in 0-3,8; nothing: all" },
  { "vcpu_pins", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_LIST,
    .fields = F (READY) | SHOW (virfs_show_lines, VCPU_PINS, vcpu_pins),
    .store = virfs_vm_store_vcpu_pins,
    .help
    = "the same for each virtual CPU, lines as in `0 0-3,8`: > writes a new list, >> adds to it" },
  { "emulator_cpuset", WRITE | SHOW (virfs_show_text, EMULATOR_CPUSET, emulator_cpuset),
    .store = virfs_vm_store_numbers,
    .help = "CPUs of its host that its hypervisor's other threads may use; nothing: all" },
  { "numa_nodeset", WRITE | SHOW (virfs_show_text, NUMA_NODESET, numa_nodeset),
    .store = virfs_vm_store_numbers,
    .help = "NUMA nodes of its host that its memory is taken from, as in 0-1; nothing: any" },
  { "numa_mode", WRITE | SHOW (virfs_show_text, NUMA_MODE, numa_mode),
    .store = virfs_vm_store_numa_mode,
    .help = "strict, preferred, interleave or restrictive: how; can be set while it is shut off" },
  { "boot", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_LIST,
    .fields = F (READY) | SHOW (virfs_show_lines, BOOT, boot), .store = virfs_vm_store_boot,
    .help = "where its next start looks for a system: disk, cdrom, network, or disks/vda, nics/…" },
  { "firmware", WRITE | SHOW (virfs_show_text, FIRMWARE, firmware),
    .store = virfs_vm_store_firmware, .help = "bios or efi; can be set while it is shut off" },
  { "machine", WRITE | SHOW (virfs_show_text, MACHINE, machine), .store = virfs_vm_store_machine,
    .help = "machine type, as in pc-q35-7.2, or q35 for its newest; set it while it is shut off" },
  { "tags", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_LIST,
    .fields = F (READY) | SHOW (virfs_show_lines, TAGS, tags), .store = store_tags,
    .help = "words to find it by, one a line: > writes a new list, >> adds to it; see by/tag" },
  { "protect", WRITE | SHOW (virfs_show_bool, PROTECT, protect), .store_bool = store_protect,
    .help = "1: it is neither stopped nor deleted through these files" },
  { "isolation", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_TRUSTED, F (READY) | F (ISOLATION),
    .show = virfs_vm_show_isolation, .store = virfs_vm_store_isolation,
    .help = "quarantine: all its NICs are cut off, and those to come; write none to lift it" },
  { "image", S_IFREG | 0440, .fields = SHOW (virfs_show_text, IMAGE, image),
    .help = "what it was made from" },
  { "shutdown_timeout", WRITE | SHOW (virfs_show_uint, SHUTDOWN_TIMEOUT, shutdown_timeout),
    .store_number = store_timeout,
    .help = "seconds that shutoff, written to state, waits for the guest" },
  { "cloud-init", S_IFDIR | 0700, VIRFS_ROW_PRIVATE, .fields = F (KEPT),
    .help = "what cloud-init in it finds at its next start (NoCloud)" },
  { SEED ("cloud-init/user-data", user_data),
    .help = "cloud-init's user data, as in #cloud-config; a change makes it a new instance" },
  { SEED ("cloud-init/meta-data", meta_data),
    .help = "its meta data; nothing: instance ID and host name" },
  { SEED ("cloud-init/network-config", network_config), .help = "its network configuration" },
  { "xml", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_DOCUMENT | VIRFS_ROW_TRUSTED,
    .fields = F (READY) | SHOW_BLOB (XML, xml), .store = store_xml,
    .help = "libvirt's XML of the guest as it is now; write a whole one to define it anew" },
  { "xml_inactive", S_IFREG | 0440, .fields = SHOW_BLOB (XML_INACTIVE, xml_inactive),
    .help = "libvirt's XML of the guest as it will start next" },
  { "disks", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_disks_dir, .help = "its disks" },
  { "nics", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_nics_dir,
    .help = "its network interfaces" },
  { "hostdevs", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_hostdevs_dir,
    .help = "devices of its host that it has as its own; mkdir, then device, gives one" },
  { "snapshots", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_snapshots_dir,
    .help = "its snapshots; mkdir takes one, rmdir deletes it" },
  { "snapshots/kind", S_IFREG | 0640, .fields = F (SNAPSHOT_KIND), .show = virfs_show_snapshot_kind,
    .store = virfs_store_snapshot_kind,
    .help
    = "what the next mkdir takes: full (disks, and memory if it runs) or disk (disks alone)" },
  { "snapshots/current", S_IFLNK | 0777, .fields = F (PARTS), .link = virfs_link_snapshot_current,
    .help = "the snapshot that it has gone on from; not there if there is none" },
  { "checkpoints", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_checkpoints_dir,
    .help = "what incremental backups are relative to; mkdir makes one, rmdir deletes it" },
  { "backups", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_backups_dir,
    .help = "mkdir opens one: all disks as they are in this instant; rmdir closes it" },
  { "backups/base", S_IFREG | 0640, .fields = F (KEPT), .show = virfs_show_backup_base,
    .store = virfs_store_backup_base,
    .help = "the checkpoint that the next is relative to, or none; nothing: the newest" },
  { "backups/backing", S_IFREG | 0640, .fields = F (KEPT), .show = virfs_show_backup_backing,
    .store_text = virfs_store_backup_backing,
    .help = "how qcow2 files of the next name the parent's; %p: the parent, %d: the disk" },
  VIRFS_GUEST_ROWS,
  VIRFS_CONSOLE_ROWS,
  VIRFS_VM_METRIC_ROWS,
  VIRFS_HISTORY_ROWS ("metrics/"),
  VIRFS_EVENTS_ROW (F (EVENTS)),
  { "error", S_IFREG | 0440, .fields = SHOW (virfs_show_text, ERROR, error),
    .help = "what was refused or failed last: time, file, user and the reason" },
  { "alarms", S_IFREG | 0440, .fields = SHOW (virfs_show_lines, ALARMS, alarms),
    .help = "the alarms that fire for it, one a line" },
  { "/hosts/<host>/vms/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest of this host; mv it into another host's vms to migrate it" },
  { "/by/state/<state>/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest in this state" },
  { "/by/host/<host>/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest of this host" },
  { "/by/tag/<tag>/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest with this tag" },
  { "/by/owner/<user>/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest of this user" },
  { "/by/image/<image>/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest that was made from this image" },
  { "/images/<file>.d/used_by/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest that uses this image" },
  { "/alarms/firing/<alarm>~<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_2,
    .help = "a guest that an alarm fires for" },
  { "/hosts/<host>/networks/<network>/used_by/<vm>", S_IFLNK | 0777, .fields = F (NAME),
    .link = link_from_depth_5, .help = "a guest with a NIC in this network" },
  { "/networks/<network>/used_by/<vm>", S_IFLNK | 0777, .fields = F (NAME),
    .link = link_from_depth_3, .help = "a guest with a NIC in this network, on whatever host" },
  { "/pools/<pool>/used_by/<vm>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_3,
    .help = "a guest with a disk in this pool, on whatever host" },
  { "/hosts/<host>/devices/<device>/used_by/<vm>", S_IFLNK | 0777, .fields = F (NAME),
    .link = link_from_depth_5, .help = "a guest that has the device" },
  { "/by/ip/<address>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_2,
    .help = "the guest with this address" },
  { "/by/uuid/<uuid>", S_IFLNK | 0777, .fields = F (NAME), .link = link_from_depth_2,
    .help = "the guest with this UUID" },
};

static gconstpointer
snapshot (gpointer object)
{
  return virfs_vm_info (object);
}

static void
release (gconstpointer info)
{
  virfs_vm_info_unref ((VirfsVmInfo *) info);
}

static gint64
changed (const VirfsNode *node, guint64 fields)
{
  const VirfsVmInfo *info = node->snapshot;
  gint64 known;

  if (virfs_is_console (node, &known))
    return MAX (known, virfs_latest_change (info->changed, VIRFS_VM_N_FIELDS, fields));
  if (virfs_is_metric (node, &known) || (virfs_is_events (node, &known) && known != 0))
    return known;
  return virfs_latest_change (info->changed, VIRFS_VM_N_FIELDS, fields ? fields : F (NAME));
}

static gboolean
ready (const VirfsNode *node)
{
  const VirfsVmInfo *info = node->snapshot;
  g_autoptr (VirfsHostInfo) host = virfs_host_info (info->host);

  return host->state == VIRFS_HOST_UP;
}

static guint64
parent (const VirfsNode *node)
{
  return virfs_inode (&virfs_root_class, 0, virfs_class_row (&virfs_root_class, "vms"));
}

VirfsClass virfs_vm_class = {
  .path = "vms/<vm>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .parent = parent,
  .unref = virfs_object_unref,
  .snapshot = snapshot,
  .release = release,
  .changed = changed,
  .ready = ready,
  .owner = owner,
  .set_owner = set_owner,
};
