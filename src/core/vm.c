/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a guest: making, copying and comparing infos.  The registry is in infra.c. */
#include "vm.h"

#include "backup.h"
#include "device.h"
#include "hostdev.h"
#include "kept.h"
#include "snapshot.h"

static const char *const state_names[] = {
  [VIRFS_VM_UNKNOWN] = "unknown",         [VIRFS_VM_RUNNING] = "running",
  [VIRFS_VM_PAUSED] = "paused",           [VIRFS_VM_SHUTDOWN] = "shutdown",
  [VIRFS_VM_SHUTOFF] = "shutoff",         [VIRFS_VM_CRASHED] = "crashed",
  [VIRFS_VM_PMSUSPENDED] = "pmsuspended",
};

const char *
virfs_vm_state_name (VirfsVmState state)
{
  return state_names[state];
}

VirfsVmState
virfs_vm_state_parse (const char *name)
{
  guint state = 0;

  while (state < VIRFS_VM_N_STATES && !g_str_equal (state_names[state], name))
    state++;
  return state;
}

gboolean
virfs_vm_state_active (VirfsVmState state)
{
  return state == VIRFS_VM_RUNNING || state == VIRFS_VM_PAUSED || state == VIRFS_VM_SHUTDOWN
         || state == VIRFS_VM_PMSUSPENDED;
}

VirfsVmPart
virfs_vm_part (const VirfsPartClass *class)
{
  static const VirfsPartClass *const classes[] = {
    [VIRFS_VM_DISKS] = &virfs_disk_class,         [VIRFS_VM_NICS] = &virfs_nic_class,
    [VIRFS_VM_SNAPSHOTS] = &virfs_snapshot_class, [VIRFS_VM_CHECKPOINTS] = &virfs_checkpoint_class,
    [VIRFS_VM_BACKUPS] = &virfs_backup_class,     [VIRFS_VM_EXECS] = &virfs_exec_class,
    [VIRFS_VM_HOSTDEVS] = &virfs_hostdev_class,   [VIRFS_VM_SSH_USERS] = &virfs_ssh_user_class,
  };
  guint part = 0;

  while (classes[part] != class)
    part++;
  return part;
}

VirfsVmInfo *
virfs_vm_info_new (const char *uuid, const char *name)
{
  VirfsVmInfo *info = g_new0 (VirfsVmInfo, 1);

  g_atomic_ref_count_init (&info->refs);
  g_strlcpy (info->uuid, uuid, sizeof info->uuid);
  info->name = g_ref_string_new (name);
  info->id = -1;
  return info;
}

static GRefString *
ref_string (GRefString *string)
{
  return string ? g_ref_string_acquire (string) : NULL;
}

VirfsVmInfo *
virfs_vm_info_copy (const VirfsVmInfo *info)
{
  VirfsVmInfo *copy = g_memdup2 (info, sizeof *info);

  g_atomic_ref_count_init (&copy->refs);
  ref_string (copy->name);
  ref_string (copy->title);
  ref_string (copy->description);
  ref_string (copy->vcpu_pins);
  ref_string (copy->emulator_cpuset);
  ref_string (copy->numa_nodeset);
  ref_string (copy->boot);
  ref_string (copy->machine);
  ref_string (copy->cpu);
  ref_string (copy->graphics);
  virfs_blob_ref (copy->screen);
  ref_string (copy->password);
  ref_string (copy->tags);
  ref_string (copy->image);
  ref_string (copy->isolation);
  ref_string (copy->label);
  ref_string (copy->error);
  ref_string (copy->alarms);
  for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
    if (copy->parts[i] != NULL)
      g_ptr_array_ref (copy->parts[i]);
  if (copy->agent_info != NULL)
    virfs_agent_info_ref (copy->agent_info);
  virfs_blob_ref (copy->xml);
  virfs_blob_ref (copy->xml_inactive);
  if (copy->host != NULL)
    virfs_object_ref (copy->host);
  if (copy->kept != NULL)
    virfs_kept_ref (copy->kept);
  return copy;
}

void
virfs_vm_info_unref (VirfsVmInfo *info)
{
  if (info == NULL || !g_atomic_ref_count_dec (&info->refs))
    return;
  g_clear_pointer (&info->name, g_ref_string_release);
  g_clear_pointer (&info->title, g_ref_string_release);
  g_clear_pointer (&info->description, g_ref_string_release);
  g_clear_pointer (&info->vcpu_pins, g_ref_string_release);
  g_clear_pointer (&info->emulator_cpuset, g_ref_string_release);
  g_clear_pointer (&info->numa_nodeset, g_ref_string_release);
  g_clear_pointer (&info->boot, g_ref_string_release);
  g_clear_pointer (&info->machine, g_ref_string_release);
  g_clear_pointer (&info->cpu, g_ref_string_release);
  g_clear_pointer (&info->graphics, g_ref_string_release);
  virfs_blob_unref (info->screen);
  g_clear_pointer (&info->password, g_ref_string_release);
  g_clear_pointer (&info->tags, g_ref_string_release);
  g_clear_pointer (&info->image, g_ref_string_release);
  g_clear_pointer (&info->isolation, g_ref_string_release);
  g_clear_pointer (&info->label, g_ref_string_release);
  g_clear_pointer (&info->error, g_ref_string_release);
  g_clear_pointer (&info->alarms, g_ref_string_release);
  for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
    g_clear_pointer (&info->parts[i], g_ptr_array_unref);
  virfs_agent_info_unref (info->agent_info);
  virfs_blob_unref (info->xml);
  virfs_blob_unref (info->xml_inactive);
  virfs_object_unref (info->host);
  virfs_kept_unref (info->kept);
  g_free (info);
}

guint64
virfs_vm_info_diff (const VirfsVmInfo *a, const VirfsVmInfo *b)
{
  guint64 fields = 0;

  for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
    if (virfs_part_lists_differ (a->parts[i], b->parts[i]))
      fields |= VIRFS_BIT (VIRFS_VM_PARTS);
#define DIFFER(field, differ) fields |= (differ) ? VIRFS_BIT (VIRFS_VM_##field) : 0
  DIFFER (NAME, g_strcmp0 (a->label, b->label) != 0 || g_strcmp0 (a->name, b->name) != 0);
  DIFFER (HOST, a->host != b->host);
  DIFFER (STATE, a->state != b->state);
  DIFFER (REASON, g_strcmp0 (a->reason, b->reason) != 0);
  DIFFER (ID, a->id != b->id);
  DIFFER (TITLE, g_strcmp0 (a->title, b->title) != 0);
  DIFFER (DESCRIPTION, g_strcmp0 (a->description, b->description) != 0);
  DIFFER (AUTOSTART, a->autostart != b->autostart);
  DIFFER (PERSISTENT, a->persistent != b->persistent);
  DIFFER (SAVED, a->saved != b->saved);
  DIFFER (CREATED, a->created != b->created);
  DIFFER (VCPUS, a->vcpus != b->vcpus);
  DIFFER (VCPU_PINS, g_strcmp0 (a->vcpu_pins, b->vcpu_pins) != 0);
  DIFFER (VCPUS_MAX, a->vcpus_max != b->vcpus_max);
  DIFFER (MEMORY, a->memory != b->memory);
  DIFFER (MEMORY_MAX, a->memory_max != b->memory_max);
  DIFFER (CPU_SHARES, a->cpu_shares != b->cpu_shares);
  DIFFER (CPU_QUOTA, a->cpu_quota != b->cpu_quota);
  DIFFER (CPU_PERIOD, a->cpu_period != b->cpu_period);
  DIFFER (EMULATOR_CPUSET, g_strcmp0 (a->emulator_cpuset, b->emulator_cpuset) != 0);
  DIFFER (NUMA_MODE, g_strcmp0 (a->numa_mode, b->numa_mode) != 0);
  DIFFER (NUMA_NODESET, g_strcmp0 (a->numa_nodeset, b->numa_nodeset) != 0);
  DIFFER (BOOT, g_strcmp0 (a->boot, b->boot) != 0);
  DIFFER (FIRMWARE, g_strcmp0 (a->firmware, b->firmware) != 0);
  DIFFER (MACHINE, g_strcmp0 (a->machine, b->machine) != 0);
  DIFFER (GRAPHICS, g_strcmp0 (a->graphics, b->graphics) != 0);
  DIFFER (SCREEN, !virfs_blob_equal (a->screen, b->screen));
  DIFFER (AGENT, a->agent != b->agent);
  DIFFER (FROZEN, a->frozen != b->frozen);
  fields |= virfs_agent_info_diff (a->agent_info, b->agent_info);
  DIFFER (XML, !virfs_blob_equal (a->xml, b->xml));
  DIFFER (XML_INACTIVE, !virfs_blob_equal (a->xml_inactive, b->xml_inactive));
  DIFFER (OWNER, !virfs_owner_equal (&a->owner, &b->owner));
  DIFFER (TAGS, g_strcmp0 (a->tags, b->tags) != 0);
  DIFFER (PROTECT, a->protect != b->protect);
  DIFFER (IMAGE, g_strcmp0 (a->image, b->image) != 0);
  DIFFER (RECORD, a->record != b->record);
  DIFFER (ISOLATION, g_strcmp0 (a->isolation, b->isolation) != 0);
  DIFFER (SHUTDOWN_TIMEOUT, a->shutdown_timeout != b->shutdown_timeout);
  DIFFER (SNAPSHOT_KIND, a->snapshot_disks != b->snapshot_disks);
  DIFFER (KEPT, a->kept != b->kept);
  DIFFER (ERROR, g_strcmp0 (a->error, b->error) != 0);
  DIFFER (ALARMS, g_strcmp0 (a->alarms, b->alarms) != 0);
#undef DIFFER
  return fields;
}
