/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The disks of open backups, as QEMU serves them. */
#include "backup_work.h"

#include "gate.h"
#include "view.h"

/* Takes what is shown already of the disk LIKE, unless its server has gone since. */
static gboolean
take_known (const VirfsVmInfo *known, const char *backup, VirfsBackupDiskInfo *like)
{
  const VirfsPartInfo *shown
    = known ? virfs_part_list_find (known->parts[VIRFS_VM_BACKUPS], backup) : NULL;
  const VirfsBackupDiskInfo *disk
    = shown ? virfs_part_list_find (shown->parts, like->part.name) : NULL;

  if (disk == NULL || disk->view == NULL || g_strcmp0 (disk->uri, like->uri) != 0
      || g_strcmp0 (disk->bitmap, like->bitmap) != 0 || !virfs_disk_view_works (disk->view))
    return FALSE;
  like->view = virfs_disk_view_ref (disk->view);
  virfs_ref_string_set (&like->sha256, disk->sha256);
  return TRUE;
}

static VirfsDiskView *
open_disk (LvLink *link, const VirfsBackupInfo *backup, const VirfsBackupDiskInfo *disk,
           GError **error)
{
  VirfsNbdSpec spec = { .uri = disk->uri,
                        .bitmap = disk->bitmap,
                        .tls_certificates = disk->certificates };
  g_autofree char *file = NULL;

  if (disk->bitmap != NULL) {
    file = virfs_backup_backing (backup->backing ? backup->backing : VIRFS_BACKUP_BACKING,
                                 backup->parent, disk->part.name, error);
    if (file == NULL)
      return NULL;
  }
  return virfs_nbd_view (&spec, virfs_budget_shared (), file,
                         file ? virfs_backup_backing_format (file) : NULL, NULL, error);
}

gboolean
lv_backup_open_disks (LvLink *link, const char *uuid, const VirfsBackupInfo *backup,
                      GPtrArray *disks, GError **error)
{
  g_autoptr (VirfsVmInfo) known = lv_gate_known_vm (link, uuid);

  for (guint i = 0; i < disks->len; i++) {
    VirfsBackupDiskInfo *disk = disks->pdata[i];

    if (!take_known (known, backup->part.name, disk))
      disk->view = open_disk (link, backup, disk, error);
    if (disk->view == NULL) {
      g_prefix_error (error, "disk %s: ", disk->part.name);
      return FALSE;
    }
  }
  return TRUE;
}
