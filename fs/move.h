/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks that move to another pool: `move` of vms/<vm>/ and of vms/<vm>/disks/<disk>/, and mv of
 * the latter (move.c). */
#pragma once

#include "classes.h"

void virfs_move_show_guest (const VirfsNode *node, GString *out);
void virfs_move_store_guest (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_move_show_disk (const VirfsNode *node, GString *out);
void virfs_move_store_disk (VirfsCall *call, const VirfsNode *node, const char *text);
/* The `move` of disks/: into the volumes/ of a pool. */
void virfs_move_disk_into (VirfsCall *call, const VirfsNode *dir, const char *name,
                           const VirfsNode *to, const char *new_name);
