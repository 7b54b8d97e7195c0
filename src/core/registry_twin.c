/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests of one UUID on several hosts: while one migrates, or because a definition was left behind.
 *
 * One object is the guest, the one that is most alive; the others are its twins.  When a twin becomes
 * more alive than the guest the two exchange hosts, so that the guest stays the same object wherever
 * it goes.  A twin is shown only if it is shut off and nothing moves: then somebody left it there.
 * All static functions run under the registry's lock.
 */
#include "registry_vm.h"

#include "claim.h"

VirfsVm *
virfs_registry_primary (VirfsVm *vm)
{
  return vm->twin ? g_hash_table_lookup (vm->object.infra->vms, vm->uuid) : vm;
}

void
virfs_registry_become_twin (VirfsVm *vm, VirfsVm *primary)
{
  vm->twin = TRUE;
  if (primary->twins == NULL)
    primary->twins = g_ptr_array_new ();
  g_ptr_array_add (primary->twins, vm);
}

void
virfs_registry_leave_twins (VirfsVm *vm)
{
  VirfsVm *primary = virfs_registry_primary (vm);

  g_ptr_array_remove (primary->twins, vm);
  if (primary->twins->len == 0)
    g_clear_pointer (&primary->twins, g_ptr_array_unref);
}

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

void
virfs_registry_exchange (VirfsVm *a, VirfsVm *b)
{
  VirfsVmInfo *info_a = virfs_vm_info_copy (b->info);
  VirfsVmInfo *info_b = virfs_vm_info_copy (a->info);
  VirfsHost *host_a = info_a->host, *host_b = info_b->host;

  g_hash_table_replace (host_a->vms, a->uuid, a);
  g_hash_table_replace (host_b->vms, b->uuid, b);
  /* whoever is shown already keeps that name */
  virfs_registry_take_info (a, host_a, info_a);
  virfs_registry_take_info (b, host_b, info_b);
}

void
virfs_registry_weigh (VirfsVm *vm)
{
  VirfsVm *primary = virfs_registry_primary (vm);
  VirfsVm *best = primary;

  for (guint i = 0; primary->twins && i < primary->twins->len; i++)
    if (liveliness (primary->twins->pdata[i]) > liveliness (best))
      best = primary->twins->pdata[i];
  if (best != primary)
    virfs_registry_exchange (primary, best);
  /* what is shown of the twins may have changed with it */
  for (guint i = 0; primary->twins && i < primary->twins->len; i++)
    virfs_registry_show_or_hide (primary->twins->pdata[i]);
}

void
virfs_infra_begin_move (VirfsInfra *infra, VirfsVm *vm)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  vm->moving++;
  virfs_claim_publish (vm);
}

void
virfs_infra_end_move (VirfsInfra *infra, VirfsVm *vm)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  vm->moving--;
  virfs_claim_publish (vm);
  if (!vm->removed)
    virfs_registry_weigh (vm);
}

gboolean
virfs_infra_is_moving (VirfsInfra *infra, VirfsVm *vm)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  return vm->moving > 0;
}

VirfsHost *
virfs_infra_post_copy_source (VirfsInfra *infra, VirfsVm *vm)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  for (guint i = 0; vm->twins && i < vm->twins->len; i++) {
    const VirfsVmInfo *twin = ((VirfsVm *) vm->twins->pdata[i])->info;

    if (twin->state == VIRFS_VM_PAUSED && g_strcmp0 (twin->reason, VIRFS_VM_POST_COPY_FAILED) == 0)
      return virfs_object_ref (twin->host);
  }
  return NULL;
}
