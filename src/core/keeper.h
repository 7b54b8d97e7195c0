/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the model wants of those who keep what would be lost with the program: a struct of functions.
 * The program has one (the store); without one everything is kept in memory only.
 *
 * Records are small texts by kind and key.  Both functions return when the record is on disk, so that
 * whoever has been told that something was done will find it again; they are called without the
 * registry's lock.
 */
#pragma once

#include <glib.h>

/* The kinds of records, and what the key is. */
#define VIRFS_RECORD_MOVING                                                                        \
  "moving" /* UUID; what a guest that moves has left behind (the backend's) */
#define VIRFS_RECORD_HOST   "host"   /* name; a host that was made with mkdir */
#define VIRFS_RECORD_UPKEEP "upkeep" /* name of a host; see upkeep.h */
#define VIRFS_RECORD_DRAFT  "draft"  /* UUID; a guest that is not defined anywhere yet */
#define VIRFS_RECORD_BACKUP "backup" /* UUID; a backup that is open (the backend's) */
#define VIRFS_RECORD_MOVE   "move"   /* UUID/DISK; a disk that goes to another pool (the backend's) */
#define VIRFS_RECORD_LOST   "lost"   /* UUID/NAME; a checkpoint of no use (the backend's) */
#define VIRFS_RECORD_PART   "part"   /* see part_draft.c; a draft of a disk, NIC, pool or volume */
#define VIRFS_RECORD_GUEST  "guest"  /* UUID; see kept.h */
#define VIRFS_RECORD_LENT   "lent"   /* HOST/POOL; a pool that an operation made (the backend's) */
#define VIRFS_RECORD_FROZEN                                                                        \
  "frozen" /* HOST/UUID; a guest that somebody has frozen (the backend's) */
#define VIRFS_RECORD_UPLOAD                                                                        \
  "upload"                         /* HOST/POOL/VOLUME; one that is being written (the backend's) */
#define VIRFS_RECORD_SUM     "sum" /* UUID/VOLUME; the checksum of an image, see image_note.c */
#define VIRFS_RECORD_OS      "os"  /* likewise; what is installed there */
#define VIRFS_RECORD_ALARM   "alarm"   /* see alarm_record.c; a rule, or that it was removed */
#define VIRFS_RECORD_FIRING  "firing"  /* the same key; what the rule fires for */
#define VIRFS_RECORD_FLEET   "fleet"   /* networks/NAME or pools/NAME; see fleet_record.c */
#define VIRFS_RECORD_PROFILE "profile" /* HOST/KIND/KEY; see profile_record.c */
#define VIRFS_RECORD_EMPTIED "emptied" /* name of a host that has come back empty */
#define VIRFS_RECORD_OWNER   "owner" /* path of what cannot bear its owner itself, as in hosts/h1 */

typedef void (*VirfsRecordFunc) (const char *key, const char *text, gpointer data);

typedef struct {
  gpointer data;
  /* Replaces what there was. */
  gboolean (*keep) (gpointer data, const char *kind, const char *key, const char *text,
                    GError **error);
  gboolean (*forget) (gpointer data, const char *kind, const char *key, GError **error);
  /* The same for several records of KIND at once, all or none: pairs of a key and a text (of char*), NULL: to be
   * forgotten. */
  gboolean (*keep_all) (gpointer data, const char *kind, GPtrArray *pairs, GError **error);
  /* Calls FUNC for each record of KIND; it must not keep or forget. */
  gboolean (*recall) (gpointer data, const char *kind, VirfsRecordFunc func, gpointer user,
                      GError **error);
  /* The guests that HOST had when it was last known, of VirfsVmInfo*; the caller owns all of it.
   * NULL for none. */
  GPtrArray *(*recall_vms) (gpointer data, const char *host);
  /* Calls FUNC with USER, once and in any thread, when all events that were told before are on disk or
   * cannot be written; it must not wait.  NULL: they are not kept. */
  void (*settle) (gpointer data, void (*func) (gpointer user), gpointer user);
} VirfsKeeper;
