/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests that come, go and get another name.  One whose image is `none/such` cannot be made, and of one
 * whose title is `broken` something stays on the host.
 */
#include "draft.h"
#include "error.h"
#include "fake.h"

static GError *
make (VirfsHost *host, const VirfsCreation *creation)
{
  const VirfsDraftInfo *info = creation->info;
  VirfsPart *draft = creation->draft;
  g_autofree char *line
    = g_strdup_printf ("%s\tdefault\t%s-vda.qcow2", host->name, info->part.name);
  VirfsVmInfo *vm;
  GError *error = NULL;

  if (!virfs_infra_note_made (draft->object.infra, draft, line, &error))
    return error;
  if (g_strcmp0 (info->image, "none/such") == 0) {
    virfs_infra_forget_made (draft->object.infra, draft, line);
    return g_error_new (VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no image none/such");
  }
  if (g_strcmp0 (info->title, "broken") == 0)
    return g_error_new (VIRFS_ERROR, VIRFS_ERROR_FAILED, "the host has lost its mind");
  vm = virfs_vm_info_new (info->uuid, info->part.name);
  vm->state = creation->state;
  vm->persistent = TRUE;
  vm->owned = TRUE;
  virfs_draft_owner (info, &vm->owner);
  virfs_ref_string_set (&vm->image, info->image);
  vm->memory = vm->memory_max = info->memory ? info->memory : VIRFS_DRAFT_MEMORY;
  vm->vcpus = vm->vcpus_max = info->vcpus ? info->vcpus : VIRFS_DRAFT_VCPUS;
  virfs_infra_update_vm (host->object.infra, host, vm);
  return NULL;
}

void
virfs_fake_create (VirfsHost *host, const VirfsCreation *creation, VirfsJob *job)
{
  if (virfs_fake_begin (host, job))
    virfs_job_finish (job, make (host, creation));
}

void
virfs_fake_draft_clean (VirfsHost *host, VirfsPart *draft, VirfsJob *job)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (draft);
  const char *made = ((VirfsDraftInfo *) known)->made;
  g_auto (GStrv) lines = g_strsplit (made ? made : "", "\n", -1);

  if (!virfs_fake_begin (host, job))
    return;
  for (char **p = lines; *p; p++)
    if (g_str_has_prefix (*p, host->name))
      virfs_infra_forget_made (draft->object.infra, draft, *p);
  virfs_job_finish (job, NULL);
}

void
virfs_fake_seed (VirfsVm *vm, const VirfsSeed *seed, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  if (virfs_fake_begin (info->host, job))
    virfs_job_finish (job, NULL);
}

void
virfs_fake_undefine (VirfsVm *vm, gboolean purge, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  if (!virfs_fake_begin (info->host, job))
    return;
  virfs_infra_remove_vm (vm->object.infra, info->host, info->uuid);
  virfs_job_finish (job, NULL);
}

void
virfs_fake_rename (VirfsVm *vm, const char *name, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) known = virfs_vm_info (vm);
  VirfsVmInfo *info = virfs_vm_info_copy (known);

  if (!virfs_fake_begin (known->host, job)) {
    virfs_vm_info_unref (info);
    return;
  }
  virfs_ref_string_set (&info->name, name);
  virfs_infra_update_vm (vm->object.infra, known->host, info);
  virfs_job_finish (job, NULL);
}
