/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a disk's content without reading it: a list of extents that covers it from its
 * beginning to its end, in order, without gaps, neighbours always of different kinds.  Offsets and
 * lengths are bytes.
 *
 * Whoever makes a list owns it; once it is made it can be read by several threads.
 */
#pragma once

#include <glib.h>

typedef enum {
  VIRFS_EXTENT_DATA,
  VIRFS_EXTENT_ZERO,      /* reads as zeroes: a hole */
  VIRFS_EXTENT_UNCHANGED, /* as it was at an earlier time that the list is relative to */
} VirfsExtentKind;

typedef struct {
  guint64 start, length; /* never empty */
  VirfsExtentKind kind;
} VirfsExtent;

typedef struct VirfsExtents VirfsExtents;

/* The list of an empty disk, which grows by what is appended. */
VirfsExtents *virfs_extents_new (void);
void virfs_extents_append (VirfsExtents *extents, guint64 length, VirfsExtentKind kind);
void virfs_extents_free (VirfsExtents *extents);

/*
 * What has changed, and to what: ALLOCATION (of DATA and ZERO) where DIRTY is not UNCHANGED, and
 * UNCHANGED where it is.  As large as ALLOCATION; what lies behind DIRTY's end has changed.
 */
VirfsExtents *virfs_extents_changed (const VirfsExtents *allocation, const VirfsExtents *dirty);
/* In whole units of UNIT bytes, but for the end of the disk; a unit of several kinds is DATA. */
VirfsExtents *virfs_extents_in_units (const VirfsExtents *extents, guint64 unit);

/* The size of the disk. */
guint64 virfs_extents_size (const VirfsExtents *extents);
/* Bytes of that KIND. */
guint64 virfs_extents_bytes (const VirfsExtents *extents, VirfsExtentKind kind);

/* All of them, *NUMBER, borrowed. */
const VirfsExtent *virfs_extents_list (const VirfsExtents *extents, gsize *number);
/* The one that OFFSET lies in, borrowed; NULL behind the end. */
const VirfsExtent *virfs_extents_find (const VirfsExtents *extents, guint64 offset);

/*
 * As lseek(2) has it: the first offset from OFFSET on that is in no hole, and the first that is in
 * one.  The size of the disk where there is none, which is where ENXIO and the hole behind the end
 * are.
 */
guint64 virfs_extents_next_data (const VirfsExtents *extents, guint64 offset);
guint64 virfs_extents_next_hole (const VirfsExtents *extents, guint64 offset);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsExtents, virfs_extents_free)
