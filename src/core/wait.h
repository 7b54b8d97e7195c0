/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for what answers by a function: for threads that have nothing else to do (no FUSE thread, none of a
 * backend's lanes).  One answer after the other can be waited for.
 */
#pragma once

#include "job.h"

typedef struct {
  GMutex lock;
  GCond changed;
  gboolean done;
  GError *error;
} VirfsWait;

/* In automatic storage. */
#define VIRFS_WAIT_INIT                                                                            \
  {                                                                                                \
    0                                                                                              \
  }
void virfs_wait_clear (VirfsWait *wait);

/* It has ended; ERROR (borrowed) is NULL for success.  DATA is the VirfsWait. */
void virfs_wait_done (const GError *error, gpointer data);
/* The same as a VirfsJobDone. */
void virfs_wait_for_job (VirfsJob *job, const GError *error, gpointer data);

/* Waits until it has; FALSE with ERROR if it has failed. */
gboolean virfs_wait_end (VirfsWait *wait, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VirfsWait, virfs_wait_clear)
