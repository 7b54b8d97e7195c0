/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All guests of a host at once. */
#pragma once

#include "link.h"

/* Reads all and tells the registry.  FALSE if the host does not answer. */
gboolean lv_fleet_sync (LvLink *link, virConnectPtr conn, GError **error);
/* Then reads the snapshots of those that have any. */
void lv_fleet_read_snapshots (LvLink *link, virConnectPtr conn);

/* Looks for what has no event: numbers of all, the XML of some, from *CURSOR on, which moves.
 * FALSE if the host does not answer. */
gboolean lv_fleet_poll (LvLink *link, virConnectPtr conn, guint *cursor, GError **error);
