/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history/ in a mounted tree: tables, pictures, and that no walk gets there. */
#include "fixture.h"

#include "error.h"
#include "forecast.h"
#include "history_db.h"
#include "metrics.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <libxml/parser.h>
#include <math.h>
#include <string.h>

#define FLEET "h1=fake:3 h2=fake:2"

/* 20 minutes after the beginning of a day. */
#define NOW (G_GINT64_CONSTANT (20500) * G_TIME_SPAN_DAY + 20 * G_TIME_SPAN_MINUTE)
#define MIB (1 << 20)

static VirfsHistoryDb *db;
static char *directory;

static gint64
read_clock (void)
{
  return NOW;
}

static VirfsHistory *
history_of (Fixture *f)
{
  return virfs_infra_history (f->infra);
}

/* Its hosts never answer by themselves: the tests tell what was sampled. */
static void
set_up (Fixture *f, gconstpointer hosts)
{
  static const VirfsHistoryOptions options
    = { .keep = { G_TIME_SPAN_DAY, 90 * G_TIME_SPAN_DAY, 1800 * G_TIME_SPAN_DAY } };
  VirfsMetrics *metrics;

  g_atomic_pointer_set (&virfs_fake_hung, "h1");
  fixture_set_up (f, hosts);
  metrics = virfs_infra_metrics (f->infra);
  virfs_metrics_set_interval (metrics, 3600);
  directory = g_dir_make_tmp ("virfs-history-XXXXXX", NULL);
  db = virfs_history_db_open (directory, NULL);
  g_assert_nonnull (db);
  virfs_history_set_clock (history_of (f), read_clock);
  virfs_history_start (history_of (f), virfs_history_db_store (db), &options);
  assert_reads (f, "vms/h1-1/metrics/cpu_time", ""); /* from now on it is sampled */
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autofree char *file = g_build_filename (directory, "history.db", NULL);

  fixture_tear_down (f, data);
  g_clear_pointer (&db, virfs_history_db_close);
  g_unlink (file);
  g_assert_cmpint (g_rmdir (directory), ==, 0);
  g_clear_pointer (&directory, g_free);
}

/* h1-1 has written MIBS when it was sampled AGO seconds ago. */
static void
tell (Fixture *f, guint64 epoch, guint64 mibs, gint64 ago)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h1");
  VirfsSample *of_host = virfs_sample_new (0), *sample = virfs_sample_new (vm->object.id);
  VirfsDeviceSample *disk = virfs_sample_add (sample, VIRFS_SAMPLE_DISKS, "vda");
  GPtrArray *samples = g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_sample_unref);

  /* a moment before */
  of_host->time = sample->time = g_get_monotonic_time () - ago * G_USEC_PER_SEC - 1000;
  of_host->values[VIRFS_HOST_METRIC_MEMORY_FREE] = 1 << 30;
  sample->epoch = epoch;
  sample->values[VIRFS_VM_METRIC_VCPUS] = 2;
  sample->values[VIRFS_VM_METRIC_CPU_TIME] = mibs * 1500000000;
  disk->values[VIRFS_DISK_METRIC_WRITE_BYTES] = mibs * MIB;
  g_ptr_array_add (samples, sample);
  virfs_metrics_tell (virfs_infra_metrics (f->infra), host, of_host, samples);
}

/* Every 15 s of the last ten minutes but a pause of 3, 29 times; 64 MiB are written. */
static void
tell_all (Fixture *f)
{
  guint64 n = 0;

  for (gint64 ago = 600; ago >= 0; ago -= 15)
    if (ago >= 300 || ago < 120)
      tell (f, 7, 1 + 64 * n++ / 28, ago);
  g_assert_cmpuint (n, ==, 29);
}

static double
sum_of (Fixture *f, const char *path)
{
  g_autofree char *command
    = g_strdup_printf ("awk -F '\\t' 'NR > 1 { sum += $5 } END { print sum }' %s", path);
  g_autofree char *out = NULL;

  g_assert_cmpint (sh (f, command, &out), ==, 0);
  return g_ascii_strtod (out, NULL);
}

static void
test_tables (Fixture *f, gconstpointer data)
{
  g_autofree char *hour = NULL, *memory = NULL;
  g_auto (GStrv) lines = NULL;

  tell_all (f);
  hour = cat (f, "vms/h1-1/metrics/history/hour/disk_write_bytes.tsv");
  lines = g_strsplit (hour, "\n", -1);
  g_assert_cmpstr (lines[0], ==, "time\tmean\tmin\tmax\ttotal");
  g_assert_cmpint (g_ascii_strtoll (lines[1], NULL, 10), ==, NOW / G_USEC_PER_SEC - 601);
  g_assert_nonnull (strstr (hour, "\n\n")); /* the pause */
  for (guint i = 0; i < VIRFS_N_RANGES; i++) {
    g_autofree char *path = g_strdup_printf ("vms/h1-1/metrics/history/%s/disk_write_bytes.tsv",
                                             virfs_range_name ((VirfsRange) i));

    g_assert_cmpfloat_with_epsilon (sum_of (f, path), 64.0 * MIB, 0.0001 * 64 * MIB);
  }
  assert_reads (f, "vms/h1-1/metrics/history/day/vcpus.tsv",
                "time\tmean\tmin\tmax\n"
                "1771200300\t2\t2\t2\n1771200600\t2\t2\t2\n1771200900\t2\t2\t2\n");
  memory = cat (f, "hosts/h1/metrics/history/week/memory_free.tsv");
  g_assert_nonnull (strstr (memory, "\t1073741824\t1073741824\t1073741824\n"));
  memory = (g_free (memory), cat (f, "hosts/h1/pools/default/history/year/capacity.tsv"));
  g_assert_true (g_str_has_prefix (memory, "time\tmean\tmin\tmax\n1771200000\t"));
  /* nothing is known of it */
  assert_reads (f, "vms/h1-2/metrics/history/day/vcpus.tsv", "time\tmean\tmin\tmax\n");
}

/* A guest that starts again, or moves, goes on; there is no step, and nothing below zero. */
static void
test_restart (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;

  tell (f, 7, 100, 60);
  tell (f, 7, 110, 45);
  tell (f, 8, 2, 30);
  tell (f, 8, 5, 15);
  g_assert_cmpfloat_with_epsilon (sum_of (f, "vms/h1-1/metrics/history/hour/disk_write_bytes.tsv"),
                                  15.0 * MIB, 1);
  text = cat (f, "vms/h1-1/metrics/history/hour/disk_write_bytes.tsv");
  g_assert_null (strchr (text, '-'));
  move_vm (f, "h1-1", "h2");
  assert_soon (leads (f, "vms/h1-1/host", "../../hosts/h2"));
  g_assert_cmpfloat_with_epsilon (sum_of (f, "vms/h1-1/metrics/history/hour/disk_write_bytes.tsv"),
                                  15.0 * MIB, 1);
}

static void
test_pictures (Fixture *f, gconstpointer data)
{
  static const char *const paths[] = { "vms/h1-1/metrics/history/hour/disk_write_bytes.svg",
                                       "vms/h1-1/metrics/history/year/cpu_percent.svg",
                                       "hosts/h1/pools/default/history/day/allocation.svg",
                                       "hosts/h2/metrics/history/day/cpu_percent.svg" };

  tell_all (f);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree char *text = cat (f, paths[i]);
    xmlDoc *picture = xmlReadMemory (text, (int) strlen (text), paths[i], NULL, XML_PARSE_NONET);

    g_assert_nonnull (picture);
    g_assert_cmpstr ((const char *) xmlDocGetRootElement (picture)->name, ==, "svg");
    xmlFreeDoc (picture);
  }
}

/* Only who asks for a range by its name gets there. */
static void
test_walk (Fixture *f, gconstpointer data)
{
  g_autofree char *found = NULL, *names = NULL;

  tell_all (f);
  assert_lists (f, "vms/h1-1/metrics/history", "README");
  assert_lists (f, "hosts/h1/pools/default/history", "README");
  g_assert_cmpint (sh (f, "find . -path '*history/*' ! -name README", &found), ==, 0);
  g_assert_cmpstr (found, ==, "");
  g_assert_cmpint (sh_quietly (f, "grep -q disk_write_rate vms/h1-1/metrics/history/README"), ==,
                   0);
  g_assert_false (exists (f, "vms/h1-1/metrics/history/decade"));
  names = ls (f, "hosts/h1/pools/default/history/day");
  g_assert_cmpstr (names, ==,
                   "allocation.svg allocation.tsv available.svg available.tsv capacity.svg "
                   "capacity.tsv");
  g_assert_cmpint (sh_quietly (f, "cd vms/h1-1/metrics/history/week/.. && test -e README"), ==, 0);
  g_assert_cmpint (sh_quietly (f, "tar cf - vms/h1-1/metrics/history/month | tar tf - > /dev/null"),
                   ==, 0);
}

/* What stat(2) says of a file that was never read is what can be read. */
static void
test_sizes (Fixture *f, gconstpointer data)
{
  static const char *const paths[]
    = { "vms/h1-1/metrics/history/hour/cpu_time.tsv", "vms/h1-1/metrics/history/hour/cpu_time.svg",
        "vms/h1-1/metrics/history/day/memory_rss.tsv" };

  tell_all (f);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    struct stat st = stat_at (f, paths[i]);
    g_autofree char *text = cat (f, paths[i]);

    g_assert_cmpuint ((guint64) st.st_size, ==, strlen (text));
    g_assert_cmpint (st.st_mtim.tv_sec, >=, NOW / G_USEC_PER_SEC - 1);
    g_assert_cmpint (st.st_mode & 07777, ==, 0440);
    g_assert_cmpint (echo (f, "1", paths[i]), ==, EACCES);
  }
}

/* Of many at once, from memory. */
static void
test_recent (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1"), other = vm_of (f, "h1-2");
  double minutes[VIRFS_HISTORY_MINUTES];
  guint known = 0;

  tell_all (f);
  g_assert_true (virfs_history_recent (history_of (f), vm,
                                       VIRFS_VM_N_METRICS + VIRFS_VM_RATE_CPU_PERCENT, minutes));
  for (guint i = 0; i < VIRFS_HISTORY_MINUTES; i++)
    known += !isnan (minutes[i]);
  g_assert_cmpuint (known, ==, 7);
  g_assert_false (isnan (minutes[VIRFS_HISTORY_MINUTES - 1]));
  g_assert_false (virfs_history_recent (history_of (f), vm, VIRFS_VM_METRIC_VCPUS, minutes));
  g_assert_false (
    virfs_history_recent (history_of (f), other, VIRFS_VM_METRIC_MEMORY_RSS, minutes));
}

/* Of some minutes nothing can be said. */
static void
test_pool (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h1");
  g_autoptr (VirfsPart) pool = virfs_infra_part (f->infra, host, &virfs_pool_class, "default");

  g_assert_true (isnan (virfs_forecast_pool_full (f->infra, pool)));
  tell_all (f);
  g_assert_true (isnan (virfs_forecast_pool_full (f->infra, pool)));
}

/* Without a history files are there and empty. */
static void
test_off (Fixture *f, gconstpointer data)
{
  virfs_history_stop (history_of (f));
  assert_reads (f, "vms/h1-1/metrics/history/day/vcpus.tsv", "");
  assert_reads (f, "vms/h1-1/metrics/history/day/vcpus.svg", "");
  g_assert_cmpint (stat_at (f, "vms/h1-1/metrics/history/day/vcpus.svg").st_size, ==, 0);
}

static gboolean
get_nothing (gpointer data, const char *key, guint level, gint64 from, gint64 to,
             VirfsHistoryFunc func, gpointer user, GError **error)
{
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "the disk is broken");
  return FALSE;
}

/* What cannot be read is not empty. */
static void
test_broken (Fixture *f, gconstpointer data)
{
  static const VirfsHistoryOptions options = { .keep = { G_TIME_SPAN_DAY } };
  static VirfsHistoryStore broken;
  g_autofree char *text = NULL;

  g_assert_true (virfs_history_flush (history_of (f)));
  virfs_history_stop (history_of (f));
  broken = *virfs_history_db_store (db);
  broken.get = get_nothing;
  virfs_history_start (history_of (f), &broken, &options);
  for (guint i = 0; i < 2; i++) {
    text = cat (f, i ? "vms/h1-1/metrics/history/day/vcpus.svg"
                     : "vms/h1-1/metrics/history/day/vcpus.tsv");
    g_assert_null (text);
    g_assert_cmpint (errno, ==, EIO);
  }
}

/* That a guest is another's is told of these directories, too, though nobody listed them. */
static void
test_owner (Fixture *f, gconstpointer data)
{
  const char *dir = "vms/h1-1/metrics/history/day";
  mode_t mode = stat_at (f, dir).st_mode & 07777;

  g_assert_cmpint (sh_quietly (f, "chmod o+rx vms/h1-1"), ==, 0);
  g_assert_cmpint (stat_at (f, dir).st_mode & 07777, ==, mode | 05);
}

#define ADD(path, func) g_test_add (path, Fixture, FLEET, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  ADD ("/history-files/tables", test_tables);
  ADD ("/history-files/restart", test_restart);
  ADD ("/history-files/pictures", test_pictures);
  ADD ("/history-files/walk", test_walk);
  ADD ("/history-files/sizes", test_sizes);
  ADD ("/history-files/recent", test_recent);
  ADD ("/history-files/pool", test_pool);
  ADD ("/history-files/off", test_off);
  ADD ("/history-files/broken", test_broken);
  ADD ("/history-files/owner", test_owner);
  return g_test_run ();
}
