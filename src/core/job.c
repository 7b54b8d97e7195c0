/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs.  Their fields are under the registry's lock; what they call back runs without it. */
#include "job_private.h"

#include "error.h"
#include "text.h"

#include <string.h>

/* Finished jobs that stay to be read. */
#define ENDED_JOBS 100

static void
free_job (gpointer object)
{
  VirfsJob *job = object;

  virfs_object_unref (job->subject);
  virfs_object_unref (job->host);
  virfs_object_unref (job->target);
  virfs_object_unref (job->parent);
  g_free (job->operation);
  g_free (job->path);
  g_free (job->error);
  g_free (job);
}

static gpointer
ref_or_null (VirfsObject *object)
{
  return object ? virfs_object_ref (object) : NULL;
}

/* Under the lock, as the next. */
static void
touch (VirfsJob *job, guint64 fields)
{
  gint64 now = g_get_real_time ();

  for (guint i = 0; i < VIRFS_JOB_N_FIELDS; i++)
    if (fields & VIRFS_BIT (i))
      job->changed[i] = now;
  virfs_registry_emit (job->object.infra, VIRFS_CHANGED, job, fields, NULL, NULL);
}

/* A line for the log of events. */
static void
tell (VirfsJob *job, const char *kind)
{
  g_autoptr (GString) details = g_string_new (NULL);

  g_string_append_printf (details, "job=%u uid=%u", job->number, job->uid);
  virfs_event_append (details, "operation", job->operation);
  virfs_event_append (details, "reason", job->error);
  virfs_registry_log (job->object.infra, job->path, kind, details->str);
}

static void
forget_oldest (VirfsInfra *infra)
{
  VirfsJob *job = g_queue_pop_head (&infra->ended);

  g_hash_table_remove (infra->jobs, GUINT_TO_POINTER (job->number));
  virfs_registry_emit (infra, VIRFS_REMOVED, job, 0, NULL, NULL);
  virfs_registry_remove (infra, job);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_JOBS));
}

/* Under the lock: it is for who asked to cancel it, and for the object's group to see. */
static void
set_owner (VirfsInfra *infra, VirfsJob *job)
{
  VirfsOwner object = { .gid = infra->owner.gid };

  if (job->subject != NULL)
    virfs_registry_owner (job->subject, &object);
  job->owner = (VirfsOwner){ job->uid, object.gid, 0700 | (object.mode & ~0022u) };
}

VirfsJob *
virfs_job_new (VirfsInfra *infra, const VirfsJobSpec *spec)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsJob *job = g_new0 (VirfsJob, 1);

  job->number = ++infra->last_job;
  job->operation = g_strdup (spec->operation);
  job->subject = ref_or_null (spec->object);
  job->path = virfs_registry_path (spec->object ? spec->object : &infra->root);
  job->host = ref_or_null (spec->host);
  job->target = ref_or_null (spec->target);
  job->parent = spec->parent ? virfs_object_ref (spec->parent) : NULL;
  job->uid = spec->uid;
  set_owner (infra, job);
  job->done = spec->done;
  job->done_data = spec->data;
  job->started = g_get_real_time ();
  for (guint i = 0; i < VIRFS_JOB_N_FIELDS; i++)
    job->changed[i] = job->started;
  /* small numbers: hashed ones are large, and step on where they meet */
  virfs_registry_add (infra, job, VIRFS_KIND_JOB, job->number, free_job);
  g_hash_table_insert (infra->jobs, GUINT_TO_POINTER (job->number), job);
  virfs_registry_emit (infra, VIRFS_ADDED, job, 0, NULL, NULL);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_JOBS));
  tell (job, "begun");
  return virfs_object_ref (job);
}

void
virfs_job_restore (VirfsInfra *infra, const VirfsJobInfo *info)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsJob *job = g_new0 (VirfsJob, 1);

  job->number = info->number;
  job->operation = g_strdup (info->operation);
  job->path = g_strdup (info->object);
  job->uid = info->uid;
  job->owner = (VirfsOwner){ info->uid, infra->owner.gid, 0700 };
  job->state = info->state;
  job->started = info->started;
  job->ended = info->ended;
  job->bytes_done = info->done;
  job->bytes_total = info->total;
  job->error = g_strdup (info->error);
  job->failure = info->failure;
  for (guint i = 0; i < VIRFS_JOB_N_FIELDS; i++)
    job->changed[i] = info->ended;
  virfs_registry_add (infra, job, VIRFS_KIND_JOB, job->number, free_job);
  g_hash_table_insert (infra->jobs, GUINT_TO_POINTER (job->number), job);
  g_queue_push_tail (&infra->ended, job);
  virfs_registry_emit (infra, VIRFS_ADDED, job, 0, NULL, NULL);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_JOBS));
  if (infra->ended.length > ENDED_JOBS)
    forget_oldest (infra);
}

void
virfs_job_tell_lost (VirfsJob *job)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&job->object.infra->lock);

  tell (job, virfs_job_state_name (job->state));
}

guint
virfs_infra_last_job (VirfsInfra *infra)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  return infra->last_job;
}

void
virfs_infra_set_last_job (VirfsInfra *infra, guint number)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  infra->last_job = number;
}

gboolean
virfs_job_start (VirfsJob *job, VirfsJobCancel cancel, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&job->object.infra->lock);

  if (job->state != VIRFS_JOB_QUEUED)
    return FALSE;
  job->state = VIRFS_JOB_RUNNING;
  job->cancel = cancel;
  job->cancel_data = data;
  touch (job, VIRFS_BIT (VIRFS_JOB_STATE));
  return TRUE;
}

void
virfs_job_set_cancel (VirfsJob *job, VirfsJobCancel cancel, gpointer data)
{
  gboolean now;

  g_mutex_lock (&job->object.infra->lock);
  now = job->cancelled && !virfs_job_has_ended (job);
  job->cancel = cancel;
  job->cancel_data = data;
  g_mutex_unlock (&job->object.infra->lock);
  if (now && cancel != NULL)
    cancel (job, data);
}

void
virfs_job_progress (VirfsJob *job, guint64 done, guint64 total)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&job->object.infra->lock);

  if (virfs_job_has_ended (job) || (job->bytes_done == done && job->bytes_total == total))
    return;
  job->bytes_done = done;
  job->bytes_total = total;
  touch (job, VIRFS_BIT (VIRFS_JOB_PROGRESS));
}

/* Under the lock. */
static void
end (VirfsJob *job, const GError *error)
{
  VirfsInfra *infra = job->object.infra;

  if (error == NULL)
    job->state = VIRFS_JOB_DONE;
  else if (g_error_matches (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED))
    job->state = VIRFS_JOB_CANCELLED;
  else
    job->state = VIRFS_JOB_FAILED;
  /* it is shown, told and stored */
  job->error = error ? virfs_text_mask (error->message, " \t\n") : NULL;
  job->failure = virfs_error_to_errno (error);
  job->ended = g_get_real_time ();
  tell (job, virfs_job_state_name (job->state));
  touch (job, VIRFS_BIT (VIRFS_JOB_STATE) | VIRFS_BIT (VIRFS_JOB_PROGRESS));
  g_queue_push_tail (&infra->ended, job);
  g_cond_broadcast (&infra->settled);
  if (infra->ended.length > ENDED_JOBS)
    forget_oldest (infra);
}

/* Takes what is to be called, under the lock, for tell_done(). */
static VirfsJobDone
take_done (VirfsJob *job, gpointer *data)
{
  VirfsJobDone done = job->done;

  *data = job->done_data;
  job->done = NULL;
  if (done != NULL)
    job->object.infra->telling++;
  return done;
}

/* Without the lock.  Whoever stops the registry waits until nobody is in here. */
static void
tell_done (VirfsJob *job, VirfsJobDone done, const GError *error, gpointer data)
{
  VirfsInfra *infra = job->object.infra;

  if (done == NULL)
    return;
  done (job, error, data);
  g_mutex_lock (&infra->lock);
  infra->telling--;
  g_cond_broadcast (&infra->settled);
  g_mutex_unlock (&infra->lock);
}

void
virfs_job_finish (VirfsJob *job, GError *error)
{
  g_autoptr (VirfsJob) kept = virfs_object_ref (job);
  g_autoptr (GError) taken = error;
  VirfsJobDone done = NULL;
  gpointer data = NULL;

  g_mutex_lock (&job->object.infra->lock);
  if (!virfs_job_has_ended (job)) {
    end (job, taken);
    done = take_done (job, &data);
  }
  g_mutex_unlock (&job->object.infra->lock);
  tell_done (job, done, taken, data);
}

void
virfs_job_cancel (VirfsJob *job)
{
  g_autoptr (GError) error = NULL;
  VirfsJobDone done = NULL;
  VirfsJobCancel cancel = NULL;
  gpointer data = NULL, cancel_data = NULL;

  g_mutex_lock (&job->object.infra->lock);
  if (virfs_job_has_ended (job) || job->cancelled) {
    /* once is enough */
  } else if (job->state == VIRFS_JOB_QUEUED) {
    job->cancelled = TRUE;
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED,
                         "cancelled before it began: nothing was changed");
    end (job, error);
    done = take_done (job, &data);
  } else if (job->cancel != NULL) {
    job->cancelled = TRUE;
    cancel = job->cancel;
    cancel_data = job->cancel_data;
  } else {
    job->cancelled = TRUE;
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED,
                         "cannot be stopped any more and goes on as jobs/%u", job->number);
    done = take_done (job, &data);
  }
  g_cond_broadcast (&job->object.infra->settled);
  g_mutex_unlock (&job->object.infra->lock);
  if (cancel != NULL)
    cancel (job, cancel_data);
  tell_done (job, done, error, data);
}

gboolean
virfs_job_is_cancelled (VirfsJob *job)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&job->object.infra->lock);

  return virfs_registry_job_is_cancelled (job);
}

gboolean
virfs_registry_job_is_cancelled (VirfsJob *job)
{
  return job->cancelled || virfs_job_has_ended (job);
}

gboolean
virfs_registry_job_has_ended (VirfsJob *job)
{
  return virfs_job_has_ended (job);
}

gboolean
virfs_registry_has_job (VirfsObject *object, GList *but, GCompareFunc compare)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, object->infra->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const VirfsJob *job = value;

    if (job->subject == object && !virfs_job_has_ended (job)
        && g_list_find_custom (but, job, compare) == NULL)
      return TRUE;
  }
  return FALSE;
}
