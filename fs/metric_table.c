/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of all guests and hosts, in three notations. */
#include "metric_files.h"
#include "text.h"

#include <string.h>

typedef struct {
  const char *begin, *row, *between, *end_row, *next_row, *end;
  gboolean header;
  /* One field: NAME is its column; NUMBER: VALUE is one. */
  void (*field) (GString *out, const char *name, const char *value, gboolean number);
} Notation;

static void
tsv_field (GString *out, const char *name, const char *value, gboolean number)
{
  virfs_text_escape (out, value);
}

static void
csv_field (GString *out, const char *name, const char *value, gboolean number)
{
  g_auto (GStrv) parts = NULL;
  g_autofree char *doubled = NULL;

  if (strpbrk (value, ",\"\r\n") == NULL) {
    g_string_append (out, value);
    return;
  }
  parts = g_strsplit (value, "\"", -1);
  doubled = g_strjoinv ("\"\"", parts);
  g_string_append_printf (out, "\"%s\"", doubled);
}

/* Names of the tree have no control characters. */
static void
json_field (GString *out, const char *name, const char *value, gboolean number)
{
  g_string_append_printf (out, "\"%s\": ", name);
  if (number) {
    g_string_append (out, *value ? value : "null");
    return;
  }
  g_string_append_c (out, '"');
  for (const char *p = value; *p; p++) {
    if (*p == '"' || *p == '\\')
      g_string_append_c (out, '\\');
    g_string_append_c (out, *p);
  }
  g_string_append_c (out, '"');
}

static const Notation tsv = { "", "", "\t", "\n", "", "", TRUE, tsv_field };
static const Notation csv = { "", "", ",", "\r\n", "", "", TRUE, csv_field };
static const Notation json = { "[\n", "  { ", ", ", " }", ",\n", "\n]\n", FALSE, json_field };

/* Columns that are no metrics. */
static const char *
text_column (const VirfsFleetLine *line, guint column)
{
  const char *const of_vm[] = { line->name, line->host, line->state };
  const char *const of_host[] = { line->name, line->state };

  return line->host ? of_vm[column] : of_host[column];
}

static void
append_header (GString *out, const Notation *notation, const VirfsMetricSet *set,
               const char *const *texts)
{
  for (guint i = 0; texts[i] != NULL; i++)
    g_string_append_printf (out, "%s%s", i ? notation->between : "", texts[i]);
  for (guint i = 0; i < set->n + set->n_rates; i++)
    g_string_append_printf (out, "%s%s", notation->between, virfs_metric_name (set, i));
  g_string_append (out, notation->end_row);
}

static void
append_line (GString *out, const Notation *notation, const VirfsMetricSet *set,
             const char *const *texts, const VirfsFleetLine *line)
{
  g_autoptr (GString) value = g_string_new (NULL);

  g_string_append (out, notation->row);
  for (guint i = 0; texts[i] != NULL; i++) {
    g_string_append (out, i ? notation->between : "");
    notation->field (out, texts[i], text_column (line, i), FALSE);
  }
  for (guint i = 0; i < set->n + set->n_rates; i++) {
    g_string_truncate (value, 0);
    if (line->sample != NULL)
      virfs_sample_append (set, line->sample, i, value);
    g_string_append (out, notation->between);
    notation->field (out, virfs_metric_name (set, i), value->str, TRUE);
  }
  g_string_append (out, notation->end_row);
}

static GString *
make_table (const Notation *notation, const VirfsMetricSet *set, const char *const *texts,
            GPtrArray *taken)
{
  g_autoptr (GPtrArray) lines = taken;
  GString *out = g_string_new (notation->begin);

  if (notation->header)
    append_header (out, notation, set, texts);
  for (guint i = 0; i < lines->len; i++) {
    g_string_append (out, i ? notation->next_row : "");
    append_line (out, notation, set, texts, lines->pdata[i]);
  }
  g_string_append (out, notation->end);
  return out;
}

static GString *
vms (VirfsInfra *infra, const Notation *notation)
{
  static const char *const texts[] = { "name", "host", "state", NULL };

  return make_table (notation, &virfs_vm_metrics, texts, virfs_fleet_vms (infra));
}

static GString *
hosts (VirfsInfra *infra, const Notation *notation)
{
  static const char *const texts[] = { "name", "state", NULL };

  return make_table (notation, &virfs_host_metrics, texts, virfs_fleet_hosts (infra));
}

GString *
virfs_fleet_vms_tsv (VirfsInfra *infra)
{
  return vms (infra, &tsv);
}

GString *
virfs_fleet_hosts_tsv (VirfsInfra *infra)
{
  return hosts (infra, &tsv);
}

GString *
virfs_fleet_vms_csv (VirfsInfra *infra)
{
  return vms (infra, &csv);
}

GString *
virfs_fleet_hosts_csv (VirfsInfra *infra)
{
  return hosts (infra, &csv);
}

GString *
virfs_fleet_vms_json (VirfsInfra *infra)
{
  return vms (infra, &json);
}

GString *
virfs_fleet_hosts_json (VirfsInfra *infra)
{
  return hosts (infra, &json);
}
