/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of restoring a disk: all of it is of the thread of restore.c. */
#pragma once

#include "backend.h"
#include "file.h"
#include "qcow2.h"
#include "restore.h"

typedef struct {
  VirfsPart *disk; /* a reference */
  guint uid;       /* who asks */
  VirfsHost *host; /* a reference, as the next; NULL as what follows: nothing was written yet */
  VirfsJob *job;
  char *pool, *volume; /* what is to be replaced */
  char *fresh;         /* the name of what takes its place, where a volume cannot be renamed */
  VirfsFile *file;     /* what has arrived; NULL: nothing yet, or it is in its place */
  guint64 length;      /* bytes that were written, holes included */
  GByteArray *filled;  /* a bit for each cluster that has data */
} VirfsArrival;

#define VIRFS_ARRIVAL_CLUSTER VIRFS_QCOW2_CLUSTER

/* restore_find.c: whether the disk can be restored now; then HOST, POOL and VOLUME say what is to be replaced. */
gboolean virfs_restore_check (VirfsPart *disk, GError **error);
gboolean virfs_restore_find (VirfsArrival *self, GError **error);
/* The same of the first, when all has arrived; then the guest is not started by us until the second. */
gboolean virfs_restore_claim (VirfsArrival *self, GError **error);
void virfs_restore_release (VirfsArrival *self);

/* restore_place.c */

/* A new volume, to be written; NULL with ERROR. */
VirfsFile *virfs_restore_open (VirfsArrival *self, GError **error);
/* What has arrived takes its place, if it can be the disk. */
gboolean virfs_restore_replace (VirfsArrival *self, GError **error);
