/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks of the history of metrics, in a database of their own beside that of the store: it is large, may lose
 * its last minutes, and who waits for a record to be kept need not wait for it.
 */
#pragma once

#include "history_store.h"

typedef struct VirfsHistoryDb VirfsHistoryDb;

/* As virfs_store_open(). */
VirfsHistoryDb *virfs_history_db_open (const char *directory, GError **error);
void virfs_history_db_close (VirfsHistoryDb *db);
const VirfsHistoryStore *virfs_history_db_store (VirfsHistoryDb *db);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsHistoryDb, virfs_history_db_close)
