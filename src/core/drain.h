/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moving the guests of a host away, or back to it, for maintenance.c alone: a thread begins a move when there is
 * room for one, and then waits until something has happened to one of them.  Moves end in other threads,
 * which note it under the registry's lock.
 */
#pragma once

#include "upkeep.h"

typedef struct {
  VirfsHost *host;
  VirfsJob *job;
  guint uid;
  gboolean back;  /* guests are brought back */
  gboolean waits; /* until all is known that an earlier run knew */

  /* under the registry's lock */
  GCond news;
  gboolean stirred; /* something has happened to a job */
  gboolean cancelled;
  gboolean again; /* its host was lost and is back: it goes on when this has ended */

  /* the thread's */
  GPtrArray *steps; /* of VirfsDrainStep*, to be taken */
  GPtrArray *moves; /* of Move*, see drain.c, under way */
  GHashTable *seen; /* set of UUIDs: guests that have had their step */
  GPtrArray *stay;  /* of char*: `PATH: REASON` */
  guint moved;
  guint64 ended, total; /* bytes of memory of all that there are */
} VirfsDrain;

VirfsDrain *virfs_drain_new (VirfsHost *host, guint uid, VirfsJob *job, gboolean back);
void virfs_drain_free (VirfsDrain *drain);

/* Moves all that can be moved, until its job is cancelled or has ended.  Waits for it. */
void virfs_drain_run (VirfsDrain *drain);
/* How that went: NULL if all have gone. */
GError *virfs_drain_outcome (VirfsDrain *drain);

/* It has to look again.  Under the registry's lock. */
void virfs_drain_stir (VirfsDrain *drain);
/* Changes what is kept of its host; warns if that is not possible. */
void virfs_drain_keep (VirfsDrain *drain, VirfsUpkeepEdit edit, gpointer data);
