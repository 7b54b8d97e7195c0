/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a host: its control thread, and what others leave it to do. */
#include "connection.h"

#include "domain.h"
#include "error.h"
#include "event.h"
#include "fleet.h"
#include "gate.h"
#include "node.h"
#include "wait.h"

#include <string.h>

/* Seconds between looks at a guest that somebody waits for, where there are no events. */
#define WAIT_POLL 1
/* What is left of a swarm of changes of pools, networks and devices is read after this time. */
#define RESOURCES_DELAY (200 * G_TIME_SPAN_MILLISECOND)

typedef struct {
  char uuid[37];
  gint64 born;
} LvDue;

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
  g_mutex_init (&self->order);
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  self->failure = g_strdup ("it has not answered yet");
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
lv_connection_queue_resources (LvLink *link)
{
  LvConnection *self = link->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->resources_due == 0) {
    self->resources_due = g_get_monotonic_time () + RESOURCES_DELAY;
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

/* Telling the host's own state. */

/* A copy of what is known to be changed; NULL when the host has gone. */
static VirfsHostInfo *
copy_known (LvConnection *self)
{
  VirfsHost *host = lv_gate_enter (self);
  g_autoptr (VirfsHostInfo) known = host ? virfs_host_info (host) : NULL;

  if (host != NULL)
    lv_gate_leave (self);
  return known ? virfs_host_info_copy (known) : NULL;
}

/* Takes INFO. */
static void
tell_host (LvConnection *self, VirfsHostInfo *info, const GError *failure)
{
  VirfsHost *host = lv_gate_enter (self);

  if (host == NULL) {
    virfs_host_info_unref (info);
    return;
  }
  /* the registry knows better what its last failure was */
  virfs_ref_string_set (&info->error, NULL);
  virfs_infra_update_host (host->object.infra, host, info, failure);
  lv_gate_leave (self);
}

/* Takes FAILURE. */
static void
tell_down (LvConnection *self, GError *failure)
{
  g_autoptr (GError) taken = failure;
  VirfsHostInfo *info = copy_known (self);
  VirfsHostState state;
  gboolean again;

  if (info == NULL)
    return;
  state = info->state == VIRFS_HOST_UP || info->state == VIRFS_HOST_UNREACHABLE
            ? VIRFS_HOST_UNREACHABLE
            : VIRFS_HOST_CONNECTING;
  g_mutex_lock (&self->lock);
  again = g_str_equal (self->failure, taken->message) && info->state == state;
  g_free (self->failure);
  self->failure = g_strdup (taken->message);
  g_mutex_unlock (&self->lock);
  info->state = state;
  info->cpu_load = -1;
  /* a host that stays away is not news each time */
  if (again)
    virfs_host_info_unref (info);
  else
    tell_host (self, info, taken);
}

/* Connecting. */

/* FALSE if the host has been closed meanwhile. */
static gboolean
install (LvConnection *self, LvLink *link)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->closed)
    self->link = lv_link_ref (link);
  return !self->closed;
}

/* Registered for events first, so what changes while the guests are read is queued and read again. */
static gboolean
read_all (LvConnection *self, LvLink *link, LvLoad *load, GError **error)
{
  g_autoptr (virConnect) conn = lv_link_events (link);
  VirfsHostInfo *info;

  if (!lv_fleet_sync (link, conn, error))
    return FALSE;
  info = copy_known (self);
  if (info == NULL || !install (self, link)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "the host was closed");
    virfs_host_info_unref (info);
    return FALSE;
  }
  lv_node_read (link, conn, info);
  lv_node_read_resources (link, conn, info);
  lv_node_read_load (link, conn, load, info);
  info->state = VIRFS_HOST_UP;
  tell_host (self, info, NULL);
  return TRUE;
}

/* What the last link left: all will be read anyway. */
static void
forget_work (LvConnection *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->lost = NULL;
  self->resources_due = 0;
  g_hash_table_remove_all (self->queued);
  g_queue_clear_full (&self->due, g_free);
}

static LvLink *
connect_host (LvConnection *self, LvLoad *load, GError **error)
{
  g_autoptr (LvLink) link = NULL;

  forget_work (self);
  link = lv_link_open (self, error);
  if (link == NULL)
    return NULL;
  if (read_all (self, link, load, error))
    return g_steal_pointer (&link);
  lv_link_close (link);
  return NULL;
}

/* Serving: one piece of work after the other. */

typedef enum { WORK_NONE, WORK_END, WORK_GUEST, WORK_WAITS, WORK_RESOURCES, WORK_POLL } Work;

typedef struct {
  LvConnection *connection;
  LvLink *link;
  LvLoad load;
  gint64 next_poll;
  gint64 next_look; /* at guests that somebody waits for, without events */
  guint cursor;
} Service;

/* Under the lock, as the next. */
static gint64
next_wait (Service *service)
{
  LvConnection *self = service->connection;
  gint64 deadline = lv_wait_deadline (self);

  if (self->waits_due)
    return 0;
  return service->link->has_events || self->waits->len == 0 ? deadline
                                                            : MIN (deadline, service->next_look);
}

static gint64
next_resources (Service *service)
{
  gint64 due = service->connection->resources_due;

  return due ? due : G_MAXINT64;
}

static Work
choose (Service *service, LvDue **due)
{
  LvConnection *self = service->connection;
  gint64 now = g_get_monotonic_time ();

  if (self->closed || self->lost != NULL)
    return WORK_END;
  *due = g_queue_pop_head (&self->due);
  if (*due != NULL) {
    g_hash_table_remove (self->queued, (*due)->uuid);
    return WORK_GUEST;
  }
  if (now >= next_wait (service)) {
    self->waits_due = FALSE;
    return WORK_WAITS;
  }
  if (now >= next_resources (service)) {
    self->resources_due = 0;
    return WORK_RESOURCES;
  }
  return now >= service->next_poll ? WORK_POLL : WORK_NONE;
}

static gint64
next_deadline (Service *service)
{
  return MIN (service->next_poll, MIN (next_wait (service), next_resources (service)));
}

static Work
next_work (Service *service, LvDue **due)
{
  LvConnection *self = service->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  Work work;

  while ((work = choose (service, due)) == WORK_NONE)
    g_cond_wait_until (&self->wake, &self->lock, next_deadline (service));
  return work;
}

static void
refresh_guest (Service *service, virConnectPtr conn, LvDue *due)
{
  lv_domain_refresh (service->link, conn, due->uuid, due->born);
  lv_wait_settle (service->connection, due->uuid);
  g_free (due);
}

/* Without events somebody has to look. */
static void
look_at_waits (Service *service, virConnectPtr conn)
{
  g_autoptr (GPtrArray) guests = NULL;

  if (!service->link->has_events) {
    guests = lv_wait_guests (service->connection);
    for (guint i = 0; i < guests->len; i++)
      lv_domain_refresh (service->link, conn, guests->pdata[i], 0);
    service->next_look = g_get_monotonic_time () + WAIT_POLL * G_TIME_SPAN_SECOND;
  }
  lv_wait_settle (service->connection, NULL);
}

static void
refresh_resources (Service *service, virConnectPtr conn, gboolean with_load)
{
  VirfsHostInfo *info = copy_known (service->connection);

  if (info == NULL)
    return;
  lv_node_read_resources (service->link, conn, info);
  if (with_load)
    lv_node_read_load (service->link, conn, &service->load, info);
  tell_host (service->connection, info, NULL);
}

static void
poll_host (Service *service, virConnectPtr conn)
{
  g_autoptr (GError) error = NULL;

  service->next_poll = g_get_monotonic_time () + lv_options ()->poll_interval * G_TIME_SPAN_SECOND;
  if (!lv_link_is_alive (service->link)) {
    lv_connection_lose (service->link, "the connection broke");
    return;
  }
  refresh_resources (service, conn, TRUE);
  if (!lv_fleet_poll (service->link, conn, &service->cursor, &error))
    g_debug ("%s: %s", service->connection->name, error->message);
  lv_wait_settle (service->connection, NULL);
}

static void
serve (Service *service)
{
  g_autoptr (virConnect) conn = lv_link_events (service->link);
  LvDue *due;

  for (;;) {
    switch (next_work (service, &due)) {
    case WORK_GUEST:
      refresh_guest (service, conn, due);
      break;
    case WORK_WAITS:
      look_at_waits (service, conn);
      break;
    case WORK_RESOURCES:
      refresh_resources (service, conn, FALSE);
      break;
    case WORK_POLL:
      poll_host (service, conn);
      break;
    case WORK_NONE:
    case WORK_END:
      return;
    }
  }
}

/* The thread. */

static gboolean
is_closed (LvConnection *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return self->closed;
}

static void
rest (LvConnection *self, guint seconds)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 end = g_get_monotonic_time () + seconds * G_TIME_SPAN_SECOND;

  while (!self->closed && g_cond_wait_until (&self->wake, &self->lock, end))
    ;
}

/* From now on nobody begins anything on LINK; then the registry fails what has begun. */
static void
give_up (LvConnection *self, LvLink *link)
{
  g_autoptr (LvLink) installed = NULL;
  const char *reason;

  g_mutex_lock (&self->lock);
  installed = g_steal_pointer (&self->link);
  reason = self->lost ? self->lost : "it was closed";
  g_mutex_unlock (&self->lock);
  tell_down (self, g_error_new_literal (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, reason));
  lv_wait_drop (self);
  lv_link_close (link);
}

static gpointer
control (gpointer data)
{
  g_autoptr (LvConnection) self = data;
  guint pause = 1;

  while (!is_closed (self)) {
    Service service = { .connection = self };
    g_autoptr (LvLink) link = NULL;
    GError *error = NULL;

    link = connect_host (self, &service.load, &error);
    if (link == NULL) {
      tell_down (self, error);
      rest (self, pause);
      pause = MIN (2 * pause, MAX (lv_options ()->reconnect_max, 1));
      continue;
    }
    pause = 1;
    service.link = link;
    service.next_poll = g_get_monotonic_time () + lv_options ()->poll_interval * G_TIME_SPAN_SECOND;
    serve (&service);
    give_up (self, link);
  }
  return NULL;
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
  g_thread_unref (g_thread_new ("virfs-host", control, lv_connection_ref (self)));
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
