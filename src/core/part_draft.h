/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drafts of parts: disks, NICs, pools and volumes that somebody has made a directory for and that are
 * nowhere yet.  They are kept (keeper.h), until they are something or somebody removes them.
 */
#pragma once

#include "infra.h"

/* INFO (taken) as a draft of OWNER; a reference, NULL: EXISTS, or it cannot be kept. */
gpointer virfs_infra_make_part_draft (VirfsInfra *infra, gpointer owner, gpointer info,
                                      GError **error);
/* FALSE: it cannot be kept, or is gone. */
gboolean virfs_infra_change_part_draft (VirfsInfra *infra, VirfsPart *part, VirfsPartEdit edit,
                                        gpointer data, GError **error);
/* FALSE if it is none (any more). */
gboolean virfs_infra_remove_part_draft (VirfsInfra *infra, VirfsPart *part);

/* One that was kept: it comes back with its owner. */
void virfs_infra_restore_part_draft (VirfsInfra *infra, const char *key, const char *text);
