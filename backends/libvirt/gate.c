/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passing the gate.  Who tells something holds it as a reader, so nobody waits for another; who
 * closes it is the only writer, and waits for moments: no call of libvirt is made inside.
 */
#include "gate.h"

#include "connection.h"
#include "measure.h"

#include <unistd.h>

/* An event comes this much later than what it tells, at most. */
#define EVENT_LAG G_TIME_SPAN_SECOND

VirfsHost *
lv_gate_enter (LvConnection *connection)
{
  g_rw_lock_reader_lock (&connection->gate);
  if (connection->host != NULL)
    return connection->host;
  g_rw_lock_reader_unlock (&connection->gate);
  return NULL;
}

void
lv_gate_leave (LvConnection *connection)
{
  g_rw_lock_reader_unlock (&connection->gate);
}

/* For what is only true as long as LINK stands. */
static VirfsHost *
enter_alive (LvLink *link)
{
  return g_atomic_int_get (&link->dead) ? NULL : lv_gate_enter (link->connection);
}

guint64
lv_gate_begin_reading (LvLink *link)
{
  LvConnection *self = link->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->order);

  self->readings++;
  return ++self->ticket;
}

/* What is told of a guest, as long as something older may still come. */
typedef struct {
  guint64 ticket;
  gint64 read; /* when it was told by who had read it (monotonic time), 0: by an event only */
} Told;

/* Under `order`, as the next.  Now and then what nobody can be too late for any more is
 * forgotten. */
static void
forget_old (LvConnection *self)
{
  gint64 now = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer value;

  if (self->readings > 0 || now < self->next_forgetting)
    return;
  self->next_forgetting = now + EVENT_LAG;
  g_hash_table_iter_init (&iter, self->told);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((Told *) value)->read < now - EVENT_LAG)
      g_hash_table_iter_remove (&iter);
}

static gboolean
is_outdated (LvConnection *self, const char *uuid, guint64 ticket)
{
  const Told *told = g_hash_table_lookup (self->told, uuid);

  return told != NULL && told->ticket > ticket;
}

static gboolean
was_read_lately (LvConnection *self, const char *uuid)
{
  const Told *told = g_hash_table_lookup (self->told, uuid);

  return told != NULL && told->read > g_get_monotonic_time () - EVENT_LAG;
}

static void
remember (LvConnection *self, const char *uuid, guint64 ticket, gboolean read)
{
  Told *told = g_hash_table_lookup (self->told, uuid);

  if (told == NULL) {
    told = g_new0 (Told, 1);
    g_hash_table_insert (self->told, g_strdup (uuid), told);
  }
  told->ticket = ticket;
  if (read)
    told->read = g_get_monotonic_time ();
}

void
lv_gate_end_reading (LvLink *link)
{
  LvConnection *self = link->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->order);

  self->readings--;
  forget_old (self);
}

static void
tell_vm (VirfsHost *host, const char *uuid, VirfsVmInfo *info)
{
  VirfsInfra *infra = host->object.infra;

  if (info != NULL) {
    g_autoptr (VirfsVm) vm = virfs_infra_vm_on_host (infra, host, uuid);
    g_autoptr (VirfsVmInfo) known = vm ? virfs_vm_info (vm) : NULL;

    /* it may have been measured since it was read */
    if (known != NULL)
      lv_measure_keep (known, info);
    virfs_infra_update_vm (infra, host, info);
  } else {
    virfs_infra_remove_vm (infra, host, uuid);
  }
}

gboolean
lv_gate_tell_vm (LvLink *link, guint64 ticket, const char *uuid, VirfsVmInfo *info)
{
  LvConnection *self = link->connection;
  g_autoptr (VirfsVmInfo) taken = info;
  VirfsHost *host = enter_alive (link);
  gboolean outdated;

  if (host == NULL)
    return TRUE;
  g_mutex_lock (&self->order);
  outdated = is_outdated (self, uuid, ticket);
  if (!outdated) {
    remember (self, uuid, ticket, TRUE);
    tell_vm (host, uuid, g_steal_pointer (&taken));
  }
  g_mutex_unlock (&self->order);
  lv_gate_leave (self);
  return !outdated;
}

gboolean
lv_gate_edit_vm (LvLink *link, guint64 ticket, const char *uuid, VirfsVmEdit edit, gpointer data)
{
  LvConnection *self = link->connection;
  VirfsHost *host = enter_alive (link);
  gboolean outdated;

  if (host == NULL)
    return TRUE;
  g_mutex_lock (&self->order);
  outdated = is_outdated (self, uuid, ticket);
  if (!outdated) {
    remember (self, uuid, ticket, TRUE);
    virfs_infra_edit_vm (host->object.infra, host, uuid, edit, data);
  }
  g_mutex_unlock (&self->order);
  lv_gate_leave (self);
  return !outdated;
}

void
lv_gate_hint_vm (LvLink *link, const char *uuid, VirfsVmEdit edit, gpointer data)
{
  LvConnection *self = link->connection;
  VirfsHost *host = enter_alive (link);

  if (host == NULL)
    return;
  g_mutex_lock (&self->order);
  if (!was_read_lately (self, uuid)) {
    remember (self, uuid, ++self->ticket, FALSE);
    virfs_infra_edit_vm (host->object.infra, host, uuid, edit, data);
  }
  g_mutex_unlock (&self->order);
  lv_gate_leave (self);
}

VirfsVmInfo *
lv_gate_known_vm (LvLink *link, const char *uuid)
{
  VirfsHost *host = lv_gate_enter (link->connection);
  g_autoptr (VirfsVm) vm = host ? virfs_infra_vm_on_host (host->object.infra, host, uuid) : NULL;
  VirfsVmInfo *info = vm ? virfs_vm_info (vm) : NULL;

  if (host != NULL)
    lv_gate_leave (link->connection);
  return info;
}

VirfsHostInfo *
lv_gate_copy_host (LvConnection *connection)
{
  VirfsHost *host = lv_gate_enter (connection);
  g_autoptr (VirfsHostInfo) known = host ? virfs_host_info (host) : NULL;

  if (host != NULL)
    lv_gate_leave (connection);
  return known ? virfs_host_info_copy (known) : NULL;
}

void
lv_gate_edit_host (LvConnection *connection, LvLink *link, LvHostEdit edit, gpointer data,
                   const GError *failure)
{
  VirfsHost *host = lv_gate_enter (connection);

  if (host == NULL)
    return;
  g_mutex_lock (&connection->node);
  if (link == NULL || lv_connection_has (connection, link)) {
    g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
    VirfsHostInfo *info = virfs_host_info_copy (known);

    edit (info, data);
    /* the registry knows better what its last failure was */
    virfs_ref_string_set (&info->error, NULL);
    virfs_infra_update_host (host->object.infra, host, info, failure);
  }
  g_mutex_unlock (&connection->node);
  lv_gate_leave (connection);
}

void
lv_gate_tell_all (LvLink *link, GPtrArray *infos)
{
  VirfsHost *host = enter_alive (link);

  if (host == NULL) {
    g_ptr_array_set_free_func (infos, (GDestroyNotify) virfs_vm_info_unref);
    g_ptr_array_unref (infos);
    return;
  }
  virfs_infra_sync_vms (host->object.infra, host, infos);
  lv_gate_leave (link->connection);
}

void
lv_gate_tell_event (LvLink *link, const char *uuid, const char *kind, const char *details)
{
  VirfsHost *host = enter_alive (link);
  g_autoptr (VirfsVm) vm = NULL;

  if (host == NULL)
    return;
  /* while it moves both hosts have something to tell of it */
  if (uuid != NULL)
    vm = virfs_infra_vm_by_uuid (host->object.infra, uuid);
  if (vm != NULL || uuid == NULL)
    virfs_infra_event (host->object.infra, vm ? (gpointer) vm : (gpointer) host, kind, details);
  lv_gate_leave (link->connection);
}

void
lv_gate_tell_event_at (LvLink *link, const char *path, const char *kind, const char *details)
{
  VirfsHost *host = enter_alive (link);

  if (host == NULL)
    return;
  virfs_infra_log (host->object.infra, path, kind, details);
  lv_gate_leave (link->connection);
}

void
lv_gate_report (LvLink *link, const char *uuid, const GError *error)
{
  VirfsHost *host = enter_alive (link);
  g_autoptr (VirfsVm) vm = host ? virfs_infra_vm_by_uuid (host->object.infra, uuid) : NULL;
  g_autofree char *path = vm ? virfs_object_path (vm) : NULL;

  if (vm != NULL)
    virfs_infra_report (host->object.infra, vm, path, getuid (), error);
  if (host != NULL)
    lv_gate_leave (link->connection);
}

gint64
lv_gate_created (LvLink *link, const char *uuid, gint64 born)
{
  VirfsHost *host = lv_gate_enter (link->connection);
  g_autoptr (VirfsVm) vm = host ? virfs_infra_vm_by_uuid (host->object.infra, uuid) : NULL;
  g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

  if (host != NULL)
    lv_gate_leave (link->connection);
  return info ? info->created : born;
}

void
lv_gate_move (LvLink *from, LvLink *to, VirfsVm *vm, gboolean begin)
{
  /* either host may have been given up; the fleet is there as long as one of them is */
  LvConnection *passed = from->connection;
  VirfsHost *host = lv_gate_enter (passed);

  if (host == NULL) {
    passed = to->connection;
    host = lv_gate_enter (passed);
  }
  if (host == NULL)
    return;
  if (begin)
    virfs_infra_begin_move (host->object.infra, vm);
  else
    virfs_infra_end_move (host->object.infra, vm);
  lv_gate_leave (passed);
}

gboolean
lv_gate_start_job (LvConnection *connection, VirfsJob *job)
{
  gboolean started = FALSE;

  if (lv_gate_enter (connection) != NULL) {
    started = virfs_job_start (job, NULL, NULL);
    lv_gate_leave (connection);
  }
  return started;
}

void
lv_gate_set_cancel (LvConnection *connection, VirfsJob *job, VirfsJobCancel cancel)
{
  if (lv_gate_enter (connection) != NULL) {
    virfs_job_set_cancel (job, cancel, NULL);
    lv_gate_leave (connection);
  }
}

void
lv_gate_progress_job (LvConnection *connection, VirfsJob *job, guint64 done, guint64 total)
{
  if (lv_gate_enter (connection) != NULL) {
    virfs_job_progress (job, done, total);
    lv_gate_leave (connection);
  }
}

/* Jobs have ended before their host goes, so one that finds the gate closed has nobody to tell. */
void
lv_gate_finish_job (LvConnection *connection, VirfsJob *job, GError *error)
{
  g_autoptr (GError) taken = error;

  if (lv_gate_enter (connection) != NULL) {
    virfs_job_finish (job, g_steal_pointer (&taken));
    lv_gate_leave (connection);
  }
}
