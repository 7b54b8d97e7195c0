/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots and checkpoints of the fake: done at once. */
#include "fake.h"
#include "fake_disk.h"

#include "snapshot.h"

#include "error.h"

/* One operation on one list of a guest's parts. */
typedef struct {
  VirfsVmPart list;
  const char *name;
  gpointer added;  /* an info (taken), or NULL */
  gboolean keeps;  /* NAME stays in the list */
  gboolean shifts; /* NAME becomes the current snapshot */
  const char *description;
} Change;

static gpointer
edited (gpointer part, const Change *change)
{
  VirfsSnapshotInfo *info;

  if (change->list != VIRFS_VM_SNAPSHOTS)
    return virfs_part_info_ref (part);
  info = virfs_part_info_copy (part);
  if (change->shifts)
    info->current = g_str_equal (info->part.name, change->name);
  if (change->description != NULL && g_str_equal (info->part.name, change->name))
    virfs_ref_string_set (&info->description, change->description);
  return info;
}

static void
apply (VirfsVmInfo *info, gpointer data)
{
  Change *change = data;
  GPtrArray *before = info->parts[change->list];
  GPtrArray *list = virfs_part_list_new ();

  for (guint i = 0; before && i < before->len; i++)
    if (change->keeps || !g_str_equal (((VirfsPartInfo *) before->pdata[i])->name, change->name))
      g_ptr_array_add (list, edited (before->pdata[i], change));
  if (change->added != NULL)
    g_ptr_array_add (list, g_steal_pointer (&change->added));
  virfs_part_list_sort (list);
  virfs_part_lists_set (info->parts, change->list, list);
}

static GError *
find_fault (const VirfsVmInfo *vm, const Change *change)
{
  gboolean known = virfs_part_list_find (vm->parts[change->list], change->name) != NULL;

  if (change->added != NULL && known)
    return g_error_new (VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s is there already", change->name);
  if (change->added == NULL && !known)
    return g_error_new (VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no %s", change->name);
  return NULL;
}

static void
carry_out (VirfsVm *vm, Change *change, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  if (virfs_fake_begin (info->host, job)) {
    GError *error = find_fault (info, change);

    if (error == NULL)
      virfs_infra_edit_vm (vm->object.infra, info->host, info->uuid, apply, change);
    virfs_job_finish (job, error);
  }
  g_clear_pointer (&change->added, virfs_part_info_unref);
}

void
virfs_fake_snapshot_take (VirfsVm *vm, const char *name, gboolean disks, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) known = virfs_vm_info (vm);
  const VirfsSnapshotInfo *parent = virfs_snapshot_current (known->parts[VIRFS_VM_SNAPSHOTS]);
  VirfsSnapshotInfo *info = virfs_part_info_new (&virfs_snapshot_class, name);
  Change change = { VIRFS_VM_SNAPSHOTS, name, .added = info, .keeps = TRUE, .shifts = TRUE };

  info->kind = disks ? VIRFS_SNAPSHOT_DISK : VIRFS_SNAPSHOT_FULL;
  info->state = disks ? "disk-snapshot" : virfs_vm_state_name (known->state);
  info->created = (guint64) g_get_real_time ();
  info->current = TRUE;
  virfs_ref_string_set (&info->parent, parent ? parent->part.name : NULL);
  carry_out (vm, &change, job);
}

void
virfs_fake_snapshot_delete (VirfsVm *vm, const char *name, VirfsJob *job)
{
  Change change = { VIRFS_VM_SNAPSHOTS, name };

  carry_out (vm, &change, job);
}

void
virfs_fake_snapshot_revert (VirfsVm *vm, const char *name, VirfsJob *job)
{
  Change change = { VIRFS_VM_SNAPSHOTS, name, .keeps = TRUE, .shifts = TRUE };

  carry_out (vm, &change, job);
}

void
virfs_fake_snapshot_describe (VirfsVm *vm, const char *name, const char *text, VirfsJob *job)
{
  Change change = { VIRFS_VM_SNAPSHOTS, name, .keeps = TRUE, .description = text };

  carry_out (vm, &change, job);
}

void
virfs_fake_checkpoint_make (VirfsVm *vm, const char *name, VirfsJob *job)
{
  VirfsCheckpointInfo *info = virfs_part_info_new (&virfs_checkpoint_class, name);
  Change change = { VIRFS_VM_CHECKPOINTS, name, .added = info, .keeps = TRUE };

  info->created = (guint64) g_get_real_time ();
  carry_out (vm, &change, job);
}

void
virfs_fake_checkpoint_delete (VirfsVm *vm, const char *name, VirfsJob *job)
{
  Change change = { VIRFS_VM_CHECKPOINTS, name };

  carry_out (vm, &change, job);
}

void
virfs_fake_backup_begin (VirfsVm *vm, const VirfsBackupWish *wish, VirfsJob *job)
{
  VirfsBackupInfo *info = virfs_part_info_new (&virfs_backup_class, wish->name);
  VirfsBackupDiskInfo *disk = virfs_part_info_new (&virfs_backup_disk_class, "vda");
  Change change = { VIRFS_VM_BACKUPS, wish->name, .added = info, .keeps = TRUE };

  g_autofree char *file = NULL;
  const char *base = g_strcmp0 (wish->base, "none") == 0 ? NULL : wish->base;

  info->consistency = VIRFS_BACKUP_CRASH;
  info->created = (guint64) g_get_real_time ();
  info->xml = virfs_blob_new ("<domain/>\n");
  virfs_ref_string_set (&info->parent, base);
  virfs_ref_string_set (&info->backing, wish->backing ? wish->backing : VIRFS_BACKUP_BACKING);
  virfs_ref_string_set (&info->checkpoint, wish->name);
  if (base != NULL) {
    file = virfs_backup_backing (info->backing, base, "vda", NULL);
    virfs_ref_string_set (&disk->bitmap, "backup-vda");
  }
  disk->view = virfs_fake_view (virfs_fake_disk (wish->name, base), file);
  disk->size = virfs_disk_view_size (disk->view, VIRFS_VIEW_RAW);
  virfs_ref_string_set (&disk->uri, "nbd+unix:///vda?socket=/run/virfs-backup.sock");
  info->part.parts = virfs_part_list_new ();
  g_ptr_array_add (info->part.parts, disk);
  carry_out (vm, &change, job);
}

void
virfs_fake_backup_end (VirfsVm *vm, const char *name, gboolean discard, VirfsJob *job)
{
  Change change = { VIRFS_VM_BACKUPS, name };

  carry_out (vm, &change, job);
}
