/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making guests of drafts. */
#pragma once

#include "classes.h"

/* Makes the guest of the draft NODE and brings it to STATE, on the host that is best or asked for, and
 * finishes CALL. */
void virfs_make_guest (VirfsCall *call, const VirfsNode *node, VirfsVmState state);
/* What each host would be for it, as a table. */
void virfs_make_show_placement (const VirfsNode *node, GString *out);

/* Removes what attempts that were cut off have left of DRAFT on hosts, then calls NEXT: with an error if
 * something is still there. */
typedef void (*VirfsMakeNext) (VirfsCall *call, VirfsPart *draft, gpointer data,
                               const GError *error);
void virfs_make_clean (VirfsCall *call, VirfsPart *draft, VirfsMakeNext next, gpointer data);
