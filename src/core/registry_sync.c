/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told of guests, by backends and by the keeper: of one of them, or of all of a host.
 * The registry's lock is taken here, once what may take its time has been looked up.
 */
#include "registry_vm.h"

/* The fields of the fleet that tell which guests are in which state. */
#define ALL_STATES ((VIRFS_BIT (VIRFS_VM_N_STATES) - 1) << VIRFS_ROOT_STATES)

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
    if (virfs_registry_take_vm (host, info)) {
      VirfsVm *vm = g_hash_table_lookup (host->vms, uuid);

      virfs_registry_log_added (vm);
      virfs_registry_touch_directories (vm, NULL, vm->info);
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

/* A guest that moves is not gone: whoever moves it tells where it is. */
static void
take_loss (VirfsHost *host, VirfsVm *vm)
{
  VirfsVm *primary = virfs_registry_primary (vm);

  if (primary->moving > 0 && primary->twins == NULL)
    return;
  if (primary->twins == NULL)
    virfs_registry_event (host->object.infra, vm, "removed", NULL);
  virfs_registry_remove_vm (host, vm);
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
  g_cond_broadcast (&infra->settled);
  infra->recalling = recalled;
  for (guint i = 0; i < taken->len; i++) {
    VirfsVmInfo *info = taken->pdata[i];
    char *uuid = g_strdup (info->uuid);

    g_hash_table_add (uuids, uuid);
    if (ignored) {
      virfs_vm_info_unref (info);
    } else if (virfs_registry_take_vm (host, info)) {
      added++;
      if (!first)
        virfs_registry_log_added (g_hash_table_lookup (host->vms, uuid));
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
