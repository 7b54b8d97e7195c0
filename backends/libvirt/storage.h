/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Storage of two hosts: whether they share it, and files that have to be copied where they do not.
 *
 * Files are reached as volumes of pools.  A directory that is in no active pool gets one for as
 * long as it is needed (lent.h).
 */
#pragma once

#include "seat.h"

/* An active pool of a host, as long as somebody needs it. */
typedef struct {
  LvLink *link;
  virStoragePoolPtr pool;
  char *name;
  char *made; /* the directory if the pool was made for us; else NULL */
} LvPool;

/* For link.c; make no call. */
void lv_storage_open (LvLink *link);
void lv_storage_close (LvLink *link);

/* Whether somebody needs the lent pool of that NAME; under the storage lock. */
gboolean lv_storage_lends (LvLink *link, const char *name);

LvPool *lv_pool_by_name (LvSeat *seat, const char *name, GError **error);
/* The pool whose volumes are the files in DIRECTORY.  If there has to be one made, BUILD makes the
 * directory, too. */
LvPool *lv_pool_by_directory (LvSeat *seat, const char *directory, gboolean build, GError **error);
/* The pool that has the volume of this path. */
LvPool *lv_pool_by_path (LvSeat *seat, const char *path, GError **error);
void lv_pool_free (LvPool *pool);

/* The volume that is the file or device PATH.  One that no pool has is in *POOL, which is made for it
 * and has to last as long as it.  NULL: there is none. */
virStorageVolPtr lv_pool_find_path (LvSeat *seat, const char *path, LvPool **pool);

/* The volume of that name as it is now; NULL: lv_fail() knows why not. */
virStorageVolPtr lv_pool_fresh_volume (LvPool *pool, const char *name);

/* GUEST-WHATSUFFIX, with a number if somebody has left one of that name; the caller owns it. */
char *lv_pool_free_name (LvPool *pool, const char *guest, const char *what, const char *suffix);

/* Whether both pools, on two hosts, have the same volumes.  FALSE with ERROR if that cannot be told
 * for certain. */
gboolean lv_pool_compare (LvPool *a, LvPool *b, gboolean *shared, GError **error);
/* The backend's pools_apart: what that has found out, for as long as it holds. */
gboolean lv_pools_apart (VirfsHost *a, const VirfsPoolInfo *pool_a, VirfsHost *b,
                         const VirfsPoolInfo *pool_b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvPool, lv_pool_free)
