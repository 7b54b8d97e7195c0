/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Storage pools of a host, and their volumes; see libvirt's formatstorage(5) for the words.
 */
#pragma once

#include "part.h"

typedef struct {
  VirfsPartInfo part;
  const char *state; /* running, inactive, building, degraded or inaccessible */
  const char *type;  /* dir, fs, netfs, logical, iscsi … (libvirt's pool types) */
  GRefString *path;  /* where its volumes are; NULL if nowhere in the file system */
  GRefString
    *source; /* where its storage comes from: HOST:DIRECTORY, a device, a target; NULL: none */
  guint64 capacity, allocation, available; /* bytes, of an active pool */
  gboolean autostart;
  gboolean persistent;
  VirfsBlob *xml;
} VirfsPoolInfo;

typedef struct {
  VirfsPartInfo part;
  const char *type;    /* file, block, dir, network … (libvirt's volume types) */
  const char *format;  /* raw, qcow2 …; NULL: not known */
  GRefString *path;    /* what a guest's disk names */
  GRefString *backing; /* path of the backing file; NULL for none */
  guint64 size;        /* bytes that a guest sees */
  guint64 allocation;  /* bytes that it takes */
} VirfsVolumeInfo;

extern const VirfsPartClass virfs_pool_class;   /* of hosts */
extern const VirfsPartClass virfs_volume_class; /* of pools */

/* Whether its volumes can be reached. */
gboolean virfs_pool_is_active (const VirfsPoolInfo *pool);
