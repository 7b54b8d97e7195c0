/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of history in SQLite; used by one thread, that of src/core/history.c. */
#include "history_db.h"

#include "file.h"

/* See schema.c. */
#define LEVEL_SHIFT  59
#define SPAN_SHIFT   33
#define SERIES_SHIFT 8
#define PARTS        (1 << SERIES_SHIFT)

/* Blocks that go in one transaction. */
#define DROP_PORTION 4000

struct VirfsHistoryDb {
  VirfsHistoryStore store;
  StoreDb *db;
  GHashTable *series;  /* key -> number */
  GHashTable *layouts; /* number -> names */
};

static gint64
block_key (guint level, gint64 span, gint64 series)
{
  return (gint64) level << LEVEL_SHIFT | span << SPAN_SHIFT | series << SERIES_SHIFT;
}

static gint64
span_of (gint64 block)
{
  return (block & ((G_GINT64_CONSTANT (1) << LEVEL_SHIFT) - 1)) >> SPAN_SHIFT;
}

static void
take_int (StoreRow *row, gpointer value)
{
  *(gint64 *) value = store_row_int (row, 0);
}

/* Layouts and keys: known in memory as they are in the tables. */

static void
take_layout (StoreRow *row, gpointer layouts)
{
  g_hash_table_insert (layouts, GUINT_TO_POINTER ((guint) store_row_int (row, 0)),
                       g_strdup (store_row_text (row, 1)));
}

static void
take_series (StoreRow *row, gpointer series)
{
  g_hash_table_insert (series, g_strdup (store_row_text (row, 1)),
                       GUINT_TO_POINTER ((guint) store_row_int (row, 0)));
}

static gboolean
load (VirfsHistoryDb *self, GError **error)
{
  g_hash_table_remove_all (self->layouts);
  g_hash_table_remove_all (self->series);
  return store_db_each (self->db, take_layout, self->layouts, error,
                        "SELECT number, names FROM layouts", "")
         && store_db_each (self->db, take_series, self->series, error,
                           "SELECT number, key FROM series", "");
}

static gboolean
layout (gpointer data, const char *names, guint *number, GError **error)
{
  VirfsHistoryDb *self = data;
  gint64 found = 0;

  if (!store_db_run (self->db, error,
                     "INSERT INTO layouts (names) VALUES (?) ON CONFLICT DO NOTHING", "s", names)
      || !store_db_each (self->db, take_int, &found, error,
                         "SELECT number FROM layouts WHERE names = ?", "s", names))
    return FALSE;
  *number = (guint) found;
  g_hash_table_insert (self->layouts, GUINT_TO_POINTER (*number), g_strdup (names));
  return TRUE;
}

static char *
layout_names (gpointer data, guint number)
{
  VirfsHistoryDb *self = data;

  return g_strdup (g_hash_table_lookup (self->layouts, GUINT_TO_POINTER (number)));
}

/* 0: there is none. */
static gint64
find_series (VirfsHistoryDb *self, const char *key)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->series, key));
}

static gint64
make_series (VirfsHistoryDb *self, const char *key, GError **error)
{
  gint64 number = find_series (self, key);

  if (number != 0)
    return number;
  if (!store_db_run (self->db, error, "INSERT INTO series (key) VALUES (?)", "s", key)
      || !store_db_each (self->db, take_int, &number, error, "SELECT last_insert_rowid ()", ""))
    return 0;
  g_hash_table_insert (self->series, g_strdup (key), GUINT_TO_POINTER ((guint) number));
  return number;
}

static gboolean
keys (gpointer data, VirfsHistoryKeyFunc func, gpointer user, GError **error)
{
  VirfsHistoryDb *self = data;
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, self->series);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    func (key, user);
  return TRUE;
}

/* Blocks. */

static gboolean
put_block (VirfsHistoryDb *self, const VirfsHistoryBlock *block, GError **error)
{
  gint64 series = make_series (self, block->key, error);
  gint64 first = block_key (block->level, block->span, series);
  gsize size;
  const void *bytes = g_bytes_get_data (block->bytes, &size);

  if (series == 0)
    return FALSE;
  if (block->level > 0)
    return store_db_run (self->db, error, "INSERT OR REPLACE INTO blocks VALUES (?, ?)", "ib",
                         first, bytes, size);
  return store_db_run (self->db, error,
                       "INSERT OR REPLACE INTO blocks"
                       " SELECT min (coalesce (max (key) + 1, ?1), ?2), ?3 FROM blocks"
                       " WHERE key BETWEEN ?1 AND ?2",
                       "iib", first, first + PARTS - 1, bytes, size);
}

static gboolean
put_blocks (VirfsHistoryDb *self, GPtrArray *blocks, GError **error)
{
  for (guint i = 0; i < blocks->len; i++)
    if (!put_block (self, blocks->pdata[i], error))
      return FALSE;
  return store_db_commit (self->db, error);
}

static gboolean
put (gpointer data, GPtrArray *blocks, GError **error)
{
  VirfsHistoryDb *self = data;

  if (!store_db_begin (self->db, error))
    return FALSE;
  if (put_blocks (self, blocks, error))
    return TRUE;
  store_db_rollback (self->db);
  /* what was made meanwhile is not there */
  load (self, NULL);
  return FALSE;
}

typedef struct {
  VirfsHistoryFunc func;
  gpointer user;
} Taker;

static void
take_block (StoreRow *row, gpointer data)
{
  const Taker *taker = data;
  gsize size;
  const void *bytes = store_row_bytes (row, 0, &size);
  g_autoptr (GBytes) block = g_bytes_new_static (bytes, size);

  taker->func (block, taker->user);
}

static gboolean
get (gpointer data, const char *key, guint level, gint64 from, gint64 to, VirfsHistoryFunc func,
     gpointer user, GError **error)
{
  VirfsHistoryDb *self = data;
  gint64 series = find_series (self, key);
  Taker taker = { func, user };

  for (gint64 span = from; series != 0 && span < to; span++) {
    gint64 first = block_key (level, span, series);

    if (!store_db_each (self->db, take_block, &taker, error,
                        "SELECT bytes FROM blocks WHERE key BETWEEN ? AND ? ORDER BY key", "ii",
                        first, first + PARTS - 1))
      return FALSE;
  }
  return TRUE;
}

static gboolean
first_span (gpointer data, guint level, gint64 from, gint64 *span, GError **error)
{
  VirfsHistoryDb *self = data;
  gint64 key = G_MAXINT64;

  if (!store_db_each (self->db, take_int, &key, error,
                      "SELECT key FROM blocks WHERE key >= ? AND key < ? ORDER BY key LIMIT 1",
                      "ii", block_key (level, from, 0), block_key (level + 1, 0, 0)))
    return FALSE;
  *span = key == G_MAXINT64 ? key : span_of (key);
  return TRUE;
}

/* The last block that goes; -1: none does. */
static gboolean
last_of_portion (VirfsHistoryDb *self, gint64 from, gint64 to, gint64 *last, GError **error)
{
  *last = -1;
  return store_db_each (self->db, take_int, last, error,
                        "SELECT key FROM (SELECT key FROM blocks WHERE key >= ? AND key < ?"
                        " ORDER BY key LIMIT ?) ORDER BY key DESC LIMIT 1",
                        "iii", from, to, (gint64) DROP_PORTION);
}

static gboolean
drop (gpointer data, guint level, gint64 to, gint64 *end, gboolean *more, GError **error)
{
  VirfsHistoryDb *self = data;
  gint64 from = block_key (level, 0, 0), last, dropped = 0;

  if (to <= 0)
    return TRUE;
  if (!last_of_portion (self, from, block_key (level, to, 0), &last, error))
    return FALSE;
  if (last < 0)
    return TRUE;
  if (!store_db_run (self->db, error, "DELETE FROM blocks WHERE key BETWEEN ? AND ?", "ii", from,
                     last)
      || !store_db_each (self->db, take_int, &dropped, error, "SELECT changes ()", ""))
    return FALSE;
  *end = span_of (last) + 1;
  *more = dropped == DROP_PORTION;
  return store_db_script (self->db, "PRAGMA incremental_vacuum", error);
}

static gboolean
drop_keys (gpointer data, GError **error)
{
  VirfsHistoryDb *self = data;
  gint64 dropped = 0;

  if (!store_db_run (
        self->db, error, "DELETE FROM series WHERE number NOT IN (SELECT key >> ? & ? FROM blocks)",
        "ii", (gint64) SERIES_SHIFT, (G_GINT64_CONSTANT (1) << (SPAN_SHIFT - SERIES_SHIFT)) - 1)
      || !store_db_each (self->db, take_int, &dropped, error, "SELECT changes ()", ""))
    return FALSE;
  return dropped == 0 || load (self, error);
}

/* Marks, and what there is. */

static gboolean
mark (gpointer data, const char *name, gint64 value, GError **error)
{
  VirfsHistoryDb *self = data;

  return store_db_run (self->db, error, "INSERT OR REPLACE INTO marks VALUES (?, ?)", "si", name,
                       value);
}

static gint64
marked (gpointer data, const char *name)
{
  VirfsHistoryDb *self = data;
  gint64 value = 0;

  store_db_each (self->db, take_int, &value, NULL, "SELECT value FROM marks WHERE name = ?", "s",
                 name);
  return value;
}

static guint64
used (gpointer data)
{
  VirfsHistoryDb *self = data;
  gint64 pages = 0, unused = 0, size = 0;

  store_db_each (self->db, take_int, &pages, NULL, "PRAGMA page_count", "");
  store_db_each (self->db, take_int, &unused, NULL, "PRAGMA freelist_count", "");
  store_db_each (self->db, take_int, &size, NULL, "PRAGMA page_size", "");
  return (guint64) ((pages - unused) * size);
}

VirfsHistoryDb *
virfs_history_db_open (const char *directory, GError **error)
{
  StoreDb *db = store_file_open (directory, &store_history_file, NULL, error);
  g_autoptr (VirfsHistoryDb) self = NULL;

  if (db == NULL)
    return NULL;
  self = g_new0 (VirfsHistoryDb, 1);
  self->db = db;
  self->store = (VirfsHistoryStore){ self,       layout, layout_names, put,  get,       keys,
                                     first_span, mark,   marked,       drop, drop_keys, used };
  self->series = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->layouts = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return load (self, error) ? g_steal_pointer (&self) : NULL;
}

void
virfs_history_db_close (VirfsHistoryDb *self)
{
  if (self == NULL)
    return;
  g_hash_table_unref (self->series);
  g_hash_table_unref (self->layouts);
  store_db_close (self->db);
  g_free (self);
}

const VirfsHistoryStore *
virfs_history_db_store (VirfsHistoryDb *self)
{
  return &self->store;
}
