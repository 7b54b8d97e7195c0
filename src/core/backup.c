/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of backups. */
#include "backup.h"

#include "error.h"
#include "snapshot.h"

/* Files beside the backups (fs/vm.c). */
static const char *const reserved[] = { "backing", "base", NULL };

static const VirfsMember members[] = {
  VIRFS_MEMBER (VirfsBackupInfo, consistency, WORD, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, parent, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, checkpoint, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, backing, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, reason, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, created, NUMBER, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, started, BOOL, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, scratch, NUMBER, USE),
  VIRFS_MEMBER (VirfsBackupInfo, scratch_max, NUMBER, USE),
  VIRFS_MEMBER (VirfsBackupInfo, xml, BLOB, XML),
  VIRFS_MEMBER (VirfsBackupInfo, nvram, BYTES, XML),
};

const VirfsPartClass virfs_backup_class = {
  .kind = VIRFS_KIND_BACKUP,
  .directory = "backups",
  .size = sizeof (VirfsBackupInfo),
  .reserved = reserved,
  .members = members,
  .n_members = G_N_ELEMENTS (members),
};

static const VirfsMember disk_members[] = {
  VIRFS_MEMBER (VirfsBackupDiskInfo, size, NUMBER, CONFIG),
  VIRFS_MEMBER (VirfsBackupDiskInfo, uri, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsBackupDiskInfo, certificates, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsBackupDiskInfo, bitmap, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsBackupDiskInfo, view, VIEW, CONFIG),
  VIRFS_MEMBER (VirfsBackupDiskInfo, sha256, TEXT, CONFIG),
};

const VirfsPartClass virfs_backup_disk_class = {
  .kind = VIRFS_KIND_BACKUP_DISK,
  .directory = "nbd",
  .size = sizeof (VirfsBackupDiskInfo),
  .members = disk_members,
  .n_members = G_N_ELEMENTS (disk_members),
};

guint64
virfs_backup_disk_changed (const VirfsBackupDiskInfo *disk)
{
  const VirfsExtents *extents = disk->view ? virfs_disk_view_extents (disk->view) : NULL;
  guint64 bytes = 0;

  if (extents == NULL)
    return 0;
  bytes = virfs_extents_bytes (extents, VIRFS_EXTENT_DATA);
  /* what is a hole now may not have been one */
  if (disk->bitmap != NULL)
    bytes += virfs_extents_bytes (extents, VIRFS_EXTENT_ZERO);
  return bytes;
}

guint64
virfs_backup_changed (const VirfsBackupInfo *backup)
{
  GPtrArray *disks = backup->part.parts;
  guint64 bytes = 0;

  for (guint i = 0; disks && i < disks->len; i++)
    bytes += virfs_backup_disk_changed (disks->pdata[i]);
  return bytes;
}

gint64
virfs_vm_info_last_backup (const VirfsVmInfo *info)
{
  GPtrArray *checkpoints = info->parts[VIRFS_VM_CHECKPOINTS];
  GPtrArray *backups = info->parts[VIRFS_VM_BACKUPS];
  guint64 last = 0;

  for (guint i = 0; checkpoints && i < checkpoints->len; i++)
    last = MAX (last, ((VirfsCheckpointInfo *) checkpoints->pdata[i])->created);
  for (guint i = 0; backups && i < backups->len; i++)
    last = MAX (last, ((VirfsBackupInfo *) backups->pdata[i])->created);
  return (gint64) last;
}

char *
virfs_backup_backing (const char *pattern, const char *parent, const char *disk, GError **error)
{
  g_autoptr (GString) name = g_string_new (NULL);

  for (const char *p = pattern; *p != '\0'; p++) {
    if (*p != '%') {
      g_string_append_c (name, *p);
      continue;
    }
    p++;
    if (*p == 'p') {
      g_string_append (name, parent);
    } else if (*p == 'd') {
      g_string_append (name, disk);
    } else if (*p == '%') {
      g_string_append_c (name, '%');
    } else {
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                   "%%p stands for the parent, %%d for the disk and %%%% for a percent sign;"
                   " there is nothing else");
      return NULL;
    }
  }
  return g_string_free (g_steal_pointer (&name), FALSE);
}

const char *
virfs_backup_backing_format (const char *file)
{
  return g_str_has_suffix (file, ".raw") || g_str_has_suffix (file, ".img") ? "raw" : "qcow2";
}
