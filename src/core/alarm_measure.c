/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Facts are a table here; metrics are made of those of metric.h. */
#include "alarm_measure.h"

#include "backup.h"

#include <math.h>
#include <string.h>

static VirfsForecastPool forecast; /* set before the first host */

void
virfs_measure_set_forecast (VirfsForecastPool func)
{
  forecast = func;
}

/* Values. */

static void
set_number (VirfsValue *value, double number)
{
  value->kind = VIRFS_VALUE_NUMBER;
  value->number = number;
}

static void
set_word (VirfsValue *value, const char *word)
{
  value->kind = word ? VIRFS_VALUE_WORD : VIRFS_VALUE_NONE;
  value->word = word;
}

/* Nothing if WHOLE is not known. */
static void
set_percent (VirfsValue *value, double part, double whole)
{
  if (whole > 0)
    set_number (value, part * 100 / whole);
}

/* Guests. */

static void
get_vm_state (const VirfsSubject *subject, VirfsValue *value)
{
  set_word (value, virfs_vm_state_name (subject->vm->state));
}

static void
get_reason (const VirfsSubject *subject, VirfsValue *value)
{
  set_word (value, subject->vm->reason);
}

/* Whatever its host has made of that: it may stay, be stopped, or have been started again. */
static void
get_crashed (const VirfsSubject *subject, VirfsValue *value)
{
  const VirfsVmInfo *vm = subject->vm;

  set_number (value, vm->state == VIRFS_VM_CRASHED || g_strcmp0 (vm->reason, "crashed") == 0);
}

static void
get_backup_age (const VirfsSubject *subject, VirfsValue *value)
{
  gint64 last = virfs_vm_info_last_backup (subject->vm);

  if (last == 0)
    return;
  set_number (value, (double) MAX (subject->now - last, 0) / G_USEC_PER_SEC);
  value->grows = TRUE;
}

/* Hosts. */

static void
get_host_state (const VirfsSubject *subject, VirfsValue *value)
{
  set_word (value, virfs_host_state_name (subject->host->state));
}

static void
get_cpu_load (const VirfsSubject *subject, VirfsValue *value)
{
  if (subject->host->cpu_load >= 0)
    set_number (value, subject->host->cpu_load);
}

static void
get_memory_used (const VirfsSubject *subject, VirfsValue *value)
{
  const VirfsHostInfo *host = subject->host;

  if (host->memory_free > 0)
    set_percent (value, (double) host->memory - (double) host->memory_free, (double) host->memory);
}

static void
get_memory_committed (const VirfsSubject *subject, VirfsValue *value)
{
  set_percent (value, (double) subject->promised.memory, (double) subject->host->memory);
}

static void
get_vcpus_committed (const VirfsSubject *subject, VirfsValue *value)
{
  set_percent (value, (double) subject->promised.vcpus, subject->host->cpus);
}

/* Pools. */

static void
get_pool_state (const VirfsSubject *subject, VirfsValue *value)
{
  set_word (value, subject->pool_info->state);
}

static void
get_usage (const VirfsSubject *subject, VirfsValue *value)
{
  const VirfsPoolInfo *pool = subject->pool_info;

  if (virfs_pool_is_active (pool))
    set_percent (value, (double) pool->capacity - (double) pool->available,
                 (double) pool->capacity);
}

static void
get_available (const VirfsSubject *subject, VirfsValue *value)
{
  if (virfs_pool_is_active (subject->pool_info))
    set_number (value, (double) subject->pool_info->available);
}

static void
get_full_in (const VirfsSubject *subject, VirfsValue *value)
{
  double seconds;

  if (forecast == NULL)
    return;
  seconds = forecast (subject->pool->object.infra, subject->pool);
  if (isnan (seconds))
    value->kind = VIRFS_VALUE_UNKNOWN;
  else
    set_number (value, seconds);
}

/* The table. */

static const char *const vm_states[]
  = { "unknown", "running", "paused", "shutdown", "shutoff", "crashed", "pmsuspended", NULL };
static const char *const host_states[]
  = { "unconfigured", "connecting", "up", "unreachable", NULL };
static const char *const pool_states[]
  = { "running", "inactive", "building", "degraded", "inaccessible", NULL };

#define WORDS(words_) "word", .words = words_, .is_word = TRUE
#define FACT(kind_, name_, ...)                                                                    \
  {                                                                                                \
    .name = name_, .kind = VIRFS_KIND_##kind_, .unit = __VA_ARGS__                                 \
  }

static const VirfsMeasure facts[] = {
  FACT (VM, "state", WORDS (vm_states), .get = get_vm_state, .help = "its state"),
  FACT (VM, "reason", "word", .is_word = TRUE, .get = get_reason,
        .help = "why its state is as it is, as in I/O error"),
  FACT (VM, "crashed", "0 or 1", .get = get_crashed,
        .help = "1: its state is crashed, or is what it is because it has crashed"),
  FACT (VM, "backup_age", "seconds", .get = get_backup_age,
        .help = "since its last backup or checkpoint, where it has ever had one"),
  FACT (HOST, "state", WORDS (host_states), .get = get_host_state, .help = "its state"),
  FACT (HOST, "cpu_load", "percent", .get = get_cpu_load, .help = "how busy its CPUs are"),
  FACT (HOST, "memory_used", "percent", .get = get_memory_used,
        .help = "memory that guests could not have"),
  FACT (HOST, "memory_committed", "percent", .get = get_memory_committed,
        .help = "memory of its guests that run, of its own"),
  FACT (HOST, "vcpus_committed", "percent", .get = get_vcpus_committed,
        .help = "virtual CPUs of its guests that run, of its own"),
  FACT (POOL, "state", WORDS (pool_states), .get = get_pool_state, .help = "its state"),
  FACT (POOL, "usage", "percent", .get = get_usage, .help = "how full it is"),
  FACT (POOL, "available", "bytes", .get = get_available, .help = "bytes that are free"),
  FACT (POOL, "full_in", "seconds", .get = get_full_in,
        .help = "until it is full if it goes on so, where there is a history"),
};

static const char *
unit_of (const VirfsMetricSet *set, guint index)
{
  static const char *const names[] = {
    [VIRFS_METRIC_NUMBER] = "number",
    [VIRFS_METRIC_BYTES] = "bytes",
    [VIRFS_METRIC_SECONDS] = "seconds",
    [VIRFS_METRIC_PERCENT] = "percent",
  };
  static const char *const growing[] = {
    [VIRFS_METRIC_NUMBER] = "1/s",
    [VIRFS_METRIC_BYTES] = "bytes/s",
    [VIRFS_METRIC_SECONDS] = "s/s",
  };

  if (index >= set->n)
    return names[set->rates[index - set->n].unit];
  return (set->metrics[index].type == VIRFS_METRIC_COUNTER ? growing
                                                           : names)[set->metrics[index].unit];
}

static void
add_metrics (GArray *all, const VirfsMetricSet *set, VirfsKind kind)
{
  for (guint i = 0; i < set->n + set->n_rates; i++) {
    VirfsMeasure measure = {
      .name = virfs_metric_name (set, i),
      .kind = kind,
      .unit = unit_of (set, i),
      .index = i,
      .help = i < set->n ? set->metrics[i].help : set->rates[i - set->n].help,
    };

    g_array_append_val (all, measure);
  }
}

static const GArray *
get_all (void)
{
  static GArray *all = NULL;

  if (g_once_init_enter (&all)) {
    GArray *made = g_array_new (FALSE, FALSE, sizeof (VirfsMeasure));

    g_array_append_vals (made, facts, G_N_ELEMENTS (facts));
    add_metrics (made, &virfs_vm_metrics, VIRFS_KIND_VM);
    add_metrics (made, &virfs_host_metrics, VIRFS_KIND_HOST);
    g_once_init_leave (&all, made);
  }
  return all;
}

#define MEASURE(i) (&g_array_index (get_all (), VirfsMeasure, i))

const VirfsMeasure *
virfs_measure_find (const char *name, VirfsKind kind)
{
  for (guint i = 0; i < get_all ()->len; i++)
    if (MEASURE (i)->kind == kind && strcmp (MEASURE (i)->name, name) == 0)
      return MEASURE (i);
  return NULL;
}

const VirfsMeasure *
virfs_measure_find_any (const char *name, gboolean *several)
{
  const VirfsMeasure *first = NULL;

  *several = FALSE;
  for (guint i = 0; i < get_all ()->len; i++)
    if (strcmp (MEASURE (i)->name, name) == 0) {
      *several |= first != NULL;
      first = first ? first : MEASURE (i);
    }
  return first;
}

const char *
virfs_measure_objects (VirfsKind kind)
{
  return kind == VIRFS_KIND_VM ? "vms" : kind == VIRFS_KIND_HOST ? "hosts" : "pools";
}

void
virfs_measures_print (GString *out)
{
  g_string_append (out, "objects\tmetric\tunit\twhat it is\n");
  for (guint i = 0; i < get_all ()->len; i++)
    g_string_append_printf (out, "%s\t%s\t%s\t%s\n", virfs_measure_objects (MEASURE (i)->kind),
                            MEASURE (i)->name, MEASURE (i)->unit, MEASURE (i)->help);
}

/* Metrics. */

static const VirfsMetricSet *
set_of (const VirfsMeasure *measure)
{
  return measure->kind == VIRFS_KIND_VM ? &virfs_vm_metrics : &virfs_host_metrics;
}

gboolean
virfs_measure_is_sampled (const VirfsMeasure *measure)
{
  return measure->get == NULL;
}

gboolean
virfs_measure_is_counter (const VirfsMeasure *measure)
{
  const VirfsMetricSet *set = set_of (measure);

  return measure->get == NULL && measure->index < set->n
         && set->metrics[measure->index].type == VIRFS_METRIC_COUNTER;
}

static double
scale (const VirfsMeasure *measure)
{
  return set_of (measure)->metrics[measure->index].unit == VIRFS_METRIC_SECONDS ? 1e-9 : 1;
}

/* As long as there is no second sample nothing is known. */
static void
get_growth (const VirfsMeasure *measure, const VirfsSubject *subject, VirfsValue *value)
{
  guint64 now = subject->sample->values[measure->index];
  guint64 was = subject->before ? subject->before->values[measure->index] : VIRFS_ABSENT;
  double seconds;

  if (now == VIRFS_ABSENT)
    return;
  value->kind = VIRFS_VALUE_UNKNOWN;
  if (was == VIRFS_ABSENT)
    return;
  seconds = (double) (subject->sample->time - subject->before->time) / G_USEC_PER_SEC;
  if (seconds > 0)
    set_number (value, ((double) now - (double) was) * scale (measure) / seconds);
}

static void
get_metric (const VirfsMeasure *measure, const VirfsSubject *subject, VirfsValue *value)
{
  const VirfsMetricSet *set = set_of (measure);
  const VirfsSample *sample = subject->sample;

  /* what does not run uses nothing, whether it is sampled or not */
  if (subject->vm != NULL && !virfs_vm_state_active (subject->vm->state))
    return;
  if (sample == NULL)
    value->kind = VIRFS_VALUE_UNKNOWN;
  else if (virfs_measure_is_counter (measure))
    get_growth (measure, subject, value);
  else if (measure->index >= set->n && !isnan (sample->rates[measure->index - set->n]))
    set_number (value, sample->rates[measure->index - set->n]);
  else if (measure->index < set->n && sample->values[measure->index] != VIRFS_ABSENT)
    set_number (value, (double) sample->values[measure->index] * scale (measure));
}

void
virfs_measure_get (const VirfsMeasure *measure, const VirfsSubject *subject, VirfsValue *value)
{
  *value = (VirfsValue){ .kind = VIRFS_VALUE_NONE };
  /* that a host does not answer is known of itself alone */
  if (!subject->reachable && measure->get != get_host_state)
    value->kind = VIRFS_VALUE_UNKNOWN;
  else if (measure->get != NULL)
    measure->get (subject, value);
  else
    get_metric (measure, subject, value);
}

void
virfs_value_append (const VirfsMeasure *measure, const VirfsValue *value, GString *out)
{
  gboolean whole = fabs (value->number) >= 1e6 || value->number == floor (value->number);
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (value->kind == VIRFS_VALUE_WORD)
    g_string_append (out, value->word);
  else if (value->kind == VIRFS_VALUE_NUMBER)
    g_string_append (out,
                     g_ascii_formatd (text, sizeof text, whole ? "%.0f" : "%.1f", value->number));
}
