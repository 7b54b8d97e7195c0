/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of snapshots and checkpoints. */
#include "snapshot.h"

/* Files beside the snapshots (fs/vm.c). */
static const char *const reserved[] = { "current", "kind", NULL };

static const VirfsMember snapshot_members[] = {
  VIRFS_MEMBER (VirfsSnapshotInfo, state, WORD, CONFIG),
  VIRFS_MEMBER (VirfsSnapshotInfo, kind, WORD, CONFIG),
  VIRFS_MEMBER (VirfsSnapshotInfo, parent, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsSnapshotInfo, description, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsSnapshotInfo, created, NUMBER, CONFIG),
  VIRFS_MEMBER (VirfsSnapshotInfo, current, BOOL, STATE),
  VIRFS_MEMBER (VirfsSnapshotInfo, xml, BLOB, XML),
};

const VirfsPartClass virfs_snapshot_class = {
  .kind = VIRFS_KIND_SNAPSHOT,
  .directory = "snapshots",
  .size = sizeof (VirfsSnapshotInfo),
  .reserved = reserved,
  .members = snapshot_members,
  .n_members = G_N_ELEMENTS (snapshot_members),
};

static const VirfsMember checkpoint_members[] = {
  VIRFS_MEMBER (VirfsCheckpointInfo, parent, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsCheckpointInfo, description, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsCheckpointInfo, created, NUMBER, CONFIG),
  VIRFS_MEMBER (VirfsCheckpointInfo, xml, BLOB, XML),
};

const VirfsPartClass virfs_checkpoint_class = {
  .kind = VIRFS_KIND_CHECKPOINT,
  .directory = "checkpoints",
  .size = sizeof (VirfsCheckpointInfo),
  .members = checkpoint_members,
  .n_members = G_N_ELEMENTS (checkpoint_members),
};

const VirfsSnapshotInfo *
virfs_snapshot_current (GPtrArray *list)
{
  for (guint i = 0; list && i < list->len; i++)
    if (((VirfsSnapshotInfo *) list->pdata[i])->current)
      return list->pdata[i];
  return NULL;
}
