/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a device of a host (hostdev_use.c). */
#pragma once

#include "part_class.h"

/* hosts/<host>/devices/<device>/used_by/ */
extern const VirfsDir virfs_hostdev_users_dir;
