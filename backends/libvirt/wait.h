/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for what a guest does by itself, as to shut down, without a thread that waits: whoever
 * reads the guest looks whether somebody has waited for it.  Only the control thread ends a wait.
 */
#pragma once

#include "task.h"

typedef struct LvWait LvWait;

/* What somebody waits for; all texts are static. */
typedef struct {
  VirfsVmState state;
  guint64 memory; /* if not 0, this much memory is waited for and not a state */
  /* or, if this is not NULL, what it says; INFO is NULL for a guest that is gone */
  gboolean (*is_done) (const LvTask *task, const VirfsVmInfo *info);
  const char
    *device;        /* alias of the device that the guest is to let go of; borrowed from the task */
  guint seconds;    /* after which it is in vain */
  gboolean again;   /* then the task is submitted again; else its job is done */
  const char *what; /* what the guest was asked to do, as in `shut down` */
  const char *hint; /* what can be done if it does not; NULL: nothing */
} LvWish;

/* TASK (a new reference is taken) goes on when its guest is what is wished for. */
LvOutcome lv_wait_add (LvTask *task, const LvWish *wish);

/* From any thread: the guest has refused to let go of a device. */
void lv_wait_refuse (LvConnection *connection, const char *uuid, const char *device);

/* For the control thread. */

/* When (monotonic time) the first wait ends in vain; G_MAXINT64 if there is none.  Under the
 * connection's lock. */
gint64 lv_wait_deadline (LvConnection *connection);
/* Ends what has ended; UUID NULL: for all guests. */
void lv_wait_settle (LvConnection *connection, const char *uuid);
/* The guests that somebody waits for; of char*, owned. */
GPtrArray *lv_wait_guests (LvConnection *connection);
/* Ends them all: the host is gone. */
void lv_wait_drop (LvConnection *connection);
void lv_wait_free (LvWait *wait);
