/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the hardware of a guest is made of: files of vms/<vm>/ that vm.c has in its table. */
#pragma once

#include "classes.h"

/* Sets the field that the row shows first (vm.c); CALL ends with it. */
void virfs_vm_set (VirfsCall *call, const VirfsNode *node, guint64 number, const char *text);

/* Shows a gint64 of which 0 is the hypervisor's choice, which libvirt does not tell. */
void virfs_vm_show_tuned (const VirfsNode *node, GString *out);
/* Shows a text of several lines, at the row's offset. */
void virfs_vm_show_lines (const VirfsNode *node, GString *out);
void virfs_vm_show_cpuset (const VirfsNode *node, GString *out);

/* With a VirfsCall as in row.h. */
void virfs_vm_store_tuned (VirfsCall *call, const VirfsNode *node, gint64 value);
void virfs_vm_store_cpuset (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_vcpu_pins (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_numbers (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_numa_mode (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_boot (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_firmware (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_vm_store_machine (VirfsCall *call, const VirfsNode *node, const char *text);
