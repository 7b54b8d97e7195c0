/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept with the fake's guests: changed at once. */
#include "fake.h"

#include "tags.h"

static void
set_tags (VirfsVmInfo *info, const VirfsVmNote *note)
{
  g_autofree char *tags = NULL;

  if (note->how == VIRFS_NOTE_SET)
    tags = g_strdup (note->text);
  else if (note->how == VIRFS_NOTE_ADD)
    tags = virfs_tags_with (info->tags, note->text, NULL);
  else
    tags = virfs_tags_without (info->tags, note->text);
  virfs_ref_string_set (&info->tags, tags);
}

static void
apply (VirfsVmInfo *info, gpointer data)
{
  const VirfsVmNote *note = data;

  switch (note->field) {
  case VIRFS_VM_OWNER:
    info->owner = note->owner;
    info->owned = TRUE;
    break;
  case VIRFS_VM_TAGS:
    set_tags (info, note);
    break;
  case VIRFS_VM_PROTECT:
    info->protect = (gboolean) note->number;
    break;
  case VIRFS_VM_IMAGE:
    virfs_ref_string_set (&info->image, note->text);
    break;
  default:
    info->shutdown_timeout = note->number;
    break;
  }
}

void
virfs_fake_note (VirfsVm *vm, const VirfsVmNote *note, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  if (!virfs_fake_begin (info->host, job))
    return;
  virfs_infra_edit_vm (vm->object.infra, info->host, info->uuid, apply, (gpointer) note);
  virfs_job_finish (job, NULL);
}
