/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The database is opened in WAL mode, because a commit is then one write at the end of a file, and with
 * an exclusive lock, because two programs that follow their hosts would overwrite each other's
 * knowledge.  The lock goes with the process, whatever ends it, and with it SQLite needs no shared
 * memory, so that a home directory on NFS will do.
 */
#include "file.h"

#include "error.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

const StoreFile store_file = {
  .name = "virfs.db",
  .settings = "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
  .checked = TRUE,
  .schema = &store_schema,
  .lost = "hosts and drafts that were made with mkdir are",
};

/* What was written last before the power fails may be lost, but is not waited for. */
const StoreFile store_history_file = {
  .name = "history.db",
  .settings = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = NORMAL;",
  .schema = &store_history_schema,
  .lost = "the history of metrics is",
};

static gboolean
make_directory (const char *directory, GError **error)
{
  if (g_mkdir_with_parents (directory, 0700) == 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, errno == ENOSPC ? VIRFS_ERROR_NO_SPACE : VIRFS_ERROR_DENIED,
               "%s cannot be made: %s", directory, g_strerror (errno));
  return FALSE;
}

/* SQLite gives its other files the same mode.  The file must not be opened by anybody else in this
 * process once SQLite has it: closing it would drop its locks. */
static gboolean
make_file (const char *file, GError **error)
{
  int fd = open (file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0) {
    g_set_error (error, VIRFS_ERROR, errno == ENOSPC ? VIRFS_ERROR_NO_SPACE : VIRFS_ERROR_DENIED,
                 "%s cannot be opened: %s", file, g_strerror (errno));
    return FALSE;
  }
  close (fd);
  return TRUE;
}

static void
take_finding (StoreRow *row, gpointer finding)
{
  char **to = finding;

  if (*to == NULL)
    *to = g_strdup (store_row_text (row, 0));
}

/* *FINDING: what is wrong with it, NULL for nothing; the caller owns it. */
static gboolean
prepare (StoreDb *db, const StoreFile *kind, char **finding, GError **error)
{
  g_autofree char *found = NULL;

  if (!store_db_script (db, kind->settings, error)
      || !store_db_script (db,
                           "PRAGMA locking_mode = EXCLUSIVE;"
                           "PRAGMA journal_mode = WAL;"
                           "PRAGMA journal_size_limit = 4194304;"
                           "BEGIN EXCLUSIVE; COMMIT",
                           error)
      || (kind->checked
          && !store_db_each (db, take_finding, &found, error, "PRAGMA quick_check (1)", "")))
    return FALSE;
  if (found != NULL && !g_str_equal (found, "ok"))
    *finding = g_steal_pointer (&found);
  return *finding != NULL || store_schema_upgrade (db, kind->schema, error);
}

/* NULL without error: it is broken, as *FINDING (owned by the caller) says. */
static StoreDb *
try_open (const char *file, const StoreFile *kind, char **finding, GError **error)
{
  g_autoptr (GError) wrong = NULL;
  g_autoptr (StoreDb) db = NULL;

  if (!make_file (file, error))
    return NULL;
  db = store_db_open (file, &wrong);
  if (db != NULL && prepare (db, kind, finding, &wrong))
    return *finding == NULL ? g_steal_pointer (&db) : NULL;
  if (store_db_is_broken (wrong))
    *finding = g_strdup (wrong->message);
  else if (g_error_matches (wrong, VIRFS_ERROR, VIRFS_ERROR_BUSY))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s: another virfs uses it", file);
  else
    g_propagate_prefixed_error (error, g_steal_pointer (&wrong), "%s: ", file);
  return NULL;
}

static gboolean
set_aside (const char *file, const StoreFile *kind, const char *finding, GError **error)
{
  static const char *const suffixes[] = { "-wal", "-shm", "" };
  g_autofree char *time = g_strdup_printf ("%" G_GINT64_FORMAT, g_get_real_time ());
  g_autofree char *aside = g_strconcat (file, ".broken-", time, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++) {
    g_autofree char *from = g_strconcat (file, suffixes[i], NULL);
    g_autofree char *to = g_strconcat (aside, suffixes[i], NULL);

    if (g_rename (from, to) != 0 && errno != ENOENT) {
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED,
                   "%s is broken (%s) and cannot be set aside: %s", file, finding,
                   g_strerror (errno));
      return FALSE;
    }
  }
  g_warning ("%s is broken (%s): it is %s now, and a new one is begun; %s not in it", file, finding,
             aside, kind->lost);
  return TRUE;
}

StoreDb *
store_file_open (const char *directory, const StoreFile *kind, GError **error)
{
  g_autofree char *file = g_build_filename (directory, kind->name, NULL);
  g_autofree char *finding = NULL;
  StoreDb *db;

  if (!make_directory (directory, error))
    return NULL;
  db = try_open (file, kind, &finding, error);
  if (finding == NULL || !set_aside (file, kind, finding, error))
    return db;
  g_clear_pointer (&finding, g_free);
  db = try_open (file, kind, &finding, error);
  if (finding != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s: %s", file, finding);
  return db;
}
