/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A disk as it was in one instant, as files: `raw`, all of it, and `qcow2`, what it has, or with
 * what has changed alone.  What is known of its content was asked for before, so nothing but data
 * is read later.  Immutable, reference counted.
 */
#pragma once

#include "content.h"
#include "extent.h"

typedef enum { VIRFS_VIEW_RAW, VIRFS_VIEW_QCOW2, VIRFS_VIEW_N_FORMATS } VirfsViewFormat;

typedef struct VirfsDiskView VirfsDiskView;
typedef struct VirfsDiskSource VirfsDiskSource;

/* Who has the bytes; sources begin with this struct. */
typedef struct {
  /* The disk, where it is read: what is DATA in WANTED (borrowed for the call).  All else reads as
   * zeroes.  Does not block. */
  VirfsContent *(*open) (VirfsDiskSource *source, const VirfsExtents *wanted);
  /* FALSE: whoever has them has gone, and all reads fail. */
  gboolean (*works) (VirfsDiskSource *source);
  /* All that was opened has been closed.  Does not block. */
  void (*free) (VirfsDiskSource *source);
} VirfsDiskSourceClass;

struct VirfsDiskSource {
  const VirfsDiskSourceClass *class;
};

/*
 * Takes SOURCE, ALLOCATION (of DATA and ZERO), and CHANGES: of DATA, ZERO and UNCHANGED; NULL if the
 * qcow2 file is to be a full one.  If it is not, BACKING_FILE is what it names (qcow2.h), of
 * BACKING_FORMAT.  NULL with ERROR as virfs_qcow2_new() has it; what was taken is freed.
 */
VirfsDiskView *virfs_disk_view_new (VirfsDiskSource *source, VirfsExtents *allocation,
                                    VirfsExtents *changes, const char *backing_file,
                                    const char *backing_format, GError **error);
VirfsDiskView *virfs_disk_view_ref (VirfsDiskView *view);
void virfs_disk_view_unref (VirfsDiskView *view);

/* Whether it can still be read. */
gboolean virfs_disk_view_works (const VirfsDiskView *view);
/* Opens it; see content.h.  It holds a reference. */
VirfsContent *virfs_disk_view_open (VirfsDiskView *view, VirfsViewFormat format);
/* Bytes of the file; those of them that are not in its holes. */
guint64 virfs_disk_view_size (const VirfsDiskView *view, VirfsViewFormat format);
guint64 virfs_disk_view_allocated (const VirfsDiskView *view, VirfsViewFormat format);

/* What the qcow2 file has: ALLOCATION, or CHANGES; borrowed. */
const VirfsExtents *virfs_disk_view_extents (const VirfsDiskView *view);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsDiskView, virfs_disk_view_unref)
