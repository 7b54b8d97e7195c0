/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Snapshots and checkpoints of a guest that moves.  Their data is in its disks, but what libvirt knows of
 * them, their metadata, stays behind, and libvirt moves no running guest that has snapshots.  So the
 * metadata is taken off, kept where it outlives us, and defined again where the guest is then.
 */
#pragma once

#include "plan.h"
#include "xml_snapshot.h"

/* What libvirt knows, with all secrets; NULL with ERROR.  The caller owns it. */
LvMoving *lv_moving_read (LvTask *task, virDomainPtr domain, GError **error);
gboolean lv_moving_is_empty (const LvMoving *moving);
/* Whether the data goes along with a running guest: UNSUPPORTED if snapshots are in disks that are
 * copied. */
gboolean lv_moving_check (const LvMoving *moving, const LvPlan *plan, GError **error);

/* Keeps it, and takes it off DOMAIN.  FALSE: all is as it was. */
gboolean lv_moving_take_off (const LvMoving *moving, LvTask *task, virDomainPtr domain,
                             GError **error);
/* Defines on DOMAIN what it has not. */
gboolean lv_moving_put_on (const LvMoving *moving, virDomainPtr domain, GError **error);
/* Puts it on the guest where it is now, at HERE or there, and forgets what was kept; what cannot be
 * put on is kept on and told. */
void lv_moving_settle (const LvMoving *moving, LvTask *task, gboolean moved);

/* For poll.c: puts on what an earlier run has kept of guests that are on this host. */
void lv_moving_recover (LvLink *link);
