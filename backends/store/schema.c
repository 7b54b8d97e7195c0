/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The version of a database (PRAGMA user_version) is the number of steps that it has gone.  A step that
 * has been released does not change any more: what is to be different is a new one.
 */
#include "schema.h"

#include "error.h"

static const char *const steps[] = {
  /* 1: what keepers are asked for (src/core/keeper.h); numbers that go on */
  "CREATE TABLE records ("
  "  kind TEXT NOT NULL,"
  "  key TEXT NOT NULL,"
  "  text TEXT NOT NULL,"
  "  PRIMARY KEY (kind, key)"
  ") WITHOUT ROWID;"
  "CREATE TABLE counters ("
  "  name TEXT NOT NULL PRIMARY KEY,"
  "  value INTEGER NOT NULL"
  ") WITHOUT ROWID;",

  /* 2: what was last known.  record: see src/core/vm_record.h; texts as VirfsBlob has them: compressed
   * if their size is another than that of the bytes.  xml_inactive NULL: the same as xml */
  "CREATE TABLE hosts ("
  "  id INTEGER PRIMARY KEY,"
  "  name TEXT NOT NULL UNIQUE"
  ");"
  "CREATE TABLE guests ("
  "  host INTEGER NOT NULL REFERENCES hosts (id) ON DELETE CASCADE,"
  "  uuid TEXT NOT NULL,"
  "  hash INTEGER NOT NULL," /* of all that follows */
  "  record BLOB NOT NULL,"
  "  xml BLOB,"
  "  xml_size INTEGER NOT NULL,"
  "  xml_inactive BLOB,"
  "  xml_inactive_size INTEGER NOT NULL,"
  "  PRIMARY KEY (host, uuid)"
  ");",

  /* 3: what has happened.  position: of the first byte of text in the log; added, started, ended:
   * microseconds since the epoch; done, total: bytes */
  "CREATE TABLE events ("
  "  position INTEGER PRIMARY KEY,"
  "  added INTEGER NOT NULL,"
  "  text BLOB NOT NULL"
  ");"
  "CREATE TABLE jobs ("
  "  number INTEGER PRIMARY KEY,"
  "  operation TEXT NOT NULL,"
  "  object TEXT NOT NULL,"
  "  uid INTEGER NOT NULL,"
  "  state TEXT NOT NULL,"
  "  started INTEGER NOT NULL,"
  "  ended INTEGER NOT NULL,"
  "  done INTEGER NOT NULL,"
  "  total INTEGER NOT NULL,"
  "  error TEXT"
  ");",

  /* 4: events line by line, chained, see chain.h.  position: of the first byte of text; log_ends: see
   * log.c; added: when the last was, in microseconds since the epoch */
  "DROP TABLE events;"
  "CREATE TABLE log ("
  "  position INTEGER PRIMARY KEY,"
  "  text TEXT NOT NULL,"
  "  hash TEXT NOT NULL"
  ");"
  "CREATE TABLE log_ends ("
  "  name TEXT PRIMARY KEY,"
  "  position INTEGER NOT NULL,"
  "  hash TEXT NOT NULL,"
  "  added INTEGER NOT NULL"
  ") WITHOUT ROWID;",

  /* 5: failure: what error is for who asked, an errno; 0: none, or not known */
  "ALTER TABLE jobs ADD COLUMN failure INTEGER NOT NULL DEFAULT 0;",
};

/* Of the history of metrics, which is a file of its own.  key of a block: two bits of level, 26 of the number of
 * its span, 25 of series, 8 to tell several apart; so what is written at one time is in one place, and what
 * is too old is, too */
static const char *const history_steps[] = {
  "CREATE TABLE layouts (number INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE);"
  "CREATE TABLE series (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);"
  "CREATE TABLE blocks (key INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
  "CREATE TABLE marks (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;",
};

const StoreSchema store_schema = { steps, G_N_ELEMENTS (steps) };
const StoreSchema store_history_schema = { history_steps, G_N_ELEMENTS (history_steps) };

static void
take_version (StoreRow *row, gpointer version)
{
  *(gint64 *) version = store_row_int (row, 0);
}

static gboolean
take_step (StoreDb *db, const StoreSchema *schema, guint number, GError **error)
{
  g_autofree char *script = g_strdup_printf ("BEGIN IMMEDIATE; %s PRAGMA user_version = %u; COMMIT",
                                             schema->steps[number - 1], number);

  if (store_db_script (db, script, error))
    return TRUE;
  store_db_rollback (db);
  return FALSE;
}

gboolean
store_schema_upgrade (StoreDb *db, const StoreSchema *schema, GError **error)
{
  gint64 version = 0;

  if (!store_db_each (db, take_version, &version, error, "PRAGMA user_version", ""))
    return FALSE;
  if (version < 0 || version > schema->n) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "a later version of virfs has written it (its tables are of version"
                 " %" G_GINT64_FORMAT ", this virfs knows %u)",
                 version, schema->n);
    return FALSE;
  }
  while (version < schema->n)
    if (!take_step (db, schema, (guint) ++version, error))
      return FALSE;
  return TRUE;
}
