/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups of a guest: its disks as they were in one instant, for as long as the backup is open.  The guest
 * goes on meanwhile; what it overwrites is set aside by its hypervisor.
 */
#pragma once

#include "disk_view.h"
#include "job.h"
#include "part.h"
#include "vm.h"

typedef struct {
  VirfsPartInfo part;      /* its parts: the disks */
  const char *consistency; /* one of the following; static */
  GRefString *parent; /* the checkpoint that it tells the changes since; NULL: none, it is full */
  GRefString *checkpoint; /* the checkpoint that it has made; NULL: none */
  GRefString *backing;    /* how its qcow2 files name the parent's; see virfs_backup_backing() */
  GRefString *reason;     /* why it is less than was wanted; NULL: it is not */
  guint64 created;        /* microseconds since the epoch */
  gboolean started;       /* the guest was started, paused, for it alone */
  guint64 scratch;        /* bytes that what the guest has overwritten takes */
  guint64 scratch_max;    /* bytes that it can take; 0: not known */
  VirfsBlob *xml;         /* the guest's definition at that moment */
  VirfsBlob *nvram;       /* what its firmware keeps, bytes; NULL: nothing */
} VirfsBackupInfo;

#define VIRFS_BACKUP_FILESYSTEM "filesystem" /* file systems were quiet, or the guest was off */
#define VIRFS_BACKUP_CRASH      "crash"      /* as after a power failure */

typedef struct {
  VirfsPartInfo part; /* its name is the target: vda */
  guint64 size;       /* bytes that the guest sees */
  GRefString *uri;    /* where an NBD server has it, see the NBD URI specification */
  GRefString *certificates; /* a directory with those for it, if it is nbds:; NULL: the system's */
  GRefString
    *bitmap; /* name of the dirty bitmap of what has changed since the parent; NULL: it is full */
  VirfsDiskView *view; /* NULL: it cannot be read from here */
  GRefString *sha256;  /* of its qcow2 file; NULL: not known */
} VirfsBackupDiskInfo;

/* Bytes that have changed since the parent, or in a full one those that are not holes. */
guint64 virfs_backup_disk_changed (const VirfsBackupDiskInfo *disk);
guint64 virfs_backup_changed (const VirfsBackupInfo *backup);

/* Finds out the checksums of the qcow2 files of BACKUP, and ends JOB. */
void virfs_backup_sum (VirfsPart *backup, VirfsJob *job);

extern const VirfsPartClass virfs_backup_class; /* of guests */
extern const VirfsPartClass virfs_backup_disk_class;

/* When the guest's disks were last as in a backup that can be told: its newest checkpoint or open backup, in
 * microseconds since the epoch; 0: never, as far as is known. */
gint64 virfs_vm_info_last_backup (const VirfsVmInfo *info);

/* What is wanted. */
typedef struct {
  const char *name;
  const char *base;    /* the checkpoint to be relative to; NULL: the newest; `none` */
  const char *backing; /* see below; NULL: VIRFS_BACKUP_BACKING */
} VirfsBackupWish;

/*
 * The backing files that incremental qcow2 files name: a pattern with %p for the parent and %d for
 * the disk, relative to the directory of the file.
 */
#define VIRFS_BACKUP_BACKING "../%p/%d.qcow2"

/* The caller owns it; INVALID: it is none. */
char *virfs_backup_backing (const char *pattern, const char *parent, const char *disk,
                            GError **error);
/* The format of a backing file, by its name; static. */
const char *virfs_backup_backing_format (const char *file);
