/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept with the fake's guests: changed at once. */
#include "fake.h"

#include "device.h"
#include "isolation.h"
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
  case VIRFS_VM_RECORD:
    info->record = (gboolean) note->number;
    break;
  case VIRFS_VM_IMAGE:
    virfs_ref_string_set (&info->image, note->text);
    break;
  default:
    info->shutdown_timeout = note->number;
    break;
  }
}

typedef struct {
  const char *nic;
  gboolean isolate;
} Isolation;

/* A link is down as long as its NIC is to be isolated, and then what it was. */
static void
apply_isolation (VirfsVmInfo *info, gpointer data)
{
  const Isolation *change = data;
  g_autofree char *wanted = virfs_isolation_change (info, change->nic, change->isolate);
  GPtrArray *nics = info->parts[VIRFS_VM_NICS], *list = virfs_part_list_new ();

  for (guint i = 0; nics && i < nics->len; i++) {
    VirfsNicInfo *nic = virfs_part_info_copy (nics->pdata[i]);
    gboolean down = nic->link_down;

    virfs_isolation_has (info->isolation, nic->mac, &down);
    nic->link_down = down || virfs_isolation_has (wanted, nic->mac, NULL);
    g_ptr_array_add (list, nic);
  }
  virfs_part_lists_set (info->parts, VIRFS_VM_NICS, list);
  virfs_ref_string_set (&info->isolation, wanted);
  virfs_isolation_mark (info);
}

void
virfs_fake_isolate (VirfsVm *vm, const char *nic, gboolean isolate, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  if (!virfs_fake_begin (info->host, job))
    return;
  virfs_infra_edit_vm (vm->object.infra, info->host, info->uuid, apply_isolation,
                       &(Isolation){ nic, isolate });
  virfs_job_finish (job, NULL);
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
