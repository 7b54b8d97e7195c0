/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the guests of a host go when it is drained, and back: from what is known, without asking anybody. */
#pragma once

#include "infra.h"

/* One guest. */
typedef struct {
  VirfsVm *vm;       /* references, as all here */
  VirfsVmInfo *info; /* when it was planned */
  VirfsHost *target; /* NULL: it stays */
  GError *reason;    /* why it stays; NULL: it does not */
} VirfsDrainStep;

/* All guests of HOST, those that run first, and the largest first of them, each to the host that is best for it
 * if those before it have gone.  SKIP (NULL: none): a set of UUIDs of guests that are left out. */
GPtrArray *virfs_drain_plan (VirfsHost *host, GHashTable *skip);
/* The guests that were moved away from HOST, as far as they are still elsewhere or on their way, back to it. */
GPtrArray *virfs_return_plan (VirfsHost *host);
/* STEP again, for what has changed since: to the host BACK, or if that is NULL as planned if that is still
 * possible, else to another. */
VirfsDrainStep *virfs_drain_plan_again (const VirfsDrainStep *step, VirfsHost *back);

/* As a table, a line for each guest. */
void virfs_drain_plan_print (GPtrArray *plan, GString *out);

void virfs_drain_step_free (VirfsDrainStep *step);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsDrainStep, virfs_drain_step_free)
