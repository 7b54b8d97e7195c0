/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reports/index.html in a browser.  This prepares the fleet: one host is fuller than the others, one guest
 * misbehaves, and some have names that nobody should have.  page.py drives the browser.
 */
#include "fixture.h"

#include "history_db.h"
#include "history_private.h"
#include "metrics.h"

#include <glib/gstdio.h>
#include <string.h>

#define MISSING 77 /* page.py: the machine has no browser, or nothing to drive it */
#define GUEST   "h2-7"

/* All that run use a tenth of their CPUs, one all of them, and has to wait for them. */
static void
measure (const VirfsVmInfo *info, gpointer data)
{
  VirfsSample *sample = data;
  gboolean wild = g_str_equal (info->name, GUEST);
  guint64 time = (guint64) g_get_monotonic_time () * 1000 * info->vcpus;

  if (!virfs_vm_state_active (info->state))
    return;
  sample->values[VIRFS_VM_METRIC_CPU_TIME] = wild ? time : time / 10;
  sample->values[VIRFS_VM_METRIC_VCPU_STEAL] = wild ? time * 4 / 10 : 0;
  sample->values[VIRFS_VM_METRIC_MEMORY_RSS] = info->memory / 2;
}

static void
set_free (Fixture *f, const char *name, guint64 free)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *info = virfs_host_info_copy (known);

  info->memory = G_GUINT64_CONSTANT (64) << 30;
  info->memory_free = free << 30;
  virfs_infra_update_host (f->infra, host, info, NULL);
}

static void
prepare (Fixture *f, gconstpointer hosts)
{
  virfs_fake_measure = measure;
  fixture_set_up (f, hosts);
  virfs_metrics_set_interval (virfs_infra_metrics (f->infra), 1);
}

/* History: twenty days in which memory fills slowly, and a day of CPUs; nothing of the future is known. */

typedef struct {
  char *directory;
  VirfsHistoryDb *db;
} Past;

static Past past;

static void
set (VirfsBlockRow *row, guint column, gint64 value)
{
  row->present |= G_GUINT64_CONSTANT (1) << column;
  row->values[column][0] = value;
}

static void
add_row (VirfsHistory *history, VirfsHost *host, gint64 time, gint64 covered)
{
  const guint cpu = VIRFS_HOST_N_METRICS + VIRFS_HOST_RATE_CPU_PERCENT;
  g_autofree VirfsBlockRow *row = g_new0 (VirfsBlockRow, 1);
  g_autofree char *key = virfs_history_key (host);
  double age = (double) (g_get_real_time () / MILLISECOND - time) / DAY;
  double busy = 30 + 20 * (double) ((time / (10 * MINUTE)) % 7) / 7;

  row->time = time;
  row->covered = covered;
  set (row, VIRFS_HOST_METRIC_MEMORY_FREE, (gint64) ((16 + age * 2) * (1 << 30)));
  set (row, cpu, virfs_fold_number_of_rate (&virfs_host_metrics, cpu, busy));
  g_mutex_lock (&history->lock);
  virfs_history_add (history, key, VIRFS_HISTORY_HOST, row);
  g_mutex_unlock (&history->lock);
}

/* The last hour of a guest, by minutes. */
static void
add_hour (VirfsVm *vm, const VirfsVmInfo *info, gpointer history)
{
  const guint cpu = VIRFS_VM_N_METRICS + VIRFS_VM_RATE_CPU_PERCENT;
  gint64 now = g_get_real_time () / MILLISECOND;
  g_autofree char *key = virfs_history_key (vm);

  for (gint64 minute = 60; minute > 0; minute--) {
    g_autofree VirfsBlockRow *row = g_new0 (VirfsBlockRow, 1);
    double busy = g_str_equal (info->name, GUEST) ? MIN (100, 160 - 3 * minute) : 8 + minute % 5;

    row->time = now - minute * MINUTE;
    row->covered = MINUTE;
    set (row, cpu, virfs_fold_number_of_rate (&virfs_vm_metrics, cpu, MAX (busy, 5)));
    g_mutex_lock (&((VirfsHistory *) history)->lock);
    virfs_history_add (history, key, VIRFS_HISTORY_VM, row);
    g_mutex_unlock (&((VirfsHistory *) history)->lock);
  }
}

/* The history's clock: what is added is of the present to it, as it would be. */
static gint64 clock_now; /* atomic; microseconds since the epoch, 0: as it is */

static gint64
read_clock (void)
{
  gint64 now = __atomic_load_n (&clock_now, __ATOMIC_RELAXED);

  return now ? now : g_get_real_time ();
}

static void
set_clock (gint64 now)
{
  __atomic_store_n (&clock_now, now, __ATOMIC_RELAXED);
}

static void
make_past (Fixture *f)
{
  VirfsHistory *history = virfs_infra_history (f->infra);
  VirfsHistoryOptions options
    = { .keep = { 40 * G_TIME_SPAN_DAY, 90 * G_TIME_SPAN_DAY, 900 * G_TIME_SPAN_DAY } };
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (f->infra);
  gint64 now = g_get_real_time () / MILLISECOND;
  g_autoptr (GError) error = NULL;

  past.directory = g_dir_make_tmp ("virfs-history-XXXXXX", NULL);
  past.db = virfs_history_db_open (past.directory, &error);
  g_assert_no_error (error);
  virfs_history_set_clock (history, read_clock);
  set_clock ((now - 20 * DAY) * MILLISECOND);
  virfs_history_start (history, virfs_history_db_store (past.db), &options);
  for (gint64 time = now - 20 * DAY; time < now - 5 * MINUTE; time += 5 * MINUTE) {
    set_clock (time * MILLISECOND);
    for (guint i = 0; i < hosts->len; i++)
      add_row (history, hosts->pdata[i], time, 5 * MINUTE);
    if ((time - now) % DAY == 0)
      g_assert_true (virfs_history_flush (history));
  }
  set_clock (0);
  g_assert_true (virfs_history_flush (history));
  virfs_infra_foreach_vm (f->infra, NULL, add_hour, history);
}

static void
forget_past (void)
{
  static const char *const names[] = { "history.db", "history.db-wal", "history.db-shm" };

  g_clear_pointer (&past.db, virfs_history_db_close);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (past.directory, names[i], NULL);

    g_unlink (path);
  }
  g_rmdir (past.directory);
  g_clear_pointer (&past.directory, g_free);
}

static void
tear_down (Fixture *f, gconstpointer hosts)
{
  fixture_tear_down (f, hosts);
  if (past.directory != NULL)
    forget_past ();
}

static void
make_bad_names (Fixture *f)
{
  rename_vm (f, "h1-1", "<img src=x onerror=document.title='owned'>");
  set_title (f, "h1-3", "</script><script>document.title='owned'</script>");
  set_title (f, "h1-5", "\u202Etxt.exe\nsecond line\t&amp;");
  rename_vm (
    f, "h1-7",
    "a name that is rather long for one that has to go into a column of a table, and has no end");
}

/* Runs WHAT of page.py. */
static void
drive (Fixture *f, const char *what)
{
  g_autofree char *command
    = g_strdup_printf ("exec env -u LD_PRELOAD /usr/bin/python3 '%s' %s \"$PWD\"",
                       g_getenv ("VIRFS_PAGE_DRIVER"), what);
  g_autofree char *out = NULL;
  int status = sh (f, command, &out);

  if (status == MISSING)
    g_test_skip (out);
  else if (status != 0)
    g_error ("%s", out);
}

static void
test_fleet (Fixture *f, gconstpointer data)
{
  for (guint i = 1; i <= 5; i++) {
    g_autofree char *name = g_strdup_printf ("h%u", i);

    set_free (f, name, i == 3 ? 5 : 20 + i);
  }
  make_bad_names (f);
  make_past (f);
  drive (f, "fleet");
}

static void
test_many (Fixture *f, gconstpointer data)
{
  drive (f, "many");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add ("/page/fleet", Fixture, "h1=fake:40 h2=fake:40 h3=fake:40 h4=fake:40 h5=fake:40",
              prepare, test_fleet, tear_down);
  g_test_add ("/page/many", Fixture, "h1=fake:5000 h2=fake:5000", prepare, test_many, tear_down);
  return g_test_run ();
}
