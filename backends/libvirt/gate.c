/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passing the gate.  Who tells something holds it as a reader, so nobody waits for another; who
 * closes it is the only writer, and waits for moments: no call of libvirt is made inside.
 */
#include "gate.h"

#include "connection.h"

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

/* What nobody can come too late for needs not be remembered. */
void
lv_gate_end_reading (LvLink *link)
{
  LvConnection *self = link->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->order);

  if (--self->readings == 0)
    g_hash_table_remove_all (self->told);
}

/* Under `order`, as the next. */
static gboolean
is_outdated (LvConnection *self, const char *uuid, guint64 ticket)
{
  const guint64 *last = g_hash_table_lookup (self->told, uuid);

  return last != NULL && *last > ticket;
}

static void
remember (LvConnection *self, const char *uuid, guint64 ticket)
{
  if (self->readings > 0)
    g_hash_table_replace (self->told, g_strdup (uuid), g_memdup2 (&ticket, sizeof ticket));
}

static void
tell_vm (VirfsHost *host, const char *uuid, VirfsVmInfo *info)
{
  VirfsInfra *infra = host->object.infra;

  if (info != NULL)
    virfs_infra_update_vm (infra, host, g_steal_pointer (&info));
  else
    virfs_infra_remove_vm (infra, host, uuid);
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
    remember (self, uuid, ticket);
    tell_vm (host, uuid, g_steal_pointer (&taken));
  }
  g_mutex_unlock (&self->order);
  lv_gate_leave (self);
  return !outdated;
}

void
lv_gate_edit_vm (LvLink *link, guint64 ticket, const char *uuid, VirfsVmEdit edit, gpointer data)
{
  LvConnection *self = link->connection;
  VirfsHost *host = enter_alive (link);

  if (host == NULL)
    return;
  g_mutex_lock (&self->order);
  if (ticket == 0)
    ticket = ++self->ticket;
  if (!is_outdated (self, uuid, ticket)) {
    remember (self, uuid, ticket);
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

static void
unref_info (gpointer info)
{
  virfs_vm_info_unref (info);
}

void
lv_gate_tell_all (LvLink *link, GPtrArray *infos)
{
  VirfsHost *host = enter_alive (link);

  if (host == NULL) {
    g_ptr_array_set_free_func (infos, unref_info);
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
  if (uuid != NULL)
    vm = virfs_infra_vm_on_host (host->object.infra, host, uuid);
  if (vm != NULL || uuid == NULL)
    virfs_infra_event (host->object.infra, vm ? (gpointer) vm : (gpointer) host, kind, details);
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
