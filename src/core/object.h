/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every object of the model has: a kind, a number that stays the same across restarts, and a
 * reference count.  Objects have identity; what is known of one is an immutable snapshot (its
 * "info") that is replaced as a whole when something changes.
 */
#pragma once

#include <glib.h>

typedef struct VirfsInfra VirfsInfra;

typedef enum {
  VIRFS_KIND_ROOT,
  VIRFS_KIND_HOST,
  VIRFS_KIND_VM,
  VIRFS_KIND_JOB,
  VIRFS_KIND_INDEX,
  VIRFS_KIND_IMAGE,
  VIRFS_KIND_ALARM,
  /* parts, see part.h */
  VIRFS_KIND_POOL,
  VIRFS_KIND_VOLUME,
  VIRFS_KIND_DISK,
  VIRFS_KIND_NIC,
  VIRFS_KIND_SNAPSHOT,
  VIRFS_KIND_CHECKPOINT,
  VIRFS_KIND_DRAFT,
  VIRFS_KIND_BACKUP,
  VIRFS_KIND_BACKUP_DISK,
  VIRFS_KIND_EXEC,
  VIRFS_KIND_SSH_USER,
  VIRFS_KIND_NETWORK,
  VIRFS_KIND_FILTER,
  VIRFS_KIND_FLEET_NETWORK,
  VIRFS_KIND_FLEET_POOL,
  VIRFS_KIND_INTERFACE,
  VIRFS_KIND_NODE_DEVICE,
  VIRFS_KIND_HOSTDEV,
} VirfsKind;

typedef struct {
  VirfsKind kind;
  guint64 id;        /* unique among all objects, below 2^VIRFS_ID_BITS; 0 is the fleet itself */
  VirfsInfra *infra; /* outlives its objects */
  gatomicrefcount refs;
  void (*free) (gpointer object);
} VirfsObject;

#define VIRFS_ID_BITS 48

static inline gboolean
virfs_object_is_part (gconstpointer object)
{
  return ((const VirfsObject *) object)->kind >= VIRFS_KIND_POOL;
}

gpointer virfs_object_ref (gpointer object);
void virfs_object_unref (gpointer object);

/* A number for KEY: the same at every start.  The registry steps on when two keys share one. */
guint64 virfs_object_hash_id (VirfsKind kind, const char *key);

/* The bit that stands for FIELD (an enum of host.h, vm.h, job.h or infra.h) in a set of fields. */
#define VIRFS_BIT(field) (G_GUINT64_CONSTANT (1) << (field))

/* The latest of CHANGED[field] over all FIELDS. */
gint64 virfs_latest_change (const gint64 *changed, guint n, guint64 fields);
