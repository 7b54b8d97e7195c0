/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks of backups that are made up: the same for the same backup. */
#pragma once

#include "disk.h"
#include "disk_view.h"

/* The disk at the time of BACKUP, with what has changed since BASE (NULL: a full one). */
Disk *virfs_fake_disk (const char *backup, const char *base);
/* As files; takes DISK.  Reads are answered by another thread. */
VirfsDiskView *virfs_fake_view (Disk *disk, const char *backing_file);
/* From now on all reads fail with ERROR, an errno; 0: they do not. */
void virfs_fake_disk_fail (int error);
