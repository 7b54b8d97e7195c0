/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks of one instant (src/core/disk_view.h) that an NBD server has. */
#pragma once

#include "budget.h"
#include "disk_view.h"
#include "nbd.h"

/*
 * Connects and asks for what the server tells of its blocks.  Where the spec has a bitmap the qcow2
 * file has the changes alone, and names BACKING_FILE of BACKING_FORMAT.  Blocks; errors as
 * virfs_nbd_open(), virfs_nbd_map() and virfs_disk_view_new() have them.
 */
VirfsDiskView *virfs_nbd_view (const VirfsNbdSpec *spec, VirfsBudget *budget,
                               const char *backing_file, const char *backing_format,
                               GCancellable *cancellable, GError **error);
