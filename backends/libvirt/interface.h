/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces of a host (interface.c). */
#pragma once

#include "link.h"

/* All of them (of VirfsInterfaceInfo*) and, added to ACTIVE, the names of those that are active, guests'
 * too; the caller owns the list.  NULL: they cannot be listed. */
GPtrArray *lv_interfaces_read (LvLink *link, virConnectPtr conn, GPtrArray *active);
/* Tells the log what has changed since BEFORE (NULL: nothing was known): interfaces that went up, down or
 * are degraded. */
void lv_interfaces_tell (LvLink *link, GPtrArray *before, GPtrArray *after);
