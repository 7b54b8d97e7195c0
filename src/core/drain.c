/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moves, several at a time. */
#include "drain.h"

#include "drain_plan.h"
#include "error.h"
#include "maintenance.h"
#include "placement.h"
#include "registry.h"

/* Reasons that one sentence tells. */
#define REASONS 5
/* What a guest without memory counts for in the progress. */
#define LEAST (1u << 20)

typedef struct {
  VirfsDrain *drain;
  VirfsDrainStep *step;
  VirfsJob *job;
  VirfsWish wish;
  gboolean ended; /* under the registry's lock, as the next two */
  gboolean open;  /* it was let go, or its host was lost: the guest may have gone, or go still */
  GError *error;
} Move;

static VirfsInfra *
infra_of (const VirfsDrain *drain)
{
  return drain->host->object.infra;
}

VirfsDrain *
virfs_drain_new (VirfsHost *host, guint uid, VirfsJob *job, gboolean back)
{
  VirfsDrain *drain = g_new0 (VirfsDrain, 1);

  drain->host = virfs_object_ref (host);
  drain->job = virfs_object_ref (job);
  drain->uid = uid;
  drain->back = back;
  g_cond_init (&drain->news);
  drain->moves = g_ptr_array_new ();
  drain->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  drain->stay = g_ptr_array_new_with_free_func (g_free);
  return drain;
}

void
virfs_drain_free (VirfsDrain *drain)
{
  virfs_object_unref (drain->host);
  virfs_object_unref (drain->job);
  g_cond_clear (&drain->news);
  g_clear_pointer (&drain->steps, g_ptr_array_unref);
  g_ptr_array_unref (drain->moves);
  g_hash_table_unref (drain->seen);
  g_ptr_array_unref (drain->stay);
  g_free (drain);
}

/* What is kept. */

void
virfs_drain_keep (VirfsDrain *drain, VirfsUpkeepEdit edit, gpointer data)
{
  g_autoptr (GError) error = NULL;

  if (!virfs_infra_change_upkeep (drain->host, edit, data, &error))
    g_warning ("what is moved for the maintenance of %s cannot be kept: %s", drain->host->name,
               error->message);
}

static void
add_moved (VirfsUpkeep *upkeep, gpointer uuid)
{
  virfs_upkeep_add_moved (upkeep, uuid);
}

static void
remove_moved (VirfsUpkeep *upkeep, gpointer uuid)
{
  virfs_upkeep_remove_moved (upkeep, uuid);
}

/* Whoever brought them, or that never left, when where they were to go was lost. */
static void
remove_those_here (VirfsUpkeep *upkeep, gpointer host)
{
  VirfsInfra *infra = ((VirfsHost *) host)->object.infra;
  g_auto (GStrv) uuids = g_strsplit (upkeep->moved ? upkeep->moved : "", "\n", -1);

  for (char **p = uuids; *p; p++) {
    g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (infra, *p);
    g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

    if (info != NULL && info->host == host && !virfs_infra_is_moving (infra, vm))
      virfs_upkeep_remove_moved (upkeep, *p);
  }
}

/* News. */

void
virfs_drain_stir (VirfsDrain *drain)
{
  drain->stirred = TRUE;
  g_cond_signal (&drain->news);
}

static void
take_note (const VirfsChange *change, gpointer data)
{
  VirfsDrain *drain = data;
  VirfsJob *job = (VirfsJob *) change->object;

  if (change->object->kind == VIRFS_KIND_JOB && change->kind == VIRFS_CHANGED
      && (virfs_job_parent (job) == drain->job || change->fields & VIRFS_BIT (VIRFS_JOB_STATE)))
    virfs_drain_stir (drain);
}

static void
await_news (VirfsDrain *drain)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra_of (drain)->lock);

  while (!drain->stirred)
    g_cond_wait (&drain->news, &infra_of (drain)->lock);
  drain->stirred = FALSE;
}

/* Cancelled, or its host is lost. */
static gboolean
is_over (VirfsDrain *drain)
{
  return virfs_job_is_cancelled (drain->job);
}

/* Moves. */

static guint64
weight (const VirfsDrainStep *step)
{
  return virfs_vm_state_active (step->info->state) ? MAX (step->info->memory, LEAST) : LEAST;
}

static void
note_stay (VirfsDrain *drain, const VirfsDrainStep *step, const GError *reason)
{
  g_ptr_array_add (drain->stay, g_strdup_printf ("vms/%s: %s", step->info->label, reason->message));
}

static void
move_ended (VirfsJob *job, const GError *error, gpointer data)
{
  Move *move = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra_of (move->drain)->lock);

  move->ended = TRUE;
  move->open = !virfs_registry_job_has_ended (job)
               || g_error_matches (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN);
  move->error = error ? g_error_copy (error) : NULL;
  virfs_drain_stir (move->drain);
}

static void
free_move (Move *move)
{
  virfs_drain_step_free (move->step);
  virfs_object_unref (move->job);
  g_clear_error (&move->error);
  g_free (move);
}

/* Takes STEP. */
static void
begin_move (VirfsDrain *drain, VirfsDrainStep *step)
{
  gboolean active = virfs_vm_state_active (step->info->state);
  g_autofree char *operation = g_strdup_printf ("migrate to %s", step->target->name);
  Move *move = g_new0 (Move, 1);
  VirfsJobSpec spec = { .operation = operation,
                        .object = &step->vm->object,
                        .host = &step->info->host->object,
                        .target = &step->target->object,
                        .uid = drain->uid,
                        .parent = drain->job,
                        .done = move_ended,
                        .data = move };

  move->drain = drain;
  move->step = step;
  move->wish.memory = active ? step->info->memory : 0;
  move->wish.vcpus = active ? step->info->vcpus : 0;
  if (!drain->back)
    virfs_drain_keep (drain, add_moved, step->info->uuid);
  virfs_placement_promise (step->target, &move->wish);
  g_ptr_array_add (drain->moves, move);
  move->job = virfs_job_new (infra_of (drain), &spec);
  virfs_infra_backend (infra_of (drain))->vm_migrate (step->vm, step->target, move->job);
}

static void
take_step (VirfsDrain *drain, const VirfsDrainStep *planned)
{
  g_autoptr (VirfsDrainStep) step
    = virfs_drain_plan_again (planned, drain->back ? drain->host : NULL);
  gboolean away = step->info->host != drain->host;

  if (away != drain->back) {
    drain->moved++; /* somebody else has done it */
  } else if (step->target == NULL && step->info->claim != VIRFS_CLAIM_NONE) {
    /* somebody was faster, and next_step() waits for him */
    g_ptr_array_add (drain->steps, g_steal_pointer (&step));
    return;
  } else if (step->target == NULL) {
    note_stay (drain, step, step->reason);
  } else {
    begin_move (drain, g_steal_pointer (&step));
    return;
  }
  drain->ended += weight (planned);
}

/* Somebody else moves it, or does something to its disks.  The end of either is news, also if its job has failed
 * long before, when a host was lost. */
static gboolean
is_taken (const VirfsDrainStep *step)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (step->vm);

  return info->claim != VIRFS_CLAIM_NONE;
}

/* The next guest that nobody else moves just now; the caller owns it.  NULL: none. */
static VirfsDrainStep *
next_step (VirfsDrain *drain)
{
  for (guint i = 0; i < drain->steps->len; i++) {
    VirfsDrainStep *step = drain->steps->pdata[i];

    if (!is_taken (step))
      return g_ptr_array_steal_index (drain->steps, i);
  }
  return NULL;
}

static void
end_move (VirfsDrain *drain, Move *move)
{
  VirfsDrainStep *step = move->step;

  virfs_placement_release (step->target, &move->wish);
  drain->ended += weight (step);
  if (move->error == NULL)
    drain->moved++;
  if ((move->error == NULL) == drain->back && !move->open)
    virfs_drain_keep (drain, remove_moved, step->info->uuid);
  if (move->error != NULL && !is_over (drain)) {
    g_autofree char *path = virfs_object_path (step->vm);

    note_stay (drain, step, move->error);
    virfs_infra_report (infra_of (drain), step->vm, path, drain->uid, move->error);
  }
  free_move (move);
}

/* Those that have ended leave the list. */
static void
reap (VirfsDrain *drain)
{
  g_autoptr (GPtrArray) ended = g_ptr_array_new ();

  g_mutex_lock (&infra_of (drain)->lock);
  for (guint i = drain->moves->len; i > 0; i--)
    if (((Move *) drain->moves->pdata[i - 1])->ended)
      g_ptr_array_add (ended, g_ptr_array_remove_index (drain->moves, i - 1));
  g_mutex_unlock (&infra_of (drain)->lock);
  for (guint i = 0; i < ended->len; i++)
    end_move (drain, ended->pdata[i]);
}

static void
tell_progress (VirfsDrain *drain)
{
  double done = (double) drain->ended;

  for (guint i = 0; i < drain->moves->len; i++) {
    const Move *move = drain->moves->pdata[i];
    g_autoptr (VirfsJobInfo) info = virfs_job_info (move->job);

    done += (double) weight (move->step) * MAX (virfs_job_info_percent (info), 0) / 100;
  }
  virfs_job_progress (drain->job, (guint64) done, drain->total);
}

static void
begin_moves (VirfsDrain *drain)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (drain->host);
  guint most = virfs_maintenance_parallel (drain->host, info);
  VirfsDrainStep *step;

  while (drain->moves->len < most && !is_over (drain) && (step = next_step (drain)) != NULL) {
    take_step (drain, step);
    virfs_drain_step_free (step);
  }
}

static void
cancel_moves (VirfsDrain *drain)
{
  for (guint i = 0; i < drain->moves->len; i++)
    virfs_job_cancel (((Move *) drain->moves->pdata[i])->job);
}

/* Until all steps are taken, or it is over. */
static void
take_steps (VirfsDrain *drain)
{
  for (;;) {
    reap (drain);
    begin_moves (drain);
    if (is_over (drain))
      cancel_moves (drain);
    if (drain->moves->len == 0 && (is_over (drain) || drain->steps->len == 0))
      return;
    tell_progress (drain);
    await_news (drain);
  }
}

/* Guests may have come while others went. */
static gboolean
plan (VirfsDrain *drain)
{
  g_clear_pointer (&drain->steps, g_ptr_array_unref);
  drain->steps
    = drain->back ? virfs_return_plan (drain->host) : virfs_drain_plan (drain->host, drain->seen);
  for (guint i = drain->steps->len; i > 0; i--) {
    const VirfsDrainStep *step = drain->steps->pdata[i - 1];

    if (g_hash_table_add (drain->seen, g_strdup (step->info->uuid)))
      drain->total += weight (step);
    else
      g_ptr_array_remove_index (drain->steps, i - 1);
  }
  return drain->steps->len > 0;
}

void
virfs_drain_run (VirfsDrain *drain)
{
  virfs_infra_listen (infra_of (drain), take_note, drain);
  while (!is_over (drain) && plan (drain))
    take_steps (drain);
  virfs_infra_unlisten (infra_of (drain), take_note, drain);
  if (drain->back || !is_over (drain))
    virfs_drain_keep (drain, remove_those_here, drain->host);
}

GError *
virfs_drain_outcome (VirfsDrain *drain)
{
  const char *name = drain->host->name;
  guint all = g_hash_table_size (drain->seen);
  g_autoptr (GString) reasons = g_string_new (NULL);

  if (is_over (drain))
    return g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED,
                        drain->back ? "cancelled: %u of %u guests are back on %s"
                                    : "cancelled: %u of %u guests have left %s, which stays in"
                                      " maintenance",
                        drain->moved, all, name);
  if (drain->stay->len == 0)
    return NULL;
  for (guint i = 0; i < MIN (drain->stay->len, REASONS); i++)
    g_string_append_printf (reasons, "%s%s", i ? "; " : "", (char *) drain->stay->pdata[i]);
  return g_error_new (VIRFS_ERROR, VIRFS_ERROR_BUSY, "%u of %u guests %s %s: %s%s",
                      drain->stay->len, all, drain->back ? "did not come back to" : "stay on", name,
                      reasons->str, drain->stay->len > REASONS ? "; …" : "");
}
