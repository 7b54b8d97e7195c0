/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a NIC in a network (network_use.c). */
#pragma once

#include "part_class.h"

/* hosts/<host>/networks/<network>/used_by/ */
extern const VirfsDir virfs_network_users_dir;

/* A guest that runs with a NIC in NETWORK, as in vms/web; the caller owns it, NULL if there is none. */
char *virfs_network_live_user (VirfsPart *network);
