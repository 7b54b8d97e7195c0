/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A qcow2 file that is made while it is read: version 3 with clusters of 64 KiB, as QEMU's
 * docs/interop/qcow2.txt describes it.
 *
 * Only what is known of the disk's content (extent.h) is needed to lay the file out, so its size
 * and each of its bytes are fixed from the start: it can be read in any order, in any pieces,
 * several times and by several threads.  What is not the disk's data is computed when it is read;
 * memory grows with the number of extents and not with the disk.
 *
 * header | refcount table | refcount blocks | L1 table | L2 tables | data, in the order of the disk
 *
 * Besides the clusters of data there are four clusters (one more for each 2 GiB of data and for
 * each 4 TiB of the disk) and one for each 512 MiB of the disk that the file says something of:
 * less than 1 % if there are 64 MiB of data or more, and on average 13 MiB or more in each such
 * 512 MiB.  Changes that are farther apart cost more, but what is empty of a table is a hole: 4 KiB
 * are left for each 32 MiB of the disk that the file says something of, less than 1 % if 512 KiB of
 * that are data.
 */
#pragma once

#include "extent.h"

typedef struct VirfsQcow2 VirfsQcow2;

/* Bytes of a cluster. */
#define VIRFS_QCOW2_CLUSTER (G_GUINT64_CONSTANT (1) << 16)

/*
 * The file of a disk.  Without BACKING_FILE it is complete: it has what is not ZERO.  With one,
 * which is of BACKING_FORMAT (`qcow2`, `raw`), it has what is not UNCHANGED; what is ZERO takes no
 * data there either.  BACKING_FILE is for QEMU to understand: relative to the directory of this
 * file, and what stands before a colon is a protocol.
 *
 * The caller owns it and may free EXTENTS.  NULL: INVALID (a name that does not fit), UNSUPPORTED
 * (a disk of more than 1 PiB).
 */
VirfsQcow2 *virfs_qcow2_new (const VirfsExtents *extents, const char *backing_file,
                             const char *backing_format, GError **error);
void virfs_qcow2_free (VirfsQcow2 *qcow2);

/* Bytes of the file; those of them that are not in its holes. */
guint64 virfs_qcow2_size (const VirfsQcow2 *qcow2);
guint64 virfs_qcow2_allocated (const VirfsQcow2 *qcow2);

/*
 * What is at OFFSET of the file: LENGTH bytes at most, all either of the disk's data, from *GUEST
 * of the disk on (*IS_DATA), or to be had of virfs_qcow2_fill().  Returns how many; 0 at the end of
 * the file.
 */
gsize virfs_qcow2_at (const VirfsQcow2 *qcow2, guint64 offset, gsize length, gboolean *is_data,
                      guint64 *guest);
void virfs_qcow2_fill (const VirfsQcow2 *qcow2, guint64 offset, gsize length, guint8 *buffer);

/* As lseek(2) has it; see virfs_extents_next_data(). */
guint64 virfs_qcow2_next_data (const VirfsQcow2 *qcow2, guint64 offset);
guint64 virfs_qcow2_next_hole (const VirfsQcow2 *qcow2, guint64 offset);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsQcow2, virfs_qcow2_free)
