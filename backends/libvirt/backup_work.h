/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What those have in common who begin backups (backup_begin.c), end them (backup_end.c) and find
 * them again (backup_record.c).  All of it is called in the guest's turn (operate.h).
 */
#pragma once

#include "backup.h"
#include "task.h"

/* The record of what is about to be, or is, open: INFO, the FILES (of char*; NULL: none yet)
 * that are to be removed afterwards, and whether the guest may be frozen now. */
gboolean lv_backup_keep (LvTask *task, const VirfsBackupInfo *info, gboolean freezes,
                         GPtrArray *files, GError **error);
/* Shows what the record says of that guest, if it is still open, or removes what is left of it.
 * REASON: why one that was open may not be any more, which is told; NULL: nobody is surprised.
 * */
void lv_backup_recover_one (LvLink *link, virConnectPtr conn, const char *uuid, const char *reason);

/* Tells that a backup has ended that was not to end, and that its checkpoint is of no use: who
 * is relative to it would miss what was not copied. */
void lv_backup_lose (LvLink *link, virDomainPtr domain, const char *uuid,
                     const VirfsBackupInfo *info, const char *reason);
/* Removes its CHECKPOINT (NULL: none), now or when the guest runs again. */
void lv_backup_forsake (LvLink *link, virDomainPtr domain, const char *uuid,
                        const char *checkpoint);
/* Whether that checkpoint is such a one, and could not be removed yet. */
gboolean lv_backup_is_lost (LvLink *link, const char *uuid, const char *checkpoint);
/* It is not of that name any more. */
void lv_backup_forgive (LvLink *link, const char *uuid, const char *checkpoint);
/* Removes the checkpoints that wait for that; the guest must run. */
void lv_backup_drop_lost (LvLink *link, virDomainPtr domain, const char *uuid);

typedef enum {
  LV_BACKUP_UNKNOWN, /* the host does not answer */
  LV_BACKUP_GONE,    /* or what is open is somebody else's */
  LV_BACKUP_OPEN,
} LvBackupState;

LvBackupState lv_backup_state (virDomainPtr domain, const char *uuid);
/* What libvirt has made of it, if it is ours: a list of the disks, the caller owns it.  NULL: it
 * is not open. */
GPtrArray *lv_backup_disks (LvLink *link, virDomainPtr domain, const char *uuid);
/* Connects to the DISKS of BACKUP, so that they can be read; takes over what is shown of them. */
gboolean lv_backup_open_disks (LvLink *link, const char *uuid, const VirfsBackupInfo *backup,
                               GPtrArray *disks, GError **error);
/* Whether the guest was stopped because it could not write: to its disk, or what is put aside. */
gboolean lv_backup_stops_guest (virDomainPtr domain);
/* After virDomainAbortJob(), which only tells QEMU.  FALSE: it does not end. */
gboolean lv_backup_wait_until_closed (LvLink *link, virDomainPtr domain, const char *uuid);

/* What the tree shows; NULL: none is open.  The caller of the second owns a reference. */
void lv_backup_show (LvLink *link, const char *uuid, VirfsBackupInfo *backup);
VirfsBackupInfo *lv_backup_shown (LvLink *link, const char *uuid);
/* A line of the log of events: of what TASK is about, with what INFO (NULL: nothing) tells. */
void lv_backup_tell_event (LvTask *task, const char *kind, const VirfsBackupInfo *info);
