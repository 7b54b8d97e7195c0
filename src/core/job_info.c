/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others see of jobs, and which there are. */
#include "job_private.h"

#include <string.h>

static const char *const state_names[] = {
  [VIRFS_JOB_QUEUED] = "queued", [VIRFS_JOB_RUNNING] = "running",     [VIRFS_JOB_DONE] = "done",
  [VIRFS_JOB_FAILED] = "failed", [VIRFS_JOB_CANCELLED] = "cancelled",
};

const char *
virfs_job_state_name (VirfsJobState state)
{
  return state_names[state];
}

VirfsJobState
virfs_job_state_parse (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (state_names); i++)
    if (g_str_equal (state_names[i], name))
      return i;
  return VIRFS_JOB_FAILED;
}

VirfsJobInfo *
virfs_job_info (VirfsJob *job)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&job->object.infra->lock);
  VirfsJobInfo *info = g_new0 (VirfsJobInfo, 1);

  info->number = job->number;
  info->operation = job->operation;
  info->object = g_strdup (job->path);
  info->uid = job->uid;
  info->state = job->state;
  info->started = job->started;
  info->ended = job->ended;
  info->done = job->bytes_done;
  info->total = job->bytes_total;
  info->error = g_strdup (job->error);
  info->failure = job->failure;
  memcpy (info->changed, job->changed, sizeof info->changed);
  return info;
}

void
virfs_job_info_free (VirfsJobInfo *info)
{
  if (info == NULL)
    return;
  g_free (info->object);
  g_free (info->error);
  g_free (info);
}

int
virfs_job_info_percent (const VirfsJobInfo *info)
{
  if (info->state == VIRFS_JOB_DONE)
    return 100;
  if (info->total == 0)
    return -1;
  return (int) (100 * ((double) MIN (info->done, info->total) / info->total));
}

gint64
virfs_job_info_eta (const VirfsJobInfo *info)
{
  gint64 elapsed = MAX (info->changed[VIRFS_JOB_PROGRESS] - info->started, 0);

  if (info->state != VIRFS_JOB_RUNNING || info->done == 0 || info->total <= info->done)
    return -1;
  return (gint64) ((double) elapsed / info->done * (info->total - info->done) / G_USEC_PER_SEC);
}

guint
virfs_job_number (VirfsJob *job)
{
  return job->number;
}

void
virfs_job_owner (VirfsJob *job, VirfsOwner *owner)
{
  *owner = job->owner;
}

VirfsJob *
virfs_job_parent (VirfsJob *job)
{
  return job->parent;
}

VirfsObject *
virfs_job_object (VirfsJob *job)
{
  return job->subject;
}

VirfsObject *
virfs_job_target (VirfsJob *job)
{
  return job->target;
}

const char *
virfs_job_path (VirfsJob *job)
{
  return job->path;
}

gboolean
virfs_infra_is_coming (VirfsInfra *infra, VirfsVm *vm, VirfsHost *host)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, infra->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    VirfsJob *job = value;

    if (!virfs_job_has_ended (job) && job->subject == &vm->object && job->target == &host->object)
      return TRUE;
  }
  return FALSE;
}

GPtrArray *
virfs_registry_jobs_of (VirfsInfra *infra, VirfsHost *host)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GPtrArray *jobs = g_ptr_array_new_with_free_func (virfs_object_unref);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, infra->jobs);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    VirfsJob *job = value;

    if (!virfs_job_has_ended (job)
        && (host == NULL || job->host == &host->object || job->target == &host->object))
      g_ptr_array_add (jobs, virfs_object_ref (job));
  }
  return jobs;
}
