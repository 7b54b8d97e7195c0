/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of fit.h that is about what a guest needs.  What is not known of a host is left to the attempt. */
#pragma once

#include "fit.h"

/* FALSE: UNSUPPORTED or NOT_FOUND, the host of that NAME has not got it. */
gboolean virfs_fit_hypervisor (const VirfsVmNeeds *needs, const char *name,
                               const VirfsHostInfo *info, GError **error);
gboolean virfs_fit_networks (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info,
                             GError **error);
gboolean virfs_fit_pools (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info,
                          GError **error);
/* The file for which the target has no place where the source has one, and the one that is only read and is not
 * there; borrowed from NEEDS, NULL: none. */
const char *virfs_fit_missing_file (const VirfsHostInfo *source, const VirfsVmNeeds *needs,
                                    const VirfsHostInfo *target);
const char *virfs_fit_missing_medium (const VirfsHostInfo *source, const VirfsVmNeeds *needs,
                                      const VirfsHostInfo *target);

/* Where a disk is, and where its copy would be; all of it is borrowed from what is known of the hosts. */
typedef struct {
  const VirfsPoolInfo *from, *to;
  const VirfsPartInfo *here, *there; /* volumes of its name; NULL: none is known */
} VirfsFitPlace;

/* For one of `disks`; FALSE: one of the hosts is not known to have an active pool for it. */
gboolean virfs_fit_place (const VirfsHostInfo *source, const VirfsHostInfo *target,
                          const char *disk, VirfsFitPlace *place);
