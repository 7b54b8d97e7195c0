/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics of one guest or host. */
#include "metric_files.h"

static VirfsMetrics *
metrics_of (const VirfsNode *node)
{
  return virfs_infra_metrics (virfs_node_infra (node));
}

static gboolean
is_vm (const VirfsNode *node)
{
  return ((const VirfsObject *) node->object)->kind == VIRFS_KIND_VM;
}

static VirfsHost *
host_of (const VirfsNode *node)
{
  return is_vm (node) ? ((const VirfsVmInfo *) node->snapshot)->host : node->object;
}

/* Nothing of a host that is away is known to be true. */
static VirfsSample *
sample_of (const VirfsNode *node)
{
  g_autoptr (VirfsHostInfo) host = virfs_host_info (host_of (node));

  return host->state == VIRFS_HOST_UP ? virfs_metrics_sample (metrics_of (node), node->object)
                                      : NULL;
}

static const VirfsMetricSet *
set_of (const VirfsNode *node)
{
  return is_vm (node) ? &virfs_vm_metrics : &virfs_host_metrics;
}

void
virfs_show_metric (const VirfsNode *node, GString *out)
{
  g_autoptr (VirfsSample) sample = sample_of (node);

  if (sample != NULL && virfs_sample_append (set_of (node), sample, (guint) node->row->offset, out))
    g_string_append_c (out, '\n');
}

static void
append_line (const VirfsMetricSet *set, const VirfsSample *sample, guint index, GString *out)
{
  gsize start = out->len;

  g_string_append_printf (out, "%s ", virfs_metric_name (set, index));
  if (virfs_sample_append (set, sample, index, out))
    g_string_append_c (out, '\n');
  else
    g_string_truncate (out, start);
}

static void
append_device (const VirfsMetricSet *set, const char *kind, const VirfsDeviceSample *device,
               GString *out)
{
  for (guint i = 0; i < set->n; i++)
    if (device->values[i] != VIRFS_ABSENT) {
      g_string_append_printf (out, "%s.%s.%s ", kind, device->name, set->metrics[i].name);
      virfs_metric_append (set->metrics[i].unit, device->values[i], out);
      g_string_append_c (out, '\n');
    }
}

void
virfs_show_metrics (const VirfsNode *node, GString *out)
{
  static const char *const kinds[VIRFS_SAMPLE_N_DEVICES] = { "disks", "nics" };
  g_autoptr (VirfsSample) sample = sample_of (node);
  const VirfsMetricSet *set = set_of (node);

  if (sample == NULL)
    return;
  for (guint i = 0; i < set->n + set->n_rates; i++)
    append_line (set, sample, i, out);
  for (guint kind = 0; kind < VIRFS_SAMPLE_N_DEVICES; kind++) {
    GArray *devices = sample->devices[kind];

    for (guint i = 0; devices && i < devices->len; i++)
      append_device (virfs_sample_devices ((VirfsSampleDevices) kind), kinds[kind],
                     &g_array_index (devices, VirfsDeviceSample, i), out);
  }
}

gboolean
virfs_await_metric (const VirfsNode *node, void (*ready) (gpointer data), gpointer data)
{
  return virfs_metrics_await (metrics_of (node), host_of (node), ready, data);
}

gboolean
virfs_is_metric (const VirfsNode *node, gint64 *changed)
{
  g_autoptr (VirfsSample) sample = NULL;

  if (node->row->await != virfs_await_metric)
    return FALSE;
  sample = sample_of (node);
  if (sample == NULL)
    return FALSE;
  *changed = sample->changed;
  return TRUE;
}

/* Of the fleet. */

static GString *
make_text (VirfsInfra *infra, guint which)
{
  if (which == VIRFS_FLEET_OPENMETRICS)
    return virfs_fleet_openmetrics (infra);
  if (which >= VIRFS_FLEET_HOSTS)
    return virfs_fleet_hosts_table (infra, which - VIRFS_FLEET_HOSTS);
  return virfs_fleet_vms_table (infra, which - VIRFS_FLEET_VMS);
}

static GBytes *
text_of (const VirfsNode *node, gboolean open)
{
  return virfs_metrics_text (metrics_of (node), (guint) node->row->offset, open, make_text);
}

gsize
virfs_fleet_size (const VirfsNode *node)
{
  g_autoptr (GBytes) text = text_of (node, FALSE);

  return g_bytes_get_size (text);
}

VirfsContent *
virfs_fleet_open (const VirfsNode *node, GError **error)
{
  return virfs_content_new_bytes (text_of (node, TRUE));
}

gboolean
virfs_fleet_await (const VirfsNode *node, void (*ready) (gpointer data), gpointer data)
{
  return virfs_metrics_await (metrics_of (node), NULL, ready, data);
}
