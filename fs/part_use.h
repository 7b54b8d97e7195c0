/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a network or device of a host (part_use.c). */
#pragma once

#include "part_class.h"

/* used_by/ of either: links to the guests that have it, now or at their next start. */
extern const VirfsDir virfs_part_users_dir;

/* A guest that runs with a NIC in NETWORK, as in vms/web; the caller owns it, NULL if there is none. */
char *virfs_network_live_user (VirfsPart *network);
