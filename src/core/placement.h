/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which host is the most expedient for a guest: from what is known, without asking anybody.
 *
 * A host that lacks something is out, and the reason is told.  The others get a score from 0 to 100:
 * 60 for memory that is neither used nor promised, 20 for CPUs that are not promised, 20 for CPU time
 * that is not used.  Hosts within 10 points of the best are equally good, because what is measured is
 * some seconds old: among them those that have the image come first, and the one that has promised the
 * least of its memory, so that many guests made at once are spread.
 */
#pragma once

#include "backend.h"

/* What is wanted; all texts are borrowed, NULL for whatever. */
typedef struct {
  const char *arch;
  guint64 memory; /* bytes */
  guint64 vcpus;
  const char *pool;           /* must be active */
  guint64 pool_bytes;         /* to be available there */
  const char *network;        /* must be active */
  const VirfsVmNeeds *needs;  /* of its definition */
  const char *const *sources; /* PATH or POOL/VOLUME, each to be there; NULL-terminated or NULL */
  struct VirfsImage *image;   /* of images/: it can be copied to a host that lacks it; NULL: none */
  const VirfsHost *only;      /* where its disks are; NULL: anywhere */
  const VirfsHost *present;   /* where the guest is now */
  GHashTable *refused; /* VirfsHost* -> GError*: those that it may not have, and why; NULL: none */
  GHashTable *planned; /* VirfsHost* -> VirfsPromise*: what they will have, too; NULL: nothing */
} VirfsWish;

typedef struct {
  VirfsHost *host; /* a reference */
  GError *refusal; /* why not; NULL if it can have the guest */
  double score;
  double promised;     /* share of its memory, with the guest */
  guint64 memory_left; /* bytes that would be left */
  gboolean has_image;
  guint guests; /* that run there or are being made */
} VirfsPlace;

/* All hosts, the best first, then those that cannot; the caller owns it. */
GPtrArray *virfs_placement_rank (VirfsInfra *infra, const VirfsWish *wish);
/* The same for a guest that there is: who could take it, and how good that would be.  NEEDS may be
 * NULL: not known, so no other host can. */
GPtrArray *virfs_placement_rank_vm (VirfsInfra *infra, const VirfsVmInfo *vm,
                                    const VirfsVmNeeds *needs);
/* The best host for a guest to go to, a reference; NULL: it can go nowhere, and why.  PLANNED as in VirfsWish;
 * NEEDS as above. */
VirfsHost *virfs_placement_choose (VirfsInfra *infra, const VirfsVmInfo *vm,
                                   const VirfsVmNeeds *needs, GHashTable *planned, GError **error);
/* As a table, a line for each of them. */
void virfs_placement_print (GPtrArray *places, const VirfsHost *present, GString *out);

/* Promises a host what WISH wants until virfs_placement_release(): the best one, or the one of NAME
 * if that is not NULL.  A reference; NULL with the reason if none can. */
VirfsHost *virfs_placement_reserve (VirfsInfra *infra, const VirfsWish *wish, const char *name,
                                    GError **error);
void virfs_placement_release (VirfsHost *host, const VirfsWish *wish);
/* Promises it without asking whether the host can have it. */
void virfs_placement_promise (VirfsHost *host, const VirfsWish *wish);
