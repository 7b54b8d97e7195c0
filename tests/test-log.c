/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of events in the store: that it goes on, and that whatever is done to it is found.
 *
 * The program is also a child of its own (`test-log --child DIRECTORY`), which adds one event after the
 * other and is killed at it.
 */
#include "error.h"
#include "fake.h"
#include "log_verify.h"
#include "store.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
  char *dir;
  VirfsStore *store;
  VirfsInfra *infra;
  guint64 keep;
} Fixture;

static void
start (Fixture *f)
{
  g_autoptr (GError) error = NULL;

  f->store = virfs_store_open (f->dir, &error);
  g_assert_no_error (error);
  if (f->keep != 0)
    virfs_store_set_events_keep (f->store, f->keep);
  f->infra = virfs_infra_new (&virfs_fake_backend, 60);
  g_assert_true (virfs_store_attach (f->store, f->infra, &error));
}

static void
stop (Fixture *f)
{
  if (f->infra == NULL)
    return;
  virfs_infra_stop (f->infra, G_USEC_PER_SEC);
  g_clear_pointer (&f->store, virfs_store_close);
  g_clear_pointer (&f->infra, virfs_infra_free);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("virfs-log-XXXXXX", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  stop (f);
  dir = g_dir_open (f->dir, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (f->dir, name, NULL);

    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->dir);
}

static void
add (Fixture *f, guint from, guint to)
{
  for (guint i = from; i < to; i++) {
    g_autofree char *details = g_strdup_printf ("number=%u text=\"some text ü\"", i);

    virfs_infra_event (f->infra, NULL, "test", details);
  }
}

static void
begin (Fixture *f)
{
  start (f);
  add (f, 0, 20);
  stop (f);
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

/* As an intruder would. */
static void
meddle (Fixture *f, const char *text)
{
  g_autofree char *file = g_build_filename (f->dir, "virfs.db", NULL);
  char *message = NULL;
  sqlite3 *db = NULL;

  g_assert_cmpint (sqlite3_open (file, &db), ==, SQLITE_OK);
  sqlite3_exec (db, text, NULL, NULL, &message);
  g_assert_cmpstr (message, ==, NULL);
  g_assert_cmpint (sqlite3_changes (db), >, 0);
  g_assert_cmpint (sqlite3_close (db), ==, SQLITE_OK);
}

static void
assert_whole (Fixture *f, const char *saved, guint64 lines)
{
  g_auto (VirfsLogReport) report = { 0 };
  g_autoptr (GError) error = NULL;

  virfs_log_verify (f->dir, saved, &report, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (report.fault, ==, NULL);
  if (lines != 0)
    g_assert_cmpuint (report.lines, ==, lines);
}

static void
assert_fault (Fixture *f, const char *saved, const char *words)
{
  g_auto (VirfsLogReport) report = { 0 };
  g_autoptr (GError) error = NULL;

  virfs_log_verify (f->dir, saved, &report, &error);
  g_assert_no_error (error);
  g_assert_nonnull (report.fault);
  if (strstr (report.fault, words) == NULL)
    g_error ("\"%s\" does not say \"%s\"", report.fault, words);
}

static void
assert_unknown (Fixture *f, const char *saved, VirfsError code)
{
  g_auto (VirfsLogReport) report = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_false (virfs_log_verify (f->dir, saved, &report, &error));
  g_assert_error (error, VIRFS_ERROR, (int) code);
}

static char *
head_of (Fixture *f)
{
  g_auto (VirfsLogReport) report = { 0 };

  g_assert_true (virfs_log_verify (f->dir, NULL, &report, NULL));
  return g_steal_pointer (&report.head);
}

static void
test_whole (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) shown = g_string_new (NULL);
  g_autofree char *head = NULL, *text = NULL, *again = NULL;

  assert_unknown (f, NULL, VIRFS_ERROR_NOT_FOUND);
  start (f);
  assert_whole (f, NULL, 0);
  add (f, 0, 10);
  g_assert_true (virfs_store_flush (f->store));
  /* beside the program that has it open */
  assert_whole (f, NULL, 10);
  virfs_infra_append_log_head (f->infra, shown);
  head = head_of (f);
  g_strchomp (shown->str);
  g_assert_cmpstr (shown->str, ==, head);
  text = read_log (f);
  stop (f);
  assert_whole (f, head, 10);

  start (f);
  again = read_log (f);
  g_assert_cmpstr (again, ==, text);
  add (f, 10, 20);
  stop (f);
  assert_whole (f, head, 20);
}

/* The chain is what the manual says it is. */
static void
test_formula (Fixture *f, gconstpointer data)
{
  g_autoptr (GString) hash = g_string_new (NULL);
  g_autofree char *text = NULL, *head = NULL, *expected = NULL;
  g_auto (GStrv) lines = NULL;
  gsize position = 0;

  for (guint i = 0; i < 64; i++)
    g_string_append_c (hash, '0');
  start (f);
  add (f, 0, 5);
  text = read_log (f);
  stop (f);
  lines = g_strsplit (g_strchomp (text), "\n", -1);
  for (char **line = lines; *line; line++) {
    g_autofree char *all
      = g_strdup_printf ("%s %" G_GSIZE_FORMAT " %s\n", hash->str, position, *line);
    g_autofree char *next = g_compute_checksum_for_string (G_CHECKSUM_SHA256, all, -1);

    g_string_assign (hash, next);
    position += strlen (*line) + 1;
  }
  head = head_of (f);
  expected = g_strdup_printf ("%" G_GSIZE_FORMAT " %s", position, hash->str);
  g_assert_cmpstr (head, ==, expected);
}

#define NTH(n) "(SELECT position FROM log ORDER BY position LIMIT 1 OFFSET " #n ")"

/* Whatever is done with a database tool. */
static void
test_meddled (Fixture *f, gconstpointer sql)
{
  g_autofree char *head = NULL;

  begin (f);
  head = head_of (f);
  meddle (f, sql);
  assert_fault (f, NULL, "broken at ");
  assert_fault (f, head, "broken at ");
}

/* It says where. */
static void
test_place (Fixture *f, gconstpointer data)
{
  begin (f);
  meddle (f,
          "UPDATE log SET text = replace (text, 'number=7', 'number=8') WHERE position = " NTH (7));
  assert_fault (f, NULL, "broken at line 8 of what is kept (20");
}

/* Whoever cuts the end off and says so needs a saved head to be found. */
static void
test_truncated (Fixture *f, gconstpointer data)
{
  g_autofree char *head = NULL, *early = NULL;

  start (f);
  add (f, 0, 5);
  stop (f);
  early = head_of (f);
  start (f);
  add (f, 5, 20);
  stop (f);
  head = head_of (f);
  meddle (f, "DELETE FROM log WHERE position >= " NTH (
               10) ";"
                   "UPDATE log_ends SET (position, hash) = (SELECT position + length (CAST (text "
                   "AS BLOB)) + 1,"
                   " hash FROM log ORDER BY position DESC LIMIT 1) WHERE name = 'head'");
  assert_whole (f, NULL, 10);
  assert_whole (f, early, 10);
  assert_fault (f, head, "behind the end");
  assert_fault (f, strchr (head, ' ') + 1, "not in it");
  /* all of it is gone, and another was begun */
  meddle (f, "DELETE FROM log; DELETE FROM log_ends");
  assert_whole (f, NULL, 0);
  assert_fault (f, head, "behind the end");
  start (f);
  add (f, 1000, 1200);
  stop (f);
  assert_whole (f, NULL, 200);
  assert_fault (f, head, "not in it");
  assert_fault (f, early, "not in it");
}

static void
test_saved (Fixture *f, gconstpointer data)
{
  g_autofree char *head = NULL, *line = NULL, *colon = NULL;

  begin (f);
  head = head_of (f);
  line = g_strconcat (head, "\n", NULL);
  colon = g_strdelimit (g_strdup (head), " ", ':');
  assert_whole (f, line, 20);
  assert_whole (f, colon, 20);
  assert_whole (f, strchr (head, ' ') + 1, 20);
  assert_unknown (f, "", VIRFS_ERROR_INVALID);
  assert_unknown (f, "nonsense", VIRFS_ERROR_INVALID);
  assert_unknown (f, "12", VIRFS_ERROR_INVALID);
  assert_unknown (f, "12 abc", VIRFS_ERROR_INVALID);
}

static int
count (Fixture *f)
{
  g_auto (VirfsLogReport) report = { 0 };

  g_assert_true (virfs_log_verify (f->dir, NULL, &report, NULL));
  g_assert_cmpstr (report.fault, ==, NULL);
  return (int) report.lines;
}

/* The oldest are dropped, what is left can be verified, and what is older cannot be told. */
static void
test_rotation (Fixture *f, gconstpointer data)
{
  g_autofree char *head = NULL, *newer = NULL;

  f->keep = 10000;
  start (f);
  add (f, 0, 10);
  g_assert_true (virfs_store_flush (f->store));
  head = head_of (f);
  for (guint i = 0; i < 100; i++) {
    add (f, i * 10, i * 10 + 10);
    g_assert_true (virfs_store_flush (f->store));
    g_assert_cmpint (count (f), <, 250);
    if (i == 90)
      newer = head_of (f);
  }
  g_assert_cmpint (count (f), >, 100);
  stop (f);
  assert_whole (f, newer, 0);
  assert_unknown (f, head, VIRFS_ERROR_AGAIN);
  /* without its position nobody knows whether it was there */
  assert_unknown (f, strchr (head, ' ') + 1, VIRFS_ERROR_AGAIN);
  start (f);
  add (f, 0, 200);
  stop (f);
  assert_whole (f, NULL, 0);
  meddle (f, "DELETE FROM log WHERE position = " NTH (0));
  assert_fault (f, NULL, "broken at line 1 of what is kept");
}

/* What could not be written in time is told to be missing, and breaks no chain. */
static void
test_lost (Fixture *f, gconstpointer data)
{
  g_autofree char *word = g_strnfill (900, 'x');

  start (f);
  add (f, 0, 5);
  g_assert_true (virfs_store_flush (f->store));
  for (guint i = 0; i < 200000; i++)
    virfs_infra_event (f->infra, NULL, "flood", word);
  stop (f);
  assert_whole (f, NULL, 0);
  /* it is one of the lines */
  meddle (f, "DELETE FROM log WHERE text LIKE '% events lost bytes=%'");
  assert_fault (f, NULL, "broken at line ");
}

/* The line that tells of a loss is longer than what was lost: the next is given up for it. */
static void
test_little_lost (Fixture *f, gconstpointer data)
{
  gsize half = VIRFS_EVENT_BYTES / 2 + 100,
        short_line = strlen ("2026-01-01T00:00:00Z fleet test\n");
  g_autofree char *filler = g_strnfill (half - short_line - 1, 'x');
  g_autofree char *text = NULL;
  VirfsEventLog *log;
  guint64 begin = 0;

  start (f);
  log = virfs_infra_events (f->infra);
  virfs_infra_event (f->infra, NULL, "test", filler);
  g_assert_true (virfs_store_flush (f->store));
  /* the middle of all is in the short one: it goes with what is before it */
  virfs_infra_event (f->infra, NULL, "test", NULL);
  virfs_infra_event (f->infra, NULL, "test", filler);
  virfs_event_log_size (log, &begin);
  g_assert_cmpuint (begin, ==, half + short_line);
  add (f, 0, 5);
  stop (f);
  assert_whole (f, NULL, 0);
  start (f);
  text = read_log (f);
  g_assert_nonnull (strstr (text, " fleet test number=4 "));
  stop (f);
  assert_whole (f, NULL, 0);
}

/* What could not be written until the end is warned of. */
static void
test_unwritten (Fixture *f, gconstpointer data)
{
  begin (f);
  start (f);
  meddle (f, "CREATE TRIGGER full BEFORE INSERT ON log BEGIN SELECT RAISE (FAIL, 'full'); END;"
             "UPDATE log_ends SET added = 0");
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING, "*cannot be stored: *full*");
  g_test_expect_message (NULL, G_LOG_LEVEL_WARNING,
                         "*at the end: 32 bytes of the log of events are not kept");
  virfs_infra_event (f->infra, NULL, "test", NULL);
  stop (f);
  g_test_assert_expected_messages ();
  meddle (f, "DROP TRIGGER full; UPDATE log_ends SET added = 0");
  assert_whole (f, NULL, 20);
}

/* What was cut off by a crash is told at the next start, once. */
static void
test_lost_jobs (Fixture *f, gconstpointer data)
{
  VirfsJobSpec spec = { .operation = "something", .uid = 42 };
  g_autofree char *text = NULL, *again = NULL;
  VirfsJob *job;

  start (f);
  job = virfs_job_new (f->infra, &spec);
  virfs_job_finish (job, NULL);
  virfs_object_unref (job);
  stop (f);
  meddle (f, "UPDATE jobs SET ended = 0, state = 'running'");
  start (f);
  text = read_log (f);
  g_assert_nonnull (
    strstr (text, " fleet failed job=1 uid=42 operation=something reason=\"virfs was "));
  stop (f);
  start (f);
  again = read_log (f);
  g_assert_cmpstr (again, ==, text);
  stop (f);
  assert_whole (f, NULL, 0);
}

/* A crash is no alarm, and costs no line that was on disk. */
static void
test_killed (Fixture *f, gconstpointer self)
{
  char *argv[] = { (char *) self, (char *) "--child", f->dir, NULL };
  g_autofree char *head = NULL;

  for (guint i = 0; i < 8; i++) {
    GPid pid;

    g_assert_true (
      g_spawn_async (NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL));
    g_usleep (150000 + i * 37000);
    kill (pid, SIGKILL);
    waitpid (pid, NULL, 0);
    if (head != NULL)
      assert_whole (f, head, 0);
    g_free (head);
    head = head_of (f);
  }
  start (f);
  add (f, 0, 10);
  stop (f);
  assert_whole (f, head, 0);
}

static int
run_child (const char *dir)
{
  Fixture f = { .dir = (char *) dir };

  start (&f);
  for (guint i = 0;; i++) {
    add (&f, i, i + 1);
    g_usleep (100);
  }
  return 0;
}

static void
add_meddled (const char *name, const char *sql)
{
  g_autofree char *path = g_strconcat ("/log/meddled/", name, NULL);

  g_test_add (path, Fixture, sql, set_up, test_meddled, tear_down);
}

#define ADD(name, func, data) g_test_add ("/log/" name, Fixture, data, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);

  if (argc == 3 && g_str_equal (argv[1], "--child"))
    return run_child (argv[2]);
  g_test_init (&argc, &argv, NULL);
  ADD ("whole", test_whole, NULL);
  ADD ("formula", test_formula, NULL);
  add_meddled ("edited", "UPDATE log SET text = replace (text, 'number=7', 'number=8')");
  add_meddled ("last-edited", "UPDATE log SET text = text || 'x' WHERE position = " NTH (19));
  add_meddled ("time", "UPDATE log SET text = '1970-01-01T00:00:00Z' || substr (text, 21)"
                       " WHERE position = " NTH (3));
  add_meddled ("deleted", "DELETE FROM log WHERE position = " NTH (7));
  add_meddled ("first-deleted", "DELETE FROM log WHERE position = " NTH (0));
  add_meddled ("last-deleted", "DELETE FROM log WHERE position = " NTH (19));
  add_meddled ("all-deleted", "DELETE FROM log");
  add_meddled ("inserted", "INSERT INTO log SELECT position + 1, text, hash FROM log"
                           " WHERE position = " NTH (7));
  add_meddled ("appended", "INSERT INTO log SELECT position + 100000, text, hash FROM log"
                           " WHERE position = " NTH (7));
  add_meddled (
    "swapped",
    "CREATE TEMP TABLE t AS SELECT * FROM log;"
    "UPDATE log SET (text, hash) = (SELECT text, hash FROM t WHERE t.position = " NTH (
      8) ") WHERE position = " NTH (7) ";"
                                       "UPDATE log SET (text, hash) = (SELECT text, hash FROM t "
                                       "WHERE t.position = " NTH (7) ") WHERE position = " NTH (8));
  add_meddled ("moved", "UPDATE log SET position = position + 1 WHERE position = " NTH (19));
  add_meddled ("hash", "UPDATE log SET hash = substr (hash, 2) || 'a' WHERE position = " NTH (7));
  add_meddled ("no-hash", "UPDATE log SET hash = ''");
  add_meddled ("blob", "UPDATE log SET text = x'00ff00' WHERE position = " NTH (7));
  add_meddled ("zero", "UPDATE log SET text = text || char (0) || 'x' WHERE position = " NTH (7));
  add_meddled ("anchor", "INSERT INTO log_ends SELECT 'anchor', position, hash, 0 FROM log_ends");
  add_meddled ("head", "UPDATE log_ends SET position = position + 1");
  add_meddled ("no-head", "DELETE FROM log_ends");
  ADD ("place", test_place, NULL);
  ADD ("truncated", test_truncated, NULL);
  ADD ("saved", test_saved, NULL);
  ADD ("rotation", test_rotation, NULL);
  ADD ("lost", test_lost, NULL);
  ADD ("little-lost", test_little_lost, NULL);
  ADD ("unwritten", test_unwritten, NULL);
  ADD ("lost-jobs", test_lost_jobs, NULL);
  ADD ("killed", test_killed, self);
  return g_test_run ();
}
