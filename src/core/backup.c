/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of backups. */
#include "backup.h"

/* Files beside the backups (fs/vm.c). */
static const char *const reserved[] = { "base", NULL };

static const VirfsMember members[] = {
  VIRFS_MEMBER (VirfsBackupInfo, consistency, WORD, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, parent, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, checkpoint, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, created, NUMBER, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, started, BOOL, CONFIG),
  VIRFS_MEMBER (VirfsBackupInfo, xml, BLOB, XML),
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
  VIRFS_MEMBER (VirfsBackupDiskInfo, bitmap, TEXT, CONFIG),
};

const VirfsPartClass virfs_backup_disk_class = {
  .kind = VIRFS_KIND_BACKUP_DISK,
  .directory = "nbd",
  .size = sizeof (VirfsBackupDiskInfo),
  .members = disk_members,
  .n_members = G_N_ELEMENTS (disk_members),
};
