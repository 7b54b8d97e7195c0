/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SQLite in the manner of the house: prepared statements, GError.  A database is for one thread at a
 * time; who shares one locks.
 *
 * Values follow a format with a letter for each: `s` a text (const char *, NULL is NULL), `i` a gint64,
 * `b` bytes (const void *, gsize; the pointer NULL is NULL).
 */
#pragma once

#include <glib.h>

typedef struct StoreDb StoreDb;

/* FILE must exist; waits a moment for another who has it open. */
StoreDb *store_db_open (const char *file, GError **error);
/* Writes nothing, and may be used while another process writes. */
StoreDb *store_db_open_to_read (const char *file, GError **error);
void store_db_close (StoreDb *db);
/* Whether ERROR says that the file is not a sound database. */
gboolean store_db_is_broken (const GError *error);

/* One statement with values.  SQL must be static: the statement is prepared once. */
gboolean store_db_run (StoreDb *db, GError **error, const char *sql, const char *format, ...);
/* Several statements, without values. */
gboolean store_db_script (StoreDb *db, const char *sql, GError **error);

/* Calls FUNC for each row that SQL (static) gives.  FUNC must not use the database. */
typedef struct StoreRow StoreRow;
typedef void (*StoreRowFunc) (StoreRow *row, gpointer data);
gboolean store_db_each (StoreDb *db, StoreRowFunc func, gpointer data, GError **error,
                        const char *sql, const char *format, ...);

/* Columns count from 0; what is borrowed lives as long as the row. */
const char *store_row_text (StoreRow *row, int column); /* NULL for NULL */
gsize store_row_length (StoreRow *row, int column);     /* in bytes */
gint64 store_row_int (StoreRow *row, int column);
const void *store_row_bytes (StoreRow *row, int column, gsize *size); /* NULL for NULL */

gboolean store_db_begin (StoreDb *db, GError **error);
gboolean store_db_commit (StoreDb *db, GError **error);
void store_db_rollback (StoreDb *db);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (StoreDb, store_db_close)
