/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of virfs: what of the model is where, as rows for the engine. */
#pragma once

#include "infra.h"
#include "session.h"

typedef struct VirfsTree VirfsTree;

/* Mounting it is the caller's: a session with virfs_tree_ops and this. */
VirfsTree *virfs_tree_new (VirfsInfra *infra);
void virfs_tree_free (VirfsTree *tree);
extern const VirfsTreeOps virfs_tree_ops;

/* From now on SESSION is told what changes, until NULL is given; before the first host is added. */
void virfs_tree_set_session (VirfsTree *tree, VirfsSession *session);

/* All classes of the tree, NULL behind the last, for the manual and for tests. */
const VirfsClass *const *virfs_tree_classes (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsTree, virfs_tree_free)
