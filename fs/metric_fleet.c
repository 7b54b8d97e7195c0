/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All hosts and guests with their samples, for tables of the fleet. */
#include "metric_files.h"

#include <string.h>

/* As Prometheus escapes values of labels. */
void
virfs_fleet_append_label (GString *out, const char *name, const char *value)
{
  g_string_append_printf (out, "%s%s=\"", out->len > 0 ? "," : "", name);
  for (const char *p = value; *p; p++)
    if (*p == '\\' || *p == '"')
      g_string_append_printf (out, "\\%c", *p);
    else
      g_string_append_c (out, *p);
  g_string_append_c (out, '"');
}

static void
free_line (gpointer data)
{
  VirfsFleetLine *line = data;

  g_free (line->name);
  g_free (line->labels);
  g_clear_pointer (&line->pools, g_ptr_array_unref);
  virfs_sample_unref (line->sample);
  g_free (line);
}

/* Objects are gathered under the registry's lock, and their samples are looked up without it. */
typedef struct {
  GPtrArray *lines;
  GPtrArray *objects;
} Gathered;

static VirfsFleetLine *
add_line (Gathered *gathered, gpointer object, const char *name)
{
  VirfsFleetLine *line = g_new0 (VirfsFleetLine, 1);

  line->name = g_strdup (name);
  g_ptr_array_add (gathered->lines, line);
  g_ptr_array_add (gathered->objects, virfs_object_ref (object));
  return line;
}

static void
add_vm (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  VirfsFleetLine *line = add_line (data, vm, info->label);
  g_autoptr (GString) labels = g_string_new (NULL);

  line->host = g_intern_string (info->host->name);
  line->state = virfs_vm_state_name (info->state);
  line->up = info->host->info->state == VIRFS_HOST_UP;
  g_strlcpy (line->uuid, info->uuid, sizeof line->uuid);
  virfs_fleet_append_label (labels, "vm", info->label);
  virfs_fleet_append_label (labels, "host", info->host->name);
  line->labels = g_string_free (g_steal_pointer (&labels), FALSE);
}

static void
add_host (VirfsHost *host, const VirfsHostInfo *info, gpointer data)
{
  VirfsFleetLine *line = add_line (data, host, host->name);
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];
  g_autoptr (GString) labels = g_string_new (NULL);

  line->state = virfs_host_state_name (info->state);
  line->up = info->state == VIRFS_HOST_UP;
  line->pools = pools ? g_ptr_array_ref (pools) : NULL;
  virfs_fleet_append_label (labels, "host", host->name);
  line->labels = g_string_free (g_steal_pointer (&labels), FALSE);
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const VirfsFleetLine *p = *(const VirfsFleetLine *const *) a;
  const VirfsFleetLine *q = *(const VirfsFleetLine *const *) b;

  return strcmp (p->name, q->name);
}

static GPtrArray *
finish (VirfsInfra *infra, Gathered *gathered)
{
  VirfsMetrics *metrics = virfs_infra_metrics (infra);

  for (guint i = 0; i < gathered->lines->len; i++) {
    VirfsFleetLine *line = gathered->lines->pdata[i];

    if (line->up)
      line->sample = virfs_metrics_sample (metrics, gathered->objects->pdata[i]);
  }
  g_ptr_array_unref (gathered->objects);
  g_ptr_array_sort (gathered->lines, compare);
  return gathered->lines;
}

static Gathered
begin (void)
{
  return (Gathered){ g_ptr_array_new_with_free_func (free_line),
                     g_ptr_array_new_with_free_func (virfs_object_unref) };
}

GPtrArray *
virfs_fleet_vms (VirfsInfra *infra)
{
  Gathered gathered = begin ();

  virfs_infra_foreach_vm (infra, NULL, add_vm, &gathered);
  return finish (infra, &gathered);
}

GPtrArray *
virfs_fleet_hosts (VirfsInfra *infra)
{
  Gathered gathered = begin ();

  virfs_infra_foreach_host (infra, add_host, &gathered);
  return finish (infra, &gathered);
}
