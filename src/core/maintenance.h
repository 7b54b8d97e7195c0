/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maintenance of a host: it takes no guests, and those that it has are moved to others; when it ends they come
 * back, if that is wanted.  What was begun is kept (upkeep.h), so it goes on when the program is started
 * again, or the host comes back.
 */
#pragma once

#include "infra.h"

/* Guests that are moved at a time if nobody says anything else. */
#define VIRFS_DRAIN_PARALLEL 2
/* And at most. */
#define VIRFS_DRAIN_PARALLEL_MOST 4

void virfs_infra_set_drain_parallel (VirfsInfra *infra, guint guests);
/* What holds for HOST, of which INFO is known. */
guint virfs_maintenance_parallel (VirfsHost *host, const VirfsHostInfo *info);

/* HOST is in maintenance from now on, and drained: JOB ends when all of its guests have gone, BUSY if some stay,
 * with the reasons.  Each is moved by a job of its own, a part of this.  Who cancels it stops what has not been
 * done yet. */
void virfs_maintenance_begin (VirfsHost *host, guint uid, VirfsJob *job);
/* HOST takes guests again; if they are to come back JOB ends as above when they have. */
void virfs_maintenance_end (VirfsHost *host, guint uid, VirfsJob *job);
/* HOST has answered: what was begun goes on. */
void virfs_maintenance_go_on (VirfsHost *host);
