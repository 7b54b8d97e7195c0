/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What placement.c, which ranks hosts, and placement_check.c have in common.
 * All under the registry's lock. */
#pragma once

#include "placement.h"

/* FALSE: HOST, which has MEMORY bytes free, cannot have it. */
gboolean virfs_place_check (const VirfsWish *wish, const VirfsHost *host, guint64 memory,
                            GError **error);
gboolean virfs_place_has_image (const VirfsWish *wish, const VirfsHost *host);
