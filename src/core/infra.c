/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registry itself: its tables and its listeners.  Hosts are in registry_host.c, guests in
 * registry_vm.c and the files that this names, jobs in job.c; paths, events and errors in
 * registry_tell.c.
 */
#include "infra.h"

#include "alarms.h"
#include "console.h"
#include "error.h"
#include "fleet_private.h"
#include "history_store.h"
#include "maintenance.h"
#include "metrics.h"
#include "registry.h"
#include "tariff.h"
#include "upkeep.h"

#include <string.h>
#include <unistd.h>

typedef struct {
  VirfsListener func;
  gpointer data;
} Listener;

/* The tables of what there is; each key is a member of its value where it has no function that frees it. */
static void
make_tables (VirfsInfra *infra)
{
  infra->objects = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, virfs_object_unref);
  infra->hosts = g_hash_table_new (g_str_hash, g_str_equal);
  infra->vms = g_hash_table_new (g_str_hash, g_str_equal);
  infra->labels = g_hash_table_new (g_str_hash, g_str_equal);
  infra->rivals
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  infra->parts = g_hash_table_new (virfs_registry_part_hash, virfs_registry_part_equal);
  infra->jobs = g_hash_table_new (NULL, NULL);
  infra->alarm_names = g_hash_table_new (g_str_hash, g_str_equal);
  infra->hidden = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  infra->orphans = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  infra->owners = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  infra->kept
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) virfs_kept_unref);
  infra->upkeeps
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) virfs_upkeep_unref);
  infra->dissolved = g_ptr_array_new_with_free_func (g_free);
  infra->dissolved_parts = g_ptr_array_new_with_free_func (g_free);
  infra->drains = g_ptr_array_new ();
  infra->listeners = g_array_new (FALSE, FALSE, sizeof (Listener));
  g_queue_init (&infra->ended);
}

VirfsInfra *
virfs_infra_new (const VirfsBackend *backend, guint shutdown_timeout)
{
  VirfsInfra *infra = g_new0 (VirfsInfra, 1);
  gint64 now = g_get_real_time ();

  infra->root = (VirfsObject){ .kind = VIRFS_KIND_ROOT, .infra = infra };
  g_atomic_ref_count_init (&infra->root.refs);
  infra->backend = backend;
  infra->shutdown_timeout = shutdown_timeout;
  infra->owner = (VirfsOwner){ getuid (), getgid (), VIRFS_OWNER_MODE };
  infra->drain_parallel = VIRFS_DRAIN_PARALLEL;
  virfs_user_learn (infra->owner.uid);
  g_mutex_init (&infra->drafting);
  g_mutex_init (&infra->config);
  g_mutex_init (&infra->lock);
  g_cond_init (&infra->settled);
  make_tables (infra);
  infra->events = virfs_event_log_new (VIRFS_EVENT_BYTES);
  infra->consoles = virfs_consoles_new ();
  infra->uses = virfs_uses_new ();
  infra->metrics = virfs_metrics_new (infra);
  infra->alarms = virfs_alarms_new (infra);
  infra->history = virfs_history_new ();
  infra->fleet = virfs_fleet_new (infra);
  infra->tariff = virfs_tariff_new ();
  virfs_registry_open_indexes (infra);
  virfs_registry_open_images (infra);
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
  g_autoptr (GPtrArray) hosts = NULL;

  g_mutex_lock (&infra->lock);
  infra->stopping = TRUE;
  g_cond_broadcast (&infra->settled);
  g_mutex_unlock (&infra->lock);
  virfs_registry_stop_uploads (infra, g_get_monotonic_time () + timeout);
  virfs_alarms_stop (infra->alarms);
  virfs_metrics_stop (infra->metrics);
  virfs_history_stop (infra->history);
  virfs_fleet_drain (infra->fleet);
  stop_jobs (infra, g_get_monotonic_time () + timeout);
  virfs_registry_await_drains (infra, g_get_monotonic_time () + timeout);
  virfs_fleet_stop (infra->fleet);
  hosts = virfs_infra_hosts (infra);
  g_mutex_lock (&infra->config);
  for (guint i = 0; i < hosts->len; i++)
    virfs_registry_drop_host (infra, hosts->pdata[i], NULL);
  g_mutex_unlock (&infra->config);
}

void
virfs_infra_free (VirfsInfra *infra)
{
  virfs_alarms_free (infra->alarms);
  virfs_fleet_free (infra->fleet);
  g_clear_pointer (&infra->drafts, g_ptr_array_unref);
  g_clear_pointer (&infra->fleet_networks, g_ptr_array_unref);
  g_clear_pointer (&infra->fleet_pools, g_ptr_array_unref);
  g_hash_table_unref (infra->hidden);
  g_ptr_array_unref (infra->dissolved);
  g_ptr_array_unref (infra->dissolved_parts);
  g_hash_table_unref (infra->orphans);
  g_hash_table_unref (infra->kept);
  g_hash_table_unref (infra->upkeeps);
  g_clear_pointer (&infra->cpu_baselines, g_hash_table_unref);
  g_ptr_array_unref (infra->drains);
  g_mutex_clear (&infra->drafting);
  g_hash_table_unref (infra->objects);
  g_hash_table_unref (infra->owners);
  virfs_registry_close_indexes (infra);
  virfs_registry_close_images (infra);
  g_hash_table_unref (infra->hosts);
  g_hash_table_unref (infra->vms);
  g_hash_table_unref (infra->labels);
  g_hash_table_unref (infra->rivals);
  g_hash_table_unref (infra->parts);
  g_hash_table_unref (infra->jobs);
  g_hash_table_unref (infra->alarm_names);
  g_queue_clear (&infra->ended);
  g_array_unref (infra->listeners);
  g_clear_pointer (&infra->error, g_ref_string_release);
  virfs_event_log_free (infra->events);
  g_free (infra->log_head);
  virfs_consoles_free (infra->consoles);
  virfs_uses_free (infra->uses);
  virfs_metrics_free (infra->metrics);
  virfs_history_free (infra->history);
  virfs_tariff_free (infra->tariff);
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

VirfsMetrics *
virfs_infra_metrics (VirfsInfra *infra)
{
  return infra->metrics;
}

VirfsHistory *
virfs_infra_history (VirfsInfra *infra)
{
  return infra->history;
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

gboolean
virfs_infra_is_news (VirfsInfra *infra)
{
  return !infra->stopping && !infra->recalling;
}

void
virfs_registry_emit (VirfsInfra *infra, VirfsChangeKind kind, gpointer object, guint64 fields,
                     gconstpointer before, gconstpointer after)
{
  VirfsChange change = { kind, object, fields, before, after };

  virfs_uses_note (infra->uses, &change);
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

static void
add_host (VirfsHost *host, const VirfsHostInfo *info, gpointer hosts)
{
  g_ptr_array_add (hosts, virfs_object_ref (host));
}

static gint
compare_hosts (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(VirfsHost *const *) a)->name, (*(VirfsHost *const *) b)->name);
}

GPtrArray *
virfs_infra_hosts (VirfsInfra *infra)
{
  GPtrArray *hosts = g_ptr_array_new_with_free_func (virfs_object_unref);

  virfs_infra_foreach_host (infra, add_host, hosts);
  g_ptr_array_sort (hosts, compare_hosts);
  return hosts;
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
