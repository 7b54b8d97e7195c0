/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cloud-init/ of a guest: documents of what is kept of it (kept.h). */
#pragma once

#include "classes.h"
#include "draft.h"

/* Of a member of VirfsKept. */
void virfs_seed_show (const VirfsNode *node, GString *out);
void virfs_seed_store (VirfsCall *call, const VirfsNode *node, const char *text);

/* The guest that was made of a draft has what that had. */
void virfs_seed_keep (VirfsInfra *infra, const VirfsDraftInfo *info);
