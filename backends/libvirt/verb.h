/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs. */
#pragma once

#include "task.h"

/* In which lane: what the agent in the guest may be asked for waits in its own. */
LvLane lv_verb_lane (const VirfsVmInfo *info, VirfsVmVerb verb);
/* Carries VERB out whatever the guest's state, and tells what it is like then. */
LvOutcome lv_verb_call (LvTask *task, virDomainPtr domain, VirfsVmVerb verb, GError **error);
