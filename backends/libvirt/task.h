/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A task: a job of the model as it is carried out here.  It runs in a lane of its host's link,
 * waits outside of any lane for what takes its time without us, and may be cancelled from any
 * thread.
 */
#pragma once

#include "backend.h"
#include "job.h"
#include "seat.h"
#include "vm.h"

/* What takes long does not keep others from what is soon done; nor does what an agent lets wait, of which each
 * guest has a lane of its own (agent_lane.h). */
typedef enum { LV_LANE_SHORT, LV_LANE_LONG, LV_N_LANES, LV_LANE_AGENT = LV_N_LANES } LvLane;

typedef enum {
  LV_DONE,
  LV_FAILED,
  LV_WAITS, /* lv_wait_add() has taken over */
} LvOutcome;

typedef struct LvTask LvTask;
typedef LvOutcome (*LvTaskFunc) (LvTask *task, GError **error);

struct LvTask {
  gatomicrefcount refs;
  LvLink *link;    /* of the guest's host */
  LvLink *target;  /* of the host that it moves to; NULL if it does not */
  VirfsVm *vm;     /* NULL: it is about PART */
  VirfsPart *part; /* of a host, or of a part of it; NULL: it is about VM */
  VirfsJob *job;
  char *name; /* the guest's or the part's */
  char *uuid; /* the guest's; NULL for a part */
  LvTaskFunc run;
  LvLane lane;
  gboolean started;
  gboolean
    without_agent;    /* it goes without: if it may not wait for one it runs in the short lane */
  LvSeat here, there; /* at LINK and TARGET while it runs */

  /* what is to be done, as RUN knows it */
  VirfsVmState state;
  VirfsVmVerb verb;
  VirfsVmField field;
  guint64 number;
  char *text;
  VirfsVmNote note;            /* its text is TEXT */
  guint action;                /* a VirfsPoolVerb or VirfsVolumeVerb */
  VirfsPartInfo *wanted;       /* what a part is to be; a reference */
  struct LvPlug *plug;         /* a disk or NIC; owned, NULL: none */
  struct LvCreation *creation; /* a guest to be made; owned, NULL: none */
  struct LvMove *move;         /* disks to another pool; owned, NULL: none */
  GByteArray *image;           /* what a new disk is to hold; owned, NULL: none */
  GPtrArray *definitions;      /* of VirfsDefinition*, a reference; NULL: none */
  VirfsPart *source;           /* what it is to be a copy of; a reference, NULL for nothing */

  GMutex lock;
  GCond changed;
  /* under lock */
  gboolean cancelled;
  gboolean has_timer;
  int timer; /* libvirt's: who cancels lets it run off */
};

/* NULL if the guest's host is not reachable: then JOB has ended already. */
LvTask *lv_task_new (VirfsVm *vm, VirfsJob *job, LvLane lane, LvTaskFunc run);
/* The same for a guest that HOST has, too. */
LvTask *lv_task_new_at (VirfsVm *vm, VirfsHost *host, VirfsJob *job, LvLane lane, LvTaskFunc run);
/* The same for what belongs to no guest. */
LvTask *lv_task_new_for_host (VirfsHost *host, VirfsJob *job, LvLane lane, LvTaskFunc run);
/* Gives it the other host; FALSE as above. */
gboolean lv_task_set_target (LvTask *task, VirfsHost *host);
LvTask *lv_task_ref (LvTask *task);
void lv_task_unref (LvTask *task);

/* Runs it as soon as there is room in its lane, again and again as long as somebody calls this.
 * Takes the reference. */
void lv_task_submit (LvTask *task);
/* What is to be done to a part of a host, as in LvTask, which copies it; by default WANTED is what the part is. */
typedef struct {
  guint action;
  guint64 number;
  const char *text;
  gconstpointer wanted;
  VirfsPart *source;
} LvPartWork;

/* Submits that. */
void lv_task_do (VirfsPart *part, VirfsJob *job, LvLane lane, LvTaskFunc run,
                 const LvPartWork *work);
/* Ends its job. */
void lv_task_finish (LvTask *task, GError *error);

/* Whether it can be cancelled now; at first it cannot.  Whoever waits for a job that cannot be
 * stopped is let go when he wants. */
void lv_task_allow_cancel (LvTask *task, gboolean allow);
gboolean lv_task_is_cancelled (LvTask *task);
/* Waits until it is cancelled or MICROSECONDS have passed. */
void lv_task_sleep (LvTask *task, gint64 microseconds);

/* RUN is called with it once MILLISECONDS have passed, or it is cancelled, and removes the timer; DROP then drops the
 * reference that the timer has. */
gboolean lv_task_set_timer (LvTask *task, guint milliseconds, virEventTimeoutCallback run,
                            virFreeCallback drop);

/* Gives its seats back before it has ended; then the caller does not run any more. */
void lv_task_leave (LvTask *task);
/* Takes the seat at the other host, too. */
gboolean lv_task_reach_target (LvTask *task, GError **error);
/* The guest; NULL: lv_fail() has set ERROR. */
virDomainPtr lv_task_domain (LvTask *task, GError **error);
/* Reads the guest again and tells it, so that the job's end finds its outcome there. */
void lv_task_refresh (LvTask *task);

/* In a thread of its lane; takes the reference. */
void lv_task_run (LvTask *task);
/* For link.c. */
void lv_task_open_lanes (LvLink *link);
void lv_task_close_lanes (LvLink *link);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvTask, lv_task_unref)
