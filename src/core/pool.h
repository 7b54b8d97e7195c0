/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Storage pools of a host, and their volumes; see libvirt's formatstorage(5) for the words.
 */
#pragma once

#include "part.h"

typedef struct {
  VirfsPartInfo part;
  GRefString *uuid;
  const char *state; /* running, inactive, building, degraded or inaccessible */
  const char *type;  /* dir, fs, netfs, logical, iscsi … (libvirt's pool types) */
  GRefString *path;  /* where its volumes are; NULL if nowhere in the file system */
  GRefString
    *source; /* where its storage comes from: HOST:DIRECTORY, a device, a target; NULL: none */
  guint64 capacity, allocation, available; /* bytes, of an active pool */
  gboolean autostart;
  gboolean persistent;
  VirfsBlob *xml;
  VirfsBlob *definition; /* without what changes by itself; NULL: it is not persistent */
} VirfsPoolInfo;

typedef struct {
  VirfsPartInfo part;
  const char *type;     /* file, block, dir, network … (libvirt's volume types) */
  const char *format;   /* raw, qcow2 …; NULL: not known */
  GRefString *path;     /* what a guest's disk names */
  GRefString *backing;  /* path of the backing file; NULL for none */
  guint64 size;         /* bytes that a guest sees */
  guint64 allocation;   /* bytes that it takes; of a draft: that it is to take from the start */
  guint64 length;       /* bytes of its file; 0: not known */
  GRefString *modified; /* when its file was, `SECONDS.NANOSECONDS`; NULL: not known */
  GRefString *born;     /* when its file was made, likewise */
  GRefString *touched;  /* when its file's inode was changed last, likewise */
  VirfsBlob *xml;
} VirfsVolumeInfo;

/* What can be done to a pool. */
typedef enum {
  VIRFS_POOL_DEFINE, /* makes an inactive pool of a draft */
  VIRFS_POOL_START,  /* of a draft too, which it defines */
  VIRFS_POOL_STOP,
  VIRFS_POOL_REFRESH,  /* looks what volumes there are */
  VIRFS_POOL_BUILD,    /* makes what it lies on: a directory, a file system, a volume group */
  VIRFS_POOL_DELETE,   /* removes what it lies on */
  VIRFS_POOL_UNDEFINE, /* what is in it stays */
  VIRFS_POOL_N_VERBS,
} VirfsPoolVerb;

/* And to a volume. */
typedef enum {
  VIRFS_VOLUME_REFRESH, /* reads it again */
  VIRFS_VOLUME_WIPE,    /* overwrites it with zeros */
  VIRFS_VOLUME_DELETE,
  VIRFS_VOLUME_N_VERBS,
} VirfsVolumeVerb;

extern const VirfsPartClass virfs_pool_class;   /* of hosts */
extern const VirfsPartClass virfs_volume_class; /* of pools */

/* Whether its volumes can be reached. */
gboolean virfs_pool_is_active (const VirfsPoolInfo *pool);
/* Whether its volumes are files in a directory. */
gboolean virfs_pool_has_files (const VirfsPoolInfo *pool);
/* Whether several hosts may have the same volumes in pools of this type. */
gboolean virfs_pool_is_shared (const VirfsPoolInfo *pool);
/* Whether two pools, of two hosts, are one storage: they have one UUID, or are of such a type and have
 * one source. */
gboolean virfs_pool_is_same (const VirfsPoolInfo *a, const VirfsPoolInfo *b);

/* What a draft can be made of without XML; INVALID with what there is otherwise. */
gboolean virfs_pool_check_type (const char *type, GError **error);
/* Whether a draft can be defined; INVALID with what is missing. */
gboolean virfs_pool_check_draft (const VirfsPoolInfo *pool, GError **error);
/* Whether there is something to build it of; INVALID. */
gboolean virfs_pool_check_build (const VirfsPoolInfo *pool, GError **error);
/* The two halves of `HOST:REST`, where a netfs or iscsi pool comes from; the caller owns them.  INVALID
 * if SOURCE is none for TYPE; both NULL for a type whose source has no host. */
gboolean virfs_pool_split_source (const char *type, const char *source, char **host, char **rest,
                                  GError **error);
/* Formats that volumes can be made in. */
gboolean virfs_volume_check_format (const char *format, GError **error);
