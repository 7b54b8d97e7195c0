/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agents in guests.  One that is connected is asked what it has to say in the background: when it
 * connects, when a guest comes here, and from time to time (agent_interval).  That and what somebody wants of an
 * agent has a lane for each guest (agent_lane.h); tasks of LV_LANE_AGENT are theirs.
 */
#pragma once

#include "agent_freeze.h"
#include "agent_lane.h"
#include "link.h"
#include "task.h"
#include "vm.h"

/* Seconds that an agent may take to answer. */
#define LV_AGENT_TIMEOUT 5

/* For link.c: the lanes of a link. */
LvLanes *lv_agents_new (LvLink *link);

/* From any thread: the agent in the guest is new, and asked soon. */
void lv_agent_queue (LvLink *link, const char *uuid);
/* INFO was read of a guest of which KNOWN (NULL: nothing) was known: asks its agent if that is new. */
void lv_agent_look (LvLink *link, const VirfsVmInfo *known, const VirfsVmInfo *info);
/* Those that have not been asked for long, or never. */
void lv_agent_poll (LvLink *link);

/* In the guest's lane.  Asks the agent now, and tells what it says. */
gboolean lv_agent_ask (LvLink *link, virDomainPtr domain, GError **error);
/* In the guest's lane, before anything is wanted of the agent: whether it answers, and what it answers from now on
 * it has to within LV_AGENT_TIMEOUT. */
gboolean lv_agent_call (LvLink *link, virDomainPtr domain, GError **error);
/* Whether it did not answer when it was last called: then it is not worth waiting for. */
gboolean lv_agent_is_silent (LvLink *link, virDomainPtr domain);
/* Whether it is worth waiting for all the same where much depends on it: once may be an accident. */
gboolean lv_agent_may_freeze (LvLink *link, virDomainPtr domain);

/* TASK is refused as its agent is silent: whether it is a command that runs, at which it looks again later. */
gboolean lv_agent_exec_goes_on (LvTask *task);

/* What an agent says, bounded and escaped (agent_info.c); the caller owns it. */
VirfsAgentInfo *lv_agent_info_read (LvParams *params);
