/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of all guests and hosts. */
#include "metric_files.h"

/* Names of columns: TEXTS, then the metrics of SET; the caller owns the array alone. */
static const char **
columns_of (const VirfsMetricSet *set, const char *const *texts)
{
  g_autoptr (GPtrArray) columns = g_ptr_array_new ();

  for (guint i = 0; texts[i] != NULL; i++)
    g_ptr_array_add (columns, (gpointer) texts[i]);
  for (guint i = 0; i < set->n + set->n_rates; i++)
    g_ptr_array_add (columns, (gpointer) virfs_metric_name (set, i));
  g_ptr_array_add (columns, NULL);
  return (const char **) g_ptr_array_free (g_steal_pointer (&columns), FALSE);
}

static void
add_metrics (VirfsTable *table, const VirfsMetricSet *set, const VirfsSample *sample)
{
  g_autoptr (GString) value = g_string_new (NULL);

  for (guint i = 0; i < set->n + set->n_rates; i++) {
    g_string_truncate (value, 0);
    if (sample != NULL)
      virfs_sample_append (set, sample, i, value);
    virfs_table_add_digits (table, value->str);
  }
}

static GString *
make_table (VirfsTableNotation notation, const VirfsMetricSet *set, const char *const *texts,
            GPtrArray *taken)
{
  g_autoptr (GPtrArray) lines = taken;
  g_autofree const char **columns = columns_of (set, texts);
  VirfsTable *table = virfs_table_new (notation, columns);

  for (guint i = 0; i < lines->len; i++) {
    const VirfsFleetLine *line = lines->pdata[i];

    virfs_table_add_text (table, line->name);
    if (line->host != NULL)
      virfs_table_add_text (table, line->host);
    virfs_table_add_text (table, line->state);
    add_metrics (table, set, line->sample);
  }
  return virfs_table_end (table);
}

GString *
virfs_fleet_vms_table (VirfsInfra *infra, VirfsTableNotation notation)
{
  static const char *const texts[] = { "name", "host", "state", NULL };

  return make_table (notation, &virfs_vm_metrics, texts, virfs_fleet_vms (infra));
}

GString *
virfs_fleet_hosts_table (VirfsInfra *infra, VirfsTableNotation notation)
{
  static const char *const texts[] = { "name", "state", NULL };

  return make_table (notation, &virfs_host_metrics, texts, virfs_fleet_hosts (infra));
}
