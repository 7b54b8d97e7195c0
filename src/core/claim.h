/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has a guest's disks now.  A job that does something to them for a while claims them; what does not
 * go with that is refused meanwhile, with what it is and its job, or waits if both have begun already.
 *
 * Claims are the registry's, and so under its lock.
 */
#pragma once

#include "infra.h"
#include "job.h"

/* For JOB, by a thread that may wait: what was begun before, and does not go with it, is waited for, a
 * minute at most (BUSY; a migration is not waited for), and not when JOB is cancelled or has ended meanwhile
 * (CANCELLED).  If the guest must not be started meanwhile, that is all that is done to it. */
gboolean virfs_claim_begin (VirfsVm *vm, VirfsClaim claim, VirfsJob *job, GError **error);
void virfs_claim_end (VirfsVm *vm, VirfsJob *job);

/* BUSY if there is a claim of FROM or of those behind it: NONE for any. */
gboolean virfs_claim_check (const VirfsVmInfo *vm, VirfsClaim from, GError **error);

/* For the registry, under its lock: fills in what INFO, of VM, says of claims, and publishes that. */
void virfs_claim_show (VirfsVm *vm, VirfsVmInfo *info);
void virfs_claim_publish (VirfsVm *vm);
void virfs_claim_free (gpointer claim);
