/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What those have in common who begin backups (backup_begin.c), end them (backup_end.c) and find them
 * again (backup_record.c).  All of it is called in the guest's turn (operate.h).
 */
#pragma once

#include "backup.h"
#include "task.h"

/* The record of what is about to be, or is, open: INFO, the FILES (of char*; NULL: none yet) that are to be
 * removed afterwards, and whether the guest may be frozen now. */
gboolean lv_backup_keep (LvTask *task, const VirfsBackupInfo *info, gboolean freezes,
                         GPtrArray *files, GError **error);
/* Shows what the record says of that guest, if it is still open, or removes what is left of it. */
void lv_backup_recover_one (LvLink *link, virConnectPtr conn, const char *uuid);

/* What libvirt has made of it, if it is ours: a list of the disks, the caller owns it.  NULL: it is not
 * open. */
GPtrArray *lv_backup_disks (virDomainPtr domain, const char *uuid);
/* Connects to the DISKS of BACKUP, so that they can be read; takes over what is shown of them. */
gboolean lv_backup_open_disks (LvLink *link, const char *uuid, const VirfsBackupInfo *backup,
                               GPtrArray *disks, GError **error);
/* libvirt has QEMU told when it returns; its event of the end is not about this job more than another. */
void lv_backup_wait_until_closed (LvTask *task, virDomainPtr domain);

/* What the tree shows; NULL: none is open. */
void lv_backup_show (LvLink *link, const char *uuid, VirfsBackupInfo *backup);
/* A line of the log of events: of what TASK is about, with what INFO (NULL: nothing) tells. */
void lv_backup_tell_event (LvTask *task, const char *kind, const VirfsBackupInfo *info);
