/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lanes, cancelling, and how tasks end. */
#include "task.h"

#include "agent_lane.h"
#include "connection.h"
#include "create.h"
#include "plug.h"
#include "domain.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "move.h"

static const int lane_width[] = {
  [LV_LANE_SHORT] = 4,
  [LV_LANE_LONG] = 4,
};

G_STATIC_ASSERT (G_N_ELEMENTS (((LvLink *) 0)->lanes) == LV_N_LANES);

/* The running tasks by their jobs.  Whoever cancels a job may come when its task has just ended, so
 * he looks here instead of being given the task. */
static GMutex running_lock;
static GHashTable *running; /* VirfsJob* -> LvTask* */

static void
enlist (LvTask *task)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&running_lock);

  if (running == NULL)
    running = g_hash_table_new (NULL, NULL);
  g_hash_table_insert (running, task->job, task);
}

static void
strike (LvTask *task)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&running_lock);

  g_hash_table_remove (running, task->job);
}

static LvTask *
find (VirfsJob *job)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&running_lock);
  LvTask *task = g_hash_table_lookup (running, job);

  return task ? lv_task_ref (task) : NULL;
}

static void
cancel (VirfsJob *job, gpointer data)
{
  g_autoptr (LvTask) task = find (job);

  if (task == NULL)
    return;
  g_mutex_lock (&task->lock);
  task->cancelled = TRUE;
  g_cond_broadcast (&task->changed);
  if (task->has_timer)
    virEventUpdateTimeout (task->timer, 0);
  g_mutex_unlock (&task->lock);
  lv_connection_queue_waits (task->link->connection);
}

void
lv_task_allow_cancel (LvTask *task, gboolean allow)
{
  lv_gate_set_cancel (task->link->connection, task->job, allow ? cancel : NULL);
}

gboolean
lv_task_is_cancelled (LvTask *task)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&task->lock);

  return task->cancelled;
}

void
lv_task_sleep (LvTask *task, gint64 microseconds)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&task->lock);
  gint64 end = g_get_monotonic_time () + microseconds;

  while (!task->cancelled && g_cond_wait_until (&task->changed, &task->lock, end))
    ;
}

/* A timer that ran off long ago has a number that no other gets. */
gboolean
lv_task_set_timer (LvTask *task, guint milliseconds, virEventTimeoutCallback run,
                   virFreeCallback drop)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&task->lock);

  task->timer
    = virEventAddTimeout (task->cancelled ? 0 : (int) milliseconds, run, lv_task_ref (task), drop);
  task->has_timer = task->timer >= 0;
  if (!task->has_timer)
    drop (task);
  return task->has_timer;
}

LvTask *
lv_task_new_for_host (VirfsHost *host, VirfsJob *job, LvLane lane, LvTaskFunc run)
{
  GError *error = NULL;
  LvLink *link = lv_host_link (host, &error);
  LvTask *task;

  if (link == NULL) {
    virfs_job_finish (job, error);
    return NULL;
  }
  task = g_new0 (LvTask, 1);
  g_atomic_ref_count_init (&task->refs);
  g_mutex_init (&task->lock);
  g_cond_init (&task->changed);
  task->link = link;
  task->job = virfs_object_ref (job);
  task->lane = lane;
  task->run = run;
  return task;
}

LvTask *
lv_task_new (VirfsVm *vm, VirfsJob *job, LvLane lane, LvTaskFunc run)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  return lv_task_new_at (vm, info->host, job, lane, run);
}

LvTask *
lv_task_new_at (VirfsVm *vm, VirfsHost *host, VirfsJob *job, LvLane lane, LvTaskFunc run)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  LvTask *task = lv_task_new_for_host (host, job, lane, run);

  if (task == NULL)
    return NULL;
  task->vm = virfs_object_ref (vm);
  task->name = g_strdup (info->name);
  task->uuid = g_strdup (info->uuid);
  return task;
}

void
lv_task_do (VirfsPart *part, VirfsJob *job, LvLane lane, LvTaskFunc run, const LvPartWork *work)
{
  LvTask *task = lv_task_new_for_host ((VirfsHost *) virfs_part_root (part), job, lane, run);

  if (task == NULL)
    return;
  task->part = virfs_object_ref (part);
  task->name = g_strdup (part->name);
  task->action = work->action;
  task->number = work->number;
  task->text = g_strdup (work->text);
  task->wanted = work->wanted ? virfs_part_info_ref (work->wanted) : virfs_part_info (part);
  task->source = work->source ? virfs_object_ref (work->source) : NULL;
  lv_task_submit (task);
}

gboolean
lv_task_set_target (LvTask *task, VirfsHost *host)
{
  GError *error = NULL;

  task->target = lv_host_link (host, &error);
  if (task->target != NULL)
    return TRUE;
  virfs_job_finish (task->job, error);
  return FALSE;
}

LvTask *
lv_task_ref (LvTask *task)
{
  g_atomic_ref_count_inc (&task->refs);
  return task;
}

void
lv_task_unref (LvTask *task)
{
  if (task == NULL || !g_atomic_ref_count_dec (&task->refs))
    return;
  lv_link_unref (task->link);
  if (task->target != NULL)
    lv_link_unref (task->target);
  virfs_object_unref (task->vm);
  virfs_object_unref (task->part);
  virfs_object_unref (task->source);
  virfs_part_info_unref (task->wanted);
  virfs_object_unref (task->job);
  g_free (task->name);
  g_free (task->uuid);
  g_free (task->text);
  lv_plug_free (task->plug);
  lv_creation_free (task->creation);
  lv_move_free (task->move);
  g_clear_pointer (&task->image, g_byte_array_unref);
  g_clear_pointer (&task->definitions, g_ptr_array_unref);
  g_mutex_clear (&task->lock);
  g_cond_clear (&task->changed);
  g_free (task);
}

/* What a call says that failed because its connection broke is of no use to anybody. */
static void
blame_host (LvTask *task, GError *error)
{
  LvLink *dead = NULL;

  if (!lv_link_is_alive (task->link))
    dead = task->link;
  else if (task->target != NULL && !lv_link_is_alive (task->target))
    dead = task->target;
  if (dead == NULL)
    return;
  lv_connection_lose (dead, "the connection broke");
  error->code = VIRFS_ERROR_HOST_DOWN;
  g_prefix_error (&error, "%s does not answer any more: ", dead->connection->name);
}

void
lv_task_finish (LvTask *task, GError *error)
{
  strike (task);
  if (error != NULL && error->domain == VIRFS_ERROR && error->code != VIRFS_ERROR_CANCELLED)
    blame_host (task, error);
  lv_gate_finish_job (task->link->connection, task->job, error);
}

static gboolean
start (LvTask *task)
{
  if (task->started)
    return TRUE;
  enlist (task);
  task->started = lv_gate_start_job (task->link->connection, task->job);
  if (!task->started)
    strike (task);
  return task->started;
}

void
lv_task_leave (LvTask *task)
{
  lv_seat_leave (&task->there);
  lv_seat_leave (&task->here);
}

static gboolean
take_seat (LvTask *task, LvSeat *seat, LvLink *link, GError **error)
{
  VirfsOwner owner;

  virfs_job_owner (task->job, &owner);
  return lv_seat_take_as (seat, link, owner.uid, error);
}

void
lv_task_run (LvTask *taken)
{
  g_autoptr (LvTask) task = taken;
  GError *error = NULL;

  if (!start (task))
    return;
  if (take_seat (task, &task->here, task->link, &error) && task->run (task, &error) == LV_WAITS)
    return;
  lv_task_leave (task);
  lv_task_finish (task, error);
}

static void
run (gpointer task, gpointer link)
{
  lv_task_run (task);
}

void
lv_task_submit (LvTask *task)
{
  LvLink *link = task->link;
  gboolean closed;

  if (task->lane == LV_LANE_AGENT) {
    lv_lanes_submit (link->agents, task->uuid, task->name, task->started, task);
    return;
  }
  g_mutex_lock (&link->lock);
  closed = link->lanes[task->lane] == NULL;
  if (!closed)
    g_thread_pool_push (link->lanes[task->lane], task, NULL);
  g_mutex_unlock (&link->lock);
  if (closed) {
    lv_task_finish (task, g_error_new (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is not reachable",
                                       link->connection->name));
    lv_task_unref (task);
  }
}

void
lv_task_open_lanes (LvLink *link)
{
  for (guint i = 0; i < G_N_ELEMENTS (lane_width); i++)
    link->lanes[i] = g_thread_pool_new (run, link, lane_width[i], FALSE, NULL);
}

/* What is queued still finds a dead link, and ends. */
void
lv_task_close_lanes (LvLink *link)
{
  for (guint i = 0; i < G_N_ELEMENTS (lane_width); i++) {
    g_mutex_lock (&link->lock);
    g_thread_pool_free (g_steal_pointer (&link->lanes[i]), FALSE, FALSE);
    g_mutex_unlock (&link->lock);
  }
}

gboolean
lv_task_reach_target (LvTask *task, GError **error)
{
  return take_seat (task, &task->there, task->target, error);
}

virDomainPtr
lv_task_domain (LvTask *task, GError **error)
{
  virDomainPtr domain = LV (virDomainLookupByUUIDString (task->here.conn, task->uuid));

  if (domain == NULL)
    lv_fail (error, "cannot find %s on %s", task->name, task->link->connection->name);
  return domain;
}

/* Not in the name of who asked, who need not be shown as much. */
void
lv_task_refresh (LvTask *task)
{
  g_autoptr (virConnect) events = task->link->as_caller ? lv_link_events (task->link) : NULL;

  lv_domain_refresh (task->link, events ? events : task->here.conn, task->uuid, 0);
}
