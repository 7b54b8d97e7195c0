/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moving a guest's disks to another pool of its host: what can be told before anything is done.
 * None of these asks a host.
 */
#pragma once

#include "device.h"
#include "pool.h"
#include "vm.h"

/* Whether the disk is one that comes along when all of a guest's move: media, and what the guest
 * only reads, stay where they are. */
gboolean virfs_move_comes_along (const VirfsDiskInfo *disk);

/* Whether a disk of GUEST can be moved at all; UNSUPPORTED for what it is, BUSY for the state in
 * which it is now. */
gboolean virfs_move_check_disk (const VirfsVmInfo *guest, const VirfsDiskInfo *disk,
                                GError **error);

/* Whether POOL, of the guest's host, is where the disk is already. */
gboolean virfs_move_is_there (const VirfsDiskInfo *disk, const VirfsPoolInfo *pool);

/* Whether POOL could take it: BUSY, UNSUPPORTED, NO_SPACE. */
gboolean virfs_move_check_pool (const VirfsVmInfo *guest, const VirfsDiskInfo *disk,
                                const VirfsPoolInfo *pool, GError **error);

/* The format that the disk has in POOL. */
const char *virfs_move_format (const char *format, const VirfsPoolInfo *pool);
