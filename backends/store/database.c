/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only file that calls SQLite. */
#include "database.h"

#include "error.h"

#include <errno.h>
#include <sqlite3.h>

/* How long another process may take to let go, as one that is just ending. */
#define PATIENCE_MS 2000

struct StoreDb {
  sqlite3 *handle;
  GHashTable *statements; /* SQL, by its address -> sqlite3_stmt*; owns */
};

struct StoreRow {
  sqlite3_stmt *statement;
};

/* Of a domain of its own: what to do about a broken file is the store's to decide. */
static G_DEFINE_QUARK (store - broken, store_broken)

  gboolean store_db_is_broken (const GError *error)
{
  return error != NULL && error->domain == store_broken_quark ();
}

static VirfsError
code_of (int result, int system)
{
  if (system == ENOSPC || system == EDQUOT)
    return VIRFS_ERROR_NO_SPACE;
  switch (result & 0xff) {
  case SQLITE_FULL:
    return VIRFS_ERROR_NO_SPACE;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return VIRFS_ERROR_BUSY;
  case SQLITE_NOMEM:
    return VIRFS_ERROR_NO_MEMORY;
  case SQLITE_PERM:
  case SQLITE_AUTH:
  case SQLITE_CANTOPEN:
    return VIRFS_ERROR_DENIED;
  default:
    return VIRFS_ERROR_FAILED;
  }
}

static gboolean
fail (StoreDb *db, GError **error)
{
  int result = sqlite3_extended_errcode (db->handle);
  /* it is what it was when nothing of the system has failed */
  int system = (result & 0xff) == SQLITE_IOERR ? sqlite3_system_errno (db->handle) : 0;

  if ((result & 0xff) == SQLITE_CORRUPT || (result & 0xff) == SQLITE_NOTADB)
    g_set_error_literal (error, store_broken_quark (), 0, sqlite3_errmsg (db->handle));
  else
    g_set_error (error, VIRFS_ERROR, code_of (result, system), "the store: %s%s%s",
                 sqlite3_errmsg (db->handle), system ? ": " : "",
                 system ? g_strerror (system) : "");
  return FALSE;
}

static void
finalize (gpointer statement)
{
  sqlite3_finalize (statement);
}

static StoreDb *
open_as (const char *file, int flags, GError **error)
{
  g_autoptr (StoreDb) db = g_new0 (StoreDb, 1);
  int result
    = sqlite3_open_v2 (file, &db->handle, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);

  db->statements = g_hash_table_new_full (NULL, NULL, NULL, finalize);
  if (db->handle == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_MEMORY, "there is no memory for %s", file);
    return NULL;
  }
  if (result != SQLITE_OK) {
    fail (db, error);
    return NULL;
  }
  sqlite3_extended_result_codes (db->handle, 1);
  sqlite3_busy_timeout (db->handle, PATIENCE_MS);
  return g_steal_pointer (&db);
}

StoreDb *
store_db_open (const char *file, GError **error)
{
  return open_as (file, SQLITE_OPEN_READWRITE, error);
}

StoreDb *
store_db_open_to_read (const char *file, GError **error)
{
  return open_as (file, SQLITE_OPEN_READONLY, error);
}

void
store_db_close (StoreDb *db)
{
  if (db == NULL)
    return;
  g_hash_table_unref (db->statements);
  sqlite3_close_v2 (db->handle);
  g_free (db);
}

static sqlite3_stmt *
prepare (StoreDb *db, const char *sql, GError **error)
{
  sqlite3_stmt *statement = g_hash_table_lookup (db->statements, sql);

  if (statement != NULL)
    return statement;
  if (sqlite3_prepare_v3 (db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL)
      != SQLITE_OK) {
    fail (db, error);
    return NULL;
  }
  g_hash_table_insert (db->statements, (char *) sql, statement);
  return statement;
}

/* What is bound is borrowed until the statement is reset. */
static void
bind_values (sqlite3_stmt *statement, const char *format, va_list values)
{
  for (int i = 1; *format; i++, format++) {
    if (*format == 'i') {
      sqlite3_bind_int64 (statement, i, va_arg (values, gint64));
    } else if (*format == 's') {
      sqlite3_bind_text (statement, i, va_arg (values, const char *), -1, SQLITE_STATIC);
    } else {
      const void *bytes = va_arg (values, const void *);
      gsize size = va_arg (values, gsize);

      sqlite3_bind_blob64 (statement, i, bytes, size, SQLITE_STATIC);
    }
  }
}

/* FUNC may be NULL. */
static gboolean
step_through (StoreDb *db, sqlite3_stmt *statement, StoreRowFunc func, gpointer data,
              GError **error)
{
  StoreRow row = { statement };
  gboolean done;
  int result;

  while ((result = sqlite3_step (statement)) == SQLITE_ROW)
    if (func != NULL)
      func (&row, data);
  done = result == SQLITE_DONE || fail (db, error);
  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
  return done;
}

gboolean
store_db_run (StoreDb *db, GError **error, const char *sql, const char *format, ...)
{
  sqlite3_stmt *statement = prepare (db, sql, error);
  va_list values;

  if (statement == NULL)
    return FALSE;
  va_start (values, format);
  bind_values (statement, format, values);
  va_end (values);
  return step_through (db, statement, NULL, NULL, error);
}

gboolean
store_db_each (StoreDb *db, StoreRowFunc func, gpointer data, GError **error, const char *sql,
               const char *format, ...)
{
  sqlite3_stmt *statement = prepare (db, sql, error);
  va_list values;

  if (statement == NULL)
    return FALSE;
  va_start (values, format);
  bind_values (statement, format, values);
  va_end (values);
  return step_through (db, statement, func, data, error);
}

gboolean
store_db_script (StoreDb *db, const char *sql, GError **error)
{
  return sqlite3_exec (db->handle, sql, NULL, NULL, NULL) == SQLITE_OK || fail (db, error);
}

const char *
store_row_text (StoreRow *row, int column)
{
  return (const char *) sqlite3_column_text (row->statement, column);
}

gsize
store_row_length (StoreRow *row, int column)
{
  return (gsize) sqlite3_column_bytes (row->statement, column);
}

gint64
store_row_int (StoreRow *row, int column)
{
  return sqlite3_column_int64 (row->statement, column);
}

const void *
store_row_bytes (StoreRow *row, int column, gsize *size)
{
  const void *bytes = sqlite3_column_blob (row->statement, column);

  *size = sqlite3_column_bytes (row->statement, column);
  return bytes;
}

gboolean
store_db_begin (StoreDb *db, GError **error)
{
  return store_db_run (db, error, "BEGIN IMMEDIATE", "");
}

gboolean
store_db_commit (StoreDb *db, GError **error)
{
  if (store_db_run (db, error, "COMMIT", ""))
    return TRUE;
  store_db_rollback (db);
  return FALSE;
}

void
store_db_rollback (StoreDb *db)
{
  /* some errors have done it already */
  if (!sqlite3_get_autocommit (db->handle))
    store_db_run (db, NULL, "ROLLBACK", "");
}
