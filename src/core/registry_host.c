/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hosts of the registry: how they come, go, and are lost.  All static functions run under the
 * registry's lock unless they say otherwise.
 */
#include "alarms.h"
#include "error.h"
#include "fleetwide.h"
#include "maintenance.h"
#include "registry.h"
#include "text.h"
#include "upkeep.h"

#include <string.h>

VirfsHostInfo *
virfs_host_info (VirfsHost *host)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->object.infra->lock);

  g_atomic_ref_count_inc (&host->info->refs);
  return host->info;
}

static void
stamp (gint64 *changed, guint n, guint64 fields)
{
  gint64 now = g_get_real_time ();

  for (guint i = 0; i < n; i++)
    if (fields & VIRFS_BIT (i))
      changed[i] = now;
}

/* Whoever has made INFO may have begun with an older one. */
static void
take_upkeep (VirfsHost *host, VirfsHostInfo *info)
{
  VirfsUpkeep *upkeep = g_hash_table_lookup (host->object.infra->upkeeps, host->name);

  if (upkeep == info->upkeep)
    return;
  virfs_upkeep_unref (info->upkeep);
  info->upkeep = upkeep ? virfs_upkeep_ref (upkeep) : NULL;
}

guint64
virfs_registry_publish_host (VirfsHost *host, VirfsHostInfo *info)
{
  g_autoptr (VirfsHostInfo) before = host->info;
  guint64 fields;

  take_upkeep (host, info);
  fields = virfs_host_info_diff (before, info);

  memcpy (info->changed, before->changed, sizeof info->changed);
  stamp (info->changed, VIRFS_HOST_N_FIELDS, fields);
  for (guint i = 0; i < VIRFS_HOST_N_PARTS; i++)
    virfs_registry_sync_parts (&host->object, before->parts[i], &info->parts[i]);
  host->info = info;
  virfs_registry_follow_images (host, before, info);
  if (fields)
    virfs_registry_emit (host->object.infra, VIRFS_CHANGED, host, fields, before, info);
  return fields;
}

void
virfs_registry_touch_host (VirfsHost *host, guint64 fields)
{
  g_autoptr (VirfsHostInfo) before = host->info;

  host->info = virfs_host_info_copy (before);
  stamp (host->info->changed, VIRFS_HOST_N_FIELDS, fields);
  virfs_registry_emit (host->object.infra, VIRFS_CHANGED, host, fields, before, host->info);
}

static void
free_host (gpointer object)
{
  VirfsHost *host = object;

  virfs_host_info_unref (host->info);
  g_hash_table_unref (host->vms);
  g_free (host->name);
  g_free (host);
}

static VirfsHost *
new_host (VirfsInfra *infra, const char *name, const char *uri)
{
  VirfsHost *host = g_new0 (VirfsHost, 1);

  host->name = g_strdup (name);
  host->vms = g_hash_table_new (g_str_hash, g_str_equal);
  host->info = virfs_host_info_new ();
  host->info->state = uri ? VIRFS_HOST_CONNECTING : VIRFS_HOST_UNCONFIGURED;
  virfs_ref_string_set (&host->info->uri, uri);
  stamp (host->info->changed, VIRFS_HOST_N_FIELDS, ~G_GUINT64_CONSTANT (0));
  virfs_registry_add (infra, host, VIRFS_KIND_HOST, virfs_object_hash_id (VIRFS_KIND_HOST, name),
                      free_host);
  take_upkeep (host, host->info);
  g_hash_table_insert (infra->hosts, host->name, host);
  virfs_registry_emit (infra, VIRFS_ADDED, host, 0, NULL, host->info);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_HOSTS));
  return virfs_object_ref (host);
}

static gboolean
check_host_name (const char *name, GError **error)
{
  g_autofree char *encoded = virfs_name_encode (name);

  if (*name && g_str_equal (name, encoded) && !strchr (name, '~'))
    return TRUE;
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
    "a host's name has at most %d bytes, no `/`, `%%`, `~` or control characters and no leading"
    " dot",
    VIRFS_NAME_OWN_MAX);
  return FALSE;
}

/* Takes the lock, as the next. */
static gboolean
check_new_host (VirfsInfra *infra, const char *name, const char *uri, GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (!check_host_name (name, error) || (uri && !infra->backend->check_uri (uri, error)))
    return FALSE;
  locker = g_mutex_locker_new (&infra->lock);
  if (!g_hash_table_contains (infra->hosts, name) && !infra->stopping)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "there is a host %s already", name);
  return FALSE;
}

static void
log_host_state (VirfsHost *host, VirfsHostState before, const GError *failure)
{
  g_autoptr (GString) details = g_string_new (NULL);

  virfs_event_append (details, "value", virfs_host_state_name (host->info->state));
  virfs_event_append (details, "reason", failure ? failure->message : NULL);
  virfs_registry_event (host->object.infra, host, "state", details->str);
  if (before == VIRFS_HOST_CONNECTING && host->info->state == VIRFS_HOST_UP)
    g_info ("%s is up", host->name);
  else
    g_message ("%s is %s%s%s", host->name, virfs_host_state_name (host->info->state),
               failure ? ": " : "", failure ? failure->message : "");
}

/* Whose guests are known has answered in an earlier run.  Under the lock. */
static gboolean
has_answered_before (VirfsHost *host, const VirfsHostInfo *info)
{
  return info->state == VIRFS_HOST_CONNECTING && g_hash_table_size (host->vms) > 0;
}

/* It may have failed to connect before its guests were recalled. */
static void
turn_recalled (VirfsHost *host)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->object.infra->lock);
  VirfsHostInfo *info;

  if (host->removed || !host->answered || !has_answered_before (host, host->info))
    return;
  info = virfs_host_info_copy (host->info);
  info->state = VIRFS_HOST_UNREACHABLE;
  virfs_registry_publish_host (host, info);
  log_host_state (host, VIRFS_HOST_CONNECTING, NULL);
  virfs_registry_host_turned (host);
}

/* Until it answers its guests show what was last known.  Under the config lock. */
static VirfsHost *
open_host (VirfsInfra *infra, const char *name, const char *uri, gboolean kept, GError **error)
{
  VirfsHost *host = NULL;

  g_mutex_lock (&infra->lock);
  if (!infra->stopping)
    host = new_host (infra, name, uri);
  if (host != NULL) {
    host->kept = kept;
    virfs_registry_event (infra, host, "added", NULL);
  }
  g_mutex_unlock (&infra->lock);
  if (host == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "virfs ends");
  if (host == NULL || uri == NULL)
    return host;
  infra->backend->host_open (host);
  /* while it connects */
  virfs_registry_recall_vms (host);
  turn_recalled (host);
  return host;
}

VirfsHost *
virfs_infra_add_host (VirfsInfra *infra, const char *name, const char *uri, GError **error)
{
  g_autoptr (GMutexLocker) config = g_mutex_locker_new (&infra->config);

  if (!check_new_host (infra, name, uri, error))
    return NULL;
  return open_host (infra, name, uri, FALSE, error);
}

VirfsHost *
virfs_infra_make_host (VirfsInfra *infra, const char *name, GError **error)
{
  g_autoptr (GMutexLocker) config = g_mutex_locker_new (&infra->config);

  if (!check_new_host (infra, name, NULL, error)
      || !virfs_infra_keep (infra, VIRFS_RECORD_HOST, name, "", error))
    return NULL;
  return open_host (infra, name, NULL, TRUE, error);
}

VirfsHost *
virfs_infra_restore_host (VirfsInfra *infra, const char *name, const char *uri, GError **error)
{
  g_autoptr (GMutexLocker) config = g_mutex_locker_new (&infra->config);

  if (!check_new_host (infra, name, uri, error))
    return NULL;
  return open_host (infra, name, uri, TRUE, error);
}

/* Without the registry's lock. */
static gboolean
check_idle (VirfsInfra *infra, VirfsHost *host, GError **error)
{
  g_autoptr (GPtrArray) jobs = virfs_registry_jobs_of (infra, host);

  if (jobs->len == 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%u operations run on %s, the first is jobs/%u", jobs->len, host->name,
               virfs_job_number (jobs->pdata[0]));
  return FALSE;
}

/* Takes the job of the one who waits for HOST to answer. */
static VirfsJob *
take_connecting (VirfsHost *host)
{
  return g_steal_pointer (&host->connecting);
}

gboolean
virfs_infra_remove_host (VirfsInfra *infra, VirfsHost *host, GError **error)
{
  g_autoptr (GMutexLocker) config = g_mutex_locker_new (&infra->config);
  g_autofree char *path = virfs_object_path (host);

  if (!check_idle (infra, host, error))
    return FALSE;
  if (host->kept && !virfs_infra_forget (infra, VIRFS_RECORD_HOST, host->name, error))
    return FALSE;
  if (!virfs_registry_drop_host (infra, host, error))
    return FALSE;
  virfs_infra_disown (infra, path);
  virfs_infra_forget_upkeep (infra, host->name);
  virfs_fleet_forget_host (infra, host->name);
  return TRUE;
}

gboolean
virfs_registry_drop_host (VirfsInfra *infra, VirfsHost *host, GError **error)
{
  g_autoptr (VirfsJob) waiting = NULL;

  if (!check_idle (infra, host, error))
    return FALSE;
  if (host->connection != NULL)
    infra->backend->host_close (host);
  g_mutex_lock (&infra->lock);
  if (!host->removed) {
    host->removed = TRUE;
    virfs_registry_forget_vms (host);
    for (guint i = 0; i < VIRFS_HOST_N_PARTS; i++)
      virfs_registry_remove_parts (&host->object, host->info->parts[i]);
    g_hash_table_remove (infra->hosts, host->name);
    virfs_registry_forget_cpus (infra);
    virfs_registry_follow_images (host, host->info, NULL);
    virfs_registry_event (infra, host, "removed", NULL);
    virfs_registry_emit (infra, VIRFS_REMOVED, host, 0, host->info, NULL);
    virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_HOSTS));
    waiting = take_connecting (host);
    virfs_registry_remove (infra, host);
    g_cond_broadcast (&infra->settled);
  }
  g_mutex_unlock (&infra->lock);
  if (waiting != NULL)
    virfs_job_finish (waiting,
                      g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "the host was removed"));
  return TRUE;
}

/* What backends know nothing of. */
static void
carry_profile (VirfsHost *host, VirfsHostInfo *info)
{
  g_clear_pointer (&info->profile, g_ptr_array_unref);
  info->profile = host->info->profile ? g_ptr_array_ref (host->info->profile) : NULL;
  info->emptied = host->info->emptied;
}

/* Under the config lock. */
static void
change_uri (VirfsInfra *infra, VirfsHost *host, const char *uri, VirfsJob *job)
{
  g_autoptr (VirfsJob) superseded = NULL;
  VirfsHostInfo *info = virfs_host_info_new ();

  if (host->connection != NULL)
    infra->backend->host_close (host);
  info->state = VIRFS_HOST_CONNECTING;
  virfs_ref_string_set (&info->uri, uri);
  g_mutex_lock (&infra->lock);
  virfs_registry_forget_vms (host);
  for (guint i = 0; i < VIRFS_HOST_N_PARTS; i++)
    virfs_part_lists_set (info->parts, i, virfs_part_list_new ());
  carry_profile (host, info);
  virfs_registry_publish_host (host, info);
  host->answered = FALSE;
  superseded = take_connecting (host);
  host->connecting = virfs_object_ref (job);
  g_mutex_unlock (&infra->lock);
  if (superseded != NULL)
    virfs_job_finish (superseded, g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED,
                                               "the host was given another uri"));
  infra->backend->host_open (host);
}

void
virfs_infra_set_host_uri (VirfsInfra *infra, VirfsHost *host, const char *uri, VirfsJob *job)
{
  g_autoptr (GMutexLocker) config = g_mutex_locker_new (&infra->config);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  GError *error = NULL;

  if (!virfs_job_start (job, NULL, NULL))
    return;
  if (g_strcmp0 (known->uri, uri) == 0)
    virfs_job_finish (job, NULL);
  else if (!infra->backend->check_uri (uri, &error) || !check_idle (infra, host, &error)
           || (host->kept && !virfs_infra_keep (infra, VIRFS_RECORD_HOST, host->name, uri, &error)))
    virfs_job_finish (job, error);
  else
    change_uri (infra, host, uri, job);
}

static void
set_host_failure (VirfsHost *host, VirfsHostInfo *info, const GError *failure)
{
  g_autoptr (GString) line = g_string_new (NULL);

  if (failure != NULL) {
    virfs_text_append_time (line, g_get_real_time ());
    g_string_append_c (line, ' ');
    g_string_append (line, failure->message);
    virfs_ref_string_set (&info->error, line->str);
  } else if (info->error == NULL && host->info->error != NULL) {
    info->error = g_ref_string_acquire (host->info->error);
  }
  virfs_ref_string_set (&info->alarms, host->info->alarms);
}

/* Every job that needs HOST fails now, whatever its worker waits for.  Without the lock. */
static void
fail_jobs (VirfsInfra *infra, VirfsHost *host)
{
  g_autoptr (GPtrArray) jobs = virfs_registry_jobs_of (infra, host);

  for (guint i = 0; i < jobs->len; i++)
    virfs_job_finish (
      jobs->pdata[i],
      g_error_new (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN,
                   "%s does not answer any more; how far this came will be seen when"
                   " it is back",
                   host->name));
}

void
virfs_infra_update_host (VirfsInfra *infra, VirfsHost *host, VirfsHostInfo *info,
                         const GError *failure)
{
  g_autoptr (VirfsJob) waiting = NULL;
  gboolean lost = FALSE, found = FALSE;

  g_mutex_lock (&infra->lock);
  if (host->removed) {
    virfs_host_info_unref (info);
  } else {
    VirfsHostState before = host->info->state;
    guint64 fields;

    lost = before == VIRFS_HOST_UP && info->state != VIRFS_HOST_UP;
    found = before != VIRFS_HOST_UP && info->state == VIRFS_HOST_UP;
    set_host_failure (host, info, failure);
    carry_profile (host, info);
    if (failure != NULL && has_answered_before (host, info))
      info->state = VIRFS_HOST_UNREACHABLE;
    fields = virfs_registry_publish_host (host, info);
    if (fields & VIRFS_BIT (VIRFS_HOST_STATE)) {
      log_host_state (host, before, failure);
      virfs_registry_host_turned (host);
    }
    /* telling may have replaced the info */
    host->answered |= failure != NULL || host->info->state == VIRFS_HOST_UP;
    if (host->answered)
      waiting = take_connecting (host);
    g_cond_broadcast (&infra->settled);
  }
  g_mutex_unlock (&infra->lock);
  virfs_registry_forget_dissolved (infra);
  if (waiting != NULL)
    virfs_job_finish (waiting, failure ? g_error_copy (failure) : NULL);
  if (lost)
    fail_jobs (infra, host);
  if (found)
    virfs_maintenance_go_on (host);
}

static gboolean
all_answered (VirfsInfra *infra)
{
  GHashTableIter iter;
  gpointer host;

  g_hash_table_iter_init (&iter, infra->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host))
    if (!((VirfsHost *) host)->answered && ((VirfsHost *) host)->info->uri != NULL)
      return FALSE;
  return TRUE;
}

gboolean
virfs_infra_settle (VirfsInfra *infra, gint64 timeout)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  gint64 deadline = g_get_monotonic_time () + timeout;
  gboolean waited = TRUE;

  while (!all_answered (infra) && !infra->stopping && waited)
    waited = g_cond_wait_until (&infra->settled, &infra->lock, deadline);
  virfs_registry_rename_rivals (infra);
  infra->has_settled = TRUE;
  g_cond_broadcast (&infra->settled);
  virfs_registry_rename_images (infra);
  virfs_alarms_settle (infra->alarms);
  return all_answered (infra);
}
