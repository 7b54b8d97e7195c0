/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the page shows, as JSON: whole numbers only (of CPUs thousandths, of time seconds since the epoch), null
 * where something is not known.  Guests are arrays, whose members `vm_columns` names, for there may be
 * many of them.
 */
#include "report_page.h"

#include "report_trend.h"

#include <math.h>
#include <string.h>

#define VM_CPU       (VIRFS_VM_N_METRICS + VIRFS_VM_RATE_CPU_PERCENT)
#define EVENTS_BYTES 8192
#define EVENTS_LINES 25

static void
add_text (JsonBuilder *json, const char *name, const char *text)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, text ? text : "");
}

static void
add_number (JsonBuilder *json, const char *name, guint64 number)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, (gint64) number);
}

static void
push_real (JsonBuilder *json, double number)
{
  if (isfinite (number))
    json_builder_add_int_value (json, (gint64) (number < 0 ? number - 0.5 : number + 0.5));
  else
    json_builder_add_null_value (json);
}

static void
push_known (JsonBuilder *json, guint64 number)
{
  push_real (json, number == VIRFS_ABSENT ? NAN : (double) number);
}

static void
begin_array (JsonBuilder *json, const char *name)
{
  json_builder_set_member_name (json, name);
  json_builder_begin_array (json);
}

/* Hosts and pools. */

static void
add_host (JsonBuilder *json, const VirfsReportHost *host)
{
  json_builder_begin_object (json);
  add_text (json, "name", host->host->name);
  add_text (json, "state", virfs_host_state_name (host->info->state));
  add_text (json, "hypervisor", host->info->hypervisor);
  add_number (json, "guests", host->guests);
  add_number (json, "active", (guint64) host->promised.guests);
  add_number (json, "cpus", host->info->cpus);
  add_number (json, "vcpus", (guint64) host->promised.vcpus);
  json_builder_set_member_name (json, "cpu");
  push_real (json, virfs_report_host_cpu (host) * 10);
  add_number (json, "memory", host->info->memory);
  json_builder_set_member_name (json, "used");
  push_known (json, virfs_report_host_memory_used (host));
  add_number (json, "promised", (guint64) host->promised.memory);
  json_builder_end_object (json);
}

static gint
compare_fullness (gconstpointer a, gconstpointer b)
{
  double p = virfs_report_host_fullness (*(VirfsReportHost *const *) a);
  double q = virfs_report_host_fullness (*(VirfsReportHost *const *) b);

  return p > q ? -1 : p < q;
}

/* The fullest first. */
static void
add_hosts (JsonBuilder *json, const VirfsReportFleet *fleet)
{
  g_autoptr (GPtrArray) hosts = g_ptr_array_new ();

  for (guint i = 0; i < fleet->hosts->len; i++)
    g_ptr_array_add (hosts, fleet->hosts->pdata[i]);
  g_ptr_array_sort (hosts, compare_fullness);
  begin_array (json, "hosts");
  for (guint i = 0; i < hosts->len; i++)
    add_host (json, hosts->pdata[i]);
  json_builder_end_array (json);
}

static void
add_pool (const VirfsReportHost *host, const VirfsPoolInfo *pool, gpointer json)
{
  g_autofree char *label = virfs_part_label (&virfs_pool_class, pool->part.name);

  json_builder_begin_object (json);
  add_text (json, "name", label);
  add_text (json, "host", host->host->name);
  add_text (json, "state", pool->state);
  add_text (json, "type", pool->type);
  add_number (json, "capacity", pool->capacity);
  add_number (json, "available", pool->available);
  json_builder_end_object (json);
}

/* Guests. */

static void
add_columns (JsonBuilder *json)
{
  static const char *const columns[]
    = { "name", "host",  "state", "title",   "tags",     "vcpus", "memory", "rss",
        "cpu",  "steal", "read",  "written", "received", "sent",  "past" };

  begin_array (json, "vm_columns");
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    json_builder_add_string_value (json, columns[i]);
  json_builder_end_array (json);
}

/* What its CPUs did in the last hour, a character a minute: none of LEVELS for what is not known. */
static void
push_past (JsonBuilder *json, const VirfsReportVm *vm)
{
  static const char levels[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  double minutes[VIRFS_HISTORY_MINUTES];
  char text[VIRFS_HISTORY_MINUTES + 1] = { 0 };

  if (virfs_history_recent (virfs_infra_history (vm->vm->object.infra), vm->vm, VM_CPU, minutes))
    for (guint i = 0; i < VIRFS_HISTORY_MINUTES; i++)
      text[i] = isnan (minutes[i])
                  ? '.'
                  : levels[(gsize) (CLAMP (minutes[i], 0, 100) / 100 * (sizeof levels - 2))];
  json_builder_add_string_value (json, text);
}

static void
push_sample (JsonBuilder *json, const VirfsSample *sample)
{
  static const VirfsVmRate rates[] = { VIRFS_VM_RATE_DISK_READ_RATE, VIRFS_VM_RATE_DISK_WRITE_RATE,
                                       VIRFS_VM_RATE_NET_RX_RATE, VIRFS_VM_RATE_NET_TX_RATE };

  push_known (json, sample ? sample->values[VIRFS_VM_METRIC_MEMORY_RSS] : VIRFS_ABSENT);
  push_real (json, sample ? sample->rates[VIRFS_VM_RATE_CPU_PERCENT] * 10 : NAN);
  push_real (json, sample ? sample->rates[VIRFS_VM_RATE_STEAL_PERCENT] * 10 : NAN);
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    push_real (json, sample ? sample->rates[rates[i]] : NAN);
}

static void
add_vm (JsonBuilder *json, const VirfsReportVm *vm)
{
  const VirfsVmInfo *info = vm->info;

  json_builder_begin_array (json);
  json_builder_add_string_value (json, info->label);
  json_builder_add_string_value (json, vm->host->host->name);
  json_builder_add_string_value (json, virfs_vm_state_name (info->state));
  json_builder_add_string_value (json, info->title ? info->title : "");
  json_builder_add_string_value (json, info->tags ? info->tags : "");
  json_builder_add_int_value (json, info->vcpus);
  json_builder_add_int_value (json, (gint64) info->memory);
  push_sample (json, vm->sample);
  push_past (json, vm);
  json_builder_end_array (json);
}

/* What happens. */

static void
add_findings (JsonBuilder *json, const VirfsReportFleet *fleet)
{
  g_autoptr (GPtrArray) findings = virfs_report_findings (fleet);

  begin_array (json, "attention");
  for (guint i = 0; i < findings->len; i++) {
    const VirfsFinding *finding = findings->pdata[i];

    json_builder_begin_object (json);
    add_text (json, "level", virfs_finding_level_name (finding->level));
    add_text (json, "object", finding->object);
    add_text (json, "text", finding->text);
    add_number (json, "since", (guint64) (finding->since / G_USEC_PER_SEC));
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
}

static void
collect_job (VirfsJob *job, guint number, gpointer jobs)
{
  g_ptr_array_add (jobs, virfs_object_ref (job));
}

static void
add_job (JsonBuilder *json, VirfsJob *job)
{
  g_autoptr (VirfsJobInfo) info = virfs_job_info (job);
  int percent = virfs_job_info_percent (info);

  if (info->ended != 0)
    return;
  json_builder_begin_object (json);
  add_number (json, "number", info->number);
  add_text (json, "operation", info->operation);
  add_text (json, "object", info->object);
  add_text (json, "state", virfs_job_state_name (info->state));
  add_number (json, "started", (guint64) (info->started / G_USEC_PER_SEC));
  json_builder_set_member_name (json, "percent");
  push_real (json, percent < 0 ? NAN : percent);
  json_builder_end_object (json);
}

static void
add_jobs (JsonBuilder *json, const VirfsReportFleet *fleet)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (virfs_object_unref);

  virfs_infra_foreach_job (fleet->infra, collect_job, jobs);
  begin_array (json, "jobs");
  for (guint i = 0; i < jobs->len; i++)
    add_job (json, jobs->pdata[i]);
  json_builder_end_array (json);
}

/* Lines of the log, the newest first. */
static void
add_events (JsonBuilder *json, const VirfsReportFleet *fleet)
{
  VirfsEventLog *log = virfs_infra_events (fleet->infra);
  gsize size = virfs_event_log_size (log, NULL);
  gsize start = size - MIN (size, EVENTS_BYTES);
  g_autofree char *text = g_malloc0 (EVENTS_BYTES + 1);
  g_auto (GStrv) lines = NULL;
  char *end;
  guint n, first = start > 0; /* what it begins with may be half a line */

  text[virfs_event_log_read (log, (goffset) start, text, EVENTS_BYTES)] = '\0';
  /* it may have grown meanwhile: then the last line is a piece */
  end = strrchr (text, '\n');
  if (end != NULL)
    *end = '\0';
  lines = g_strsplit (text, "\n", -1);
  n = g_strv_length (lines);
  begin_array (json, "events");
  for (guint i = n, left = EVENTS_LINES; i-- > first && left > 0;)
    if (*lines[i] != '\0' && g_utf8_validate (lines[i], -1, NULL)) {
      json_builder_add_string_value (json, lines[i]);
      left--;
    }
  json_builder_end_array (json);
}

/* Graphs. */

static void
add_graph (JsonBuilder *json, const VirfsReportFleet *fleet, VirfsTrendKind kind)
{
  g_autoptr (VirfsTrend) trend = virfs_trend_new (fleet, kind);

  json_builder_begin_object (json);
  add_text (json, "title", virfs_trend_title (kind));
  add_number (json, "from", (guint64) (trend->from / G_USEC_PER_SEC));
  add_number (json, "step", (guint64) (trend->step / G_USEC_PER_SEC));
  add_number (json, "full", (guint64) (trend->forecast.reaches / G_USEC_PER_SEC));
  begin_array (json, "values");
  for (guint i = 0; i < trend->n; i++)
    push_real (json, trend->percent[i] * 10);
  json_builder_end_array (json);
  json_builder_end_object (json);
}

static void
add_graphs (JsonBuilder *json, const VirfsReportFleet *fleet)
{
  begin_array (json, "graphs");
  for (guint i = 0; i < VIRFS_N_TRENDS; i++)
    if (virfs_history_is_on (virfs_infra_history (fleet->infra)))
      add_graph (json, fleet, i);
  json_builder_end_array (json);
}

static void
add_vms (JsonBuilder *json, const VirfsReportFleet *fleet)
{
  add_columns (json);
  begin_array (json, "vms");
  for (guint i = 0; i < fleet->vms->len; i++)
    add_vm (json, fleet->vms->pdata[i]);
  json_builder_end_array (json);
}

JsonNode *
virfs_report_json (const VirfsReportFleet *fleet)
{
  g_autoptr (JsonBuilder) json = json_builder_new_immutable ();

  json_builder_begin_object (json);
  add_number (json, "made", (guint64) (fleet->now / G_USEC_PER_SEC));
  add_number (json, "interval", virfs_metrics_interval (virfs_infra_metrics (fleet->infra)));
  add_findings (json, fleet);
  virfs_report_add_alarms (json, fleet);
  add_hosts (json, fleet);
  begin_array (json, "pools");
  virfs_report_foreach_pool (fleet, add_pool, json);
  json_builder_end_array (json);
  add_vms (json, fleet);
  add_graphs (json, fleet);
  add_jobs (json, fleet);
  add_events (json, fleet);
  json_builder_end_object (json);
  return json_builder_get_root (json);
}
