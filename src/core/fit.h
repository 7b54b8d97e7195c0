/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a host can take a guest, from what is known of both without asking either: it answers, has
 * the guest's kind of hypervisor and architecture, memory, networks and storage.
 */
#pragma once

#include "infra.h"

/* FALSE with the first reason: EXISTS (it, another of its name, or a volume in the place of one of its disks is there
 * already), BUSY (a backup is open, something is done to its disks, some of its memory is on another host or saved, it
 * is frozen, crashed or on its way down, the host is in maintenance), HOST_DOWN, UNSUPPORTED (hypervisor, architecture,
 * machine or CPU, a TPM, options that contradict each other, devices of its host while it runs), NO_SPACE (memory),
 * NOT_FOUND (network, storage, a medium, devices that it has while it is shut off). */
gboolean virfs_fit (const VirfsVmInfo *vm, const VirfsVmNeeds *needs, VirfsHost *host,
                    const VirfsHostInfo *info, GError **error);
/* All reasons, of GError*: none if it can.  The caller owns it. */
GPtrArray *virfs_fit_obstacles (const VirfsVmInfo *vm, const VirfsVmNeeds *needs, VirfsHost *host,
                                const VirfsHostInfo *info);
/* The part of it that is about the host with that NAME alone, without a lock: its hypervisor, networks
 * and pools. */
gboolean virfs_fit_needs (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info,
                          GError **error);
/* EXISTS: the host has a VOLUME where a disk would be copied to.  It says what to type if nobody needs that. */
void virfs_fit_refuse_volume (const char *host, const char *pool, const char *volume,
                              GError **error);
