/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of metrics, and samples as texts. */
#include "metric.h"

#include "text.h"

#include <math.h>
#include <string.h>

/* clang-format off */
#define METRIC(id, name, type, unit, help) { name, VIRFS_METRIC_##type, VIRFS_METRIC_##unit, help },
#define DISK_METRIC(id, name, type, unit, help) METRIC (id, "disk_" name, type, unit, help)
#define NIC_METRIC(id, name, type, unit, help) METRIC (id, "net_" name, type, unit, help)

static const VirfsMetric vm_metrics[] = {
  VIRFS_VM_OWN_METRICS (METRIC)
  VIRFS_DISK_METRICS (DISK_METRIC)
  VIRFS_NIC_METRICS (NIC_METRIC)
};
static const VirfsMetric disk_metrics[] = { VIRFS_DISK_METRICS (METRIC) };
static const VirfsMetric nic_metrics[] = { VIRFS_NIC_METRICS (METRIC) };
static const VirfsMetric host_metrics[] = { VIRFS_HOST_METRICS (METRIC) };
static const VirfsMetric pool_metrics[] = { VIRFS_POOL_METRICS (METRIC) };

#define VIRFS_VM_METRIC_TIME   VIRFS_RATE_TIME
#define VIRFS_HOST_METRIC_TIME VIRFS_RATE_TIME
#define VM_RATE(id, name, unit, counter, per, help) \
  { name, VIRFS_METRIC_##unit, VIRFS_VM_METRIC_##counter, VIRFS_VM_METRIC_##per, help },
#define HOST_RATE(id, name, unit, counter, per, help) \
  { name, VIRFS_METRIC_##unit, VIRFS_HOST_METRIC_##counter, VIRFS_HOST_METRIC_##per, help },

static const VirfsRate vm_rates[] = { VIRFS_VM_RATES (VM_RATE) };
static const VirfsRate host_rates[] = { VIRFS_HOST_RATES (HOST_RATE) };
/* clang-format on */

/* Bits of `told`, and room in each sample. */
G_STATIC_ASSERT ((int) VIRFS_VM_N_METRICS <= 64);
G_STATIC_ASSERT ((int) VIRFS_HOST_N_METRICS <= (int) VIRFS_VM_N_METRICS);
G_STATIC_ASSERT ((int) VIRFS_HOST_N_RATES <= (int) VIRFS_VM_N_RATES);
G_STATIC_ASSERT ((int) VIRFS_NIC_N_METRICS <= (int) VIRFS_DISK_N_METRICS);

#define SET(prefix, metrics) prefix, metrics, G_N_ELEMENTS (metrics)

const VirfsMetricSet virfs_vm_metrics
  = { SET ("virfs_vm_", vm_metrics), vm_rates, G_N_ELEMENTS (vm_rates) };
const VirfsMetricSet virfs_disk_metrics = { SET ("virfs_vm_disk_", disk_metrics) };
const VirfsMetricSet virfs_nic_metrics = { SET ("virfs_vm_net_", nic_metrics) };
const VirfsMetricSet virfs_host_metrics
  = { SET ("virfs_host_", host_metrics), host_rates, G_N_ELEMENTS (host_rates) };
const VirfsMetricSet virfs_pool_metrics = { SET ("virfs_pool_", pool_metrics) };

/* Samples. */

VirfsSample *
virfs_sample_new (guint64 object)
{
  VirfsSample *sample = g_new0 (VirfsSample, 1);

  g_atomic_ref_count_init (&sample->refs);
  sample->object = object;
  sample->time = g_get_monotonic_time ();
  for (guint i = 0; i < G_N_ELEMENTS (sample->values); i++)
    sample->values[i] = VIRFS_ABSENT;
  for (guint i = 0; i < G_N_ELEMENTS (sample->rates); i++)
    sample->rates[i] = NAN;
  return sample;
}

VirfsSample *
virfs_sample_ref (VirfsSample *sample)
{
  g_atomic_ref_count_inc (&sample->refs);
  return sample;
}

void
virfs_sample_unref (VirfsSample *sample)
{
  if (sample == NULL || !g_atomic_ref_count_dec (&sample->refs))
    return;
  for (guint i = 0; i < VIRFS_SAMPLE_N_DEVICES; i++)
    g_clear_pointer (&sample->devices[i], g_array_unref);
  g_free (sample);
}

static void
clear_device (gpointer device)
{
  g_free (((VirfsDeviceSample *) device)->name);
}

void
virfs_sample_tell (VirfsSample *sample, VirfsSampleDevices kind)
{
  if (sample->devices[kind] != NULL)
    return;
  sample->devices[kind] = g_array_new (FALSE, FALSE, sizeof (VirfsDeviceSample));
  g_array_set_clear_func (sample->devices[kind], clear_device);
}

VirfsDeviceSample *
virfs_sample_add (VirfsSample *sample, VirfsSampleDevices kind, const char *name)
{
  g_autofree char *encoded = virfs_name_encode (name);

  return virfs_sample_add_named (sample, kind, encoded);
}

VirfsDeviceSample *
virfs_sample_add_named (VirfsSample *sample, VirfsSampleDevices kind, const char *name)
{
  VirfsDeviceSample device = { .name = g_strdup (name) };

  for (guint i = 0; i < G_N_ELEMENTS (device.values); i++)
    device.values[i] = VIRFS_ABSENT;
  virfs_sample_tell (sample, kind);
  g_array_append_val (sample->devices[kind], device);
  return &g_array_index (sample->devices[kind], VirfsDeviceSample, sample->devices[kind]->len - 1);
}

const VirfsDeviceSample *
virfs_sample_device (const VirfsSample *sample, VirfsSampleDevices kind, const char *name)
{
  GArray *devices = sample ? sample->devices[kind] : NULL;

  for (guint i = 0; devices && i < devices->len; i++) {
    const VirfsDeviceSample *device = &g_array_index (devices, VirfsDeviceSample, i);

    if (strcmp (device->name, name) == 0)
      return device;
  }
  return NULL;
}

const VirfsMetricSet *
virfs_sample_devices (VirfsSampleDevices kind)
{
  return kind == VIRFS_SAMPLE_DISKS ? &virfs_disk_metrics : &virfs_nic_metrics;
}

/* Texts. */

void
virfs_metric_append (VirfsMetricUnit unit, guint64 value, GString *out)
{
  if (unit == VIRFS_METRIC_SECONDS)
    g_string_append_printf (out, "%" G_GUINT64_FORMAT ".%06u", value / 1000000000,
                            (guint) (value % 1000000000 / 1000));
  else
    g_string_append_printf (out, "%" G_GUINT64_FORMAT, value);
}

static void
append_rate (VirfsMetricUnit unit, double value, GString *out)
{
  static const char *const formats[] = { "%.2f", "%.2f", "%.6f", "%.1f" };
  char text[G_ASCII_DTOSTR_BUF_SIZE + 16];

  g_string_append (out, g_ascii_formatd (text, sizeof text, formats[unit], value));
}

gboolean
virfs_sample_append (const VirfsMetricSet *set, const VirfsSample *sample, guint index,
                     GString *out)
{
  gboolean known = index < set->n ? sample->values[index] != VIRFS_ABSENT
                                  : !isnan (sample->rates[index - set->n]);

  if (!known)
    return FALSE;
  if (index < set->n)
    virfs_metric_append (set->metrics[index].unit, sample->values[index], out);
  else
    append_rate (set->rates[index - set->n].unit, sample->rates[index - set->n], out);
  return TRUE;
}

const char *
virfs_metric_name (const VirfsMetricSet *set, guint index)
{
  return index < set->n ? set->metrics[index].name : set->rates[index - set->n].name;
}
