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

/* See virfs_store_open(). */
StoreDb *store_file_open (const char *directory, const StoreFile *kind, GError **error);
