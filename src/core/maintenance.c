/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hosts that are drained, and filled again: a thread for each (drain.h), and what is kept of it. */
#include "maintenance.h"

#include "drain.h"
#include "error.h"
#include "registry.h"

/* What is kept. */

typedef struct {
  VirfsUpkeepWork work;
  gboolean maintenance;
  guint uid;
} Beginning;

static void
set_beginning (VirfsUpkeep *upkeep, gpointer data)
{
  const Beginning *beginning = data;

  upkeep->maintenance = beginning->maintenance;
  upkeep->work = beginning->work;
  upkeep->uid = beginning->uid;
  if (beginning->work == VIRFS_UPKEEP_REST)
    virfs_ref_string_set (&upkeep->moved, NULL);
}

static void
set_rest (VirfsUpkeep *upkeep, gpointer data)
{
  upkeep->work = VIRFS_UPKEEP_REST;
}

static VirfsDrain *
find (VirfsInfra *infra, gconstpointer host, const VirfsJob *job)
{
  for (guint i = 0; i < infra->drains->len; i++) {
    VirfsDrain *drain = infra->drains->pdata[i];

    if (drain->host == host || drain->job == job)
      return drain;
  }
  return NULL;
}

/* It may have ended meanwhile. */
static void
cancel (VirfsJob *job, gpointer data)
{
  VirfsInfra *infra = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsDrain *drain = find (infra, NULL, job);

  if (drain == NULL)
    return;
  drain->cancelled = TRUE;
  virfs_drain_stir (drain);
  g_cond_broadcast (&infra->settled);
}

/* Its end. */

/* It is to go on when the program is started again, or the host is back, which it may be already: nobody else
 * ends the job before this does. */
static gboolean
is_interrupted (VirfsDrain *drain)
{
  VirfsInfra *infra = drain->host->object.infra;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  gboolean lost = drain->host->info->state != VIRFS_HOST_UP || drain->again;

  return infra->stopping
         || (!drain->cancelled && (lost || virfs_registry_job_has_ended (drain->job)));
}

/* Nobody finds it any more, so that it can go on; then its job ends with ERROR, which is taken. */
static void
end (VirfsDrain *drain, GError *error)
{
  VirfsInfra *infra = drain->host->object.infra;
  gboolean again;

  g_mutex_lock (&infra->lock);
  g_ptr_array_remove (infra->drains, drain);
  again = drain->again && !infra->stopping;
  g_mutex_unlock (&infra->lock);
  virfs_job_finish (drain->job, error);
  if (again)
    virfs_maintenance_go_on (drain->host);
  virfs_drain_free (drain);
  g_mutex_lock (&infra->lock);
  infra->drain_threads--;
  g_cond_broadcast (&infra->settled);
  g_mutex_unlock (&infra->lock);
}

/* Under the lock. */
static gboolean
is_over (VirfsDrain *drain)
{
  return drain->cancelled || drain->host->object.infra->stopping
         || virfs_registry_job_has_ended (drain->job);
}

/* FALSE: it is over before that. */
static gboolean
await_known (VirfsDrain *drain)
{
  VirfsInfra *infra = drain->host->object.infra;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  while (drain->waits && !(infra->has_settled && drain->host->told) && !is_over (drain))
    g_cond_wait (&infra->settled, &infra->lock);
  return !is_over (drain);
}

static gpointer
run (gpointer data)
{
  VirfsDrain *drain = data;

  if (await_known (drain))
    virfs_drain_run (drain);
  if (!is_interrupted (drain))
    virfs_drain_keep (drain, set_rest, NULL);
  end (drain, virfs_drain_outcome (drain));
  return NULL;
}

/* Its beginning. */

/* Among those that are known, or NULL with BUSY. */
static VirfsDrain *
enter (VirfsHost *host, guint uid, VirfsJob *job, gboolean back, GError **error)
{
  VirfsInfra *infra = host->object.infra;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsDrain *other = find (infra, host, NULL), *drain;

  if (other != NULL || infra->stopping) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 other ? "its guests are being moved already: see jobs/%u, which can be cancelled"
                       : "virfs ends",
                 other ? virfs_job_number (other->job) : 0);
    return NULL;
  }
  drain = virfs_drain_new (host, uid, job, back);
  g_ptr_array_add (infra->drains, drain);
  infra->drain_threads++;
  return drain;
}

static void
start (VirfsDrain *drain)
{
  g_thread_unref (g_thread_new ("virfs-drain", run, drain));
}

static void
begin (VirfsHost *host, VirfsJob *job, gboolean back, Beginning *beginning)
{
  GError *error = NULL;
  VirfsDrain *drain = enter (host, beginning->uid, job, back, &error);

  if (drain == NULL)
    virfs_job_finish (job, error);
  else if (!virfs_job_start (job, cancel, host->object.infra)
           || !virfs_infra_change_upkeep (host, set_beginning, beginning, &error))
    end (drain, error);
  else
    start (drain);
}

void
virfs_maintenance_begin (VirfsHost *host, guint uid, VirfsJob *job)
{
  Beginning beginning = { VIRFS_UPKEEP_DRAIN, TRUE, uid };

  begin (host, job, FALSE, &beginning);
}

static gboolean
comes_back (VirfsHost *host)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

  return info->upkeep != NULL && info->upkeep->comes_back && info->upkeep->moved != NULL;
}

void
virfs_maintenance_end (VirfsHost *host, guint uid, VirfsJob *job)
{
  Beginning beginning = { comes_back (host) ? VIRFS_UPKEEP_RETURN : VIRFS_UPKEEP_REST, FALSE, uid };

  begin (host, job, TRUE, &beginning);
}

/* Nobody waits for it. */
static void
report_end (VirfsJob *job, const GError *error, gpointer data)
{
  VirfsObject *host = virfs_job_object (job);
  g_autofree char *path = virfs_object_path (host);

  if (error != NULL)
    virfs_infra_report (host->infra, host, path, GPOINTER_TO_UINT (data), error);
}

/* FALSE: the one that was interrupted has not ended yet, and will see to it when it has. */
static gboolean
has_ended (VirfsHost *host)
{
  VirfsInfra *infra = host->object.infra;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsDrain *drain = find (infra, host, NULL);

  if (drain != NULL)
    drain->again = TRUE;
  return drain == NULL;
}

void
virfs_maintenance_go_on (VirfsHost *host)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  gboolean back = info->upkeep && info->upkeep->work == VIRFS_UPKEEP_RETURN;
  VirfsJobSpec spec = { .operation = back ? "bring guests back" : "drain",
                        .object = &host->object,
                        .host = &host->object,
                        .done = report_end };
  g_autoptr (VirfsJob) job = NULL;
  VirfsDrain *drain;

  if (info->state != VIRFS_HOST_UP || info->upkeep == NULL
      || info->upkeep->work == VIRFS_UPKEEP_REST || !has_ended (host))
    return;
  spec.uid = info->upkeep->uid;
  spec.data = GUINT_TO_POINTER (spec.uid);
  job = virfs_job_new (host->object.infra, &spec);
  drain = enter (host, spec.uid, job, back, NULL);
  if (drain == NULL) {
    virfs_job_finish (job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "it goes on already"));
    return;
  }
  drain->waits = TRUE;
  if (virfs_job_start (job, cancel, host->object.infra))
    start (drain);
  else
    end (drain, NULL);
}

/* The registry. */

void
virfs_infra_set_drain_parallel (VirfsInfra *infra, guint guests)
{
  infra->drain_parallel = guests;
}

guint
virfs_maintenance_parallel (VirfsHost *host, const VirfsHostInfo *info)
{
  return info->upkeep && info->upkeep->parallel ? info->upkeep->parallel
                                                : host->object.infra->drain_parallel;
}

void
virfs_registry_stir_drains (VirfsInfra *infra)
{
  for (guint i = 0; i < infra->drains->len; i++)
    virfs_drain_stir (infra->drains->pdata[i]);
}

void
virfs_registry_await_drains (VirfsInfra *infra, gint64 deadline)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  while (infra->drain_threads > 0 && g_cond_wait_until (&infra->settled, &infra->lock, deadline))
    ;
}
