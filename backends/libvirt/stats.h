/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples for metrics: one bulk call for all guests of a host and one set of calls for the host itself, in a
 * thread and through a connection of their own.
 */
#pragma once

#include "link.h"
#include "metrics.h"

/* The backend's host_sample. */
void lv_host_sample (VirfsHost *host);

/* stats_all.c: virConnectGetAllDomainStats() that waits for no guest.  The number of RECORDS, or -1. */
int lv_stats_all (LvLink *link, virConnectPtr conn, guint groups, virDomainStatsRecordPtr **records);

/* stats_record.c: what RECORD tells; INFO is what is known of the guest. */
VirfsSample *lv_stats_read (virDomainStatsRecordPtr record, VirfsHost *host, VirfsVm *vm,
                            const VirfsVmInfo *info);

/* stats_each.c: asks for one guest that runs what the bulk call has not told, where a driver has no such
 * groups. */
void lv_stats_ask (virDomainPtr domain, const VirfsVmInfo *info, VirfsSample *sample);

/* stats_node.c: of the host itself; the caller owns it. */
VirfsSample *lv_stats_node (LvLink *link, virConnectPtr conn);
