/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files share that know of guests: all of it under the registry's lock, and for them alone. */
#pragma once

#include "registry.h"

/* registry_vm.c */

/* A guest of HOST, new or known; INFO is taken, its registry part is filled in.  Returns whether it is
 * new. */
gboolean virfs_registry_take_vm (VirfsHost *host, VirfsVmInfo *info);
/* The same of VM, which is on HOST now. */
void virfs_registry_take_info (VirfsVm *vm, VirfsHost *host, VirfsVmInfo *info);
void virfs_registry_remove_vm (VirfsHost *host, VirfsVm *vm);
void virfs_registry_log_added (VirfsVm *vm);
/* The directories that show VM, as BEFORE and AFTER (either may be NULL) say. */
void virfs_registry_touch_directories (VirfsVm *vm, const VirfsVmInfo *before,
                                       const VirfsVmInfo *after);

/* registry_label.c */

/* INFO gets a free name, if VM is to be shown. */
void virfs_registry_take_label (VirfsVm *vm, VirfsVmInfo *info);
/* Ends what VM's present info has to do with names; the label itself stays in that info. */
void virfs_registry_release_label (VirfsVm *vm);
/* LABEL is free again: the first of those who want it gets it. */
void virfs_registry_offer_label (VirfsInfra *infra, const char *label);
/* Publishes INFO (taken), which has no name yet: with that of VM, or if that does not go with it, with
 * another. */
void virfs_registry_publish_named (VirfsVm *vm, VirfsVmInfo *info);
/* VM is shown if it has to be now, and else not; returns whether that is a change. */
gboolean virfs_registry_show_or_hide (VirfsVm *vm);

/* registry_twin.c */

/* PRIMARY is the guest, VM a twin of it. */
void virfs_registry_become_twin (VirfsVm *vm, VirfsVm *primary);
void virfs_registry_leave_twins (VirfsVm *vm);
/* Two guests of one UUID change places: what is known of A is from now on told of B. */
void virfs_registry_exchange (VirfsVm *a, VirfsVm *b);
/* Of VM and its twins the most alive becomes the guest. */
void virfs_registry_weigh (VirfsVm *vm);
