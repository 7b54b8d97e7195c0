/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics in a mounted tree: who samples when, and what is shown. */
#include "fixture.h"

#include "metrics.h"

#include <string.h>

#define FLEET "h1=fake:3 h2=fake:2"

static void
set_up (Fixture *f, gconstpointer hosts)
{
  g_atomic_int_set (&virfs_fake_samples, 0);
  g_atomic_int_set (&virfs_fake_used, 1);
  g_atomic_pointer_set (&virfs_fake_hung, NULL);
  fixture_set_up (f, hosts);
  virfs_metrics_set_interval (virfs_infra_metrics (f->infra), 1);
}

static int
samples (void)
{
  return g_atomic_int_get (&virfs_fake_samples);
}

static gboolean
holds (Fixture *f, const char *path, const char *words)
{
  g_autofree char *text = cat (f, path);

  return text != NULL && strstr (text, words) != NULL;
}

static void
test_files (Fixture *f, gconstpointer data)
{
  assert_reads (f, "vms/h1-1/metrics/cpu_time", "1.500000\n");
  assert_reads (f, "vms/h1-1/metrics/disk_write_bytes", "4096\n");
  assert_reads (f, "vms/h1-1/metrics/disk_read_bytes", "");
  assert_reads (f, "vms/h1-2/metrics/cpu_time", ""); /* it does not run */
  assert_reads (f, "vms/h1-2/metrics/vcpus", "2\n");
  assert_reads (f, "hosts/h1/metrics/cpu_idle", "7.000000\n");
  assert_reads (f, "hosts/h1/metrics/vcpus_promised", "4\n");
  g_assert_true (holds (f, "vms/h1-1/metrics/all", "\ndisks.vda.write_bytes 4096\n"));
  g_assert_true (holds (f, "vms/h1-1/metrics/all", "\nnics.net0.rx_packets 3\n"));
  g_assert_false (holds (f, "vms/h1-1/metrics/all", "disk_read_bytes"));
  assert_lists (f, "metrics", "hosts.tsv openmetrics vms.tsv");
  g_assert_cmpint (echo (f, "1", "vms/h1-1/metrics/cpu_time"), ==, EACCES);
}

static void
test_moves (Fixture *f, gconstpointer data)
{
  assert_reads (f, "vms/h1-1/metrics/disk_write_bytes", "4096\n");
  g_atomic_int_set (&virfs_fake_used, 11);
  assert_soon_reads (f, "vms/h1-1/metrics/disk_write_bytes", "45056\n");
  assert_soon (!reads (f, "vms/h1-1/metrics/disk_write_rate", ""));
  /* it moves, and counts from the beginning there */
  g_atomic_int_set (&virfs_fake_used, 1);
  move_vm (f, "h1-1", "h2");
  assert_soon_reads (f, "vms/h1-1/metrics/disk_write_bytes", "49152\n");
  assert_reads (f, "vms/h1-1/metrics/cpu_time", "18.000000\n");
}

/* However many files are read, a host is sampled once. */
static void
test_one_sample (Fixture *f, gconstpointer data)
{
  virfs_metrics_set_interval (virfs_infra_metrics (f->infra), 3600);
  g_assert_cmpint (sh_quietly (f, "find . -ls > /dev/null"), ==, 0);
  g_assert_cmpint (samples (), ==, 0); /* looking is not reading */
  g_assert_cmpint (sh_quietly (f, "cat $(find vms/h1-1/metrics -type f) > /dev/null"), ==, 0);
  g_assert_cmpint (samples (), ==, 1); /* and other hosts are left alone */
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (sh_quietly (f, "grep -r running . > /dev/null"), ==, 0);
  g_assert_cmpint (samples (), ==, 2);
}

static void
test_ends (Fixture *f, gconstpointer data)
{
  VirfsMetrics *metrics = virfs_infra_metrics (f->infra);
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autoptr (VirfsSample) sample = NULL;
  int last;

  assert_reads (f, "vms/h1-1/metrics/cpu_time", "1.500000\n");
  assert_soon (samples () >= 2); /* it goes on by itself for a while */
  sample = virfs_metrics_sample (metrics, vm);
  g_assert_nonnull (sample);
  g_clear_pointer (&sample, virfs_sample_unref);
  do {
    last = samples ();
    g_usleep (1500000);
  } while (samples () != last);
  g_assert_cmpint (last, <=, VIRFS_METRICS_LINGER + 1);
  g_assert_null (virfs_metrics_sample (metrics, vm));
  assert_reads (f, "vms/h1-1/metrics/cpu_time", "1.500000\n");
}

static void
count_round (VirfsHost *host, gpointer rounds)
{
  g_atomic_int_inc ((gint *) rounds);
}

/* As long as anybody wants them, and who listens is told of each. */
static void
test_hold (Fixture *f, gconstpointer data)
{
  VirfsMetrics *metrics = virfs_infra_metrics (f->infra);
  gint rounds = 0;

  virfs_metrics_listen (metrics, count_round, &rounds);
  virfs_metrics_hold (metrics, VIRFS_METRICS_FOR_ALARMS, TRUE);
  virfs_metrics_hold (metrics, VIRFS_METRICS_FOR_HISTORY, TRUE);
  virfs_metrics_hold (metrics, VIRFS_METRICS_FOR_ALARMS, FALSE);
  assert_soon (samples () >= 4);
  assert_soon (g_atomic_int_get (&rounds) >= 4);
  virfs_metrics_hold (metrics, VIRFS_METRICS_FOR_HISTORY, FALSE);
  virfs_metrics_unlisten (metrics, count_round, &rounds);
}

static void
test_hung (Fixture *f, gconstpointer data)
{
  gint64 start = g_get_monotonic_time ();

  g_atomic_pointer_set (&virfs_fake_hung, "h1");
  assert_reads (f, "vms/h2-1/metrics/cpu_time", "1.500000\n");
  g_assert_cmpint (g_get_monotonic_time () - start, <, VIRFS_METRICS_FLEET_PATIENCE);
  /* a reader of its own waits, but not for ever, and holds up nobody */
  start = g_get_monotonic_time ();
  assert_reads (f, "vms/h1-1/metrics/cpu_time", "");
  g_assert_cmpint (g_get_monotonic_time () - start, >=, VIRFS_METRICS_PATIENCE);
  g_assert_true (holds (f, "metrics/openmetrics",
                        "virfs_vm_cpu_time_seconds_total{vm=\"h2-1\",host=\"h2\"} 1.500000\n"));
  g_atomic_pointer_set (&virfs_fake_hung, NULL);
  assert_soon_reads (f, "vms/h1-1/metrics/cpu_time", "1.500000\n");
}

static void
test_down (Fixture *f, gconstpointer data)
{
  gint64 start;

  assert_reads (f, "vms/h1-1/metrics/cpu_time", "1.500000\n");
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  start = g_get_monotonic_time ();
  assert_reads (f, "vms/h1-1/metrics/cpu_time", "");
  assert_reads (f, "hosts/h1/metrics/all", "");
  g_assert_true (holds (f, "metrics/openmetrics", "virfs_host_up{host=\"h1\"} 0\n"));
  g_assert_false (holds (f, "metrics/openmetrics", "cpu_time_seconds_total{vm=\"h1-1\""));
  g_assert_cmpint (g_get_monotonic_time () - start, <, VIRFS_METRICS_FLEET_PATIENCE);
}

static void
test_openmetrics (Fixture *f, gconstpointer data)
{
  static const char *const lines[] = {
    "# HELP virfs_vm_disk_write_bytes_total Bytes written.\n"
    "# TYPE virfs_vm_disk_write_bytes_total counter\n"
    "virfs_vm_disk_write_bytes_total{vm=\"h1-1\",host=\"h1\",device=\"vda\"} 4096\n",
    "\nvirfs_vm_state{vm=\"h1-2\",host=\"h1\",state=\"shutoff\"} 1\n",
    "\nvirfs_pool_capacity_bytes{host=\"h2\",pool=\"default\"} ",
    "\nvirfs_vm_net_rx_packets_total{vm=\"h2-1\",host=\"h2\",device=\"net0\"} 3\n",
  };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    if (!holds (f, "metrics/openmetrics", lines[i]))
      g_error ("there is no %s", lines[i]);
  if (sh_quietly (f, "type promtool > /dev/null") != 0) {
    g_test_skip ("there is no promtool");
    return;
  }
  g_assert_cmpint (sh_quietly (f, "promtool check metrics < metrics/openmetrics"), ==, 0);
}

static void
test_tables (Fixture *f, gconstpointer data)
{
  g_assert_true (holds (f, "metrics/vms.tsv", "name\thost\tstate\tcpu_time\t"));
  g_assert_true (holds (f, "metrics/vms.tsv", "\nh1-2\th1\tshutoff\t\t"));
  g_assert_true (holds (f, "metrics/hosts.tsv", "\nh2\tup\t"));
  g_assert_true (holds (f, "metrics/vms.csv", "\r\nh1-1,h1,running,1.500000,"));
  g_assert_true (holds (f, "metrics/hosts.json", "{ \"name\": \"h1\", \"state\": \"up\", "));
  /* as many fields in each line, and tools read it */
  g_assert_cmpint (sh_quietly (f, "test $(awk -F '\\t' '{ print NF }' metrics/vms.tsv | uniq |"
                                  " wc -l) = 1"),
                   ==, 0);
  g_assert_cmpint (sh_quietly (f, "python3 -m json.tool metrics/vms.json > /dev/null"), ==, 0);
}

/* What stat(2) says is what can be read. */
static void
test_sizes (Fixture *f, gconstpointer data)
{
  static const char *const paths[]
    = { "metrics/openmetrics", "metrics/vms.tsv", "vms/h1-1/metrics/all", "hosts/h1/metrics/all" };

  virfs_metrics_set_interval (virfs_infra_metrics (f->infra), 3600);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    g_autofree char *text = cat (f, paths[i]);

    g_assert_cmpuint ((guint64) stat_at (f, paths[i]).st_size, ==, strlen (text));
    g_assert_cmpuint (strlen (text), >, 0);
  }
  g_assert_cmpint (sh_quietly (f, "tar cf - . | tar tf - > /dev/null"), ==, 0);
}

#define ADD(path, func) g_test_add (path, Fixture, FLEET, set_up, func, fixture_tear_down)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  ADD ("/metrics/files", test_files);
  ADD ("/metrics/moves", test_moves);
  ADD ("/metrics/one-sample", test_one_sample);
  ADD ("/metrics/ends", test_ends);
  ADD ("/metrics/hold", test_hold);
  ADD ("/metrics/hung", test_hung);
  ADD ("/metrics/down", test_down);
  ADD ("/metrics/openmetrics", test_openmetrics);
  ADD ("/metrics/tables", test_tables);
  ADD ("/metrics/sizes", test_sizes);
  return g_test_run ();
}
