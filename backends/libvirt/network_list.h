/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks of a host, as they are (network_list.c); for what is done to them see operate.h. */
#pragma once

#include "link.h"

/* All networks with their leases, sorted; of VirfsNetworkInfo*, the caller owns it.  NULL: they cannot be
 * listed. */
GPtrArray *lv_networks_read (LvLink *link, virConnectPtr conn);
/* As it is stored; the caller frees it with free(). */
char *lv_network_definition (virNetworkPtr network);
