/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of the store: where they are, who may read them, and what becomes of a broken one. */
#pragma once

#include "schema.h"

typedef struct {
  const char *name;
  const char *settings; /* PRAGMAs of its own, before anything is in it */
  gboolean checked;     /* looked through at the start, which takes its time if it is large */
  const StoreSchema *schema;
  const char *lost; /* what is not in a new one */
} StoreFile;

extern const StoreFile store_file;
extern const StoreFile store_history_file;

/* See virfs_store_open().  *LOCK: to be closed after the database, which keeps other programs out of the
 * directory; NULL: the file has a lock of SQLite's own. */
StoreDb *store_file_open (const char *directory, const StoreFile *kind, int *lock, GError **error);
/* One of `store_file` that is there, to read only, beside whoever writes it. */
StoreDb *store_file_open_to_read (const char *directory, GError **error);
