/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of CPUs. */
#include "cpu.h"

#include "registry.h"

#include <string.h>

/* Verdicts. */

const char *
virfs_cpu_verdict (const VirfsHostInfo *info, const char *cpu)
{
  return info->cpu_verdicts ? g_hash_table_lookup (info->cpu_verdicts, cpu) : NULL;
}

GHashTable *
virfs_cpu_verdicts_with (GHashTable *verdicts, const char *cpu, const char *reason)
{
  GHashTable *copy = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer key, value;

  if (verdicts != NULL) {
    g_hash_table_iter_init (&iter, verdicts);
    while (g_hash_table_iter_next (&iter, &key, &value))
      g_hash_table_insert (copy, g_strdup (key), g_strdup (value));
  }
  g_hash_table_replace (copy, g_strdup (cpu), g_strdup (reason));
  return copy;
}

/* Guests that are alike share the text: most are told by its address. */
static void
collect (VirfsVm *vm, const VirfsVmInfo *info, gpointer set)
{
  if (info->cpu != NULL && !g_hash_table_contains (set, info->cpu))
    g_hash_table_add (set, g_ref_string_acquire (info->cpu));
}

/* All that are wanted, by address. */
static GHashTable *
collect_all (VirfsInfra *infra)
{
  GHashTable *set = g_hash_table_new_full (NULL, NULL, (GDestroyNotify) g_ref_string_release, NULL);

  virfs_infra_foreach_vm (infra, NULL, collect, set);
  return set;
}

GHashTable *
virfs_cpu_verdicts_wanted (VirfsInfra *infra, GHashTable *verdicts)
{
  g_autoptr (GHashTable) set = collect_all (infra);
  g_autoptr (GHashTable) wanted = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer cpu;

  if (verdicts == NULL)
    return NULL;
  g_hash_table_iter_init (&iter, set);
  while (g_hash_table_iter_next (&iter, &cpu, NULL)) {
    const char *reason = g_hash_table_lookup (verdicts, cpu);

    if (reason != NULL)
      g_hash_table_replace (wanted, g_strdup (cpu), g_strdup (reason));
  }
  return g_hash_table_size (wanted) < g_hash_table_size (verdicts) ? g_steal_pointer (&wanted)
                                                                   : NULL;
}

GPtrArray *
virfs_cpu_unknown (VirfsInfra *infra, const VirfsHostInfo *info)
{
  g_autoptr (GHashTable) set = collect_all (infra);
  GPtrArray *unknown = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer cpu;

  g_hash_table_iter_init (&iter, set);
  while (g_hash_table_iter_next (&iter, &cpu, NULL))
    if (!g_str_has_suffix (cpu, VIRFS_CPU_PASSTHROUGH) && virfs_cpu_verdict (info, cpu) == NULL)
      g_ptr_array_add (unknown, g_strdup (cpu));
  return unknown;
}

/* Baselines. */

typedef struct {
  char *hosts, *text;
  GPtrArray *cpus; /* of char* that it was made of */
} Baseline;

static void
free_baseline (gpointer data)
{
  Baseline *baseline = data;

  g_free (baseline->hosts);
  g_free (baseline->text);
  g_ptr_array_unref (baseline->cpus);
  g_free (baseline);
}

VirfsCpuGroup *
virfs_cpu_group (VirfsInfra *infra, const char *kind)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (infra);
  VirfsCpuGroup *group = g_new0 (VirfsCpuGroup, 1);
  GString *names = g_string_new (NULL);

  group->cpus = g_ptr_array_new ();
  group->infos = g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_host_info_unref);
  for (guint i = 0; i < hosts->len; i++) {
    VirfsHostInfo *info = virfs_host_info (hosts->pdata[i]);

    g_ptr_array_add (group->infos, info);
    if (info->cpu == NULL || g_strcmp0 (info->cpu_kind, kind) != 0)
      continue;
    g_string_append_printf (names, "%s%s", names->len ? " " : "",
                            ((VirfsHost *) hosts->pdata[i])->name);
    if (!g_ptr_array_find_with_equal_func (group->cpus, info->cpu, g_str_equal, NULL))
      g_ptr_array_add (group->cpus, info->cpu);
  }
  group->hosts = g_string_free (names, FALSE);
  return group;
}

void
virfs_cpu_group_free (VirfsCpuGroup *group)
{
  g_ptr_array_unref (group->cpus);
  g_ptr_array_unref (group->infos);
  g_free (group->hosts);
  g_free (group);
}

static gboolean
is_of (const Baseline *baseline, const VirfsCpuGroup *group)
{
  if (!g_str_equal (baseline->hosts, group->hosts) || baseline->cpus->len != group->cpus->len)
    return FALSE;
  for (guint i = 0; i < group->cpus->len; i++)
    if (!g_str_equal (baseline->cpus->pdata[i], group->cpus->pdata[i]))
      return FALSE;
  return TRUE;
}

gboolean
virfs_cpu_has_baseline (VirfsInfra *infra, const char *kind, const VirfsCpuGroup *group)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  const Baseline *baseline
    = infra->cpu_baselines ? g_hash_table_lookup (infra->cpu_baselines, kind) : NULL;

  return baseline != NULL && is_of (baseline, group);
}

void
virfs_cpu_set_baseline (VirfsInfra *infra, const char *kind, const VirfsCpuGroup *group,
                        const char *text)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  Baseline *baseline = g_new0 (Baseline, 1);

  baseline->hosts = g_strdup (group->hosts);
  baseline->text = g_strdup (text);
  baseline->cpus = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < group->cpus->len; i++)
    g_ptr_array_add (baseline->cpus, g_strdup (group->cpus->pdata[i]));
  if (infra->cpu_baselines == NULL)
    infra->cpu_baselines = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_baseline);
  g_hash_table_replace (infra->cpu_baselines, g_strdup (kind), baseline);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_CPUS));
}

static gint
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (a, b);
}

void
virfs_cpu_append_baselines (VirfsInfra *infra, GString *out)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  g_autoptr (GList) kinds
    = infra->cpu_baselines
        ? g_list_sort (g_hash_table_get_keys (infra->cpu_baselines), compare_texts)
        : NULL;

  for (GList *l = kinds; l; l = l->next) {
    const Baseline *baseline = g_hash_table_lookup (infra->cpu_baselines, l->data);

    g_string_append_printf (
      out, "<!-- %s: %s -->\n%s%s", (char *) l->data, baseline->hosts, baseline->text,
      g_str_has_suffix (baseline->text, "\n") || !*baseline->text ? "" : "\n");
  }
}

static gboolean
has_no_host (gpointer kind, gpointer baseline, gpointer infra)
{
  GHashTableIter iter;
  gpointer host;

  g_hash_table_iter_init (&iter, ((VirfsInfra *) infra)->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host))
    if (g_strcmp0 (((VirfsHost *) host)->info->cpu_kind, kind) == 0)
      return FALSE;
  return TRUE;
}

void
virfs_registry_forget_cpus (VirfsInfra *infra)
{
  if (infra->cpu_baselines != NULL
      && g_hash_table_foreach_remove (infra->cpu_baselines, has_no_host, infra) > 0)
    virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_CPUS));
}
