/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volumes and who uses them: the disks of guests, and volumes that are based on others.
 *
 * A path means something on one host only.  Pools of several hosts are one storage if they have one
 * UUID, or if they are of a kind that hosts share and have the same source; so are their volumes then.
 */
#pragma once

#include "infra.h"

/* A user of a volume. */
typedef struct {
  char *path;   /* in the tree: `vms/web`, or that of a volume */
  char *target; /* of the guest's disk, as in vda; NULL for a volume */
} VirfsUser;

/* Who uses VOLUME, in the order of their paths; the caller owns it (of VirfsUser*). */
GPtrArray *virfs_volume_users (VirfsPart *volume);
/* Of those, the first guest that runs or is paused, borrowed; NULL: none. */
const VirfsUser *virfs_users_active (VirfsInfra *infra, GPtrArray *users);

/* The same for what HOST has at paths that IS_IT says yes to. */
GPtrArray *virfs_path_users (VirfsHost *host, gboolean (*is_it) (const char *path, gpointer data),
                             gpointer data);

/* When something of all this changed last, anywhere; microseconds since the epoch. */
gint64 virfs_infra_uses_changed (VirfsInfra *infra);

/* A volume that is based on VOLUME, which must not be written to therefore: its path in the tree, the
 * caller owns it.  NULL: none is known. */
char *virfs_volume_overlay (VirfsPart *volume);

/* Calls FUNC for HOST, where the file or device has PATH, and for each other host that has it through
 * a pool that they share: with its path there, and the name that a disk may have for it (POOL/VOLUME;
 * NULL: it is in no pool). */
typedef void (*VirfsPlaceFunc) (VirfsHost *host, const char *path, const char *name, gpointer data);
void virfs_path_places (VirfsHost *host, const char *path, VirfsPlaceFunc func, gpointer data);

/* The volume that TEXT names: a path, POOL/VOLUME, or the name of one in POOL (NULL: only the others).
 * A reference; NULL: NOT_FOUND. */
VirfsPart *virfs_volume_find (VirfsHost *host, VirfsPart *pool, const char *text, GError **error);

/* For the registry: an index of what is used, made anew when somebody asks and it has changed. */
typedef struct VirfsUses VirfsUses;
VirfsUses *virfs_uses_new (void);
void virfs_uses_free (VirfsUses *uses);
void virfs_uses_note (VirfsUses *uses, const VirfsChange *change);
