/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Indexes: which guests have a tag, an owner, an image, an address.  Each value that some guest has is
 * an object, for it is a directory in by/; addresses, which there are as many of as guests, are not.
 * They follow the guests that vms/ shows, and finding something costs the same however many there are.
 */
#pragma once

#include "infra.h"

/* The name of an index's directory, as in `tag`. */
const char *virfs_index_key_name (VirfsIndexKey key);

typedef struct {
  VirfsObject object;
  VirfsIndexKey key; /* does not change, as the next */
  char *value;
  /* under the registry's lock */
  GHashTable *vms; /* set of VirfsVm* */
  gboolean kept;   /* also when no guest has it: somebody has made it */
  gint64 changed;  /* microseconds since the epoch */
} VirfsIndex;

/* All is told of an index as VIRFS_CHANGED: a guest has entered it, or left it; then `before` is what
 * was known of that guest (VirfsVmInfo). */

/* A new reference; NULL: no guest has it. */
VirfsIndex *virfs_infra_index (VirfsInfra *infra, VirfsIndexKey key, const char *value);
gboolean virfs_index_has (VirfsIndex *index, VirfsVm *vm);
/* When guests have come or gone. */
gint64 virfs_index_changed (VirfsIndex *index);
/* FUNC runs under the registry's lock. */
typedef void (*VirfsIndexFunc) (VirfsIndex *index, gpointer data);
void virfs_infra_foreach_index (VirfsInfra *infra, VirfsIndexKey key, VirfsIndexFunc func,
                                gpointer data);
void virfs_index_foreach_vm (VirfsIndex *index, VirfsVmFunc func, gpointer data);

/* A tag that no guest has yet, for as long as the program runs.  EXISTS, INVALID. */
gboolean virfs_infra_make_tag (VirfsInfra *infra, const char *tag, GError **error);
/* NOT_EMPTY while a guest has it. */
gboolean virfs_infra_remove_tag (VirfsInfra *infra, const char *tag, GError **error);

/* The guest that has ADDRESS, the first of them; a new reference, NULL for none. */
VirfsVm *virfs_infra_vm_by_address (VirfsInfra *infra, const char *address);
typedef void (*VirfsAddressFunc) (VirfsVm *vm, const char *address, gpointer data);
void virfs_infra_foreach_address (VirfsInfra *infra, VirfsAddressFunc func, gpointer data);
/* The addresses of the guest's NICs, those that are some; the caller owns them. */
GStrv virfs_vm_addresses (const VirfsVmInfo *info);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsIndex, virfs_object_unref)
