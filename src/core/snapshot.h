/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of a guest, and the checkpoints that incremental backups are relative to. */
#pragma once

#include "part.h"

typedef struct {
  VirfsPartInfo part;
  const char *state; /* the guest's when it was taken, in libvirt's words; `disk-snapshot` for disks
                         alone of a guest that ran */
  const char *kind;  /* one of the following; static */
  GRefString *parent; /* its name; NULL for none */
  GRefString *description;
  guint64 created; /* microseconds since the epoch; 0: not known */
  gboolean current;
  VirfsBlob *xml;
} VirfsSnapshotInfo;

#define VIRFS_SNAPSHOT_FULL     "full" /* memory, if there was any, and disks, inside the disks */
#define VIRFS_SNAPSHOT_DISK     "disk" /* disks alone, which go on in files of their own */
#define VIRFS_SNAPSHOT_EXTERNAL "external" /* memory and disks in files of their own */

typedef struct {
  VirfsPartInfo part;
  GRefString *parent;
  GRefString *description;
  guint64 created; /* microseconds since the epoch; 0: not known */
  VirfsBlob *xml;
} VirfsCheckpointInfo;

extern const VirfsPartClass virfs_snapshot_class; /* of guests, as both */
extern const VirfsPartClass virfs_checkpoint_class;

/* The one that the guest goes on from, in a guest's list of snapshots; borrowed, NULL for none. */
const VirfsSnapshotInfo *virfs_snapshot_current (GPtrArray *list);
