/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The database is opened in WAL mode, because a commit is then one write at the end of a file, and others
 * can read it meanwhile.  Two programs that follow their hosts would overwrite each other's knowledge: so a
 * file beside it is locked, as long as that is open.  The lock goes with the process, whatever ends it.
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
  .settings = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL;"
              "PRAGMA synchronous = NORMAL;",
  .schema = &store_history_schema,
  .lost = "the history of metrics is",
};

#define LOCK_NAME "virfs.lock"

/* How long another process may take to let go, as one that is just ending. */
#define PATIENCE   (2 * G_TIME_SPAN_SECOND)
#define LOOK_AGAIN (20 * G_TIME_SPAN_MILLISECOND)

static gboolean
make_directory (const char *directory, GError **error)
{
  if (g_mkdir_with_parents (directory, 0700) == 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, errno == ENOSPC ? VIRFS_ERROR_NO_SPACE : VIRFS_ERROR_DENIED,
               "%s cannot be made: %s", directory, g_strerror (errno));
  return FALSE;
}

static int
make_file (const char *file, GError **error)
{
  int fd = open (file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

  if (fd < 0)
    g_set_error (error, VIRFS_ERROR, errno == ENOSPC ? VIRFS_ERROR_NO_SPACE : VIRFS_ERROR_DENIED,
                 "%s cannot be opened: %s", file, g_strerror (errno));
  return fd;
}

/* SQLite gives its other files the same mode.  The file must not be opened by anybody else in this
 * process once SQLite has it: closing it would drop its locks. */
static gboolean
make_database (const char *file, GError **error)
{
  int fd = make_file (file, error);

  if (fd < 0)
    return FALSE;
  close (fd);
  return TRUE;
}

/* Nobody tells when a lock is free and waits no longer than he wants to. */
static int
take_lock (const char *file, GError **error)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
  gint64 end = g_get_monotonic_time () + PATIENCE;
  int fd = make_file (file, error);
  int result;

  if (fd < 0)
    return -1;
  while ((result = fcntl (fd, F_OFD_SETLK, &lock)) < 0 && (errno == EAGAIN || errno == EACCES)
         && g_get_monotonic_time () < end)
    g_usleep (LOOK_AGAIN);
  if (result == 0)
    return fd;
  if (errno == EAGAIN || errno == EACCES)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s: another virfs uses it", file);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s cannot be locked: %s", file,
                 g_strerror (errno));
  close (fd);
  return -1;
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

  if (!make_database (file, error))
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

static StoreDb *
open_database (const char *file, const StoreFile *kind, GError **error)
{
  g_autofree char *finding = NULL;
  StoreDb *db = try_open (file, kind, &finding, error);

  if (finding == NULL || !set_aside (file, kind, finding, error))
    return db;
  g_clear_pointer (&finding, g_free);
  db = try_open (file, kind, &finding, error);
  if (finding != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s: %s", file, finding);
  return db;
}

StoreDb *
store_file_open (const char *directory, const StoreFile *kind, int *lock, GError **error)
{
  g_autofree char *file = g_build_filename (directory, kind->name, NULL);
  g_autofree char *lock_file = g_build_filename (directory, LOCK_NAME, NULL);
  StoreDb *db;

  if (!make_directory (directory, error))
    return NULL;
  if (lock != NULL && (*lock = take_lock (lock_file, error)) < 0)
    return NULL;
  db = open_database (file, kind, error);
  if (db == NULL && lock != NULL)
    close (*lock);
  return db;
}

static void
take_name (StoreRow *row, gpointer found)
{
  *(gboolean *) found = TRUE;
}

StoreDb *
store_file_open_to_read (const char *directory, GError **error)
{
  g_autofree char *file = g_build_filename (directory, store_file.name, NULL);
  g_autoptr (StoreDb) db = NULL;
  gboolean found = FALSE;

  if (!g_file_test (directory, G_FILE_TEST_IS_DIR) || access (file, F_OK) != 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND,
                 "there is no store in %s; see store in virfs.conf(5)", directory);
    return NULL;
  }
  db = store_db_open_to_read (file, error);
  if (db == NULL
      || !store_db_each (db, take_name, &found, error,
                         "SELECT name FROM sqlite_master WHERE name = 'log_ends'", "")) {
    g_prefix_error (error, "%s: ", file);
    return NULL;
  }
  if (found)
    return g_steal_pointer (&db);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "%s: an earlier version has written it, without hashes", file);
  return NULL;
}
