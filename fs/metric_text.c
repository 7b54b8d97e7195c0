/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fleet for Prometheus, in its text format 0.0.4: families of metrics, each with HELP and TYPE and a line
 * for each object.  What stays of a guest is in virfs_vm_info, so that the other lines are short.
 */
#include "metric_files.h"

#include <string.h>

static const char *
unit_suffix (const VirfsMetric *metric)
{
  if (metric->unit == VIRFS_METRIC_BYTES && !g_str_has_suffix (metric->name, "_bytes"))
    return "_bytes";
  return metric->unit == VIRFS_METRIC_SECONDS ? "_seconds" : "";
}

/* HELP and TYPE; the name of the family goes to NAME. */
static void
begin_family (GString *out, const char *prefix, const VirfsMetric *metric, GString *name)
{
  gboolean counter = metric->type == VIRFS_METRIC_COUNTER;

  g_string_printf (name, "%s%s%s%s", prefix, metric->name, unit_suffix (metric),
                   counter ? "_total" : "");
  g_string_append_printf (out, "# HELP %s %c%s.\n# TYPE %s %s\n", name->str,
                          g_ascii_toupper (*metric->help), metric->help + 1, name->str,
                          counter ? "counter" : "gauge");
}

static void
append_family (GString *out, const VirfsMetricSet *set, guint index, GPtrArray *lines)
{
  g_autoptr (GString) name = g_string_new (NULL);
  gsize start = out->len, first;

  begin_family (out, set->prefix, &set->metrics[index], name);
  first = out->len;
  for (guint i = 0; i < lines->len; i++) {
    const VirfsFleetLine *line = lines->pdata[i];

    if (line->sample == NULL || line->sample->values[index] == VIRFS_ABSENT)
      continue;
    g_string_append_len (out, name->str, (gssize) name->len);
    g_string_append_c (out, '{');
    g_string_append (out, line->labels);
    g_string_append (out, "} ");
    virfs_sample_append (set, line->sample, index, out);
    g_string_append_c (out, '\n');
  }
  /* a family without a line says nothing */
  if (out->len == first)
    g_string_truncate (out, start);
}

static void
append_devices (GString *out, VirfsSampleDevices kind, guint index, const char *name,
                const VirfsFleetLine *line)
{
  GArray *devices = line->sample ? line->sample->devices[kind] : NULL;

  for (guint i = 0; devices && i < devices->len; i++) {
    const VirfsDeviceSample *device = &g_array_index (devices, VirfsDeviceSample, i);

    if (device->values[index] == VIRFS_ABSENT)
      continue;
    g_string_append_printf (out, "%s{%s", name, line->labels);
    virfs_fleet_append_label (out, "device", device->name);
    g_string_append (out, "} ");
    virfs_metric_append (virfs_sample_devices (kind)->metrics[index].unit, device->values[index],
                         out);
    g_string_append_c (out, '\n');
  }
}

static void
append_device_family (GString *out, VirfsSampleDevices kind, guint index, GPtrArray *vms)
{
  const VirfsMetricSet *set = virfs_sample_devices (kind);
  g_autoptr (GString) name = g_string_new (NULL);
  gsize start = out->len, first;

  begin_family (out, set->prefix, &set->metrics[index], name);
  first = out->len;
  for (guint i = 0; i < vms->len; i++)
    append_devices (out, kind, index, name->str, vms->pdata[i]);
  if (out->len == first)
    g_string_truncate (out, start);
}

/* What is known without samples. */

static void
append_states (GString *out, const char *prefix, GPtrArray *lines)
{
  g_string_append_printf (
    out, "# HELP %sstate State, as a label; always 1.\n# TYPE %sstate gauge\n", prefix, prefix);
  for (guint i = 0; i < lines->len; i++) {
    const VirfsFleetLine *line = lines->pdata[i];

    g_string_append_printf (out, "%sstate{%s,state=\"%s\"} 1\n", prefix, line->labels, line->state);
  }
}

static void
append_ups (GString *out, GPtrArray *hosts)
{
  g_string_append (out, "# HELP virfs_host_up Whether virfs reaches it.\n"
                        "# TYPE virfs_host_up gauge\n");
  for (guint i = 0; i < hosts->len; i++) {
    const VirfsFleetLine *line = hosts->pdata[i];

    g_string_append_printf (out, "virfs_host_up{%s} %d\n", line->labels, line->up);
  }
}

static void
append_infos (GString *out, GPtrArray *vms)
{
  g_string_append (out,
                   "# HELP virfs_vm_info What stays the same of a guest, as labels; always 1.\n"
                   "# TYPE virfs_vm_info gauge\n");
  for (guint i = 0; i < vms->len; i++) {
    const VirfsFleetLine *line = vms->pdata[i];

    g_string_append_printf (out, "virfs_vm_info{%s,uuid=\"%s\"} 1\n", line->labels, line->uuid);
  }
}

static void
append_pools (GString *out, const char *name, const char *help, gsize member, GPtrArray *hosts)
{
  g_string_append_printf (out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
  for (guint i = 0; i < hosts->len; i++) {
    const VirfsFleetLine *line = hosts->pdata[i];

    for (guint j = 0; line->up && line->pools && j < line->pools->len; j++) {
      const VirfsPoolInfo *pool = line->pools->pdata[j];
      g_autofree char *label = virfs_part_label (&virfs_pool_class, pool->part.name);

      if (!virfs_pool_is_active (pool))
        continue;
      g_string_append_printf (out, "%s{%s", name, line->labels);
      virfs_fleet_append_label (out, "pool", label);
      g_string_append_printf (out, "} %" G_GUINT64_FORMAT "\n",
                              G_STRUCT_MEMBER (guint64, pool, member));
    }
  }
}

#define POOL(member) G_STRUCT_OFFSET (VirfsPoolInfo, member)

GString *
virfs_fleet_openmetrics (VirfsInfra *infra)
{
  g_autoptr (GPtrArray) hosts = virfs_fleet_hosts (infra);
  g_autoptr (GPtrArray) vms = virfs_fleet_vms (infra);
  GString *out = g_string_new (NULL);

  append_ups (out, hosts);
  append_states (out, virfs_host_metrics.prefix, hosts);
  for (guint i = 0; i < virfs_host_metrics.n; i++)
    append_family (out, &virfs_host_metrics, i, hosts);
  append_pools (out, "virfs_pool_capacity_bytes", "Size of a pool.", POOL (capacity), hosts);
  append_pools (out, "virfs_pool_allocation_bytes", "What is taken of it.", POOL (allocation),
                hosts);
  append_pools (out, "virfs_pool_available_bytes", "What is free of it.", POOL (available), hosts);
  append_infos (out, vms);
  append_states (out, virfs_vm_metrics.prefix, vms);
  /* sums of devices are left to who asks for them: they would be counted twice */
  for (guint i = 0; i < VIRFS_VM_METRIC_DISKS; i++)
    append_family (out, &virfs_vm_metrics, i, vms);
  for (guint kind = 0; kind < VIRFS_SAMPLE_N_DEVICES; kind++)
    for (guint i = 0; i < virfs_sample_devices ((VirfsSampleDevices) kind)->n; i++)
      append_device_family (out, (VirfsSampleDevices) kind, i, vms);
  return out;
}
