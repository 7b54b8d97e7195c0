/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: what is in it again when it is opened again, whatever has happened meanwhile.
 *
 * The program is also a child of its own (`test-store --child DIRECTORY`), which keeps one record after
 * the other and is killed at it.
 */
#include "error.h"
#include "fake.h"
#include "store.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  char *dir;
  char *file; /* the database */
  VirfsStore *store;
  VirfsInfra *infra;
} Fixture;

static char *self;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("virfs-store-XXXXXX", NULL);
  f->file = g_build_filename (f->dir, "virfs.db", NULL);
}

static void
open_store (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  f->store = virfs_store_open (f->dir, &error);
  g_assert_no_error (error);
}

static void
close_store (Fixture *f)
{
  g_clear_pointer (&f->store, virfs_store_close);
}

/* As at the start of the program. */
static void
start (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  open_store (f);
  f->infra = virfs_infra_new (&virfs_fake_backend, 60);
  g_assert_true (virfs_store_attach (f->store, f->infra, &error));
  g_assert_no_error (error);
}

/* As at its end. */
static void
stop (Fixture *f)
{
  virfs_infra_stop (f->infra, G_USEC_PER_SEC);
  close_store (f);
  g_clear_pointer (&f->infra, virfs_infra_free);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (f->infra != NULL)
    stop (f);
  close_store (f);
  dir = g_dir_open (f->dir, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (f->dir, name, NULL);

    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->file);
  g_free (f->dir);
}

static void
add_record (const char *key, const char *text, gpointer out)
{
  g_string_append_printf (out, "%s=%s ", key, text);
}

static char *
records (Fixture *f, const char *kind)
{
  g_autoptr (GError) error = NULL;
  GString *out = g_string_new (NULL);

  g_assert_true (virfs_store_foreach (f->store, kind, add_record, out, &error));
  g_assert_no_error (error);
  return g_string_free (out, FALSE);
}

static void
assert_records (Fixture *f, const char *kind, const char *expected)
{
  g_autofree char *is = records (f, kind);

  g_assert_cmpstr (is, ==, expected);
}

static void
keep (Fixture *f, const char *kind, const char *key, const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (virfs_infra_keep (f->infra, kind, key, text, &error));
  g_assert_no_error (error);
}

/* Runs SQL on the database, which nobody has open; returns the number that it gives last. */
static int
sql (Fixture *f, const char *text)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  int number = -1;

  g_assert_cmpint (sqlite3_open (f->file, &db), ==, SQLITE_OK);
  while (*text) {
    g_assert_cmpint (sqlite3_prepare_v2 (db, text, -1, &statement, &text), ==, SQLITE_OK);
    while (sqlite3_step (statement) == SQLITE_ROW)
      number = sqlite3_column_int (statement, 0);
    sqlite3_finalize (statement);
  }
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
  return number;
}

/* Records. */

static void
test_records (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  start (f);
  keep (f, "a", "2", "two");
  keep (f, "a", "1", "one\n'\"; DROP TABLE records");
  keep (f, "b", "1", "");
  keep (f, "a", "2", "zwei");
  assert_records (f, "a", "1=one\n'\"; DROP TABLE records 2=zwei ");
  g_assert_true (virfs_infra_forget (f->infra, "a", "1", &error));
  g_assert_true (virfs_infra_forget (f->infra, "a", "not there", &error));
  g_assert_no_error (error);
  stop (f);
  open_store (f);
  assert_records (f, "a", "2=zwei ");
  assert_records (f, "b", "1= ");
  assert_records (f, "c", "");
}

static gpointer
keep_many (gpointer data)
{
  Fixture *f = data;
  static int threads;
  int thread = g_atomic_int_add (&threads, 1);

  for (int i = 0; i < 50; i++) {
    g_autofree char *key = g_strdup_printf ("%d.%02d", thread, i);

    keep (f, "many", key, "x");
  }
  return NULL;
}

static void
test_threads (Fixture *f, gconstpointer data)
{
  GThread *threads[8];

  start (f);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new (NULL, keep_many, f);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  stop (f);
  g_assert_cmpint (sql (f, "SELECT count(*) FROM records WHERE kind = 'many'"), ==, 400);
}

static void
test_private (Fixture *f, gconstpointer data)
{
  g_autofree char *nested = g_build_filename (f->dir, "a", "b", NULL);
  g_autofree char *a = g_build_filename (f->dir, "a", NULL);
  g_autofree char *file = g_build_filename (nested, "virfs.db", NULL);
  g_autofree char *lock = g_build_filename (nested, "virfs.lock", NULL);
  g_autoptr (GError) error = NULL;
  mode_t mask = umask (0);
  struct stat st;

  f->store = virfs_store_open (nested, &error);
  umask (mask);
  g_assert_no_error (error);
  g_assert_cmpint (stat (nested, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 07777, ==, 0700);
  g_assert_cmpint (stat (file, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 07777, ==, 0600);
  close_store (f);
  g_unlink (file);
  g_unlink (lock);
  g_rmdir (nested);
  g_rmdir (a);
}

/* The child says each record that it was told to be kept, until it is killed. */
static int
run_child (const char *dir)
{
  g_autoptr (VirfsStore) store = virfs_store_open (dir, NULL);
  g_autoptr (VirfsInfra) infra = virfs_infra_new (&virfs_fake_backend, 60);

  if (store == NULL || !virfs_store_attach (store, infra, NULL))
    return 1;
  for (guint i = 1;; i++) {
    g_autofree char *key = g_strdup_printf ("%07u", i);
    g_autofree char *said = g_strdup_printf ("%u\n", i);

    if (!virfs_infra_keep (infra, "n", key, "kept", NULL)
        || write (STDOUT_FILENO, said, strlen (said)) < 0)
      return 1;
  }
}

/* Spawns one; its words come from *OUT. */
static GPid
spawn_child (Fixture *f, int *out)
{
  char *argv[] = { self, (char *) "--child", f->dir, NULL };
  GPid pid;

  g_assert_true (g_spawn_async_with_pipes (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                           &pid, NULL, out, NULL, NULL));
  return pid;
}

static void
count_record (const char *key, const char *text, gpointer count)
{
  ++*(guint *) count;
  g_assert_cmpint (atoi (key), ==, *(guint *) count);
}

static void
test_killed (Fixture *f, gconstpointer data)
{
  guint before = 0;

  for (guint round = 0; round < 5; round++) {
    guint said = 0, kept = 0;
    int number, out;
    GPid pid = spawn_child (f, &out);
    FILE *words = fdopen (out, "r");

    while (said < 20 + 7 * round && fscanf (words, "%d", &number) == 1)
      said = number;
    kill (pid, SIGKILL);
    while (fscanf (words, "%d", &number) == 1)
      said = number;
    fclose (words);
    waitpid (pid, NULL, 0);
    g_assert_cmpuint (said, >=, 20);
    open_store (f);
    g_assert_true (virfs_store_foreach (f->store, "n", count_record, &kept, NULL));
    close_store (f);
    /* what was acknowledged is there, and one more at most that was not any more */
    g_assert_cmpuint (kept, >=, MAX (said, before));
    g_assert_cmpuint (kept, <=, MAX (said + 1, before));
    before = kept;
  }
}

/* Others. */

static void
assert_refused (Fixture *f, VirfsError code, const char *words)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (virfs_store_open (f->dir, &error));
  g_assert_error (error, VIRFS_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_second (Fixture *f, gconstpointer data)
{
  int out, number;
  GPid pid = spawn_child (f, &out);
  FILE *words = fdopen (out, "r");

  g_assert_cmpint (fscanf (words, "%d", &number), ==, 1);
  assert_refused (f, VIRFS_ERROR_BUSY, "another virfs uses it");
  kill (pid, SIGKILL);
  waitpid (pid, NULL, 0);
  fclose (words);
  open_store (f);
  /* and in the same process */
  assert_refused (f, VIRFS_ERROR_BUSY, "another virfs uses it");
}

static void
test_upgrade (Fixture *f, gconstpointer data)
{
  /* version 1, as it was written by hand */
  sql (f, "CREATE TABLE records (kind TEXT NOT NULL, key TEXT NOT NULL, text TEXT NOT NULL,"
          " PRIMARY KEY (kind, key)) WITHOUT ROWID;"
          "CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)"
          " WITHOUT ROWID;"
          "INSERT INTO records VALUES ('host', 'h9', 'fake:1');"
          "INSERT INTO counters VALUES ('job', 41);"
          "PRAGMA user_version = 1");
  start (f);
  assert_records (f, VIRFS_RECORD_HOST, "h9=fake:1 ");
  g_assert_cmpuint (virfs_infra_last_job (f->infra), ==, 41);
  virfs_store_restore (f->store);
  stop (f);
  g_assert_cmpint (sql (f, "PRAGMA user_version"), ==, 5);
  g_assert_cmpint (sql (f, "SELECT count(*) FROM guests"), ==, 1);
}

static void
test_later (Fixture *f, gconstpointer data)
{
  open_store (f);
  close_store (f);
  sql (f, "PRAGMA user_version = 1000");
  assert_refused (f, VIRFS_ERROR_UNSUPPORTED, "a later version of virfs has written it");
  g_assert_cmpint (sql (f, "PRAGMA user_version"), ==, 1000);
}

static guint
count_broken (Fixture *f)
{
  g_autoptr (GDir) dir = g_dir_open (f->dir, 0, NULL);
  const char *name;
  guint count = 0;

  while ((name = g_dir_read_name (dir)) != NULL)
    count += g_str_has_prefix (name, "virfs.db.broken-");
  return count;
}

static void
test_no_database (Fixture *f, gconstpointer data)
{
  g_assert_true (
    g_file_set_contents (f->file, "This is no database, whatever its name says.\n", -1, NULL));
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*is broken*new one is begun*");
  start (f);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (count_broken (f), ==, 1);
  keep (f, "a", "b", "c");
  assert_records (f, "a", "b=c ");
}

static void
test_broken (Fixture *f, gconstpointer data)
{
  g_autofree char *contents = NULL;
  gsize size;

  start (f);
  for (guint i = 0; i < 500; i++) {
    g_autofree char *key = g_strdup_printf ("%u", i);

    keep (f, "filler", key, "something that takes its place in the file");
  }
  stop (f);
  g_assert_true (g_file_get_contents (f->file, &contents, &size, NULL));
  memset (contents + 4096, 0xa5, size - 4096);
  g_assert_true (g_file_set_contents (f->file, contents, size, NULL));
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*is broken*new one is begun*");
  open_store (f);
  g_test_assert_expected_messages ();
  g_assert_cmpuint (count_broken (f), ==, 1);
  assert_records (f, "filler", "");
}

/* Keeps one large record after the other until that is refused. */
static void
fill_up (Fixture *f, GError **error)
{
  g_autofree char *huge = g_strnfill (20000, 'x');

  for (guint i = 0; i < 1000; i++) {
    g_autofree char *key = g_strdup_printf ("%03u", i);

    if (!virfs_infra_keep (f->infra, "huge", key, huge, error))
      return;
  }
}

static void
fill_and_relieve (Fixture *f)
{
  g_autofree char *ballast = g_build_filename (f->dir, "ballast", NULL);
  g_autofree char *bytes = g_strnfill (200000, 'x');
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsHost) none = NULL, host = NULL;

  g_assert_true (g_file_set_contents (ballast, bytes, -1, NULL));
  start (f);
  keep (f, "a", "first", "1");
  fill_up (f, &error);
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE);
  g_clear_error (&error);
  /* until not even what is smallest fits into what is left */
  while (virfs_infra_keep (f->infra, "a", "first", "1", &error))
    ;
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_null (virfs_infra_make_host (f->infra, "h1", &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE);
  none = virfs_infra_host (f->infra, "h1");
  g_assert_null (none);
  g_unlink (ballast);
  host = virfs_infra_make_host (f->infra, "h1", NULL);
  g_assert_nonnull (host);
  assert_records (f, "a", "first=1 ");
  assert_records (f, VIRFS_RECORD_HOST, "h1= ");
}

static void
test_full (Fixture *f, gconstpointer data)
{
  if (mount ("tmpfs", f->dir, "tmpfs", 0, "size=600k") != 0) {
    g_test_skip ("only root can mount a small file system");
    return;
  }
  fill_and_relieve (f);
  stop (f);
  g_assert_cmpint (umount (f->dir), ==, 0);
}

/* What the registry tells. */

static void
add_host (Fixture *f, const char *name, const char *uri)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsHost) host = virfs_infra_add_host (f->infra, name, uri, &error);

  g_assert_no_error (error);
}

static VirfsVmInfo *
info_of (Fixture *f, const char *label)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, label);

  return vm ? virfs_vm_info (vm) : NULL;
}

/* A backend whose hosts do not answer until the test lets them. */

static void
do_nothing (VirfsHost *host)
{
}

static VirfsBackend deaf;

static void
start_deaf (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  deaf = virfs_fake_backend;
  deaf.host_open = do_nothing;
  open_store (f);
  f->infra = virfs_infra_new (&deaf, 60);
  g_assert_true (virfs_store_attach (f->store, f->infra, &error));
  g_assert_no_error (error);
}

static void
fail_to_answer (Fixture *f, const char *name)
{
  g_autoptr (GError) failure
    = g_error_new_literal (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "nobody is there");
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);

  virfs_infra_update_host (f->infra, host, virfs_host_info_copy (known), failure);
}

static VirfsHostState
state_of (Fixture *f, const char *name)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

  return info->state;
}

/* What a host may tell of a guest. */
static void
describe (VirfsVmInfo *info, gpointer data)
{
  virfs_ref_string_set (&info->title, "a \"title\"");
  virfs_ref_string_set (&info->description, "more\nthan a line");
  info->reason = "migrated";
  info->state = VIRFS_VM_PAUSED;
  info->id = 7;
  info->autostart = info->saved = TRUE;
  info->created = 1700000000;
  info->vcpus_max = 4;
  info->vcpu_pins = g_ref_string_new ("0 1-2\n3 5");
  info->emulator_cpuset = g_ref_string_new ("0");
  info->numa_mode = g_intern_string ("strict");
  info->numa_nodeset = g_ref_string_new ("1");
  info->boot = g_ref_string_new ("disk\ncdrom");
  info->firmware = g_intern_string ("efi");
  info->machine = g_ref_string_new ("pc-q35-7.2");
  info->memory_max = G_GUINT64_CONSTANT (1) << 40;
  info->cpu_shares = 2048;
  info->cpu_quota = -1;
  info->cpu_period = 100000;
  g_clear_pointer (&info->xml_inactive, virfs_blob_unref);
  info->xml_inactive = virfs_blob_new ("<domain>later</domain>");
}

static void
edit (Fixture *f, const char *label, VirfsVmEdit func)
{
  g_autoptr (VirfsVmInfo) info = info_of (f, label);

  g_assert_true (virfs_infra_edit_vm (f->infra, info->host, info->uuid, func, NULL));
}

static void
test_guests (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVmInfo) first = NULL, told = NULL, known = NULL, late = NULL;
  guint64 differ;

  start (f);
  add_host (f, "h1", "fake:2");
  edit (f, "h1-1", describe);
  first = info_of (f, "h1-1");
  told = virfs_vm_info_copy (first);
  /* only what was told may outlive the registry */
  g_clear_pointer (&told->host, virfs_object_unref);
  /* what an agent has said is asked again */
  told->agent = NULL;
  g_clear_pointer (&told->agent_info, virfs_agent_info_unref);
  g_clear_pointer (&first, virfs_vm_info_unref);
  stop (f);

  start_deaf (f);
  add_host (f, "h1", "fake:2");
  known = info_of (f, "h1-1");
  g_assert_nonnull (known);
  differ = virfs_vm_info_diff (told, known);
  g_assert_cmphex (differ & ~VIRFS_BIT (VIRFS_VM_HOST), ==, 0);
  late = info_of (f, "h1-2");
  g_assert_nonnull (late);
  g_assert_true (virfs_blob_equal (late->xml, late->xml_inactive));
  g_assert_cmpint (state_of (f, "h1"), ==, VIRFS_HOST_CONNECTING);
  fail_to_answer (f, "h1");
  g_assert_cmpint (state_of (f, "h1"), ==, VIRFS_HOST_UNREACHABLE);
}

static void
test_truth (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHost) host = NULL;
  g_autoptr (VirfsVmInfo) known = NULL, gone = NULL;

  start (f);
  add_host (f, "h1", "fake:2");
  edit (f, "h1-1", describe);
  stop (f);
  start_deaf (f);
  add_host (f, "h1", "fake:1");
  host = virfs_infra_host (f->infra, "h1");
  virfs_fake_backend.host_open (host);
  known = info_of (f, "h1-1");
  g_assert_cmpint (known->state, ==, VIRFS_VM_RUNNING);
  g_assert_null (known->title);
  gone = info_of (f, "h1-2");
  g_assert_null (gone);
  g_clear_pointer (&known, virfs_vm_info_unref);
  g_clear_pointer (&host, virfs_object_unref);
  stop (f);
  g_assert_cmpint (sql (f, "SELECT count(*) FROM guests"), ==, 1);
}

static void
test_forgotten (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHost) host = NULL;

  start (f);
  add_host (f, "h1", "fake:3");
  add_host (f, "h2", "fake:4");
  add_host (f, "h3", "fake:5");
  host = virfs_infra_host (f->infra, "h1");
  g_assert_true (virfs_store_flush (f->store));
  g_assert_true (virfs_infra_remove_host (f->infra, host, NULL));
  stop (f);
  g_assert_cmpint (sql (f, "SELECT count(*) FROM guests"), ==, 9);
  g_assert_cmpint (sql (f, "SELECT count(*) FROM hosts"), ==, 2);

  /* h2 is not in the configuration any more */
  start (f);
  add_host (f, "h3", "fake:5");
  virfs_store_restore (f->store);
  stop (f);
  g_assert_cmpint (sql (f, "SELECT count(*) FROM guests"), ==, 5);
}

/* Nothing is written for guests that are as they were. */
static void
test_unchanged (Fixture *f, gconstpointer data)
{
  int before;

  start (f);
  add_host (f, "h1", "fake:50");
  stop (f);
  sql (f, "CREATE TABLE writes (n INTEGER);"
          "CREATE TRIGGER t AFTER UPDATE ON guests BEGIN INSERT INTO writes VALUES (1); END");
  start (f);
  add_host (f, "h1", "fake:50");
  edit (f, "h1-1", describe);
  stop (f);
  before = sql (f, "SELECT count(*) FROM writes");
  g_assert_cmpint (before, ==, 1);
}

static void
set_uri (Fixture *f, const char *name, const char *uri)
{
  VirfsJobSpec spec = { .operation = "connect" };
  g_autoptr (VirfsJob) job = virfs_job_new (f->infra, &spec);
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);

  virfs_infra_set_host_uri (f->infra, host, uri, job);
}

static void
make_host (Fixture *f, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsHost) host = virfs_infra_make_host (f->infra, name, &error);

  g_assert_no_error (error);
}

static void
remove_host (Fixture *f, const char *name)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);

  g_assert_true (virfs_infra_remove_host (f->infra, host, NULL));
}

static void
test_hosts (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVmInfo) guest = NULL;

  start (f);
  add_host (f, "configured", "fake:1");
  set_uri (f, "configured", "fake:2");
  make_host (f, "made");
  set_uri (f, "made", "fake:1");
  set_uri (f, "made", "fake:3");
  make_host (f, "bare");
  make_host (f, "removed");
  remove_host (f, "removed");
  assert_records (f, VIRFS_RECORD_HOST, "bare= made=fake:3 ");
  stop (f);

  start (f);
  add_host (f, "configured", "fake:1");
  virfs_store_restore (f->store);
  g_assert_cmpint (state_of (f, "made"), ==, VIRFS_HOST_UP);
  g_assert_cmpint (state_of (f, "bare"), ==, VIRFS_HOST_UNCONFIGURED);
  guest = info_of (f, "made-3");
  g_assert_nonnull (guest);
  /* what has come back can go */
  set_uri (f, "bare", "fake:0");
  remove_host (f, "made");
  assert_records (f, VIRFS_RECORD_HOST, "bare=fake:0 ");
}

static char *
read_log (Fixture *f)
{
  VirfsEventLog *log = virfs_infra_events (f->infra);
  gsize size = virfs_event_log_size (log, NULL);
  char *text = g_malloc0 (size + 1);

  virfs_event_log_read (log, 0, text, size);
  return text;
}

static void
test_events (Fixture *f, gconstpointer data)
{
  g_autofree char *first = NULL, *second = NULL;
  guint64 start_before, start_after;
  gint64 changed;

  start (f);
  virfs_infra_event (f->infra, NULL, "one", "a=b");
  virfs_infra_event (f->infra, NULL, "two", NULL);
  changed = virfs_event_log_changed (virfs_infra_events (f->infra));
  virfs_event_log_size (virfs_infra_events (f->infra), &start_before);
  first = read_log (f);
  stop (f);

  start (f);
  second = read_log (f);
  g_assert_cmpstr (second, ==, first);
  g_assert_cmpint (virfs_event_log_changed (virfs_infra_events (f->infra)), ==, changed);
  virfs_event_log_size (virfs_infra_events (f->infra), &start_after);
  g_assert_cmpuint (start_after, ==, start_before);
  g_clear_pointer (&first, g_free);
  virfs_infra_event (f->infra, NULL, "three", NULL);
  first = read_log (f);
  stop (f);

  start (f);
  g_clear_pointer (&second, g_free);
  second = read_log (f);
  g_assert_cmpstr (second, ==, first);
}

/* Of what is on disk the newest is shown. */
static void
test_many_events (Fixture *f, gconstpointer data)
{
  g_autofree char *word = g_strnfill (1000, 'x');
  g_autofree char *text = NULL;
  guint64 start_before, start_after;
  gsize size;

  start (f);
  for (guint i = 0; i < 10000; i++) {
    g_autofree char *kind = g_strdup_printf ("n%u", i);

    virfs_infra_event (f->infra, NULL, kind, word);
    if (i % 1000 == 0)
      g_assert_true (virfs_store_flush (f->store));
  }
  size = virfs_event_log_size (virfs_infra_events (f->infra), &start_before);
  start_before += size;
  stop (f);
  g_assert_cmpint (sql (f, "SELECT sum(length(text) + 1) FROM log"), >, VIRFS_EVENT_BYTES);
  start (f);
  size = virfs_event_log_size (virfs_infra_events (f->infra), &start_after);
  g_assert_cmpuint (start_after + size, ==, start_before);
  text = read_log (f);
  g_assert_nonnull (strstr (text, " n9999 "));
  g_assert_true (g_ascii_isdigit (*text));
}

static void
test_jobs (Fixture *f, gconstpointer data)
{
  VirfsJobSpec spec = { .operation = "something", .uid = 42 };
  g_autoptr (VirfsJob) again = NULL, next = NULL, oldest = NULL;
  g_autoptr (VirfsJobInfo) info = NULL;

  start (f);
  for (guint i = 1; i <= 150; i++) {
    g_autoptr (VirfsJob) job = virfs_job_new (f->infra, &spec);

    virfs_job_start (job, NULL, NULL);
    virfs_job_progress (job, i, 1000);
    virfs_job_finish (job, i % 2 ? NULL : g_error_new (VIRFS_ERROR, VIRFS_ERROR_BUSY, "no %u", i));
  }
  stop (f);
  g_assert_cmpint (sql (f, "SELECT count(*) FROM jobs"), ==, 100);

  start (f);
  again = virfs_infra_job (f->infra, 150);
  info = virfs_job_info (again);
  g_assert_cmpstr (info->operation, ==, "something");
  g_assert_cmpstr (info->object, ==, "fleet");
  g_assert_cmpstr (info->error, ==, "no 150");
  g_assert_cmpint (info->state, ==, VIRFS_JOB_FAILED);
  g_assert_cmpint (info->failure, ==, EBUSY);
  g_assert_cmpuint (info->uid, ==, 42);
  g_assert_cmpuint (info->done, ==, 150);
  g_assert_cmpuint (info->total, ==, 1000);
  g_assert_cmpint (info->ended, >=, info->started);
  oldest = virfs_infra_job (f->infra, 50);
  g_assert_null (oldest);
  next = virfs_job_new (f->infra, &spec);
  g_assert_cmpuint (virfs_job_number (next), ==, 151);
  virfs_job_finish (next, NULL);
}

/* As after a crash: a copy of the files is what is found. */
static void
test_cut_off (Fixture *f, gconstpointer data)
{
  VirfsJobSpec spec = { .operation = "something" };
  g_autofree char *wal = g_strconcat (f->file, "-wal", NULL);
  g_autofree char *db_bytes = NULL, *wal_bytes = NULL;
  g_autoptr (VirfsJob) again = NULL, next = NULL, job = NULL;
  g_autoptr (VirfsJobInfo) info = NULL;
  gsize db_size, wal_size;

  start (f);
  job = virfs_job_new (f->infra, &spec);
  virfs_job_start (job, NULL, NULL);
  g_assert_true (virfs_store_flush (f->store));
  g_assert_true (g_file_get_contents (wal, &wal_bytes, &wal_size, NULL));
  virfs_job_finish (job, NULL);
  g_clear_pointer (&job, virfs_object_unref);
  /* reading the database drops its locks: nobody else is here */
  g_assert_true (g_file_get_contents (f->file, &db_bytes, &db_size, NULL));
  stop (f);
  g_assert_true (g_file_set_contents (f->file, db_bytes, db_size, NULL));
  g_assert_true (g_file_set_contents (wal, wal_bytes, wal_size, NULL));

  start (f);
  again = virfs_infra_job (f->infra, 1);
  g_assert_nonnull (again);
  info = virfs_job_info (again);
  g_assert_cmpint (info->state, ==, VIRFS_JOB_FAILED);
  g_assert_nonnull (strstr (info->error, "virfs was ended"));
  g_assert_cmpint (info->ended, !=, 0);
  next = virfs_job_new (f->infra, &spec);
  g_assert_cmpuint (virfs_job_number (next), >, 1);
  virfs_job_finish (next, NULL);
}

#define store_add(path, func) g_test_add ("/store/" path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  if (argc == 3 && g_str_equal (argv[1], "--child"))
    return run_child (argv[2]);
  self = argv[0];
  g_test_init (&argc, &argv, NULL);
  store_add ("records", test_records);
  store_add ("threads", test_threads);
  store_add ("private", test_private);
  store_add ("killed", test_killed);
  store_add ("second", test_second);
  store_add ("upgrade", test_upgrade);
  store_add ("later", test_later);
  store_add ("no-database", test_no_database);
  store_add ("broken", test_broken);
  store_add ("full", test_full);
  store_add ("guests", test_guests);
  store_add ("truth", test_truth);
  store_add ("forgotten", test_forgotten);
  store_add ("unchanged", test_unchanged);
  store_add ("hosts", test_hosts);
  store_add ("events", test_events);
  store_add ("many-events", test_many_events);
  store_add ("jobs", test_jobs);
  store_add ("cut-off", test_cut_off);
  return g_test_run ();
}
