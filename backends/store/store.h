/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: what would be lost with the program, in an SQLite database of its own.
 *
 * Records (hosts that were made at run time, drafts …) are on disk when virfs_infra_keep() returns.
 * What was last known of the guests, the events and the jobs follow the registry, a fraction of a
 * second behind and in batches; a store that was lost is made again from the hosts.
 *
 * One thread writes.  One process at a time has the store open.
 */
#pragma once

#include "infra.h"

typedef struct VirfsStore VirfsStore;

/* Opens the store in DIRECTORY, which is made (0700) if need be.  A database that is broken is set
 * aside with a warning, and a new one begun.  BUSY if another process has it; UNSUPPORTED if a later
 * version has written it; NO_SPACE, DENIED, FAILED. */
VirfsStore *virfs_store_open (const char *directory, GError **error);
/* Writes what is still to be written.  NULL is allowed. */
void virfs_store_close (VirfsStore *store);
/* How many bytes of the log of events are kept at least; before it is attached. */
#define VIRFS_STORE_EVENTS_KEEP (64 * 1024 * 1024)
void virfs_store_set_events_keep (VirfsStore *store, guint64 bytes);

/* Brings back jobs and events of earlier runs, becomes INFRA's keeper and follows it from now on: to
 * be called before it has hosts. */
gboolean virfs_store_attach (VirfsStore *store, VirfsInfra *infra, GError **error);
/* Brings back the hosts that were made at run time and forgets what is known of guests of hosts that
 * there are no more: to be called when all others have been added. */
void virfs_store_restore (VirfsStore *store);
/* Writes all and lets go of the registry: after virfs_infra_stop(). */
void virfs_store_detach (VirfsStore *store);

/* Calls FUNC for each record of KIND, in the order of the keys.  It may keep and forget. */
typedef void (*VirfsStoreFunc) (const char *key, const char *text, gpointer data);
gboolean virfs_store_foreach (VirfsStore *store, const char *kind, VirfsStoreFunc func,
                              gpointer data, GError **error);

/* Waits until all that the registry has told so far is on disk.  FALSE if it could not be written. */
gboolean virfs_store_flush (VirfsStore *store);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsStore, virfs_store_close)
