/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What needs attention: what is broken, then what is nearly full or in its own way, the worst first. */
#include "report.h"

#include "draft.h"
#include "text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

const char *
virfs_finding_level_name (VirfsFindingLevel level)
{
  static const char *const names[] = { "critical", "warning", "notice" };

  return names[level];
}

static void
free_finding (gpointer data)
{
  VirfsFinding *finding = data;

  g_free (finding->object);
  g_free (finding->text);
  g_free (finding);
}

/* One more of what the last tells of is told with it; whichever is worse counts.  Takes TEXT. */
static void
join (VirfsFinding *last, VirfsFindingLevel level, double weight, char *text)
{
  g_autofree char *before = last->text, *more = text;
  gboolean worse = level < last->level || (level == last->level && weight > last->weight);

  last->text
    = worse ? g_strdup_printf ("%s; %s", more, before) : g_strdup_printf ("%s; %s", before, more);
  last->weight = level == last->level ? last->weight + weight : worse ? weight : last->weight;
  last->level = MIN (level, last->level);
}

/* Takes OBJECT and TEXT. */
static void
add (GPtrArray *findings, VirfsFindingLevel level, double weight, gint64 since, char *object,
     char *text)
{
  VirfsFinding *last = findings->len ? findings->pdata[findings->len - 1] : NULL;
  VirfsFinding *finding;

  if (last != NULL && g_str_equal (last->object, object)) {
    g_free (object);
    join (last, level, weight, text);
    return;
  }
  finding = g_new (VirfsFinding, 1);
  *finding = (VirfsFinding){ level, weight, object, text, since };
  g_ptr_array_add (findings, finding);
}

/* Hosts. */

static void
look_at_memory (GPtrArray *findings, const VirfsReportHost *host)
{
  guint64 used = virfs_report_host_memory_used (host);
  double free = used == VIRFS_ABSENT ? 1 : 1 - (double) used / (double) host->info->memory;
  double promised = (double) host->promised.memory / (double) host->info->memory;

  if (free < 0.1)
    add (findings, free < 0.05 ? VIRFS_CRITICAL : VIRFS_WARNING, 1 - free, 0,
         virfs_object_path (host->host),
         g_strdup_printf ("memory is used up: %.0f %% is free", free * 100));
  if (promised > 1)
    add (findings, VIRFS_WARNING, promised, 0, virfs_object_path (host->host),
         g_strdup_printf ("%.0f %% of its memory is promised to guests", promised * 100));
}

static void
look_at_host (GPtrArray *findings, const VirfsReportHost *host)
{
  double cpu = virfs_report_host_cpu (host);

  if (host->info->state == VIRFS_HOST_UNREACHABLE)
    add (findings, VIRFS_CRITICAL, 10 + host->guests, host->info->changed[VIRFS_HOST_STATE],
         virfs_object_path (host->host),
         g_strdup_printf ("cannot be reached; of its %u guests the last known is shown",
                          host->guests));
  if (host->info->state != VIRFS_HOST_UP)
    return;
  if (host->info->memory > 0)
    look_at_memory (findings, host);
  if (cpu >= 90)
    add (findings, VIRFS_WARNING, cpu / 100, 0, virfs_object_path (host->host),
         g_strdup_printf ("its CPUs are %.0f %% busy", cpu));
}

/* Pools. */

static void
look_at_pool (const VirfsReportHost *host, const VirfsPoolInfo *pool, gpointer findings)
{
  g_autofree char *label = virfs_part_label (&virfs_pool_class, pool->part.name);
  g_autofree char *path = g_strdup_printf ("hosts/%s/pools/%s", host->host->name, label);
  double free;

  if (g_strcmp0 (pool->state, "degraded") == 0 || g_strcmp0 (pool->state, "inaccessible") == 0) {
    add (findings, VIRFS_CRITICAL, 1, pool->part.changed[VIRFS_PART_STATE], g_steal_pointer (&path),
         g_strdup_printf ("the pool is %s", pool->state));
    return;
  }
  if (!virfs_pool_is_active (pool) || pool->capacity == 0)
    return;
  free = (double) pool->available / (double) pool->capacity;
  if (free < 0.15) {
    g_autofree char *size = g_format_size_full (pool->available, G_FORMAT_SIZE_IEC_UNITS);

    add (findings, free < 0.05 ? VIRFS_CRITICAL : VIRFS_WARNING, 1 - free, 0,
         g_steal_pointer (&path),
         g_strdup_printf ("the pool is %.0f %% full, %s is free", (1 - free) * 100, size));
  }
}

/* Interfaces. */

static void
look_at_interface (GPtrArray *findings, const VirfsHost *host, const VirfsInterfaceInfo *interface)
{
  g_autofree char *label = NULL, *failed = NULL;

  if (g_strcmp0 (interface->state, VIRFS_INTERFACE_DEGRADED) != 0)
    return;
  label = virfs_part_label (&virfs_interface_class, interface->part.name);
  failed = virfs_interface_failed (interface);
  add (findings, VIRFS_WARNING, 2, interface->part.changed[VIRFS_PART_STATE],
       g_strdup_printf ("hosts/%s/interfaces/%s", host->name, label),
       g_strdup_printf ("the bond is degraded: %s is not up", failed));
}

static void
look_at_interfaces (GPtrArray *findings, const VirfsReportHost *host)
{
  GPtrArray *interfaces = host->info->parts[VIRFS_HOST_INTERFACES];

  for (guint i = 0; interfaces && host->info->state == VIRFS_HOST_UP && i < interfaces->len; i++)
    look_at_interface (findings, host->host, interfaces->pdata[i]);
}

/* Guests. */

static void
look_at_state (GPtrArray *findings, const VirfsReportVm *vm)
{
  gint64 since = vm->info->changed[VIRFS_VM_STATE];
  gboolean broken = g_strcmp0 (vm->info->reason, "I/O error") == 0
                    || g_strcmp0 (vm->info->reason, "watchdog") == 0
                    || g_strcmp0 (vm->info->reason, "crashed") == 0;

  if (vm->info->state == VIRFS_VM_CRASHED)
    add (findings, VIRFS_CRITICAL, 5, since, virfs_object_path (vm->vm),
         g_strdup ("the guest has crashed"));
  else if (vm->info->state == VIRFS_VM_PAUSED && broken)
    add (findings, VIRFS_CRITICAL, 4, since, virfs_object_path (vm->vm),
         g_strdup_printf ("the guest has stopped: %s", vm->info->reason));
  else if (vm->info->state == VIRFS_VM_SHUTOFF && broken)
    add (findings, VIRFS_WARNING, 3, since, virfs_object_path (vm->vm),
         g_strdup ("the guest is off because it has crashed"));
}

static void
look_at_use (GPtrArray *findings, const VirfsReportVm *vm)
{
  const guint64 *values = vm->sample->values;
  double cpu = virfs_report_vm_cpu (vm);
  double steal = vm->sample->rates[VIRFS_VM_RATE_STEAL_PERCENT];
  guint64 usable = values[VIRFS_VM_METRIC_MEMORY_USABLE];
  guint64 available = values[VIRFS_VM_METRIC_MEMORY_AVAILABLE];

  if (cpu >= 95)
    add (findings, VIRFS_WARNING, cpu / 100, 0, virfs_object_path (vm->vm),
         g_strdup_printf ("its CPUs are %.0f %% busy", cpu));
  if (steal >= 10)
    add (findings, VIRFS_WARNING, steal / 100, 0, virfs_object_path (vm->vm),
         g_strdup_printf ("it waits for CPUs of its host %.0f %% of the time", steal));
  if (usable != VIRFS_ABSENT && available != VIRFS_ABSENT && usable < available / 20)
    add (findings, VIRFS_WARNING, 1, 0, virfs_object_path (vm->vm),
         g_strdup ("its memory is used up: less than 5 % is left"));
}

static void
look_at_vm (GPtrArray *findings, const VirfsReportVm *vm)
{
  if (vm->host->info->state != VIRFS_HOST_UP)
    return;
  look_at_state (findings, vm);
  if (vm->sample != NULL)
    look_at_use (findings, vm);
}

/* Jobs. */

typedef struct {
  VirfsJob *job;
  VirfsJobInfo *info;
  char *object; /* its path: now, if it is there */
} Ended;

static void
free_ended (gpointer data)
{
  Ended *ended = data;

  virfs_object_unref (ended->job);
  virfs_job_info_free (ended->info);
  g_free (ended->object);
  g_free (ended);
}

static void
collect_job (VirfsJob *job, guint number, gpointer jobs)
{
  g_ptr_array_add (jobs, virfs_object_ref (job));
}

/* By object, the last that ended first. */
static gint
compare_ended (gconstpointer a, gconstpointer b)
{
  const Ended *p = *(Ended *const *) a, *q = *(Ended *const *) b;
  int order = strcmp (p->object, q->object);

  if (order != 0)
    return order;
  return p->info->ended > q->info->ended ? -1 : p->info->ended < q->info->ended;
}

static GPtrArray *
collect_ended (VirfsInfra *infra)
{
  g_autoptr (GPtrArray) jobs = g_ptr_array_new_with_free_func (virfs_object_unref);
  GPtrArray *all = g_ptr_array_new_with_free_func (free_ended);

  virfs_infra_foreach_job (infra, collect_job, jobs);
  for (guint i = 0; i < jobs->len; i++) {
    VirfsObject *object = virfs_job_object (jobs->pdata[i]);
    Ended *ended = g_new (Ended, 1);

    *ended = (Ended){ virfs_object_ref (jobs->pdata[i]), virfs_job_info (jobs->pdata[i]), NULL };
    ended->object = object ? virfs_object_path (object)
                           : g_strdup (ended->info->object ? ended->info->object : "");
    g_ptr_array_add (all, ended);
  }
  g_ptr_array_sort (all, compare_ended);
  return all;
}

/* Of a job of an earlier run only the path is known; what has no name of its own in the fleet passes. */
static gboolean
is_path_there (VirfsInfra *infra, const char *path)
{
  g_auto (GStrv) words = g_strsplit (path, "/", 3);
  g_autoptr (VirfsHost) host = NULL;
  g_autoptr (VirfsVm) vm = NULL;
  g_autoptr (VirfsPart) draft = NULL;

  if (g_strv_length (words) < 2)
    return TRUE;
  if (g_str_equal (words[0], "hosts"))
    return (host = virfs_infra_host (infra, words[1])) != NULL;
  if (g_str_equal (words[0], "vms"))
    return (vm = virfs_infra_vm (infra, words[1])) != NULL
           || (draft
               = virfs_infra_part (infra, virfs_infra_root (infra), &virfs_draft_class, words[1]))
                != NULL;
  return TRUE;
}

static gboolean
is_there (VirfsInfra *infra, const Ended *ended)
{
  VirfsObject *object = virfs_job_object (ended->job);
  VirfsObject *found;

  if (object == NULL)
    return is_path_there (infra, ended->object);
  found = virfs_infra_object (infra, object->id);
  virfs_object_unref (found);
  return found != NULL;
}

/* What is wrong with what was asked for, or with the moment, was told to who asked, and there is nothing to be
 * done about it later.  What is missing on a host (ENOENT) is another matter: so nobody can start the guest. */
static gboolean
is_lasting (int failure)
{
  static const int told[]
    = { EINVAL, EPERM, EACCES, EEXIST, ENOTEMPTY, EFBIG, EXDEV, EBUSY, ENOTSUP, EINTR, EAGAIN };

  for (guint i = 0; i < G_N_ELEMENTS (told); i++)
    if (failure == told[i])
      return FALSE;
  return TRUE;
}

/* Whether it tells how the operation stands: a mistake does not undo what was there before. */
static gboolean
counts (const VirfsJobInfo *info)
{
  return info->state == VIRFS_JOB_DONE
         || (info->state == VIRFS_JOB_FAILED && is_lasting (info->failure));
}

/* The last outcome of each operation on an object. */
static void
look_at_jobs (GPtrArray *findings, const VirfsReportFleet *fleet)
{
  g_autoptr (GPtrArray) all = collect_ended (fleet->infra);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < all->len; i++) {
    const Ended *ended = all->pdata[i];
    const VirfsJobInfo *info = ended->info;

    if (counts (info)
        && g_hash_table_add (seen, g_strjoin ("\n", ended->object, info->operation, NULL))
        && info->state == VIRFS_JOB_FAILED && fleet->now - info->ended < G_TIME_SPAN_HOUR
        && is_there (fleet->infra, ended))
      add (findings, VIRFS_NOTICE, 1, info->ended, g_strdup (ended->object),
           g_strdup_printf ("%s has failed: %s", info->operation, info->error ? info->error : ""));
  }
}

/* All. */

static gint
compare (gconstpointer a, gconstpointer b)
{
  const VirfsFinding *p = *(VirfsFinding *const *) a, *q = *(VirfsFinding *const *) b;

  if (p->level != q->level)
    return p->level < q->level ? -1 : 1;
  if (p->weight != q->weight)
    return p->weight > q->weight ? -1 : 1;
  return strcmp (p->object, q->object);
}

GPtrArray *
virfs_report_findings (const VirfsReportFleet *fleet)
{
  GPtrArray *findings = g_ptr_array_new_with_free_func (free_finding);

  for (guint i = 0; i < fleet->hosts->len; i++)
    look_at_host (findings, fleet->hosts->pdata[i]);
  for (guint i = 0; i < fleet->hosts->len; i++)
    look_at_interfaces (findings, fleet->hosts->pdata[i]);
  virfs_report_foreach_pool (fleet, look_at_pool, findings);
  for (guint i = 0; i < fleet->vms->len; i++)
    look_at_vm (findings, fleet->vms->pdata[i]);
  look_at_jobs (findings, fleet);
  g_ptr_array_sort (findings, compare);
  return findings;
}

GString *
virfs_report_attention (const VirfsReportFleet *fleet, VirfsTableNotation notation)
{
  static const char *const columns[] = { "level", "object", "what", "since", NULL };
  g_autoptr (GPtrArray) findings = virfs_report_findings (fleet);
  VirfsTable *table = virfs_table_new (notation, columns);

  for (guint i = 0; i < findings->len; i++) {
    const VirfsFinding *finding = findings->pdata[i];

    virfs_table_add_text (table, virfs_finding_level_name (finding->level));
    virfs_table_add_text (table, finding->object);
    virfs_table_add_text (table, finding->text);
    virfs_table_add_time (table, finding->since);
  }
  return virfs_table_end (table);
}
