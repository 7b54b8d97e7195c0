/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agents in guests.  One that is connected is asked what it has to say in the background: when it
 * connects, when a guest comes here, and from time to time (agent_interval).  Nobody waits for that but its own
 * threads and connections; an agent that does not answer costs one of them some seconds.
 *
 * What somebody wants of an agent has lanes of its own (task.h).
 */
#pragma once

#include "agent_freeze.h"
#include "link.h"
#include "vm.h"

/* Seconds that an agent may take to answer. */
#define LV_AGENT_TIMEOUT 5

typedef struct LvAgents LvAgents;

/* For link.c: of a link.  Closing it does not wait. */
LvAgents *lv_agents_new (void);
void lv_agents_close (LvAgents *agents);
void lv_agents_free (LvAgents *agents);

/* From any thread: the agent in the guest is asked soon. */
void lv_agent_queue (LvLink *link, const char *uuid);
/* INFO was read of a guest of which KNOWN (NULL: nothing) was known: asks its agent if that is new. */
void lv_agent_look (LvLink *link, const VirfsVmInfo *known, const VirfsVmInfo *info);
/* Those that have not been asked for long, or never. */
void lv_agent_poll (LvLink *link);

/* Asks it now, and tells what it says. */
gboolean lv_agent_ask (LvLink *link, virDomainPtr domain, GError **error);

/* What an agent says, bounded and escaped (agent_info.c); the caller owns it. */
VirfsAgentInfo *lv_agent_info_read (LvParams *params);
