/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of moving disks; see move.h. */
#pragma once

#include "move.h"
#include "storage.h"

/* What is recorded of a disk that moves; all owned. */
typedef struct {
  char *uuid, *disk; /* of the guest, and its target: vda */
  char *from;        /* what the disk names: a path or POOL/VOLUME */
  char *from_type, *from_format;
  char *to; /* and what it will name; NULL: not known yet, as the next */
  char *to_type, *to_format;
  char *pool, *volume; /* of the new one */
  char *phase;         /* one of the next; NULL: it is being copied */
} LvMoveRecord;

/* From before the first guest goes on with a new disk, or is defined with it: what was copied may be
 * more than a copy now. */
#define LV_MOVE_SWITCHING  "switching"
#define LV_MOVE_REDEFINING "redefining"

typedef enum { LV_COPY_RUNS, LV_COPY_READY, LV_COPY_ENDED } LvCopyState;

/* A disk that moves. */
typedef struct {
  LvTask *task; /* borrowed */
  LvMoveRecord record;
  VirfsPartInfo *known;  /* as it is; a VirfsDiskInfo as the next, references */
  VirfsPartInfo *wanted; /* and as it is to be */
  LvPool *old_pool;      /* NULL: OLD is NULL, or in a pool that is there anyway */
  virStorageVolPtr old;  /* NULL: it is in no pool */
  char *old_xml;         /* likewise */
  virStorageVolPtr made; /* NULL: not yet */
  guint64 size;          /* bytes that the guest sees */
  guint64 allocation;    /* bytes that it takes */
  gboolean files;        /* the pool has files */
  gboolean based;        /* it is on top of another, and stays so */
  gboolean relative;     /* and names it relative to itself */
  gboolean recorded;     /* it has to be settled */
  LvCopyState state;     /* under the task's lock, as the next */
  gboolean started;      /* the guest was, meanwhile */
} LvMoveDisk;

/* What a task has been given, and what it has made of it. */
typedef struct LvMove {
  char *disk; /* NULL: all that come along */
  char *pool;
  GPtrArray *disks;    /* of LvMoveDisk* */
  guint64 done, total; /* bytes */
} LvMove;

/* move_disk.c */

/* Those that are to move and are not there; NULL with ERROR if one cannot. */
GPtrArray *lv_move_find_disks (LvTask *task, virDomainPtr domain, LvPool *pool, GError **error);
/* Records it and makes its volume: for a hypervisor that is to use it if LIVE, else an empty
 * one. */
gboolean lv_move_make (LvMoveDisk *disk, LvPool *pool, gboolean live, GError **error);
/* The same in one step, a copy of the old one that the host makes; it has been recorded. */
gboolean lv_move_make_copy (LvMoveDisk *disk, LvPool *pool, GError **error);
/* Whether a disk of a guest that is shut off is copied by its host, with all that it is on top
 * of: what is in its file would not do. */
gboolean lv_move_is_by_host (const LvMoveDisk *disk);
/* Whether the image names what it is on top of relative to itself (move_cold.c). */
gboolean lv_move_is_relative (virStorageVolPtr volume);
void lv_move_disk_free (gpointer disk);

/* Whether the disk moves already: then it is not listed, and BUSY. */
gboolean lv_move_enlist (LvMoveDisk *disk, GError **error);
void lv_move_strike (LvMoveDisk *disk);
/* Whether somebody in this process moves it. */
gboolean lv_move_is_listed (const char *uuid, const char *disk);

/* All disks of the task; FALSE if not all have moved. */
gboolean lv_move_live (LvTask *task, virDomainPtr domain, LvPool *pool, GError **error);
gboolean lv_move_cold (LvTask *task, virDomainPtr domain, LvPool *pool, GError **error);

/* move_record.c */

gboolean lv_move_keep (LvLink *link, const LvMoveRecord *record, GError **error);
/* All records of the task, from now on in PHASE. */
gboolean lv_move_keep_phase (LvTask *task, const char *phase, GError **error);
void lv_move_forget (LvLink *link, const LvMoveRecord *record);
void lv_move_record_clear (LvMoveRecord *record);
/* Of the link's host (of LvMoveRecord), but those that are carried out now; the caller owns it. */
GArray *lv_move_read_records (LvLink *link);

/* move_settle.c */

typedef enum {
  LV_MOVE_OPEN, /* it cannot be told, or removed, now: the record stays */
  LV_MOVE_DONE,
  LV_MOVE_BACK, /* all is as before */
  LV_MOVE_LEFT, /* it cannot be told any more: both volumes stay, and are told */
} LvMoveEnd;

/* Ends what is left of a move, in the guest's turn: a copy that goes on, the new volume if the
 * guest does not have it, and the old one if it has and nobody else needs that. */
LvMoveEnd lv_move_settle (LvLink *link, virConnectPtr conn, const LvMoveRecord *record);
/* Whether the guest's stored definition still names what is to move. */
gboolean lv_move_names_old (virDomainPtr domain, const LvMoveRecord *record);
/* The definition XML with the disk at its new place, or BACK at its old one; the caller owns it. */
char *lv_move_edit (const char *xml, const LvMoveRecord *record, gboolean back);
