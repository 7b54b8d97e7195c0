/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples and how they are merged. */
#include "metric.h"

#include <math.h>
#include <string.h>

#define SECOND G_GUINT64_CONSTANT (1000000000)

typedef struct {
  VirfsSample *raw, *shown;
  gint64 time;
} Guest;

static void
set_up (Guest *g, gconstpointer data)
{
}

static void
tear_down (Guest *g, gconstpointer data)
{
  virfs_sample_unref (g->raw);
  virfs_sample_unref (g->shown);
}

/* One second later; takes RAW. */
static void
take (Guest *g, const VirfsMetricSet *set, VirfsSample *raw)
{
  VirfsSample *shown;

  raw->time = g->time += G_USEC_PER_SEC;
  shown = virfs_sample_merge (set, g->raw, g->shown, raw);
  virfs_sample_unref (g->raw);
  virfs_sample_unref (g->shown);
  g->raw = raw;
  g->shown = shown;
}

static VirfsSample *
sample (guint64 epoch, guint64 cpu)
{
  VirfsSample *raw = virfs_sample_new (1);

  raw->epoch = epoch;
  raw->values[VIRFS_VM_METRIC_CPU_TIME] = cpu;
  return raw;
}

static void
with_disk (VirfsSample *raw, const char *name, guint64 written)
{
  virfs_sample_add (raw, VIRFS_SAMPLE_DISKS, name)->values[VIRFS_DISK_METRIC_WRITE_BYTES] = written;
}

#define assert_value(g, id, expected)                                                              \
  g_assert_cmpuint ((g)->shown->values[VIRFS_VM_METRIC_##id], ==, expected)
#define assert_rate(g, id, expected)                                                               \
  g_assert_cmpfloat_with_epsilon ((g)->shown->rates[VIRFS_VM_RATE_##id], expected, 0.001)

static void
test_rates (Guest *g, gconstpointer data)
{
  VirfsSample *raw = sample (1, 10 * SECOND);

  raw->values[VIRFS_VM_METRIC_VCPUS] = 2;
  take (g, &virfs_vm_metrics, raw);
  assert_value (g, CPU_TIME, 10 * SECOND);
  g_assert_true (isnan (g->shown->rates[VIRFS_VM_RATE_CPU_PERCENT]));
  take (g, &virfs_vm_metrics, sample (1, 11 * SECOND));
  assert_value (g, CPU_TIME, 11 * SECOND);
  assert_value (g, VCPUS, 2); /* kept */
  assert_rate (g, CPU_PERCENT, 50);
}

static void
test_latency (Guest *g, gconstpointer data)
{
  for (guint i = 1; i <= 2; i++) {
    VirfsSample *raw = sample (1, 0);
    VirfsDeviceSample *disk = virfs_sample_add (raw, VIRFS_SAMPLE_DISKS, "vda");

    disk->values[VIRFS_DISK_METRIC_READ_TIME] = i * SECOND;
    disk->values[VIRFS_DISK_METRIC_READ_REQUESTS] = i * 4;
    take (g, &virfs_vm_metrics, raw);
  }
  assert_rate (g, DISK_READ_LATENCY, 0.25);
  assert_rate (g, DISK_READ_IOPS, 4);
  g_assert_true (isnan (g->shown->rates[VIRFS_VM_RATE_DISK_WRITE_LATENCY]));
}

static void
test_restart (Guest *g, gconstpointer data)
{
  take (g, &virfs_vm_metrics, sample (1, 10 * SECOND));
  take (g, &virfs_vm_metrics, sample (0, VIRFS_ABSENT)); /* it is shut off */
  assert_value (g, CPU_TIME, 10 * SECOND);
  take (g, &virfs_vm_metrics, sample (2, 3 * SECOND));
  assert_value (g, CPU_TIME, 13 * SECOND);
  g_assert_true (isnan (g->shown->rates[VIRFS_VM_RATE_CPU_PERCENT]));
  take (g, &virfs_vm_metrics, sample (2, 4 * SECOND));
  assert_value (g, CPU_TIME, 14 * SECOND);
  /* also where it has more by then than it had before */
  take (g, &virfs_vm_metrics, sample (3, 5 * SECOND));
  assert_value (g, CPU_TIME, 19 * SECOND);
}

/* A guest that is busy tells nothing for a while. */
static void
test_busy (Guest *g, gconstpointer data)
{
  VirfsSample *raw = sample (1, 10 * SECOND);

  with_disk (raw, "vda", 100);
  take (g, &virfs_vm_metrics, raw);
  take (g, &virfs_vm_metrics, sample (1, VIRFS_ABSENT));
  assert_value (g, CPU_TIME, 10 * SECOND);
  assert_value (g, DISK_WRITE_BYTES, 100);
  g_assert_true (isnan (g->shown->rates[VIRFS_VM_RATE_CPU_PERCENT]));
  raw = sample (1, 12 * SECOND);
  with_disk (raw, "vda", 150);
  take (g, &virfs_vm_metrics, raw);
  assert_value (g, CPU_TIME, 12 * SECOND);
  assert_value (g, DISK_WRITE_BYTES, 150);
}

static void
test_disks (Guest *g, gconstpointer data)
{
  VirfsSample *raw = sample (1, 0);

  with_disk (raw, "vda", 100);
  with_disk (raw, "vdb", 1000);
  take (g, &virfs_vm_metrics, raw);
  assert_value (g, DISK_WRITE_BYTES, 1100);
  /* one goes: what it wrote was written */
  raw = sample (1, 0);
  with_disk (raw, "vda", 110);
  take (g, &virfs_vm_metrics, raw);
  assert_value (g, DISK_WRITE_BYTES, 1110);
  g_assert_null (virfs_sample_device (g->shown, VIRFS_SAMPLE_DISKS, "vdb"));
  /* another takes its name */
  raw = sample (1, 0);
  with_disk (raw, "vda", 110);
  with_disk (raw, "vdb", 5);
  take (g, &virfs_vm_metrics, raw);
  assert_value (g, DISK_WRITE_BYTES, 1115);
  /* and is replaced between two samples */
  raw = sample (1, 0);
  with_disk (raw, "vda", 110);
  with_disk (raw, "vdb", 2);
  take (g, &virfs_vm_metrics, raw);
  assert_value (g, DISK_WRITE_BYTES, 1117);
  assert_value (g, DISK_READ_BYTES, VIRFS_ABSENT);
}

static void
test_host (Guest *g, gconstpointer data)
{
  static const guint64 idle[] = { 100, 103, 3 }; /* in the end it has started again */

  for (guint i = 0; i < G_N_ELEMENTS (idle); i++) {
    VirfsSample *raw = virfs_sample_new (0);

    raw->values[VIRFS_HOST_METRIC_CPU_USER] = (i + 1) * SECOND;
    raw->values[VIRFS_HOST_METRIC_CPU_SYSTEM] = 0;
    raw->values[VIRFS_HOST_METRIC_CPU_IDLE] = idle[i] * SECOND;
    take (g, &virfs_host_metrics, raw);
    if (i == 1)
      g_assert_cmpfloat (g->shown->rates[VIRFS_HOST_RATE_CPU_PERCENT], ==, 25);
  }
  g_assert_cmpuint (g->shown->values[VIRFS_HOST_METRIC_CPU_IDLE], ==, 106 * SECOND);
}

/* When what is shown has changed last. */
static void
test_changed (Guest *g, gconstpointer data)
{
  gint64 first;

  take (g, &virfs_vm_metrics, sample (1, SECOND));
  take (g, &virfs_vm_metrics, sample (1, SECOND)); /* now there is a rate */
  first = g->shown->changed;
  take (g, &virfs_vm_metrics, sample (1, SECOND));
  g_assert_cmpint (g->shown->changed, ==, first);
  g_usleep (1);
  take (g, &virfs_vm_metrics, sample (1, 2 * SECOND));
  g_assert_cmpint (g->shown->changed, >, first);
}

static void
test_text (void)
{
  g_autoptr (VirfsSample) raw = sample (1, 1234567890);
  g_autoptr (GString) out = g_string_new (NULL);

  g_assert_true (virfs_sample_append (&virfs_vm_metrics, raw, VIRFS_VM_METRIC_CPU_TIME, out));
  g_assert_cmpstr (out->str, ==, "1.234567");
  g_assert_false (virfs_sample_append (&virfs_vm_metrics, raw, VIRFS_VM_METRIC_VCPUS, out));
  g_assert_false (virfs_sample_append (&virfs_vm_metrics, raw, VIRFS_VM_N_METRICS, out));
  raw->rates[VIRFS_VM_RATE_CPU_PERCENT] = 12.34;
  g_string_truncate (out, 0);
  g_assert_true (virfs_sample_append (&virfs_vm_metrics, raw,
                                      VIRFS_VM_N_METRICS + VIRFS_VM_RATE_CPU_PERCENT, out));
  g_assert_cmpstr (out->str, ==, "12.3");
}

static void
check_set (const VirfsMetricSet *set)
{
  for (guint i = 0; i < set->n + set->n_rates; i++) {
    const char *name = virfs_metric_name (set, i);

    g_assert_cmpuint (strspn (name, "abcdefghijklmnopqrstuvwxyz_"), ==, strlen (name));
    for (guint j = 0; j < i; j++)
      g_assert_cmpstr (name, !=, virfs_metric_name (set, j));
    if (i >= set->n)
      g_assert_cmpint (set->metrics[set->rates[i - set->n].counter].type, ==, VIRFS_METRIC_COUNTER);
  }
}

static void
test_tables (void)
{
  check_set (&virfs_vm_metrics);
  check_set (&virfs_disk_metrics);
  check_set (&virfs_nic_metrics);
  check_set (&virfs_host_metrics);
  /* sums are found by the devices' numbers */
  for (guint i = 0; i < virfs_disk_metrics.n; i++)
    g_assert_true (g_str_has_suffix (virfs_vm_metrics.metrics[VIRFS_VM_METRIC_DISKS + i].name,
                                     virfs_disk_metrics.metrics[i].name));
  for (guint i = 0; i < virfs_nic_metrics.n; i++)
    g_assert_true (g_str_has_suffix (virfs_vm_metrics.metrics[VIRFS_VM_METRIC_NICS + i].name,
                                     virfs_nic_metrics.metrics[i].name));
}

#define ADD(path, func) g_test_add (path, Guest, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/metric/rates", test_rates);
  ADD ("/metric/latency", test_latency);
  ADD ("/metric/restart", test_restart);
  ADD ("/metric/busy", test_busy);
  ADD ("/metric/disks", test_disks);
  ADD ("/metric/host", test_host);
  ADD ("/metric/changed", test_changed);
  g_test_add_func ("/metric/text", test_text);
  g_test_add_func ("/metric/tables", test_tables);
  return g_test_run ();
}
