/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading what a host is and has. */
#pragma once

#include "host.h"
#include "link.h"

/* Each fills in its part of INFO; what the driver cannot tell stays as it is. */
void lv_node_read (LvLink *link, virConnectPtr conn, VirfsHostInfo *info);
/* FALSE: networks cannot be listed. */
gboolean lv_node_read_resources (LvLink *link, virConnectPtr conn, VirfsHostInfo *info);

/* How many CPUs the host can have, whatever is online now; asked once. */
guint lv_node_cpus (LvLink *link, virConnectPtr conn);

/* LAST: what was seen at the last look, and is at this one then. */
void lv_node_read_load (LvLink *link, virConnectPtr conn, LvLoad *last, VirfsHostInfo *info);

/* What the driver tells of all CPUs (nanoseconds) and of all memory (KiB); *N items, the caller owns them.
 * NULL if it does not (stats_node.c). */
virNodeCPUStatsPtr lv_node_cpu_stats (LvLink *link, virConnectPtr conn, int *n);
virNodeMemoryStatsPtr lv_node_memory_stats (LvLink *link, virConnectPtr conn, int *n);
