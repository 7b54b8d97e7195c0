/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what, where the kernel cannot see it: the kernel checks the file or directory that is used
 * (default_permissions), we what else a call reaches.  Root and who mounted the tree may do everything.
 */
#pragma once

#include "classes.h"

typedef enum { VIRFS_MAY_READ = 04, VIRFS_MAY_WRITE = 02 } VirfsMay;

/* Whether the caller may read or write OBJECT, as if that was its directory; else DENIED. */
gboolean virfs_access_check (VirfsCall *call, gpointer object, VirfsMay may, GError **error);

/* The same of the volume that TEXT (a path or POOL/VOLUME) names on HOST, and of the guests that have it as
 * a disk; what it is based on has to be readable.  A file that is in no pool belongs to nobody who could
 * allow it: DENIED. */
gboolean virfs_access_check_source (VirfsCall *call, VirfsHost *host, const char *text,
                                    VirfsMay may, GError **error);
/* The same of VOLUME. */
gboolean virfs_access_check_volume (VirfsCall *call, VirfsPart *volume, VirfsMay may,
                                    GError **error);
/* The same of the pool NAME of HOST; one that is not there is not refused. */
gboolean virfs_access_check_pool (VirfsCall *call, VirfsHost *host, const char *name, VirfsMay may,
                                  GError **error);

/* Whether the caller may make of IS what is WANTED: DENIED, or PERMITTED for what is his alone to do
 * who mounted. */
gboolean virfs_access_check_give (VirfsCall *call, const VirfsOwner *is, const VirfsOwner *wanted,
                                  GError **error);

/* The `owner` and `set_owner` of classes whose owners are kept with virfs_infra_give(). */
void virfs_access_owner (const VirfsNode *node, VirfsOwner *owner);
void virfs_access_set_owner (VirfsCall *call, const VirfsNode *node, const VirfsOwner *owner);
