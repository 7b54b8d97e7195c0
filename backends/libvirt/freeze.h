/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a guest's file systems quiet for a moment. */
#pragma once

#include "link.h"

typedef struct LvFreeze LvFreeze;

/* Asks the agent in the guest, and waits for it a few seconds.  Whatever comes, the guest is not left frozen:
 * after freeze_timeout it is thawed by a thread of its own. */
LvFreeze *lv_freeze_begin (LvLink *link, virDomainPtr domain);
/* Thaws it.  TRUE if it was frozen until now; FALSE also for NULL.  *THAWED: whether that is certain; if not,
 * the thread goes on trying. */
gboolean lv_freeze_end (LvFreeze *freeze, gboolean *thawed);
