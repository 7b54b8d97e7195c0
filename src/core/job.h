/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A job: one operation on an object, from the moment somebody asks for it to its end.  Whoever asks
 * gives a function that is called once with the outcome; whoever carries it out reports progress,
 * may offer a way to cancel it, and finishes it, from any thread.
 *
 * The first outcome counts: a host that dies fails its jobs at once, and what the worker has to say
 * when its call returns at last is dropped.
 */
#pragma once

#include "object.h"
#include "owner.h"

typedef struct VirfsJob VirfsJob;

typedef enum {
  VIRFS_JOB_QUEUED,
  VIRFS_JOB_RUNNING,
  VIRFS_JOB_DONE,
  VIRFS_JOB_FAILED,
  VIRFS_JOB_CANCELLED,
} VirfsJobState;

const char *virfs_job_state_name (VirfsJobState state);
/* FAILED for what is no name of a state. */
VirfsJobState virfs_job_state_parse (const char *name);

typedef enum {
  VIRFS_JOB_STATE,
  VIRFS_JOB_PROGRESS,
  VIRFS_JOB_N_FIELDS,
} VirfsJobField;

/* Called without locks when the job has ended, or when the waiter was let go (error CANCELLED)
 * while what cannot be stopped goes on.  ERROR is borrowed, NULL for success. */
typedef void (*VirfsJobDone) (VirfsJob *job, const GError *error, gpointer data);
/* Begins to stop a running job; must not block.  The job still has to be finished. */
typedef void (*VirfsJobCancel) (VirfsJob *job, gpointer data);

typedef struct {
  const char *operation; /* `migrate to h2`, `set memory` …: copied */
  VirfsObject *object;   /* what it is done to; the job keeps a reference */
  VirfsObject *host;     /* if this host fails the job does; may be NULL */
  VirfsObject *target;   /* likewise, the host that a guest moves to; may be NULL */
  guint uid;             /* who asked */
  VirfsJob *parent;      /* that it is a part of; the job keeps a reference; may be NULL */
  VirfsJobDone done;     /* may be NULL */
  gpointer data;
} VirfsJobSpec;

/* A new job, QUEUED, in the list of jobs; the caller owns the reference. */
VirfsJob *virfs_job_new (VirfsInfra *infra, const VirfsJobSpec *spec);

/* For whoever carries it out. */

/* QUEUED to RUNNING.  FALSE if it has ended already (cancelled, host gone): then nothing must be
 * done.  CANCEL (or NULL: cannot be stopped) is called when somebody cancels it from now on. */
gboolean virfs_job_start (VirfsJob *job, VirfsJobCancel cancel, gpointer data);
/* Replaces the way to cancel a running job; if it was cancelled meanwhile CANCEL is called at once. */
void virfs_job_set_cancel (VirfsJob *job, VirfsJobCancel cancel, gpointer data);
/* Bytes of TOTAL; TOTAL may be 0 for not known. */
void virfs_job_progress (VirfsJob *job, guint64 done, guint64 total);
/* Ends the job.  Takes ERROR, NULL for success; a CANCELLED error makes the job CANCELLED. */
void virfs_job_finish (VirfsJob *job, GError *error);

/* For whoever waits. */

/* Somebody wants it stopped.  A QUEUED job ends at once, a RUNNING one is told; where it cannot be
 * stopped its waiter is let go. */
void virfs_job_cancel (VirfsJob *job);
gboolean virfs_job_is_cancelled (VirfsJob *job);

/* Whether a job runs or is to run on OBJECT, but for those that COMPARE finds in BUT.  Under the
 * registry's lock, whose `settled` tells that one has ended. */
gboolean virfs_registry_has_job (VirfsObject *object, GList *but, GCompareFunc compare);

/* What is known now. */
typedef struct {
  guint number;
  const char *operation; /* borrowed, lives as long as the job */
  char *object;          /* path of the object when the job was made, as in `vms/web` */
  guint uid;
  VirfsJobState state;
  gint64 started, ended; /* microseconds since the epoch; ended 0 while it runs */
  guint64 done, total;   /* bytes; total 0: not known */
  char *error;           /* NULL for none */
  int failure;           /* the errno of that (base/error.h); 0: none, or not known */
  gint64 changed[VIRFS_JOB_N_FIELDS];
} VirfsJobInfo;

/* The caller owns it. */
VirfsJobInfo *virfs_job_info (VirfsJob *job);
void virfs_job_info_free (VirfsJobInfo *info);
/* For the store: shows a job of an earlier run, as INFO (borrowed) says.  It must have ended and have
 * a number that no other has; those that ended first come first. */
void virfs_job_restore (VirfsInfra *infra, const VirfsJobInfo *info);
/* Tells in the log of events how such a one has ended, which nobody could tell then. */
void virfs_job_tell_lost (VirfsJob *job);
/* Percent (0 to 100); -1 if not known. */
int virfs_job_info_percent (const VirfsJobInfo *info);
/* Seconds that it will take still; -1 if not known. */
gint64 virfs_job_info_eta (const VirfsJobInfo *info);

guint virfs_job_number (VirfsJob *job);
/* Who asked, with the object's group: that may look at it, and not cancel it. */
void virfs_job_owner (VirfsJob *job, VirfsOwner *owner);
VirfsJob *virfs_job_parent (VirfsJob *job);    /* borrowed; NULL: none, or of an earlier run */
VirfsObject *virfs_job_object (VirfsJob *job); /* borrowed; NULL: none, or of an earlier run */
VirfsObject *virfs_job_target (VirfsJob *job); /* likewise; may be NULL */
const char *virfs_job_path (VirfsJob *job);    /* of the object when the job was made; borrowed */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsJob, virfs_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsJobInfo, virfs_job_info_free)
