/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pinning, NUMA, boot order, firmware and machine of a guest, for the table in set.c. */
#pragma once

#include "operate.h"
#include "xml_resource.h"

/* Sets TASK's field to its text as FLAGS (VIR_DOMAIN_AFFECT_*) say; < 0: libvirt's last error. */
int lv_resource_set (virDomainPtr domain, LvTask *task, guint flags);

/* Whether vCPUs can be plugged into guests like this one. */
gboolean lv_resource_plugs_vcpus (const LvTask *task);

/* Whether the host has what is wanted; else ERROR.  KNOWN is the guest. */
gboolean lv_resource_check (LvTask *task, virDomainPtr domain, const LvFacts *facts,
                            const VirfsVmInfo *known, GError **error);

/* Whether the host has a machine type for guests of that platform (*CANONICAL: with its version, the
 * caller owns it), and a firmware; else INVALID, with what there is. */
gboolean lv_resource_find_machine (LvTask *task, virConnectPtr conn, const LvPlatform *platform,
                                   const char *name, char **canonical, GError **error);
gboolean lv_resource_find_firmware (LvTask *task, virConnectPtr conn, const LvPlatform *platform,
                                    const char *name, GError **error);
