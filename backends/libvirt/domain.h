/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading one guest. */
#pragma once

#include "link.h"
#include "vm.h"

/* What its XML does not tell; known for all guests of a host by a few calls, or asked for one. */
typedef struct {
  VirfsVmState state;
  const char *reason;
  gboolean autostart, persistent, saved;
} LvFacts;

/* FALSE if the state cannot be told: libvirt's last error says why. */
gboolean lv_domain_ask_facts (virDomainPtr domain, LvFacts *facts);

/* Its XML, the caller owns it; NULL: libvirt's last error says why. */
char *lv_domain_xml (virDomainPtr domain, guint flags);

/* All that we show of it; the caller owns it.  NULL if it is gone meanwhile. */
VirfsVmInfo *lv_domain_read (LvLink *link, virDomainPtr domain, const LvFacts *facts);

/* Reads the guest through CONN and tells the registry, also that it is gone.  BORN: when it was
 * defined, 0 if that was not seen.  If LINK has broken the next one will do it. */
void lv_domain_refresh (LvLink *link, virConnectPtr conn, const char *uuid, gint64 born);

/* Its XML may have changed without an event: looks, and refreshes it if so. */
void lv_domain_check (LvLink *link, virConnectPtr conn, virDomainPtr domain);
