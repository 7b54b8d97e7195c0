/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans of drains: one guest after the other is given the best place that is left. */
#include "drain_plan.h"

#include "error.h"
#include "fit.h"
#include "placement.h"
#include "text.h"
#include "upkeep.h"

#include <string.h>

void
virfs_drain_step_free (VirfsDrainStep *step)
{
  virfs_object_unref (step->vm);
  virfs_vm_info_unref (step->info);
  virfs_object_unref (step->target);
  g_clear_error (&step->reason);
  g_free (step);
}

static VirfsDrainStep *
new_step (VirfsVm *vm, const VirfsVmInfo *info)
{
  VirfsDrainStep *step = g_new0 (VirfsDrainStep, 1);

  step->vm = virfs_object_ref (vm);
  step->info = (VirfsVmInfo *) info;
  g_atomic_ref_count_inc (&step->info->refs);
  return step;
}

static GPtrArray *
new_plan (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_drain_step_free);
}

/* Under the registry's lock, as VirfsVmFunc. */
static void
add_vm (VirfsVm *vm, const VirfsVmInfo *info, gpointer plan)
{
  g_ptr_array_add (plan, new_step (vm, info));
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const VirfsVmInfo *p = (*(VirfsDrainStep *const *) a)->info;
  const VirfsVmInfo *q = (*(VirfsDrainStep *const *) b)->info;
  gboolean runs_p = virfs_vm_state_active (p->state), runs_q = virfs_vm_state_active (q->state);

  if (runs_p != runs_q)
    return runs_p ? -1 : 1;
  if (p->memory != q->memory)
    return p->memory > q->memory ? -1 : 1;
  return strcmp (p->label, q->label);
}

/* What it will have of its new host. */
static void
note (GHashTable *planned, const VirfsDrainStep *step)
{
  VirfsPromise *promise = g_hash_table_lookup (planned, step->target);

  if (promise == NULL) {
    promise = g_new0 (VirfsPromise, 1);
    g_hash_table_insert (planned, step->target, promise);
  }
  if (!virfs_vm_state_active (step->info->state))
    return;
  promise->memory += (gint64) step->info->memory;
  promise->vcpus += step->info->vcpus;
  promise->guests++;
}

static VirfsVmNeeds *
needs_of (const VirfsDrainStep *step, GError **error)
{
  return virfs_infra_backend (step->vm->object.infra)->vm_needs (step->info, error);
}

static void
choose (VirfsDrainStep *step, GHashTable *planned)
{
  g_autoptr (VirfsVmNeeds) needs = needs_of (step, &step->reason);

  if (needs != NULL)
    step->target
      = virfs_placement_choose (step->vm->object.infra, step->info, needs, planned, &step->reason);
}

static gboolean
is_alone (VirfsInfra *infra)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (infra);

  return hosts->len < 2;
}

GPtrArray *
virfs_drain_plan (VirfsHost *host, GHashTable *skip)
{
  VirfsInfra *infra = host->object.infra;
  GPtrArray *plan = new_plan ();
  g_autoptr (GHashTable) planned = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  gboolean alone = is_alone (infra);

  virfs_infra_foreach_vm (infra, host, add_vm, plan);
  for (guint i = plan->len; skip && i > 0; i--)
    if (g_hash_table_contains (skip, ((VirfsDrainStep *) plan->pdata[i - 1])->info->uuid))
      g_ptr_array_remove_index (plan, i - 1);
  g_ptr_array_sort (plan, compare);
  for (guint i = 0; i < plan->len; i++) {
    VirfsDrainStep *step = plan->pdata[i];

    if (alone)
      g_set_error (&step->reason, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no other host");
    else
      choose (step, planned);
    if (step->target != NULL)
      note (planned, step);
  }
  return plan;
}

/* Whether it can go to HOST, else why not. */
static void
direct (VirfsDrainStep *step, VirfsHost *host)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  g_autoptr (VirfsVmNeeds) needs = needs_of (step, &step->reason);

  if (needs != NULL && virfs_fit (step->info, needs, host, info, &step->reason))
    step->target = virfs_object_ref (host);
}

/* A migration that could not be stopped when it was cancelled may still take it away. */
static gboolean
is_settled_on (VirfsVm *vm, const VirfsVmInfo *info, VirfsHost *host)
{
  return info->host == host && !virfs_infra_is_moving (host->object.infra, vm);
}

GPtrArray *
virfs_return_plan (VirfsHost *host)
{
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  const char *moved = known->upkeep && known->upkeep->moved ? known->upkeep->moved : "";
  g_auto (GStrv) uuids = g_strsplit (moved, "\n", -1);
  GPtrArray *plan = new_plan ();

  for (char **p = uuids; *p; p++) {
    g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (host->object.infra, *p);
    g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;
    VirfsDrainStep *step;

    if (info == NULL || info->label == NULL || is_settled_on (vm, info, host))
      continue;
    step = new_step (vm, info);
    direct (step, host);
    g_ptr_array_add (plan, step);
  }
  g_ptr_array_sort (plan, compare);
  return plan;
}

VirfsDrainStep *
virfs_drain_plan_again (const VirfsDrainStep *step, VirfsHost *back)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (step->vm);
  VirfsDrainStep *again = new_step (step->vm, info);
  VirfsHost *target = back ? back : step->target;

  if (target != NULL)
    direct (again, target);
  if (again->target != NULL || back != NULL)
    return again;
  g_clear_error (&again->reason);
  choose (again, NULL);
  return again;
}

void
virfs_drain_plan_print (GPtrArray *plan, GString *out)
{
  g_string_append (out, "guest\tstate\tmemory\tto\treason\n");
  for (guint i = 0; i < plan->len; i++) {
    const VirfsDrainStep *step = plan->pdata[i];

    g_string_append_printf (out, "%s\t%s\t%" G_GUINT64_FORMAT "\t%s\t", step->info->label,
                            virfs_vm_state_name (step->info->state), step->info->memory,
                            step->target ? step->target->name : "-");
    virfs_text_escape_rest (out, step->reason ? step->reason->message : "");
    g_string_append_c (out, '\n');
  }
}
