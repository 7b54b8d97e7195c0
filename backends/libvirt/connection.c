/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections come and go, and others leave work to their threads. */
#include "connection.h"

#include "control.h"
#include "error.h"

/* What is left of a swarm of changes of pools, networks and devices is read after this time. */
#define RESOURCES_DELAY (200 * G_TIME_SPAN_MILLISECOND)

/* The connection of a host is read by whoever wants something of it while it comes and goes. */
static GMutex handle_lock;

LvConnection *
lv_connection_ref (LvConnection *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
lv_connection_unref (LvConnection *self)
{
  if (self == NULL || !g_atomic_ref_count_dec (&self->refs))
    return;
  g_rw_lock_clear (&self->gate);
  g_mutex_clear (&self->node);
  g_mutex_clear (&self->order);
  g_hash_table_unref (self->told);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_hash_table_unref (self->queued);
  g_queue_clear_full (&self->due, g_free);
  g_ptr_array_unref (self->waits);
  g_free (self->failure);
  g_free (self->name);
  g_free (self->uri);
  g_free (self);
}

static LvConnection *
new_connection (VirfsHost *host, const char *uri)
{
  LvConnection *self = g_new0 (LvConnection, 1);

  g_atomic_ref_count_init (&self->refs);
  self->name = g_strdup (host->name);
  self->uri = g_strdup (uri);
  g_rw_lock_init (&self->gate);
  self->host = virfs_object_ref (host);
  g_mutex_init (&self->node);
  g_mutex_init (&self->order);
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  self->failure = g_strdup ("it has not answered yet");
  self->next_poll = G_MAXINT64;
  g_queue_init (&self->due);
  self->queued = g_hash_table_new (g_str_hash, g_str_equal);
  self->waits = g_ptr_array_new ();
  return self;
}

/* What others leave to the control thread. */

void
lv_connection_lose (LvLink *link, const char *reason)
{
  LvConnection *self = link->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  /* one that was given up may break later */
  if (!g_atomic_int_get (&link->dead)) {
    self->lost = reason;
    g_cond_signal (&self->wake);
  }
}

void
lv_connection_queue (LvLink *link, const char *uuid, gint64 born)
{
  LvConnection *self = link->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  LvDue *due = g_hash_table_lookup (self->queued, uuid);

  if (due == NULL) {
    due = g_new0 (LvDue, 1);
    g_strlcpy (due->uuid, uuid, sizeof due->uuid);
    g_queue_push_tail (&self->due, due);
    g_hash_table_insert (self->queued, due->uuid, due);
    g_cond_signal (&self->wake);
  }
  if (born != 0)
    due->born = born;
}

void
lv_connection_queue_resources (LvLink *link, gboolean swarms)
{
  LvConnection *self = link->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 due = g_get_monotonic_time () + (swarms ? RESOURCES_DELAY : 0);

  if (self->resources_due == 0 || due < self->resources_due) {
    self->resources_due = due;
    g_cond_signal (&self->wake);
  }
}

void
lv_connection_queue_waits (LvConnection *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->waits_due = TRUE;
  g_cond_signal (&self->wake);
}

void
lv_connection_forget_work (LvConnection *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->lost = NULL;
  self->resources_due = 0;
  g_hash_table_remove_all (self->queued);
  g_queue_clear_full (&self->due, g_free);
}

gboolean
lv_connection_install (LvConnection *self, LvLink *link)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->closed)
    self->link = lv_link_ref (link);
  return !self->closed;
}

gboolean
lv_connection_has (LvConnection *self, LvLink *link)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->link == link;
}

/* For the backend. */

void
lv_host_open (VirfsHost *host)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  LvConnection *self = new_connection (host, info->uri);

  g_mutex_lock (&handle_lock);
  host->connection = self;
  g_mutex_unlock (&handle_lock);
  g_thread_unref (g_thread_new ("virfs-host", lv_control_run, lv_connection_ref (self)));
}

void
lv_host_close (VirfsHost *host)
{
  g_autoptr (LvConnection) self = NULL;
  g_autoptr (LvLink) link = NULL;

  g_mutex_lock (&handle_lock);
  self = g_steal_pointer (&host->connection);
  g_mutex_unlock (&handle_lock);
  if (self == NULL)
    return;
  g_rw_lock_writer_lock (&self->gate);
  virfs_object_unref (g_steal_pointer (&self->host));
  g_rw_lock_writer_unlock (&self->gate);
  g_mutex_lock (&self->lock);
  self->closed = TRUE;
  link = g_steal_pointer (&self->link);
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
  /* the thread may hang with its host, so it is not waited for */
  if (link != NULL)
    lv_link_close (link);
}

static LvConnection *
connection_of (VirfsHost *host)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&handle_lock);

  return host->connection ? lv_connection_ref (host->connection) : NULL;
}

LvLink *
lv_host_link (VirfsHost *host, GError **error)
{
  g_autoptr (LvConnection) self = connection_of (host);
  g_autoptr (GMutexLocker) locker = self ? g_mutex_locker_new (&self->lock) : NULL;

  if (self != NULL && self->link != NULL)
    return lv_link_ref (self->link);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is not reachable: %s", host->name,
               self ? self->failure : "it has no URI");
  return NULL;
}
