/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests that somebody has frozen, until he thaws them or freeze_timeout has passed.  A record outlives the
 * program and the connection, so that no guest stays frozen: who connects again thaws it.
 */
#pragma once

#include "link.h"

/* Whether somebody has frozen the guest, and it has not been thawed. */
gboolean lv_agent_is_frozen (const char *uuid);
/* FALSE with ERROR: it is not frozen.  Frozen already: nothing happens. */
gboolean lv_agent_freeze (LvLink *link, virDomainPtr domain, GError **error);
/* Thaws it, whoever has frozen it. */
gboolean lv_agent_thaw (LvLink *link, virDomainPtr domain, GError **error);
/* Thaws what was frozen when the program or the connection ended. */
void lv_agent_thaw_left (LvLink *link, virConnectPtr conn);
