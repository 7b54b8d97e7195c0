/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking for what has no event.  That may take as long as there are guests, so it is done beside
 * the control thread, which goes on following events.
 */
#pragma once

#include "connection.h"

/* Reads what the host is and has, and tells it. */
void lv_poll_node (LvLink *link, virConnectPtr conn);
/* The same for networks and interfaces only: one at a time, so that who reads them after he has changed
 * something tells later than those who have read them before.  FALSE: networks cannot be listed. */
gboolean lv_poll_resources (LvLink *link, virConnectPtr conn);

/* Reads, beside all else, the devices of the host, and the snapshots of guests that have just been listed, and puts on what is kept of
 * some (migrate_snapshots.h). */
void lv_poll_snapshots (LvLink *link);
/* The next look is due after the interval. */
void lv_poll_schedule (LvLink *link);
/* It is due soon: others have changed something.  What they change at the same time is seen at once. */
void lv_poll_hasten (LvLink *link);
/* Looks now; schedules the next when done. */
void lv_poll_begin (LvLink *link);
