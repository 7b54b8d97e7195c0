/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that asks twice a second, through the connection that is not busy with the call. */
#include "watch.h"

#include "gate.h"

#define INTERVAL (500 * G_TIME_SPAN_MILLISECOND)
/* The job may not have begun in libvirt, or be in a phase that cannot be stopped. */
#define RETRY (100 * G_TIME_SPAN_MILLISECOND)

struct LvWatch {
  LvTask *task;
  LvWatchLook look; /* NULL: none */
  gpointer data;
  GThread *thread;
  gboolean ended; /* under the task's lock */
};

static void
tell_progress (LvWatch *watch, virDomainPtr domain)
{
  LvTask *task = watch->task;
  g_auto (LvParams) params = { 0 };
  unsigned long long total = 0, remaining = 0, done = 0;
  int type = VIR_DOMAIN_JOB_NONE;

  if (LV (virDomainGetJobStats (domain, &type, &params.items, &params.n, 0)) < 0
      || type == VIR_DOMAIN_JOB_NONE)
    return;
  virTypedParamsGetULLong (params.items, params.n, VIR_DOMAIN_JOB_DATA_TOTAL, &total);
  virTypedParamsGetULLong (params.items, params.n, VIR_DOMAIN_JOB_DATA_REMAINING, &remaining);
  virTypedParamsGetULLong (params.items, params.n, VIR_DOMAIN_JOB_DATA_PROCESSED, &done);
  /* what the guest changes is sent again, so what was processed may exceed the total */
  if (remaining <= total)
    done = total - remaining;
  if (total > 0)
    lv_gate_progress_job (task->link->connection, task->job, MIN (done, total), total);
  if (watch->look != NULL)
    watch->look (domain, &params, watch->data);
}

static gboolean
has_ended (LvWatch *watch)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&watch->task->lock);

  return watch->ended;
}

static void
pause_for (LvWatch *watch, gint64 microseconds, gboolean until_cancelled)
{
  LvTask *task = watch->task;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&task->lock);
  gint64 end = g_get_monotonic_time () + microseconds;

  while (!watch->ended && !(until_cancelled && task->cancelled)
         && g_cond_wait_until (&task->changed, &task->lock, end))
    ;
}

static gpointer
watch_thread (gpointer data)
{
  LvWatch *watch = data;
  LvTask *task = watch->task;
  g_autoptr (virConnect) conn = lv_link_events (task->link);
  g_autoptr (virDomain) domain = conn ? LV (virDomainLookupByUUIDString (conn, task->uuid)) : NULL;

  while (domain != NULL && !has_ended (watch)) {
    if (lv_task_is_cancelled (task)) {
      LV (virDomainAbortJob (domain));
      pause_for (watch, RETRY, FALSE);
    } else {
      tell_progress (watch, domain);
      pause_for (watch, INTERVAL, TRUE);
    }
  }
  return NULL;
}

LvWatch *
lv_watch_new (LvTask *task, LvWatchLook look, gpointer data)
{
  LvWatch *watch = g_new0 (LvWatch, 1);

  watch->task = lv_task_ref (task);
  watch->look = look;
  watch->data = data;
  watch->thread = g_thread_new ("virfs-watch", watch_thread, watch);
  return watch;
}

void
lv_watch_free (LvWatch *watch)
{
  LvTask *task = watch->task;

  g_mutex_lock (&task->lock);
  watch->ended = TRUE;
  g_cond_broadcast (&task->changed);
  g_mutex_unlock (&task->lock);
  g_thread_join (watch->thread);
  lv_task_allow_cancel (task, FALSE);
  lv_task_unref (task);
  g_free (watch);
}
