/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restoring a disk: an image is written to a new volume beside the disk's, and takes its place when it
 * has arrived as a whole.  Until then nothing of the disk is touched, and if it does not come so far
 * nothing is left of it.
 *
 * A raw image has to be as large as the disk.  A raw image for a qcow2 disk is made one; the other way
 * round is refused.
 */
#pragma once

#include "infra.h"
#include "job.h"
#include "sink.h"

/*
 * Begins to restore DISK of a guest that is shut off.  JOB ends with it.  The sink belongs to the
 * caller; what has been written takes effect when that is flushed (VIRFS_SINK_CLOSED), which fails
 * with INVALID if it cannot be the disk.  NULL: BUSY (the guest runs, or something else uses the disk
 * or is based on it), UNSUPPORTED (it is no volume in a pool); JOB has not ended then.
 */
VirfsSink *virfs_restore_begin (VirfsPart *disk, VirfsJob *job, GError **error);
/* Whether that would be possible now. */
gboolean virfs_restore_check (VirfsPart *disk, GError **error);
