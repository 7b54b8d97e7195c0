/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registry itself: its tables, its listeners, and the hosts.  Guests are in registry_vm.c, jobs
 * in job.c.  All static functions here run under the registry's lock unless they say otherwise.
 */
#include "infra.h"

#include "error.h"
#include "registry.h"
#include "text.h"

#include <string.h>

typedef struct {
  VirfsListener func;
  gpointer data;
} Listener;

/* What is kept of events until they have a store of their own. */
#define EVENT_BYTES (4 * 1024 * 1024)

VirfsInfra *
virfs_infra_new (const VirfsBackend *backend, guint shutdown_timeout)
{
  VirfsInfra *infra = g_new0 (VirfsInfra, 1);
  gint64 now = g_get_real_time ();

  infra->root = (VirfsObject){ .kind = VIRFS_KIND_ROOT, .infra = infra };
  g_atomic_ref_count_init (&infra->root.refs);
  infra->backend = backend;
  infra->shutdown_timeout = shutdown_timeout;
  infra->events = virfs_event_log_new (EVENT_BYTES);
  g_mutex_init (&infra->config);
  g_mutex_init (&infra->lock);
  g_cond_init (&infra->settled);
  infra->listeners = g_array_new (FALSE, FALSE, sizeof (Listener));
  infra->objects = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, virfs_object_unref);
  infra->hosts = g_hash_table_new (g_str_hash, g_str_equal);
  infra->vms = g_hash_table_new (g_str_hash, g_str_equal);
  infra->labels = g_hash_table_new (g_str_hash, g_str_equal);
  infra->rivals
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  infra->jobs = g_hash_table_new (NULL, NULL);
  g_queue_init (&infra->ended);
  for (guint i = 0; i < VIRFS_ROOT_N_FIELDS; i++)
    infra->changed[i] = now;
  return infra;
}

static gboolean
all_jobs_ended (VirfsInfra *infra)
{
  return g_hash_table_size (infra->jobs) == infra->ended.length && infra->telling == 0;
}

/* Without the lock. */
static void
stop_jobs (VirfsInfra *infra, gint64 deadline)
{
  g_autoptr (GPtrArray) jobs = virfs_registry_jobs_of (infra, NULL);

  for (guint i = 0; i < jobs->len; i++)
    virfs_job_cancel (jobs->pdata[i]);
  g_mutex_lock (&infra->lock);
  while (!all_jobs_ended (infra) && g_cond_wait_until (&infra->settled, &infra->lock, deadline))
    ;
  g_mutex_unlock (&infra->lock);
  for (guint i = 0; i < jobs->len; i++)
    virfs_job_finish (jobs->pdata[i],
                      g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "virfs ends"));
}

void
virfs_infra_stop (VirfsInfra *infra, gint64 timeout)
{
  g_autoptr (GPtrArray) hosts = g_ptr_array_new_with_free_func (virfs_object_unref);
  GHashTableIter iter;
  gpointer host;

  g_mutex_lock (&infra->lock);
  infra->stopping = TRUE;
  g_cond_broadcast (&infra->settled);
  g_mutex_unlock (&infra->lock);
  stop_jobs (infra, g_get_monotonic_time () + timeout);
  g_mutex_lock (&infra->lock);
  g_hash_table_iter_init (&iter, infra->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host))
    g_ptr_array_add (hosts, virfs_object_ref (host));
  g_mutex_unlock (&infra->lock);
  for (guint i = 0; i < hosts->len; i++)
    virfs_infra_remove_host (infra, hosts->pdata[i], NULL);
}

void
virfs_infra_free (VirfsInfra *infra)
{
  g_hash_table_unref (infra->objects);
  g_hash_table_unref (infra->hosts);
  g_hash_table_unref (infra->vms);
  g_hash_table_unref (infra->labels);
  g_hash_table_unref (infra->rivals);
  g_hash_table_unref (infra->jobs);
  g_queue_clear (&infra->ended);
  g_array_unref (infra->listeners);
  g_clear_pointer (&infra->error, g_ref_string_release);
  virfs_event_log_free (infra->events);
  g_cond_clear (&infra->settled);
  g_mutex_clear (&infra->lock);
  g_mutex_clear (&infra->config);
  g_free (infra);
}

const VirfsBackend *
virfs_infra_backend (VirfsInfra *infra)
{
  return infra->backend;
}

VirfsEventLog *
virfs_infra_events (VirfsInfra *infra)
{
  return infra->events;
}

VirfsObject *
virfs_infra_root (VirfsInfra *infra)
{
  return &infra->root;
}

void
virfs_infra_listen (VirfsInfra *infra, VirfsListener func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  Listener listener = { func, data };

  g_array_append_val (infra->listeners, listener);
}

void
virfs_infra_unlisten (VirfsInfra *infra, VirfsListener func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  for (guint i = infra->listeners->len; i > 0; i--) {
    Listener *listener = &g_array_index (infra->listeners, Listener, i - 1);

    if (listener->func == func && listener->data == data)
      g_array_remove_index (infra->listeners, i - 1);
  }
}

void
virfs_registry_emit (VirfsInfra *infra, VirfsChangeKind kind, gpointer object, guint64 fields,
                     gconstpointer before, gconstpointer after)
{
  VirfsChange change = { kind, object, fields, before, after };

  for (guint i = 0; i < infra->listeners->len; i++) {
    Listener *listener = &g_array_index (infra->listeners, Listener, i);

    listener->func (&change, listener->data);
  }
}

void
virfs_registry_touch (VirfsInfra *infra, guint64 fields)
{
  gint64 now = g_get_real_time ();

  for (guint i = 0; i < VIRFS_ROOT_N_FIELDS; i++)
    if (fields & VIRFS_BIT (i))
      infra->changed[i] = now;
  virfs_registry_emit (infra, VIRFS_CHANGED, &infra->root, fields, NULL, NULL);
}

void
virfs_registry_add (VirfsInfra *infra, gpointer object, VirfsKind kind, guint64 wish,
                    void (*free_func) (gpointer))
{
  VirfsObject *self = object;

  self->kind = kind;
  self->infra = infra;
  self->free = free_func;
  self->id = wish;
  g_atomic_ref_count_init (&self->refs);
  while (g_hash_table_contains (infra->objects, &self->id))
    self->id = self->id % (VIRFS_BIT (VIRFS_ID_BITS) - 1) + 1;
  g_hash_table_insert (infra->objects, &self->id, self);
}

void
virfs_registry_remove (VirfsInfra *infra, gpointer object)
{
  VirfsObject *self = object;

  g_hash_table_remove (infra->objects, &self->id);
}

gpointer
virfs_infra_object (VirfsInfra *infra, guint64 id)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  gpointer object = g_hash_table_lookup (infra->objects, &id);

  return object ? virfs_object_ref (object) : NULL;
}

/* Takes the lock. */
static gpointer
look_up (VirfsInfra *infra, GHashTable *table, gconstpointer key)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  gpointer object = g_hash_table_lookup (table, key);

  return object ? virfs_object_ref (object) : NULL;
}

VirfsHost *
virfs_infra_host (VirfsInfra *infra, const char *name)
{
  return look_up (infra, infra->hosts, name);
}

VirfsVm *
virfs_infra_vm (VirfsInfra *infra, const char *label)
{
  return look_up (infra, infra->labels, label);
}

VirfsVm *
virfs_infra_vm_by_uuid (VirfsInfra *infra, const char *uuid)
{
  return look_up (infra, infra->vms, uuid);
}

VirfsVm *
virfs_infra_vm_on_host (VirfsInfra *infra, VirfsHost *host, const char *uuid)
{
  return look_up (infra, host->vms, uuid);
}

VirfsJob *
virfs_infra_job (VirfsInfra *infra, guint number)
{
  return look_up (infra, infra->jobs, GUINT_TO_POINTER (number));
}

void
virfs_infra_foreach_host (VirfsInfra *infra, VirfsHostFunc func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GHashTableIter iter;
  gpointer host;

  g_hash_table_iter_init (&iter, infra->hosts);
  while (g_hash_table_iter_next (&iter, NULL, &host))
    func (host, ((VirfsHost *) host)->info, data);
}

void
virfs_infra_foreach_vm (VirfsInfra *infra, VirfsHost *host, VirfsVmFunc func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, host ? host->vms : infra->labels);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    VirfsVm *vm = value;

    if (vm->info->label != NULL)
      func (vm, vm->info, data);
  }
}

void
virfs_infra_foreach_job (VirfsInfra *infra, VirfsJobFunc func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GHashTableIter iter;
  gpointer number, job;

  g_hash_table_iter_init (&iter, infra->jobs);
  while (g_hash_table_iter_next (&iter, &number, &job))
    func (job, GPOINTER_TO_UINT (number), data);
}

gint64
virfs_infra_changed (VirfsInfra *infra, guint64 fields)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  return virfs_latest_change (infra->changed, VIRFS_ROOT_N_FIELDS, fields);
}

/* Hosts. */

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

guint64
virfs_registry_publish_host (VirfsHost *host, VirfsHostInfo *info)
{
  g_autoptr (VirfsHostInfo) before = host->info;
  guint64 fields = virfs_host_info_diff (before, info);

  memcpy (info->changed, before->changed, sizeof info->changed);
  stamp (info->changed, VIRFS_HOST_N_FIELDS, fields);
  host->info = info;
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
    "a host's name must be short, without `/`, `%%`, `~`, control characters and a leading"
    " dot");
  return FALSE;
}

VirfsHost *
virfs_infra_add_host (VirfsInfra *infra, const char *name, const char *uri, GError **error)
{
  g_autoptr (GMutexLocker) config = g_mutex_locker_new (&infra->config);
  VirfsHost *host = NULL;

  if (!check_host_name (name, error) || (uri && !infra->backend->check_uri (uri, error)))
    return NULL;
  g_mutex_lock (&infra->lock);
  if (!g_hash_table_contains (infra->hosts, name) && !infra->stopping)
    host = new_host (infra, name, uri);
  g_mutex_unlock (&infra->lock);
  if (host == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "there is a host %s already", name);
  else if (uri != NULL)
    infra->backend->host_open (host);
  return host;
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
  g_autoptr (VirfsJob) waiting = NULL;

  if (!check_idle (infra, host, error))
    return FALSE;
  if (host->connection != NULL)
    infra->backend->host_close (host);
  g_mutex_lock (&infra->lock);
  if (!host->removed) {
    host->removed = TRUE;
    virfs_registry_forget_vms (host);
    g_hash_table_remove (infra->hosts, host->name);
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
  else if (!infra->backend->check_uri (uri, &error) || !check_idle (infra, host, &error))
    virfs_job_finish (job, error);
  else
    change_uri (infra, host, uri, job);
}

static void
log_host_state (VirfsHost *host, VirfsHostState before, const GError *failure)
{
  g_autoptr (GString) details = g_string_new (NULL);

  virfs_event_append (details, "value", virfs_host_state_name (host->info->state));
  virfs_event_append (details, "reason", failure ? failure->message : NULL);
  virfs_registry_event (host->object.infra, host, "state", details->str);
  if (before == VIRFS_HOST_CONNECTING && failure == NULL)
    g_info ("%s is up", host->name);
  else
    g_message ("%s is %s%s%s", host->name, virfs_host_state_name (host->info->state),
               failure ? ": " : "", failure ? failure->message : "");
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
  gboolean lost = FALSE;

  g_mutex_lock (&infra->lock);
  if (host->removed) {
    virfs_host_info_unref (info);
  } else {
    VirfsHostState before = host->info->state;
    guint64 fields;

    lost = before == VIRFS_HOST_UP && info->state != VIRFS_HOST_UP;
    set_host_failure (host, info, failure);
    fields = virfs_registry_publish_host (host, info);
    if (fields & VIRFS_BIT (VIRFS_HOST_STATE)) {
      log_host_state (host, before, failure);
      virfs_registry_host_turned (host);
    }
    host->answered |= failure != NULL || info->state == VIRFS_HOST_UP;
    if (host->answered)
      waiting = take_connecting (host);
    g_cond_broadcast (&infra->settled);
  }
  g_mutex_unlock (&infra->lock);
  if (waiting != NULL)
    virfs_job_finish (waiting, failure ? g_error_copy (failure) : NULL);
  if (lost)
    fail_jobs (infra, host);
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
  return all_answered (infra);
}

/* Telling. */

char *
virfs_registry_path (gpointer object)
{
  VirfsObject *self = object;

  switch (self->kind) {
  case VIRFS_KIND_HOST:
    return g_strdup_printf ("hosts/%s", ((VirfsHost *) object)->name);
  case VIRFS_KIND_VM: {
    const VirfsVmInfo *info = ((VirfsVm *) object)->info;

    /* a twin that is not shown goes by the name of the guest */
    return g_strdup_printf ("vms/%s", info->label ? info->label
                                                  : virfs_registry_primary (object)->info->label);
  }
  case VIRFS_KIND_JOB:
    return g_strdup_printf ("jobs/%u", virfs_job_number (object));
  case VIRFS_KIND_ROOT:
    break;
  }
  return g_strdup ("fleet");
}

char *
virfs_object_path (gpointer object)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&((VirfsObject *) object)->infra->lock);

  return virfs_registry_path (object);
}

void
virfs_registry_event (VirfsInfra *infra, gpointer object, const char *kind, const char *details)
{
  g_autofree char *path = virfs_registry_path (object ? object : &infra->root);

  virfs_event_log_add (infra->events, path, kind, details);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_EVENTS));
}

void
virfs_infra_event (VirfsInfra *infra, gpointer object, const char *kind, const char *details)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  virfs_registry_event (infra, object, kind, details);
}

static void
set_object_error (gpointer object, const char *line)
{
  VirfsObject *self = object;

  if (self->kind == VIRFS_KIND_VM && !((VirfsVm *) object)->removed) {
    VirfsVmInfo *info = virfs_vm_info_copy (((VirfsVm *) object)->info);

    virfs_ref_string_set (&info->error, line);
    virfs_registry_publish_vm (object, info);
  } else if (self->kind == VIRFS_KIND_HOST && !((VirfsHost *) object)->removed) {
    VirfsHostInfo *info = virfs_host_info_copy (((VirfsHost *) object)->info);

    virfs_ref_string_set (&info->error, line);
    virfs_registry_publish_host (object, info);
  }
}

void
virfs_infra_report (VirfsInfra *infra, gpointer object, const char *file, guint uid,
                    const GError *error)
{
  g_autoptr (GMutexLocker) locker = NULL;
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GString) details = g_string_new (NULL);
  g_autoptr (GString) safe = g_string_new (NULL);

  virfs_text_append_time (line, g_get_real_time ());
  g_string_append_printf (line, " %s uid=%u: %s", file, uid, error->message);
  g_string_append_printf (details, "uid=%u", uid);
  virfs_event_append (details, "error", g_strerror (virfs_error_to_errno (error)));
  virfs_event_append (details, "reason", error->message);
  virfs_text_escape (safe, error->message);
  g_message ("%s: %s (uid %u)", file, safe->str, uid);

  locker = g_mutex_locker_new (&infra->lock);
  virfs_ref_string_set (&infra->error, line->str);
  virfs_event_log_add (infra->events, file, "refused", details->str);
  if (object != NULL)
    set_object_error (object, line->str);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_ERROR) | VIRFS_BIT (VIRFS_ROOT_EVENTS));
}

void
virfs_infra_append_error (VirfsInfra *infra, GString *out)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  if (infra->error == NULL)
    return;
  virfs_text_escape (out, infra->error);
  g_string_append_c (out, '\n');
}
