/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of vms/<vm>/ that vm.c has in its table, and what they share. */
#pragma once

#include "classes.h"

/* vm.c */

/* What users call it: its name in vms/, if it has one. */
const char *virfs_vm_shown_as (const VirfsVmInfo *info);
/* A job on the guest of NODE, for CALL. */
VirfsJob *virfs_vm_job (VirfsCall *call, const VirfsNode *node, const char *operation);
/* Sets the field that the row shows first; CALL ends with it. */
void virfs_vm_set (VirfsCall *call, const VirfsNode *node, guint64 number, const char *text);

/* vm_state.c */

void virfs_vm_show_state (const VirfsNode *node, GString *out);
void virfs_vm_store_state (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_show_ctl (const VirfsNode *node, GString *out);
void virfs_vm_store_ctl (VirfsCall *call, const VirfsNode *node, const char *text);

/* vm_migrate.c */

void virfs_vm_show_migrate (const VirfsNode *node, GString *out);
void virfs_vm_store_migrate (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_show_placement (const VirfsNode *node, GString *out);
void virfs_vm_show_verdict (const VirfsNode *node, GString *out);
/* A guest starts on no host that is in maintenance.  FALSE: CALL has failed. */
gboolean virfs_vm_check_host_open (VirfsCall *call, const VirfsVmInfo *info);

/* isolation.c */

void virfs_vm_show_isolation (const VirfsNode *node, GString *out);
void virfs_vm_store_isolation (VirfsCall *call, const VirfsNode *node, const char *text);

/* vm_resource.c: what the hardware of a guest is made of. */

/* Shows a gint64 of which 0 is the hypervisor's choice, which libvirt does not tell. */
void virfs_vm_show_tuned (const VirfsNode *node, GString *out);
void virfs_vm_store_tuned (VirfsCall *call, const VirfsNode *node, gint64 value);
void virfs_vm_show_cpuset (const VirfsNode *node, GString *out);
void virfs_vm_store_cpuset (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_vcpu_pins (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_numbers (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_numa_mode (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_boot (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_firmware (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_machine (VirfsCall *call, const VirfsNode *node, const char *text);
