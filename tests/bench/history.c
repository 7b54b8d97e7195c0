/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history [GUESTS [HOURS [DIRECTORY]]]: what a history costs.  A fleet is sampled every 15 s of as many simulated hours; a third of
 * the guests idles, a third does something, a third is busy.  Prints the CPU time that merging, keeping and
 * compacting takes, as a part of one core, and what it takes on the disk (in DIRECTORY, which is kept).
 */
#include "fake.h"
#include "history_db.h"
#include "metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define INTERVAL (15 * G_TIME_SPAN_SECOND)
#define BEGIN    (G_GINT64_CONSTANT (20500) * G_TIME_SPAN_DAY)

static gint64 now;

static gint64
read_clock (void)
{
  return __atomic_load_n (&now, __ATOMIC_RELAXED);
}

static void
set_clock (gint64 time)
{
  __atomic_store_n (&now, time, __ATOMIC_RELAXED);
}

static double
cpu_seconds (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double
resident_mib (void)
{
  g_autofree char *text = NULL;
  long pages = 0;

  g_file_get_contents ("/proc/self/statm", &text, NULL, NULL);
  sscanf (text, "%*d %ld", &pages);
  return (double) (pages * sysconf (_SC_PAGESIZE)) / (1 << 20);
}

/* What guest I has counted and has after TICKS; BUSY: 0 to 2. */
static VirfsSample *
make_sample (guint64 id, guint busy, guint64 ticks, GRand *random, guint64 *counted)
{
  VirfsSample *sample = virfs_sample_new (id);
  VirfsDeviceSample *disk = virfs_sample_add_named (sample, VIRFS_SAMPLE_DISKS, "vda");
  VirfsDeviceSample *nic = virfs_sample_add_named (sample, VIRFS_SAMPLE_NICS, "eth0");
  guint64 work = busy == 0 ? 0 : g_rand_int_range (random, 0, busy == 1 ? 100 : 10000);

  *counted += work;
  sample->epoch = 1;
  for (guint i = 0; i < VIRFS_VM_METRIC_DISKS; i++)
    sample->values[i] = 1 << 30;
  for (guint i = 0; i < VIRFS_DISK_N_METRICS; i++)
    disk->values[i] = i < VIRFS_DISK_METRIC_CAPACITY ? *counted * (512 >> i) : 1 << 30;
  for (guint i = 0; i < VIRFS_NIC_N_METRICS; i++)
    nic->values[i] = i % 4 < 2 ? *counted * (100 >> i) : 0;
  sample->values[VIRFS_VM_METRIC_CPU_TIME] = ticks * 10000000 + *counted * 1000003;
  sample->values[VIRFS_VM_METRIC_CPU_USER] = ticks * 7000000 + *counted * 700001;
  sample->values[VIRFS_VM_METRIC_CPU_SYSTEM] = ticks * 3000000 + *counted * 300001;
  sample->values[VIRFS_VM_METRIC_VCPUS] = 2;
  sample->values[VIRFS_VM_METRIC_MEMORY_RSS] = (1 << 30) + work * 4096;
  return sample;
}

typedef struct {
  VirfsInfra *infra;
  VirfsHost *host;
  GArray *ids;
  guint64 *counted;
  GRand *random;
  gint64 start;
} Fleet;

static void
add_id (VirfsVm *vm, const VirfsVmInfo *info, gpointer ids)
{
  g_array_append_val ((GArray *) ids, vm->object.id);
}

static void
nothing (gpointer data)
{
}

/* Samples are as far apart as they would be, whatever time it is. */
static void
tick (Fleet *fleet, guint64 ticks)
{
  GPtrArray *samples = g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_sample_unref);
  VirfsSample *of_host = virfs_sample_new (0);
  gint64 time = fleet->start + (gint64) ticks * INTERVAL;

  of_host->time = time;
  of_host->values[VIRFS_HOST_METRIC_MEMORY_FREE] = 1 << 30;
  for (guint i = 0; i < fleet->ids->len; i++) {
    VirfsSample *sample = make_sample (g_array_index (fleet->ids, guint64, i), i % 3, ticks,
                                       fleet->random, &fleet->counted[i]);

    sample->time = time;
    g_ptr_array_add (samples, sample);
  }
  set_clock (BEGIN + g_get_monotonic_time () - fleet->start);
  virfs_metrics_tell (virfs_infra_metrics (fleet->infra), fleet->host, of_host, samples);
}

static double
milliseconds_since (gint64 start)
{
  return (double) (g_get_monotonic_time () - start) / 1000;
}

/* How long reading takes: of one guest from the disk, of all from memory. */
static void
time_reads (Fleet *fleet)
{
  VirfsHistory *history = virfs_infra_history (fleet->infra);
  VirfsVm *vm = virfs_infra_object (fleet->infra, g_array_index (fleet->ids, guint64, 2));
  double minutes[VIRFS_HISTORY_MINUTES];
  gint64 start;

  for (guint i = 0; i < VIRFS_N_RANGES; i++) {
    start = g_get_monotonic_time ();
    virfs_series_unref (virfs_history_read_range (history, vm, VIRFS_VM_METRIC_DISK_WRITE_BYTES,
                                                  (VirfsRange) i, 0, NULL));
    printf ("last %s: %.1f ms; ", virfs_range_name ((VirfsRange) i), milliseconds_since (start));
  }
  start = g_get_monotonic_time ();
  for (guint i = 0; i < fleet->ids->len; i++) {
    VirfsVm *one = virfs_infra_object (fleet->infra, g_array_index (fleet->ids, guint64, i));

    virfs_history_recent (history, one, VIRFS_VM_METRIC_DISK_WRITE_BYTES, minutes);
    virfs_object_unref (one);
  }
  virfs_object_unref (vm);
  printf ("last minutes of all: %.1f ms\n", milliseconds_since (start));
}

static void
run (Fleet *fleet, VirfsHistoryDb *db, guint hours)
{
  const VirfsHistoryStore *store = virfs_history_db_store (db);
  VirfsHistory *history = virfs_infra_history (fleet->infra);
  double begin = cpu_seconds (), before = resident_mib (), used, worst = 0;
  guint64 n = (guint64) hours * G_TIME_SPAN_HOUR / INTERVAL;

  for (guint64 i = 1; i <= n; i++) {
    tick (fleet, i);
    if (i % 20 == 0) {
      gint64 start = g_get_monotonic_time ();

      set_clock (BEGIN + (gint64) i * INTERVAL);
      virfs_history_flush (history);
      worst = MAX (worst, (double) (g_get_monotonic_time () - start) / 1e6);
    }
  }
  used = (cpu_seconds () - begin) / (hours * 3600.0);
  printf ("%u guests, %u hours: %.2f %% of one core, %.0f KiB a guest and day in all,"
          " %.1f MiB in memory more, longest round %.2f s\n",
          fleet->ids->len, hours, 100 * used,
          (double) store->used (store->data) / 1024 / fleet->ids->len * 24 / hours,
          resident_mib () - before, worst);
}

int
main (int argc, char **argv)
{
  static const VirfsHistoryOptions options
    = { .keep = { 3650 * G_TIME_SPAN_DAY, 3650 * G_TIME_SPAN_DAY, 3650 * G_TIME_SPAN_DAY } };
  guint guests = argc > 1 ? (guint) atoi (argv[1]) : 1000,
        hours = argc > 2 ? (guint) atoi (argv[2]) : 24;
  g_autofree char *uri = g_strdup_printf ("fake:%u", guests);
  gboolean keep = argc > 3;
  g_autofree char *directory
    = keep ? g_strdup (argv[3]) : g_dir_make_tmp ("virfs-bench-XXXXXX", NULL);
  g_autofree char *remove = g_strdup_printf ("rm -r %s", directory);
  g_autoptr (VirfsHistoryDb) db = virfs_history_db_open (directory, NULL);
  Fleet fleet = { .infra = virfs_infra_new (&virfs_fake_backend, 60) };

  fleet.host = virfs_infra_add_host (fleet.infra, "h1", uri, NULL);
  virfs_infra_settle (fleet.infra, G_TIME_SPAN_MINUTE);
  fleet.ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  virfs_infra_foreach_vm (fleet.infra, NULL, add_id, fleet.ids);
  fleet.counted = g_new0 (guint64, fleet.ids->len);
  fleet.random = g_rand_new_with_seed (1);
  virfs_history_set_clock (virfs_infra_history (fleet.infra), read_clock);
  virfs_history_start (virfs_infra_history (fleet.infra), virfs_history_db_store (db), &options);
  g_atomic_pointer_set (&virfs_fake_hung, "h1");
  virfs_metrics_set_interval (virfs_infra_metrics (fleet.infra), 3600);
  virfs_metrics_await (virfs_infra_metrics (fleet.infra), fleet.host, nothing, NULL);
  fleet.start = g_get_monotonic_time ();
  run (&fleet, db, hours);
  time_reads (&fleet);
  virfs_infra_stop (fleet.infra, 0);
  return keep ? 0 : system (remove);
}
