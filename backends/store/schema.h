/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables, and how those of an earlier version become those of this one. */
#pragma once

#include "database.h"

typedef struct {
  const char *const *steps;
  guint n;
} StoreSchema;

extern const StoreSchema store_schema;
extern const StoreSchema store_history_schema;

/* Makes the tables of a new database, or brings those of an earlier version up to date, step by step;
 * each step is done wholly or not at all.  UNSUPPORTED for a database of a later version. */
gboolean store_schema_upgrade (StoreDb *db, const StoreSchema *schema, GError **error);
