/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The XML of snapshots and checkpoints; see xml.h. */
#pragma once

#include "snapshot.h"
#include "xml.h"

/* What is told of one; the caller owns it.  NULL: broken. */
VirfsSnapshotInfo *lv_xml_read_snapshot (const char *xml);
VirfsCheckpointInfo *lv_xml_read_checkpoint (const char *xml);

/* A snapshot to be taken of a guest with DISKS (of LvDisk*), inside of them or (OUTSIDE) in new files;
 * the caller owns it. */
char *lv_xml_make_snapshot (const char *name, GPtrArray *disks, gboolean outside);
/* A checkpoint of those of the disks that can have one; NULL if none can. */
char *lv_xml_make_checkpoint (const char *name, GPtrArray *disks);
/* The snapshot or checkpoint with another description, to be defined anew; the caller owns it. */
char *lv_xml_describe (const char *xml, const char *description);

/* The definition that the guest had when the snapshot was taken; NULL if it holds none. */
char *lv_xml_snapshot_domain (const char *xml);
/* The snapshot as one of DOMAIN, another guest that has a copy of its disks and is shut off: what is in
 * memory is left out.  NULL: broken. */
char *lv_xml_snapshot_of (const char *xml, const char *domain);
/* The snapshot with what virfs keeps with the guest (its XML) now in place of what it kept then; the caller
 * owns it. */
char *lv_xml_adopt_snapshot (const char *xml, const char *guest);

/* Whether a disk can have snapshots inside, and a checkpoint. */
gboolean lv_disk_is_qcow2 (const LvDisk *disk);
/* Whether the agent in the guest of that XML is connected. */
gboolean lv_xml_has_agent (const char *xml);

/* Texts as one document: what is kept of a guest that moves. */
typedef struct {
  char *from, *to;        /* hosts */
  char *current;          /* name of the current snapshot; NULL for none */
  GPtrArray *snapshots;   /* of char*: XML, parents first */
  GPtrArray *checkpoints; /* likewise */
} LvMoving;

LvMoving *lv_moving_new (void);
void lv_moving_free (LvMoving *moving);
char *lv_xml_print_moving (const LvMoving *moving);
/* NULL: broken. */
LvMoving *lv_xml_read_moving (const char *xml);
/* The name that the XML of a snapshot or checkpoint gives it; the caller owns it. */
char *lv_xml_read_name (const char *xml);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvMoving, lv_moving_free)
