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
 * Where an image of DISK is written to, for the user UID.  The sink belongs to the caller.  The first
 * write begins a job: BUSY if the guest is not shut off, or something else uses the disk or is based
 * on it; UNSUPPORTED if that is no volume in a pool.  What has been written takes effect when it is
 * flushed (VIRFS_SINK_CLOSED), which fails with INVALID if it cannot be the disk.
 */
VirfsSink *virfs_restore_new (VirfsPart *disk, guint uid);
