/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks that tests make up, each with the qcow2 file of it. */
#pragma once

#include "extent.h"
#include "qcow2.h"

#define KIB     ((guint64) 1 << 10)
#define MIB     ((guint64) 1 << 20)
#define GIB     ((guint64) 1 << 30)
#define TIB     ((guint64) 1 << 40)
#define CLUSTER (64 * KIB)

/* A disk at one time. */
typedef struct {
  guint8 *bytes; /* NULL: a large one, whose bytes follow from its extents and where they are */
  VirfsExtents *extents;
  VirfsQcow2 *qcow2;
} Disk;

/* Takes EXTENTS.  BACKING_FILE is a qcow2 file, or NULL. */
Disk *disk_new (VirfsExtents *extents, const char *backing_file);
void disk_free (Disk *disk);

/* One of up to 40 clusters; with BEFORE what it is later, when it may have grown or shrunk. */
Disk *disk_random (GRand *rand, const Disk *before, const char *backing_file);

/*
 * Extents for a disk of SIZE bytes: at random, of the first KINDS kinds; and N times LENGTH bytes
 * of KIND, evenly spread over one that is of kind REST.
 */
VirfsExtents *disk_random_extents (GRand *rand, guint64 size, guint kinds);
VirfsExtents *disk_spread_extents (guint64 size, guint n, guint64 length, VirfsExtentKind kind,
                                   VirfsExtentKind rest);

guint64 disk_size (const Disk *disk);
/* What is on it, and what somebody gets who reads its file. */
void disk_read (const Disk *disk, guint64 offset, gsize length, guint8 *buffer);
void disk_read_file (const Disk *disk, guint64 offset, gsize length, guint8 *buffer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Disk, disk_free)
