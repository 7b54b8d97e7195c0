/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshots of a guest, and the checkpoints that incremental backups are relative to. */
#pragma once

#include "part.h"

typedef struct {
  VirfsPartInfo part;
  const char
    *state; /* the guest's when it was taken; `disk-snapshot` (libvirt's word) for disks alone */
  const char *kind;   /* internal or external */
  GRefString *parent; /* its name; NULL for none */
  GRefString *description;
  guint64 created; /* seconds since the epoch */
  gboolean current;
  VirfsBlob *xml;
} VirfsSnapshotInfo;

typedef struct {
  VirfsPartInfo part;
  GRefString *parent;
  GRefString *description;
  guint64 created; /* seconds since the epoch */
  VirfsBlob *xml;
} VirfsCheckpointInfo;

extern const VirfsPartClass virfs_snapshot_class; /* of guests, as both */
extern const VirfsPartClass virfs_checkpoint_class;
