/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests of the registry: their coming and going, and what is known of them.
 *
 * A guest is known by its UUID, on several hosts if it migrates: registry_twin.c.  Its name in vms/ is
 * chosen in registry_label.c; what is told of guests comes in by registry_sync.c.  All static functions
 * run under the registry's lock.
 */
#include "registry_vm.h"

#include "claim.h"
#include "console.h"

#include <string.h>

VirfsVmInfo *
virfs_vm_info (VirfsVm *vm)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&vm->object.infra->lock);

  g_atomic_ref_count_inc (&vm->info->refs);
  return vm->info;
}

static void
free_vm (gpointer object)
{
  VirfsVm *vm = object;

  virfs_vm_info_unref (vm->info);
  g_clear_pointer (&vm->twins, g_ptr_array_unref);
  g_list_free_full (vm->claims, virfs_claim_free);
  g_free (vm);
}

/* Publishing. */

static void
log_change (VirfsVm *vm, const char *kind, const char *key, const char *value, const char *key_2,
            const char *value_2)
{
  g_autoptr (GString) details = g_string_new (NULL);

  virfs_event_append (details, key, value);
  virfs_event_append (details, key_2, value_2);
  virfs_registry_event (vm->object.infra, vm, kind, details->str);
}

void
virfs_registry_log_added (VirfsVm *vm)
{
  if (vm->info->label != NULL)
    virfs_registry_event (vm->object.infra, vm, "added", NULL);
}

static void
log_vm_changes (VirfsVm *vm, const VirfsVmInfo *before, const VirfsVmInfo *after, guint64 fields)
{
  if (before->label == NULL || after->label == NULL)
    return; /* what nobody sees */
  if (fields & VIRFS_BIT (VIRFS_VM_HOST))
    log_change (vm, "moved", "from", before->host->name, "to", after->host->name);
  if (fields & VIRFS_BIT (VIRFS_VM_NAME))
    log_change (vm, "renamed", "from", before->label, "to", after->label);
  if (fields & VIRFS_BIT (VIRFS_VM_STATE))
    log_change (vm, "state", "value", virfs_vm_state_name (after->state), "reason", after->reason);
}

void
virfs_registry_touch_directories (VirfsVm *vm, const VirfsVmInfo *before, const VirfsVmInfo *after)
{
  guint64 fields = VIRFS_BIT (VIRFS_ROOT_VMS);

  for (int i = 0; i < 2; i++) {
    const VirfsVmInfo *info = i == 0 ? before : after;

    if (info == NULL)
      continue;
    fields |= VIRFS_BIT (VIRFS_ROOT_STATES + info->state);
    if (i == 0 || before == NULL || before->host != info->host)
      virfs_registry_touch_host (info->host, VIRFS_BIT (VIRFS_HOST_VMS));
  }
  virfs_registry_touch (vm->object.infra, fields);
}

/* What HOST has promised changes by what the guest has. */
static void
account (const VirfsVmInfo *info, int sign)
{
  VirfsPromise *promised = &info->host->promised;

  if (!virfs_vm_state_active (info->state))
    return;
  promised->memory += sign * (gint64) info->memory;
  promised->vcpus += sign * (gint64) info->vcpus;
  promised->guests += sign;
}

guint64
virfs_registry_publish_vm (VirfsVm *vm, VirfsVmInfo *info)
{
  g_autoptr (VirfsVmInfo) before = vm->info;
  guint64 fields = virfs_vm_info_diff (before, info);
  gint64 now = g_get_real_time ();

  memcpy (info->changed, before->changed, sizeof info->changed);
  for (guint i = 0; i < VIRFS_VM_N_FIELDS; i++)
    if (fields & VIRFS_BIT (i))
      info->changed[i] = now;
  for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
    virfs_registry_sync_parts (&vm->object, before->parts[i], &info->parts[i]);
  account (before, -1);
  account (info, 1);
  vm->info = info;
  if (fields == 0)
    return 0;
  virfs_registry_emit (vm->object.infra, VIRFS_CHANGED, vm, fields, before, info);
  virfs_registry_index_vm (vm, before, info, fields);
  if (fields & VIRFS_BIT (VIRFS_VM_OWNER))
    for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
      virfs_registry_parts_turned (&vm->object, info->parts[i], VIRFS_PART_OWNER);
  if (fields & (VIRFS_BIT (VIRFS_VM_NAME) | VIRFS_BIT (VIRFS_VM_HOST)))
    virfs_registry_touch_directories (vm, before, info);
  else if (fields & VIRFS_BIT (VIRFS_VM_STATE))
    virfs_registry_touch (vm->object.infra, VIRFS_BIT (VIRFS_ROOT_STATES + before->state)
                                              | VIRFS_BIT (VIRFS_ROOT_STATES + info->state));
  log_vm_changes (vm, before, info, fields);
  return fields;
}

/* The registry's part of INFO, of a guest on HOST, but for its name. */
static void
fill_in (VirfsHost *host, VirfsVmInfo *info)
{
  VirfsInfra *infra = host->object.infra;

  /* the backend may have copied it from another guest's */
  g_clear_pointer (&info->label, g_ref_string_release);
  virfs_object_ref (host);
  virfs_object_unref (info->host);
  info->host = host;
  if (!info->owned)
    info->owner = infra->owner;
  if (info->shutdown_timeout == 0)
    info->shutdown_timeout = infra->shutdown_timeout;
  virfs_kept_unref (info->kept);
  info->kept = g_hash_table_lookup (infra->kept, info->uuid);
  if (info->kept != NULL)
    virfs_kept_ref (info->kept);
}

/* What was found out of a guest that runs holds until it stops. */
static void
keep_findings (const VirfsVmInfo *known, VirfsVmInfo *info)
{
  if (!virfs_vm_state_active (info->state)) {
    g_clear_pointer (&info->agent_info, virfs_agent_info_unref);
    g_clear_pointer (&info->screen, virfs_blob_unref);
    g_clear_pointer (&info->password, g_ref_string_release);
    return;
  }
  if (info->agent_info == NULL && known->agent_info != NULL)
    info->agent_info = virfs_agent_info_ref (known->agent_info);
  if (info->screen == NULL)
    info->screen = virfs_blob_ref (known->screen);
  if (info->password_until == 0 && known->password != NULL) {
    info->password = g_ref_string_acquire (known->password);
    info->password_until = known->password_until;
    info->password_once = known->password_once;
  }
}

void
virfs_registry_take_info (VirfsVm *vm, VirfsHost *host, VirfsVmInfo *info)
{
  const VirfsVmInfo *known = vm->info;

  fill_in (host, info);
  info->snapshot_disks = known->snapshot_disks;
  virfs_claim_show (vm, info);
  keep_findings (known, info);
  if (info->created == 0)
    info->created = known->created;
  if (info->error == NULL && known->error != NULL)
    info->error = g_ref_string_acquire (known->error);
  virfs_ref_string_set (&info->alarms, known->alarms);
  virfs_registry_publish_named (vm, info);
}

void
virfs_registry_host_turned (VirfsHost *host)
{
  g_autoptr (GList) vms = g_hash_table_get_values (host->vms);

  for (guint i = 0; i < VIRFS_HOST_N_PARTS; i++)
    virfs_registry_parts_turned (&host->object, host->info->parts[i], VIRFS_PART_READY);
  for (GList *l = vms; l; l = l->next) {
    VirfsVm *vm = l->data;

    virfs_registry_emit (host->object.infra, VIRFS_CHANGED, vm, VIRFS_BIT (VIRFS_VM_READY),
                         vm->info, vm->info);
    for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
      virfs_registry_parts_turned (&vm->object, vm->info->parts[i], VIRFS_PART_READY);
    if (virfs_registry_primary (vm)->twins != NULL)
      virfs_registry_weigh (vm);
  }
}

/* Coming and going. */

static guint64
wished_id (VirfsHost *host, VirfsVm *primary, const char *uuid)
{
  g_autofree char *key = primary ? g_strconcat (uuid, "~", host->name, NULL) : g_strdup (uuid);

  return virfs_object_hash_id (VIRFS_KIND_VM, key);
}

static VirfsVm *
add_vm (VirfsHost *host, VirfsVmInfo *info)
{
  VirfsInfra *infra = host->object.infra;
  VirfsVm *primary = g_hash_table_lookup (infra->vms, info->uuid);
  VirfsVm *vm = g_new0 (VirfsVm, 1);
  gint64 now = g_get_real_time ();

  virfs_registry_dissolve_draft (infra, info->uuid);
  g_strlcpy (vm->uuid, info->uuid, sizeof vm->uuid);
  virfs_registry_add (infra, vm, VIRFS_KIND_VM, wished_id (host, primary, vm->uuid), free_vm);
  g_hash_table_insert (host->vms, vm->uuid, vm);
  if (primary != NULL)
    virfs_registry_become_twin (vm, primary);
  else
    g_hash_table_insert (infra->vms, vm->uuid, vm);

  fill_in (host, info);
  virfs_claim_show (vm, info);
  for (guint i = 0; i < VIRFS_VM_N_FIELDS; i++)
    info->changed[i] = now;
  for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
    virfs_registry_sync_parts (&vm->object, NULL, &info->parts[i]);
  vm->info = info;
  account (info, 1);
  virfs_registry_take_label (vm, info);
  virfs_registry_emit (infra, VIRFS_ADDED, vm, 0, NULL, info);
  virfs_registry_index_vm (vm, NULL, info, ~G_GUINT64_CONSTANT (0));
  return vm;
}

gboolean
virfs_registry_take_vm (VirfsHost *host, VirfsVmInfo *info)
{
  VirfsVm *vm = g_hash_table_lookup (host->vms, info->uuid);
  gboolean is_new = vm == NULL;

  if (is_new)
    vm = add_vm (host, info);
  else
    virfs_registry_take_info (vm, host, info);
  if (virfs_registry_primary (vm)->twins != NULL)
    virfs_registry_weigh (vm);
  return is_new;
}

void
virfs_registry_remove_vm (VirfsHost *host, VirfsVm *vm)
{
  VirfsInfra *infra = host->object.infra;
  g_autofree char *freed = NULL;
  VirfsVm *primary;

  if (vm->twins != NULL) {
    /* the guest lives on elsewhere: what leaves is its twin, which comes here first */
    VirfsVm *heir = vm->twins->pdata[0];

    virfs_registry_exchange (vm, heir);
    vm = heir;
  }
  primary = virfs_registry_primary (vm);
  if (vm->twin) {
    virfs_registry_leave_twins (vm);
  } else {
    g_hash_table_remove (infra->vms, vm->uuid);
    virfs_consoles_forget (infra->consoles, vm->uuid);
  }
  g_hash_table_remove (host->vms, vm->uuid);
  freed = g_strdup (vm->info->label);
  virfs_registry_release_label (vm);
  vm->removed = TRUE;
  account (vm->info, -1);
  for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
    virfs_registry_remove_parts (&vm->object, vm->info->parts[i]);
  virfs_registry_index_vm (vm, vm->info, NULL, ~G_GUINT64_CONSTANT (0));
  virfs_registry_emit (infra, VIRFS_REMOVED, vm, 0, vm->info, NULL);
  virfs_registry_touch_directories (vm, vm->info, NULL);
  if (freed != NULL)
    virfs_registry_offer_label (infra, freed);
  /* of several heirs another may be more alive */
  if (primary != vm)
    virfs_registry_weigh (primary);
  virfs_registry_remove (infra, vm);
}

void
virfs_registry_forget_vms (VirfsHost *host)
{
  g_autoptr (GList) keys = g_hash_table_get_keys (host->vms);

  for (GList *l = keys; l; l = l->next)
    virfs_registry_remove_vm (host, g_hash_table_lookup (host->vms, l->data));
}

void
virfs_registry_hide (VirfsInfra *infra, const char *uuid, gboolean hide)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsVm *vm = g_hash_table_lookup (infra->vms, uuid);

  if (hide)
    g_hash_table_add (infra->hidden, g_strdup (uuid));
  else
    g_hash_table_remove (infra->hidden, uuid);
  if (vm != NULL && virfs_registry_show_or_hide (vm)) {
    virfs_registry_log_added (vm);
    virfs_registry_touch_directories (vm, vm->info, vm->info);
  }
}

static gboolean
edit_vm (VirfsInfra *infra, VirfsHost *host, const char *uuid, VirfsVmEdit edit, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsVm *vm = g_hash_table_lookup (host->vms, uuid);
  VirfsVmInfo *info;

  if (vm == NULL || host->removed)
    return FALSE;
  info = virfs_vm_info_copy (vm->info);
  edit (info, data);
  virfs_registry_take_vm (host, info);
  return TRUE;
}

gboolean
virfs_infra_edit_vm (VirfsInfra *infra, VirfsHost *host, const char *uuid, VirfsVmEdit edit,
                     gpointer data)
{
  gboolean edited = edit_vm (infra, host, uuid, edit, data);

  virfs_registry_forget_dissolved (infra);
  return edited;
}

void
virfs_infra_set_snapshot_disks (VirfsInfra *infra, VirfsVm *vm, gboolean disks)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsVmInfo *info = virfs_vm_info_copy (vm->info);

  info->snapshot_disks = disks;
  virfs_registry_publish_vm (vm, info);
}
