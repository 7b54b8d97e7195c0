/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests of the registry.
 *
 * A guest is known by its UUID.  Where two hosts have the same UUID (while it migrates, or because a
 * definition was left behind) one object is the guest, the one that is most alive; the others are
 * its twins.  When a twin becomes more alive than the guest the two exchange hosts, so that the
 * guest stays the same object wherever it goes.  A twin is shown only if it is shut off and nothing
 * moves: then somebody left it there.
 *
 * Its label is its name in vms/: the first to come keeps it, a rival is called NAME~HOST until the
 * name becomes free.  All static functions run under the registry's lock.
 */
#include "registry.h"

#include "text.h"

#include <string.h>

/* The fields of the fleet that tell which guests are in which state. */
#define ALL_STATES ((VIRFS_BIT (VIRFS_VM_N_STATES) - 1) << VIRFS_ROOT_STATES)

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
  g_free (vm);
}

VirfsVm *
virfs_registry_primary (VirfsVm *vm)
{
  return vm->twin ? g_hash_table_lookup (vm->object.infra->vms, vm->uuid) : vm;
}

/* Names. */

static void
add_rival (VirfsInfra *infra, const char *label, VirfsVm *vm)
{
  GPtrArray *rivals = g_hash_table_lookup (infra->rivals, label);

  if (rivals == NULL) {
    rivals = g_ptr_array_new ();
    g_hash_table_insert (infra->rivals, g_strdup (label), rivals);
  }
  g_ptr_array_add (rivals, vm);
}

static void
remove_rival (VirfsInfra *infra, const char *label, VirfsVm *vm)
{
  GPtrArray *rivals = g_hash_table_lookup (infra->rivals, label);

  if (rivals != NULL && g_ptr_array_remove_fast (rivals, vm) && rivals->len == 0)
    g_hash_table_remove (infra->rivals, label);
}

/* Whether VM bears the name of its host because another has the name that it would like. */
static gboolean
is_rival (VirfsVm *vm)
{
  g_autofree char *plain = virfs_name_encode (vm->info->name);
  GPtrArray *rivals = g_hash_table_lookup (vm->object.infra->rivals, plain);

  return rivals != NULL && g_ptr_array_find (rivals, vm, NULL);
}

static gboolean
is_taken (VirfsInfra *infra, const char *label)
{
  return g_hash_table_contains (infra->labels, label)
         || virfs_registry_draft (infra, label) != NULL;
}

/* A free name for VM: NAME, NAME~HOST, or one with the UUID and, for twins, a number. */
static GRefString *
choose_label (VirfsVm *vm, const VirfsVmInfo *info)
{
  VirfsInfra *infra = vm->object.infra;
  g_autofree char *plain = virfs_name_encode (info->name);
  g_autofree char *with_host = g_strdup_printf ("%s~%.*s", plain, 60, info->host->name);
  g_autoptr (GString) with_uuid = NULL;

  if (!is_taken (infra, plain))
    return g_ref_string_new (plain);
  add_rival (infra, plain, vm);
  if (!is_taken (infra, with_host))
    return g_ref_string_new (with_host);
  with_uuid = g_string_new (NULL);
  g_string_printf (with_uuid, "%s~%s", plain, info->uuid);
  for (guint i = 2; is_taken (infra, with_uuid->str); i++)
    g_string_printf (with_uuid, "%s~%s~%u", plain, info->uuid, i);
  return g_ref_string_new (with_uuid->str);
}

static gint
compare_hosts (gconstpointer a, gconstpointer b)
{
  const VirfsVm *const *p = a, *const *q = b;

  return strcmp ((*p)->info->host->name, (*q)->info->host->name);
}

static void relabel (VirfsVm *vm);

/* LABEL is free again: the first of those who want it gets it. */
static void
offer_label (VirfsInfra *infra, const char *label)
{
  GPtrArray *rivals = g_hash_table_lookup (infra->rivals, label);

  if (rivals == NULL)
    return;
  g_ptr_array_sort (rivals, compare_hosts);
  relabel (rivals->pdata[0]);
}

static void
take_label (VirfsVm *vm, VirfsVmInfo *info)
{
  info->label = choose_label (vm, info);
  g_hash_table_insert (vm->object.infra->labels, info->label, vm);
}

/* Ends what VM's present info has to do with names; the label itself stays in that info. */
static void
release_label (VirfsVm *vm)
{
  g_autofree char *plain = virfs_name_encode (vm->info->name);

  remove_rival (vm->object.infra, plain, vm);
  if (vm->info->label != NULL)
    g_hash_table_remove (vm->object.infra->labels, vm->info->label);
}

static gboolean
is_namesake (VirfsVm *other, const VirfsVmInfo *vm, VirfsHost *host)
{
  return other->info->host == host && g_str_equal (other->info->name, vm->name)
         && !g_str_equal (other->uuid, vm->uuid);
}

static gboolean
is_shown (VirfsVm *vm, const VirfsVmInfo *info)
{
  if (g_hash_table_contains (vm->object.infra->hidden, vm->uuid))
    return FALSE;
  return !vm->twin
         || (!virfs_vm_state_active (info->state) && virfs_registry_primary (vm)->moving == 0);
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

/* The directories that show VM, as BEFORE and AFTER (either may be NULL) say. */
static void
touch_directories (VirfsVm *vm, const VirfsVmInfo *before, const VirfsVmInfo *after)
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
    touch_directories (vm, before, info);
  else if (fields & VIRFS_BIT (VIRFS_VM_STATE))
    virfs_registry_touch (vm->object.infra, VIRFS_BIT (VIRFS_ROOT_STATES + before->state)
                                              | VIRFS_BIT (VIRFS_ROOT_STATES + info->state));
  log_vm_changes (vm, before, info, fields);
  return fields;
}

/* What the guest says nothing of. */
static void
fill_in (VirfsInfra *infra, VirfsVmInfo *info)
{
  if (!info->owned)
    info->owner = infra->owner;
  if (info->shutdown_timeout == 0)
    info->shutdown_timeout = infra->shutdown_timeout;
  virfs_kept_unref (info->kept);
  info->kept = g_hash_table_lookup (infra->kept, info->uuid);
  if (info->kept != NULL)
    virfs_kept_ref (info->kept);
}

/* Fills in the registry's part of INFO from what is known and publishes it. */
static void
take_info (VirfsVm *vm, VirfsHost *host, VirfsVmInfo *info)
{
  VirfsVmInfo *known = vm->info;
  g_autofree char *freed = NULL;
  gboolean keeps_name = known->label != NULL && g_str_equal (known->name, info->name)
                        && (known->host == host || !is_rival (vm));

  g_clear_pointer (&info->label, g_ref_string_release);
  virfs_object_ref (host);
  virfs_object_unref (info->host);
  info->host = host;
  fill_in (vm->object.infra, info);
  info->snapshot_disks = known->snapshot_disks;
  if (info->created == 0)
    info->created = known->created;
  if (info->error == NULL && known->error != NULL)
    info->error = g_ref_string_acquire (known->error);

  if (keeps_name && is_shown (vm, info)) {
    info->label = g_ref_string_acquire (known->label);
  } else {
    release_label (vm);
    if (is_shown (vm, info))
      take_label (vm, info);
    if (known->label != NULL && g_strcmp0 (known->label, info->label) != 0)
      freed = g_strdup (known->label);
  }
  virfs_registry_publish_vm (vm, info);
  if (freed != NULL)
    offer_label (vm->object.infra, freed);
}

/* Chooses VM's name again. */
static void
relabel (VirfsVm *vm)
{
  VirfsVmInfo *info = virfs_vm_info_copy (vm->info);
  g_autofree char *old = g_strdup (vm->info->label);

  release_label (vm);
  g_clear_pointer (&info->label, g_ref_string_release);
  if (is_shown (vm, info))
    take_label (vm, info);
  virfs_registry_publish_vm (vm, info);
  if (old != NULL && g_strcmp0 (old, info->label) != 0)
    offer_label (vm->object.infra, old);
}

void
virfs_registry_rename_rivals (VirfsInfra *infra)
{
  g_autoptr (GPtrArray) groups = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer label;

  g_hash_table_iter_init (&iter, infra->rivals);
  while (g_hash_table_iter_next (&iter, &label, NULL))
    g_ptr_array_add (groups, g_strdup (label));
  for (guint i = 0; i < groups->len; i++) {
    GPtrArray *rivals = g_hash_table_lookup (infra->rivals, groups->pdata[i]);
    VirfsVm *holder = g_hash_table_lookup (infra->labels, groups->pdata[i]);
    VirfsVm *first;

    if (rivals == NULL || holder == NULL)
      continue;
    g_ptr_array_sort (rivals, compare_hosts);
    first = rivals->pdata[0];
    if (compare_hosts (&first, &holder) < 0) {
      /* the holder steps back: as a rival it frees the name, and the first in line takes it */
      VirfsVmInfo *info = virfs_vm_info_copy (holder->info);
      g_autofree char *wish = virfs_name_encode (info->name);

      remove_rival (infra, wish, holder); /* if its wish was another name */
      g_clear_pointer (&info->label, g_ref_string_release);
      info->label = choose_label (holder, info);
      g_hash_table_insert (infra->labels, info->label, holder);
      g_hash_table_remove (infra->labels, groups->pdata[i]);
      virfs_registry_publish_vm (holder, info);
      offer_label (infra, groups->pdata[i]);
    }
  }
}

/* Twins. */

static int
liveliness (VirfsVm *vm)
{
  gboolean up = vm->info->host->info->state == VIRFS_HOST_UP;

  if (up && vm->info->state == VIRFS_VM_RUNNING)
    return 4;
  if (virfs_vm_state_active (vm->info->state))
    return up ? 3 : 2;
  return up ? 1 : 0;
}

/* Two guests of one UUID change places: what is known of A is from now on told of B. */
static void
exchange (VirfsVm *a, VirfsVm *b)
{
  VirfsVmInfo *info_a = virfs_vm_info_copy (b->info);
  VirfsVmInfo *info_b = virfs_vm_info_copy (a->info);
  VirfsHost *host_a = info_a->host, *host_b = info_b->host;

  g_hash_table_replace (host_a->vms, a->uuid, a);
  g_hash_table_replace (host_b->vms, b->uuid, b);
  /* whoever is shown already keeps that name */
  take_info (a, host_a, info_a);
  take_info (b, host_b, info_b);
}

static void
weigh (VirfsVm *vm)
{
  VirfsVm *primary = virfs_registry_primary (vm);
  VirfsVm *best = primary;

  for (guint i = 0; primary->twins && i < primary->twins->len; i++)
    if (liveliness (primary->twins->pdata[i]) > liveliness (best))
      best = primary->twins->pdata[i];
  if (best != primary)
    exchange (primary, best);
  /* what is shown of the twins may have changed with it */
  for (guint i = 0; primary->twins && i < primary->twins->len; i++) {
    VirfsVm *twin = primary->twins->pdata[i];

    if (is_shown (twin, twin->info) != (twin->info->label != NULL))
      relabel (twin);
  }
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
      weigh (vm);
  }
}

static void
become_twin (VirfsVm *vm, VirfsVm *primary)
{
  vm->twin = TRUE;
  if (primary->twins == NULL)
    primary->twins = g_ptr_array_new ();
  g_ptr_array_add (primary->twins, vm);
}

static void
leave_twins (VirfsVm *vm)
{
  VirfsVm *primary = virfs_registry_primary (vm);

  g_ptr_array_remove (primary->twins, vm);
  if (primary->twins->len == 0)
    g_clear_pointer (&primary->twins, g_ptr_array_unref);
}

/* Coming and going. */

static guint64
wished_id (VirfsHost *host, VirfsVm *primary, const char *uuid)
{
  g_autofree char *key = primary ? g_strconcat (uuid, "~", host->name, NULL) : g_strdup (uuid);

  return virfs_object_hash_id (VIRFS_KIND_VM, key);
}

/* The guest of a draft is there though nobody makes it now: so it was made when virfs ended. */
static void
dissolve_draft (VirfsInfra *infra, const char *uuid)
{
  VirfsPart *draft = infra->drafts && !g_hash_table_contains (infra->hidden, uuid)
                       ? virfs_registry_draft_by_uuid (infra, uuid)
                       : NULL;

  if (draft == NULL)
    return;
  g_ptr_array_add (infra->dissolved, g_strdup (uuid));
  virfs_registry_drop_draft (draft);
}

void
virfs_registry_forget_dissolved (VirfsInfra *infra)
{
  g_autoptr (GPtrArray) uuids = g_ptr_array_new_with_free_func (g_free);

  g_mutex_lock (&infra->lock);
  while (infra->dissolved->len > 0)
    g_ptr_array_add (uuids, g_ptr_array_steal_index (infra->dissolved, 0));
  g_mutex_unlock (&infra->lock);
  for (guint i = 0; i < uuids->len; i++)
    virfs_infra_forget (infra, VIRFS_RECORD_DRAFT, uuids->pdata[i], NULL);
}

static VirfsVm *
add_vm (VirfsHost *host, VirfsVmInfo *info)
{
  VirfsInfra *infra = host->object.infra;
  VirfsVm *primary = g_hash_table_lookup (infra->vms, info->uuid);
  VirfsVm *vm = g_new0 (VirfsVm, 1);
  gint64 now = g_get_real_time ();

  dissolve_draft (infra, info->uuid);
  g_strlcpy (vm->uuid, info->uuid, sizeof vm->uuid);
  virfs_registry_add (infra, vm, VIRFS_KIND_VM, wished_id (host, primary, vm->uuid), free_vm);
  g_hash_table_insert (host->vms, vm->uuid, vm);
  if (primary != NULL)
    become_twin (vm, primary);
  else
    g_hash_table_insert (infra->vms, vm->uuid, vm);

  /* the backend may have copied it from another guest's */
  g_clear_pointer (&info->label, g_ref_string_release);
  virfs_object_ref (host);
  virfs_object_unref (info->host);
  info->host = host;
  fill_in (infra, info);
  for (guint i = 0; i < VIRFS_VM_N_FIELDS; i++)
    info->changed[i] = now;
  for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
    virfs_registry_sync_parts (&vm->object, NULL, &info->parts[i]);
  vm->info = info;
  account (info, 1);
  if (is_shown (vm, info))
    take_label (vm, info);
  virfs_registry_emit (infra, VIRFS_ADDED, vm, 0, NULL, info);
  virfs_registry_index_vm (vm, NULL, info, ~G_GUINT64_CONSTANT (0));
  return vm;
}

/* Returns whether it is new. */
static gboolean
take_vm (VirfsHost *host, VirfsVmInfo *info)
{
  VirfsVm *vm = g_hash_table_lookup (host->vms, info->uuid);
  gboolean is_new = vm == NULL;

  if (is_new)
    vm = add_vm (host, info);
  else
    take_info (vm, host, info);
  if (virfs_registry_primary (vm)->twins != NULL)
    weigh (vm);
  return is_new;
}

static void
remove_vm (VirfsHost *host, VirfsVm *vm)
{
  VirfsInfra *infra = host->object.infra;
  g_autofree char *freed = NULL;
  VirfsVm *primary;

  if (vm->twins != NULL) {
    /* the guest lives on elsewhere: what leaves is its twin, which comes here first */
    VirfsVm *heir = vm->twins->pdata[0];

    exchange (vm, heir);
    vm = heir;
  }
  primary = virfs_registry_primary (vm);
  if (vm->twin)
    leave_twins (vm);
  else
    g_hash_table_remove (infra->vms, vm->uuid);
  g_hash_table_remove (host->vms, vm->uuid);
  freed = g_strdup (vm->info->label);
  release_label (vm);
  vm->removed = TRUE;
  account (vm->info, -1);
  for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
    virfs_registry_remove_parts (&vm->object, vm->info->parts[i]);
  virfs_registry_index_vm (vm, vm->info, NULL, ~G_GUINT64_CONSTANT (0));
  virfs_registry_emit (infra, VIRFS_REMOVED, vm, 0, vm->info, NULL);
  touch_directories (vm, vm->info, NULL);
  if (freed != NULL)
    offer_label (infra, freed);
  /* of several heirs another may be more alive */
  if (primary != vm)
    weigh (primary);
  virfs_registry_remove (infra, vm);
}

/* Returns whether it is gone.  A guest that moves is not: whoever moves it tells where it is. */
static gboolean
take_loss (VirfsHost *host, VirfsVm *vm)
{
  VirfsVm *primary = virfs_registry_primary (vm);

  if (primary->moving > 0 && primary->twins == NULL)
    return FALSE;
  if (primary->twins == NULL)
    virfs_registry_event (host->object.infra, vm, "removed", NULL);
  remove_vm (host, vm);
  return TRUE;
}

static void
log_added (VirfsVm *vm)
{
  if (vm->info->label != NULL)
    virfs_registry_event (vm->object.infra, vm, "added", NULL);
}

/* Names of users are looked up before the lock is taken, because that may take its time. */
static void
learn_owner (const VirfsVmInfo *info)
{
  if (info->owned)
    virfs_user_learn (info->owner.uid);
}

static void
learn_owners (GPtrArray *infos)
{
  for (guint i = 0; i < infos->len; i++)
    learn_owner (infos->pdata[i]);
}

static void
update_vm (VirfsInfra *infra, VirfsHost *host, VirfsVmInfo *info)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  if (host->removed) {
    virfs_vm_info_unref (info);
  } else {
    g_autofree char *uuid = g_strdup (info->uuid);

    host->told = TRUE;
    if (take_vm (host, info)) {
      VirfsVm *vm = g_hash_table_lookup (host->vms, uuid);

      log_added (vm);
      touch_directories (vm, NULL, vm->info);
    }
  }
}

void
virfs_infra_update_vm (VirfsInfra *infra, VirfsHost *host, VirfsVmInfo *info)
{
  learn_owner (info);
  update_vm (infra, host, info);
  virfs_registry_forget_dissolved (infra);
}

void
virfs_infra_remove_vm (VirfsInfra *infra, VirfsHost *host, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsVm *vm = g_hash_table_lookup (host->vms, uuid);

  if (vm != NULL)
    take_loss (host, vm);
}

/* The guests of HOST that are not among UUIDS (a set) are gone. */
static void
remove_others (VirfsHost *host, GHashTable *uuids)
{
  g_autoptr (GList) known = g_hash_table_get_keys (host->vms);

  for (GList *l = known; l; l = l->next)
    if (!g_hash_table_contains (uuids, l->data))
      take_loss (host, g_hash_table_lookup (host->vms, l->data));
}

/* RECALLED: from an earlier run, which counts for nothing as soon as the host itself tells. */
static void
sync_vms (VirfsInfra *infra, VirfsHost *host, GPtrArray *infos, gboolean recalled)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  g_autoptr (GHashTable) uuids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) taken = infos;
  gboolean first = g_hash_table_size (host->vms) == 0;
  gboolean ignored = host->removed || (recalled && host->told);
  guint added = 0;

  host->told |= !recalled;
  infra->recalling = recalled;
  for (guint i = 0; i < taken->len; i++) {
    VirfsVmInfo *info = taken->pdata[i];
    char *uuid = g_strdup (info->uuid);

    g_hash_table_add (uuids, uuid);
    if (ignored) {
      virfs_vm_info_unref (info);
    } else if (take_vm (host, info)) {
      added++;
      if (!first)
        log_added (g_hash_table_lookup (host->vms, uuid));
    }
  }
  if (!ignored)
    remove_others (host, uuids);
  infra->recalling = FALSE;
  if (added > 0) {
    /* once for all of them */
    virfs_registry_touch_host (host, VIRFS_BIT (VIRFS_HOST_VMS));
    virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_VMS) | ALL_STATES);
  }
}

void
virfs_infra_sync_vms (VirfsInfra *infra, VirfsHost *host, GPtrArray *infos)
{
  learn_owners (infos);
  sync_vms (infra, host, infos, FALSE);
  virfs_registry_forget_dissolved (infra);
}

void
virfs_registry_recall_vms (VirfsHost *host)
{
  VirfsInfra *infra = host->object.infra;
  const VirfsKeeper *keeper = infra->keeper;
  GPtrArray *infos
    = keeper && keeper->recall_vms ? keeper->recall_vms (keeper->data, host->name) : NULL;

  if (infos == NULL)
    return;
  learn_owners (infos);
  sync_vms (infra, host, infos, TRUE);
  virfs_registry_forget_dissolved (infra);
}

gboolean
virfs_infra_edit_vm (VirfsInfra *infra, VirfsHost *host, const char *uuid, VirfsVmEdit edit,
                     gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsVm *vm = g_hash_table_lookup (host->vms, uuid);
  VirfsVmInfo *info;

  if (vm == NULL || host->removed)
    return FALSE;
  info = virfs_vm_info_copy (vm->info);
  edit (info, data);
  take_vm (host, info);
  return TRUE;
}

/* All of one name are among those who would like the same label, or have it. */
gboolean
virfs_infra_has_namesake (VirfsInfra *infra, const VirfsVmInfo *vm, VirfsHost *host)
{
  g_autofree char *plain = virfs_name_encode (vm->name);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GPtrArray *rivals = g_hash_table_lookup (infra->rivals, plain);
  VirfsVm *holder = g_hash_table_lookup (infra->labels, plain);

  if (holder != NULL && is_namesake (holder, vm, host))
    return TRUE;
  for (guint i = 0; rivals != NULL && i < rivals->len; i++)
    if (is_namesake (rivals->pdata[i], vm, host))
      return TRUE;
  return FALSE;
}

void
virfs_infra_begin_move (VirfsInfra *infra, VirfsVm *vm)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  vm->moving++;
}

void
virfs_infra_end_move (VirfsInfra *infra, VirfsVm *vm)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  vm->moving--;
  if (!vm->removed)
    weigh (vm);
}

gboolean
virfs_infra_is_moving (VirfsInfra *infra, VirfsVm *vm)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  return vm->moving > 0;
}

void
virfs_infra_set_snapshot_disks (VirfsInfra *infra, VirfsVm *vm, gboolean disks)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsVmInfo *info = virfs_vm_info_copy (vm->info);

  info->snapshot_disks = disks;
  virfs_registry_publish_vm (vm, info);
}

void
virfs_registry_forget_vms (VirfsHost *host)
{
  g_autoptr (GList) keys = g_hash_table_get_keys (host->vms);

  for (GList *l = keys; l; l = l->next)
    remove_vm (host, g_hash_table_lookup (host->vms, l->data));
}

/* The guest with that UUID is shown from now on, or is not any more. */
static void
show_or_hide (VirfsVm *vm)
{
  if (is_shown (vm, vm->info) == (vm->info->label != NULL))
    return;
  relabel (vm);
  log_added (vm);
  touch_directories (vm, vm->info, vm->info);
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
  if (vm != NULL)
    show_or_hide (vm);
}

void
virfs_registry_offer (VirfsInfra *infra, const char *label)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  if (!is_taken (infra, label))
    offer_label (infra, label);
}
