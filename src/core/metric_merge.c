/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters that never fall.  What is shown of a counter is what it showed before and what has been added
 * since.  Within an epoch that is the difference; in a new one all that there is.  A device that counts less
 * than before was replaced, and a host has started again; a guest that does so has lost a virtual CPU.
 */
#include "metric.h"

#include <math.h>
#include <string.h>

/* What a counter has gained; *RAW is left as it is to be for the next time. */
static guint64
gain (guint64 raw_before, gboolean begins_again, guint64 *raw)
{
  if (*raw == VIRFS_ABSENT) {
    *raw = raw_before;
    return 0;
  }
  if (raw_before == VIRFS_ABSENT)
    return *raw;
  if (*raw < raw_before)
    return begins_again ? *raw : 0;
  return *raw - raw_before;
}

static guint64
add (guint64 shown, guint64 gained, gboolean told)
{
  if (shown == VIRFS_ABSENT)
    return told ? gained : VIRFS_ABSENT;
  return shown + gained;
}

/* A gauge that was not told is what it was, as long as the same guest runs. */
static guint64
gauge (guint64 before, guint64 *raw)
{
  if (*raw == VIRFS_ABSENT)
    *raw = before;
  return *raw;
}

static guint64
value_of (const VirfsSample *sample, guint i)
{
  return sample ? sample->values[i] : VIRFS_ABSENT;
}

/* OLD, NULL if it is new or counts from the beginning, is what it counted before. */
static void
merge_device (const VirfsMetricSet *set, const VirfsDeviceSample *old,
              const VirfsDeviceSample *shown, VirfsDeviceSample *raw, VirfsDeviceSample *now,
              VirfsSample *sum, guint first)
{
  for (guint i = 0; i < set->n; i++) {
    gboolean told = raw->values[i] != VIRFS_ABSENT;
    guint64 before = old ? old->values[i] : VIRFS_ABSENT;
    guint64 was = shown ? shown->values[i] : VIRFS_ABSENT;
    guint64 *total = &sum->values[first + i];

    if (told)
      sum->told |= G_GUINT64_CONSTANT (1) << (first + i);
    if (set->metrics[i].type == VIRFS_METRIC_GAUGE) {
      now->values[i] = gauge (before, &raw->values[i]);
      if (now->values[i] != VIRFS_ABSENT)
        *total = add (*total, now->values[i], TRUE);
    } else {
      guint64 gained = gain (before, TRUE, &raw->values[i]);

      now->values[i] = add (was, gained, told);
      *total = add (*total, gained, told);
    }
  }
}

/* Devices that were not told of are those that there were. */
static void
keep_devices (const VirfsSample *from, VirfsSample *to, VirfsSampleDevices kind)
{
  if (from != NULL && from->devices[kind] != NULL)
    to->devices[kind] = g_array_ref (from->devices[kind]);
}

static void
merge_devices (VirfsSampleDevices kind, const VirfsSample *old, const VirfsSample *before,
               VirfsSample *raw, VirfsSample *now)
{
  const VirfsMetricSet *set = virfs_sample_devices (kind);
  guint first = kind == VIRFS_SAMPLE_DISKS ? VIRFS_VM_METRIC_DISKS : VIRFS_VM_METRIC_NICS;

  for (guint i = 0; i < set->n; i++)
    if (raw->devices[kind] == NULL || set->metrics[i].type == VIRFS_METRIC_COUNTER)
      now->values[first + i] = value_of (before, first + i);
  if (raw->devices[kind] == NULL) {
    keep_devices (old, raw, kind);
    keep_devices (before, now, kind);
    return;
  }
  virfs_sample_tell (now, kind);
  for (guint i = 0; i < raw->devices[kind]->len; i++) {
    VirfsDeviceSample *device = &g_array_index (raw->devices[kind], VirfsDeviceSample, i);

    merge_device (set, virfs_sample_device (old, kind, device->name),
                  virfs_sample_device (before, kind, device->name), device,
                  virfs_sample_add_named (now, kind, device->name), now, first);
  }
}

static void
merge_value (const VirfsMetric *metric, guint i, gboolean is_host, const VirfsSample *old,
             const VirfsSample *before, VirfsSample *raw, VirfsSample *now)
{
  gboolean told = raw->values[i] != VIRFS_ABSENT;

  if (told)
    now->told |= G_GUINT64_CONSTANT (1) << i;
  if (metric->type == VIRFS_METRIC_GAUGE)
    now->values[i] = raw->epoch ? gauge (value_of (old, i), &raw->values[i]) : raw->values[i];
  else
    now->values[i]
      = add (value_of (before, i), gain (value_of (old, i), is_host, &raw->values[i]), told);
}

/* Rates. */

static double
gained (const VirfsSample *before, const VirfsSample *now, guint i)
{
  guint64 both = before->told & now->told;

  if (!(both >> i & 1))
    return NAN;
  return (double) (now->values[i] - before->values[i]);
}

static double
guest_rate (const VirfsMetricSet *set, const VirfsRate *rate, const VirfsSample *before,
            const VirfsSample *now)
{
  double seconds = (double) (now->time - before->time) / G_USEC_PER_SEC;
  double value = gained (before, now, rate->counter);
  double per = rate->per == VIRFS_RATE_TIME ? seconds : gained (before, now, rate->per);

  if (set->metrics[rate->counter].unit == VIRFS_METRIC_SECONDS)
    value /= 1e9;
  if (rate->unit == VIRFS_METRIC_PERCENT)
    value *= 100.0
             / (double) MAX (1, now->values[VIRFS_VM_METRIC_VCPUS] != VIRFS_ABSENT
                                  ? now->values[VIRFS_VM_METRIC_VCPUS]
                                  : 1);
  return per > 0 ? value / per : NAN;
}

/* Of all the time that its CPUs had. */
static double
host_rate (VirfsHostRate rate, const VirfsSample *before, const VirfsSample *now)
{
  double user = gained (before, now, VIRFS_HOST_METRIC_CPU_USER);
  double kernel = gained (before, now, VIRFS_HOST_METRIC_CPU_SYSTEM);
  double idle = gained (before, now, VIRFS_HOST_METRIC_CPU_IDLE);
  double waits = gained (before, now, VIRFS_HOST_METRIC_CPU_IOWAIT);
  double all = user + kernel + idle + (isnan (waits) ? 0 : waits);

  if (!(all > 0))
    return NAN;
  return 100 * (rate == VIRFS_HOST_RATE_CPU_PERCENT ? user + kernel : waits) / all;
}

static void
make_rates (const VirfsMetricSet *set, const VirfsSample *before, VirfsSample *now)
{
  for (guint i = 0; i < set->n_rates; i++)
    now->rates[i] = set == &virfs_host_metrics ? host_rate ((VirfsHostRate) i, before, now)
                                               : guest_rate (set, &set->rates[i], before, now);
}

static gboolean
same_devices (GArray *a, GArray *b)
{
  if (a == b || a == NULL || b == NULL || a->len != b->len)
    return a == b;
  for (guint i = 0; i < a->len; i++) {
    const VirfsDeviceSample *p = &g_array_index (a, VirfsDeviceSample, i),
                            *q = &g_array_index (b, VirfsDeviceSample, i);

    if (strcmp (p->name, q->name) != 0 || memcmp (p->values, q->values, sizeof p->values) != 0)
      return FALSE;
  }
  return TRUE;
}

static gboolean
shows_the_same (const VirfsSample *a, const VirfsSample *b)
{
  for (guint i = 0; i < G_N_ELEMENTS (a->rates); i++)
    if (!(a->rates[i] == b->rates[i] || (isnan (a->rates[i]) && isnan (b->rates[i]))))
      return FALSE;
  return memcmp (a->values, b->values, sizeof a->values) == 0
         && same_devices (a->devices[VIRFS_SAMPLE_DISKS], b->devices[VIRFS_SAMPLE_DISKS])
         && same_devices (a->devices[VIRFS_SAMPLE_NICS], b->devices[VIRFS_SAMPLE_NICS]);
}

VirfsSample *
virfs_sample_merge (const VirfsMetricSet *set, const VirfsSample *raw_before,
                    const VirfsSample *before, VirfsSample *raw)
{
  VirfsSample *now = virfs_sample_new (raw->object);
  gboolean is_host = set == &virfs_host_metrics;
  gboolean same = raw_before != NULL && (raw->epoch == raw_before->epoch || raw->epoch == 0);
  const VirfsSample *old = same ? raw_before : NULL;
  guint n = is_host ? set->n : VIRFS_VM_METRIC_DISKS;

  now->time = raw->time;
  now->epoch = raw->epoch;
  for (guint i = 0; i < n; i++)
    merge_value (&set->metrics[i], i, is_host, old, before, raw, now);
  for (guint i = 0; !is_host && i < VIRFS_SAMPLE_N_DEVICES; i++)
    merge_devices ((VirfsSampleDevices) i, old, before, raw, now);
  if (before != NULL && before->epoch == now->epoch && (is_host || now->epoch != 0))
    make_rates (set, before, now);
  /* that it does not run now does not end what it counts from */
  if (raw->epoch == 0 && raw_before != NULL)
    raw->epoch = raw_before->epoch;
  now->changed = before && shows_the_same (before, now) ? before->changed : g_get_real_time ();
  return now;
}
