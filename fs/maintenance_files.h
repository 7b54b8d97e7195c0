/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of hosts/<host>/ that maintenance.c shows, for the table in host.c. */
#pragma once

#include "classes.h"

void virfs_host_show_maintenance (const VirfsNode *node, GString *out);
void virfs_host_store_maintenance (VirfsCall *call, const VirfsNode *node, gboolean value);
void virfs_host_show_return (const VirfsNode *node, GString *out);
void virfs_host_store_return (VirfsCall *call, const VirfsNode *node, gboolean value);
void virfs_host_show_plan (const VirfsNode *node, GString *out);
void virfs_host_show_drained (const VirfsNode *node, GString *out);
void virfs_host_show_parallel (const VirfsNode *node, GString *out);
void virfs_host_store_parallel (VirfsCall *call, const VirfsNode *node, const char *text);

/* clang-format off */
#define VIRFS_MAINTENANCE_ROWS \
  { "maintenance", S_IFREG | 0640, VIRFS_ROW_TRUSTED, .fields = VIRFS_BIT (VIRFS_HOST_UPKEEP), \
    .show = virfs_host_show_maintenance, .store_bool = virfs_host_store_maintenance, \
    .help = "1: it takes no guests; writing that moves all to other hosts, writing 0 ends it" }, \
  { "return", S_IFREG | 0640, VIRFS_ROW_TRUSTED, .fields = VIRFS_BIT (VIRFS_HOST_UPKEEP), \
    .show = virfs_host_show_return, .store_bool = virfs_host_store_return, \
    .help = "1: the guests that were moved away come back when maintenance ends" }, \
  { "drain_plan", S_IFREG | 0440, VIRFS_ROW_MEASURED, .fields = VIRFS_BIT (VIRFS_HOST_UPKEEP), \
    .show = virfs_host_show_plan, \
    .help = "where its guests would go: a table, and why some of them would stay" }, \
  { "drain_parallel", S_IFREG | 0640, VIRFS_ROW_TRUSTED, .fields = VIRFS_BIT (VIRFS_HOST_UPKEEP), \
    .show = virfs_host_show_parallel, .store = virfs_host_store_parallel, \
    .help = "how many guests maintenance moves at a time, 1 to 4; an empty line: as configured" }, \
  { "drained", S_IFREG | 0440, VIRFS_ROW_MEASURED, .fields = VIRFS_BIT (VIRFS_HOST_UPKEEP), \
    .show = virfs_host_show_drained, \
    .help = "the guests that maintenance has moved away, a line for each: guest and host" }
/* clang-format on */
