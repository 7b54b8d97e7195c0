/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a guest's file systems quiet: for a moment, or until somebody thaws them. */
#pragma once

#include "link.h"

typedef struct LvFreeze LvFreeze;

/* Asks the agent in the guest, and waits for it a few seconds.  Whatever comes, the guest is not left frozen:
 * after freeze_timeout it is thawed by a thread of its own. */
LvFreeze *lv_freeze_begin (LvLink *link, virDomainPtr domain);
/* Thaws it.  TRUE if it was frozen until now; FALSE also for NULL.  *THAWED: whether that is certain; if not,
 * the thread goes on trying. */
gboolean lv_freeze_end (LvFreeze *freeze, gboolean *thawed);

/* Another use: it stays frozen when this returns, and whoever thaws it says so by lv_freeze_is_over().  If the
 * thread was first, it calls THAWED.  NULL with ERROR: it is not frozen; AGAIN: not for certain, and the thread
 * thaws it and calls THAWED. */
typedef void (*LvFreezeThawed) (LvLink *link, const char *uuid);
LvFreeze *lv_freeze_begin_for (LvLink *link, virDomainPtr domain, LvFreezeThawed thawed,
                               GError **error);
/* One that was frozen earlier: the thread thaws it at once.  NULL: it cannot be reached. */
LvFreeze *lv_freeze_adopt (LvLink *link, virDomainPtr domain, LvFreezeThawed thawed);
void lv_freeze_is_over (LvFreeze *freeze);
/* Drops the reference that the two have given. */
void lv_freeze_leave (LvFreeze *freeze);
