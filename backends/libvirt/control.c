/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control thread: connects, then does one piece of work after the other until the host is lost,
 * and begins again.
 */
#include "control.h"

#include "domain.h"
#include "error.h"
#include "filter.h"
#include "fleet.h"
#include "gate.h"
#include "inventory.h"
#include "node_device.h"
#include "poll.h"
#include "wait.h"

/* Between looks at a guest that somebody waits for, where there are no events. */
#define LOOK_INTERVAL G_TIME_SPAN_SECOND

/* Connecting. */

static void
set_up (VirfsHostInfo *info, gpointer data)
{
  info->state = VIRFS_HOST_UP;
}

/* Registered for events first, so what changes while the guests are read is queued and read
 * again. */
static gboolean
read_all (LvConnection *self, LvLink *link, GError **error)
{
  g_autoptr (virConnect) conn = lv_link_events (link);

  if (!lv_fleet_sync (link, conn, error))
    return FALSE;
  if (!lv_connection_install (self, link)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "the host was closed");
    return FALSE;
  }
  lv_poll_node (link, conn);
  lv_filters_poll (link, conn);
  lv_gate_edit_host (self, link, set_up, NULL, NULL);
  lv_inventory_poll (link);
  return TRUE;
}

static LvLink *
connect_host (LvConnection *self, GError **error)
{
  g_autoptr (LvLink) link = NULL;

  lv_connection_forget_work (self);
  link = lv_link_open (self, error);
  if (link == NULL)
    return NULL;
  if (read_all (self, link, error))
    return g_steal_pointer (&link);
  lv_link_close (link);
  return NULL;
}

/* Serving: one piece of work after the other. */

typedef enum { WORK_NONE, WORK_END, WORK_GUEST, WORK_WAITS, WORK_RESOURCES, WORK_POLL } Work;

typedef struct {
  LvConnection *connection;
  LvLink *link;
  gint64 next_look; /* at guests that somebody waits for, without events */
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
  if (now < self->next_poll)
    return WORK_NONE;
  self->next_poll = G_MAXINT64;
  return WORK_POLL;
}

static gint64
next_deadline (Service *service)
{
  return MIN (service->connection->next_poll, MIN (next_wait (service), next_resources (service)));
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
    service->next_look = g_get_monotonic_time () + LOOK_INTERVAL;
  }
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
      lv_poll_resources (service->link, conn);
      lv_node_devices_refresh (service->link, conn);
      break;
    case WORK_POLL:
      lv_poll_begin (service->link);
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

static void
set_down (VirfsHostInfo *info, gpointer data)
{
  gboolean was_up = info->state == VIRFS_HOST_UP || info->state == VIRFS_HOST_UNREACHABLE;

  info->state = was_up ? VIRFS_HOST_UNREACHABLE : VIRFS_HOST_CONNECTING;
  info->cpu_load = -1;
}

/* Takes FAILURE. */
static void
tell_down (LvConnection *self, GError *failure)
{
  g_autoptr (GError) taken = failure;
  gboolean again;

  g_mutex_lock (&self->lock);
  again = g_str_equal (self->failure, taken->message);
  g_free (self->failure);
  self->failure = g_strdup (taken->message);
  g_mutex_unlock (&self->lock);
  /* that a host stays away is not news each time */
  if (!again)
    lv_gate_edit_host (self, NULL, set_down, NULL, taken);
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
  g_clear_pointer (&self->failure, g_free);
  self->failure = g_strdup ("");
  g_mutex_unlock (&self->lock);
  tell_down (self, g_error_new_literal (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, reason));
  lv_wait_drop (self);
  lv_link_close (link);
}

gpointer
lv_control_run (gpointer data)
{
  g_autoptr (LvConnection) self = data;
  guint pause = 1;

  while (!is_closed (self)) {
    g_autoptr (LvLink) link = NULL;
    GError *error = NULL;

    link = connect_host (self, &error);
    if (link == NULL) {
      tell_down (self, error);
      rest (self, pause);
      pause = MIN (2 * pause, MAX (lv_options ()->reconnect_max, 1));
    } else {
      pause = 1;
      lv_poll_snapshots (link);
      lv_poll_schedule (link);
      serve (&(Service){ .connection = self, .link = link });
      give_up (self, link);
    }
  }
  return NULL;
}
