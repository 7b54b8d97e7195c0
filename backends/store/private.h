/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the store.
 *
 *   file.c     the file and its life
 *   schema.c   the tables
 *   database.c SQLite
 *   store.c    records, and the keeper that the model sees
 *   listen.c   what the registry tells: noted, and later written
 *   writer.c   the thread that does it
 *   log.c      the log of events, chained by chain.c; log_verify.c looks at it from outside
 *   restore.c  what comes back at the start
 *
 * The database has a lock of its own, db_lock, under which the registry may be asked.  `lock` guards what
 * is still to be done; it is taken under the registry's lock, so nothing of the registry is called under
 * it, and it is held for moments only.
 */
#pragma once

#include "chain.h"
#include "database.h"
#include "store.h"

/* What has changed and is to be written. */
typedef struct {
  GHashTable *vms;  /* `HOST/UUID` -> VirfsVmInfo*, NULL: gone from there */
  GHashTable *jobs; /* set of VirfsJob* */
  gboolean events;
} StoreNotes;

/* Somebody waits for a record to be kept or forgotten. */
typedef struct {
  const char *kind, *key;
  const char *text; /* NULL: to be forgotten */
  GError *error;
  gboolean done;
} StoreRequest;

/* Somebody is to be told that the events are on disk. */
typedef struct {
  void (*func) (gpointer data);
  gpointer data;
} StoreSettler;

struct VirfsStore {
  VirfsKeeper keeper;
  VirfsInfra *infra; /* NULL: not attached */
  GThread *writer;

  int file_lock; /* see file.h */

  GMutex db_lock;
  StoreDb *db;                    /* under db_lock */
  StoreLink log_head, log_anchor; /* under db_lock: what is written of the log */
  guint64 events_keep;            /* bytes of the log that are kept at least; does not change */

  GMutex lock;
  GCond wake;        /* of the writer */
  GCond done;        /* of who waits for it */
  GQueue requests;   /* under lock: of StoreRequest* */
  GQueue settling;   /* under lock: of StoreSettler*: who waits for the events that are noted */
  StoreNotes notes;  /* under lock */
  gint64 due;        /* under lock: monotonic time at which the notes are to be written; 0: none */
  gboolean writing;  /* under lock */
  gboolean told;     /* of the writer: that it fails has been told */
  gboolean failed;   /* under lock: what was written last could not be */
  gboolean closing;  /* under lock */
  guint64 job_limit; /* under lock: numbers of jobs that are never given again, after a crash too */
};

/* listen.c */

void store_notes_init (StoreNotes *notes);
void store_notes_clear (StoreNotes *notes);
gboolean store_notes_is_empty (const StoreNotes *notes);
/* The registry's listener; DATA is the store. */
void store_listen (const VirfsChange *change, gpointer store);
/* Moves a part of FROM to TO (empty), so much that those who wait for the writer need not wait long. */
void store_notes_take (StoreNotes *from, StoreNotes *to);
/* Moves all of FROM back to TO but what has changed again since. */
void store_notes_give_back (StoreNotes *to, StoreNotes *from);
/* Writes NOTES, all or nothing.  Under db_lock. */
gboolean store_notes_write (VirfsStore *store, const StoreNotes *notes, GError **error);
/* None of the numbers up to LIMIT is given to a job in a later run. */
gboolean store_write_job_limit (VirfsStore *store, guint64 limit, GError **error);
/* How many numbers are reserved at once: after a crash so many are skipped at most. */
#define STORE_JOB_NUMBERS 256

/* writer.c */

gpointer store_writer_run (gpointer store);
/* Has REQUEST done and waits for it. */
void store_writer_do (VirfsStore *store, StoreRequest *request);
/* The same of N of them, all or none. */
void store_writer_do_all (VirfsStore *store, StoreRequest *requests, guint n);

/* restore.c */

/* LOST (of guint) is given the numbers of jobs that were cut off by the end of the program: they have
 * failed, and are to be told when the log is restored. */
gboolean store_restore_jobs (VirfsStore *store, GArray *lost, GError **error);
void store_tell_lost_jobs (VirfsStore *store, const GArray *lost);
/* See VirfsKeeper. */
GPtrArray *store_recall_vms (gpointer store, const char *host);

/* See VirfsKeeper. */
void store_writer_settle (gpointer store, void (*func) (gpointer data), gpointer data);

/* log.c */

/* Writes what comes after *HEAD, and moves that. */
gboolean store_log_write (VirfsStore *store, StoreLink *head, GError **error);
/* Drops the oldest, if there is too much, and moves *ANCHOR. */
gboolean store_log_rotate (VirfsStore *store, const StoreLink *head, StoreLink *anchor,
                           GError **error);
/* Brings it back. */
gboolean store_log_restore (VirfsStore *store, GError **error);
