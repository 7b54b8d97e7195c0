/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening and closing links. */
#include "link.h"

#include "agent.h"
#include "connection.h"
#include "console_stream.h"
#include "event.h"
#include "fail.h"
#include "inventory.h"
#include "seat.h"
#include "storage.h"
#include "task.h"

#include <string.h>

static virConnectPtr
open_uri (const char *uri, GError **error)
{
  g_autoptr (LvUri) parsed = lv_uri_parse (uri, error);
  virConnectPtr conn;

  if (parsed == NULL)
    return NULL;
  conn = LV (virConnectOpenAuth (parsed->plain, lv_uri_auth (parsed), 0));
  if (conn == NULL)
    lv_fail (error, "cannot connect");
  return conn;
}

static void
on_close (virConnectPtr conn, int reason, void *opaque)
{
  static const char *const reasons[] = {
    [VIR_CONNECT_CLOSE_REASON_ERROR] = "the connection broke",
    [VIR_CONNECT_CLOSE_REASON_EOF] = "the connection was closed by the host",
    [VIR_CONNECT_CLOSE_REASON_KEEPALIVE] = "it gives no sign of life",
    [VIR_CONNECT_CLOSE_REASON_CLIENT] = "the connection was closed",
  };
  LvLink *link = opaque;

  lv_connection_lose (link, reason >= 0 && reason < (int) G_N_ELEMENTS (reasons) ? reasons[reason]
                                                                                 : reasons[0]);
}

/* Drivers without a wire have neither signs of life nor an end, and do not say so.  The callback
 * needs no reference to LINK: before that goes the callback is taken back, which waits for it. */
static void
watch (LvLink *link, virConnectPtr conn, int interval, guint count)
{
  if (interval > 0)
    LV (virConnectSetKeepAlive (conn, interval, count));
  LV (virConnectRegisterCloseCallback (conn, on_close, link, NULL));
}

virConnectPtr
lv_link_connect (LvLink *link, int interval, guint count, GError **error)
{
  virConnectPtr conn = open_uri (link->connection->uri, error);

  if (conn != NULL)
    watch (link, conn, interval, count);
  return conn;
}

void
lv_link_disconnect (LvLink *link, virConnectPtr conn)
{
  LV (virConnectUnregisterCloseCallback (conn, on_close));
  LV (virConnectClose (conn));
}

static LvLink *
new_link (LvConnection *connection)
{
  static guint64 last_serial;
  LvUri *uri = lv_uri_parse (connection->uri, NULL);
  LvLink *link = g_new0 (LvLink, 1);

  g_atomic_ref_count_init (&link->refs);
  link->serial = __atomic_add_fetch (&last_serial, 1, __ATOMIC_RELAXED);
  link->connection = lv_connection_ref (connection);
  link->uri = uri;
  link->as_caller = uri->as_caller;
  g_mutex_init (&link->lock);
  g_cond_init (&link->ended);
  g_mutex_init (&link->resources);
  g_mutex_init (&link->storage);
  link->spares = lv_seat_new_spares ();
  link->registrations = g_array_new (FALSE, FALSE, sizeof (LvRegistration));
  link->devices_due = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  lv_task_open_lanes (link);
  lv_storage_open (link);
  link->inventory = lv_inventory_new ();
  link->agents = lv_agents_new (link);
  link->consoles = lv_consoles_new ();
  return link;
}

LvLink *
lv_link_open (LvConnection *connection, GError **error)
{
  g_autoptr (LvLink) link = NULL;
  virConnectPtr conn = open_uri (connection->uri, error);

  if (conn == NULL)
    return NULL;
  link = new_link (connection);
  link->events = conn;
  link->type = g_strdup (LV (virConnectGetType (conn)));
  watch (link, conn, lv_options ()->keepalive_interval, lv_options ()->keepalive_count);
  lv_events_register (link, conn);
  if (lv_seat_prepare (link, error))
    return g_steal_pointer (&link);
  lv_link_close (link);
  return NULL;
}

static void
forget_events (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GArray) registrations = g_steal_pointer (&link->registrations);

  for (guint i = 0; registrations && i < registrations->len; i++) {
    LvRegistration *registration = &g_array_index (registrations, LvRegistration, i);

    LV (registration->deregister (conn, registration->id));
  }
}

/* Callbacks hold references to the connection, so they go first. */
static gpointer
close_thread (gpointer data)
{
  g_autoptr (LvLink) link = data;
  g_autoptr (virConnect) events = NULL;

  g_mutex_lock (&link->lock);
  events = g_steal_pointer (&link->events);
  g_mutex_unlock (&link->lock);
  if (events != NULL) {
    forget_events (link, events);
    LV (virConnectUnregisterCloseCallback (events, on_close));
  }
  lv_seat_close_spares (link);
  return NULL;
}

void
lv_link_close (LvLink *link)
{
  if (g_atomic_int_exchange (&link->dead, TRUE))
    return;
  lv_task_close_lanes (link);
  lv_lanes_close (link->agents);
  lv_consoles_close (link);
  lv_link_job_ended (link);
  /* each call may have to wait for a host that hangs */
  g_thread_unref (g_thread_new ("virfs-close", close_thread, lv_link_ref (link)));
}

LvLink *
lv_link_ref (LvLink *link)
{
  g_atomic_ref_count_inc (&link->refs);
  return link;
}

/* May run in the event thread: makes no call. */
void
lv_link_unref (LvLink *link)
{
  if (!g_atomic_ref_count_dec (&link->refs))
    return;
  lv_storage_close (link);
  lv_inventory_free (link->inventory);
  lv_lanes_free (link->agents);
  lv_consoles_free (link->consoles);
  lv_connection_unref (link->connection);
  g_clear_pointer (&link->registrations, g_array_unref);
  g_hash_table_unref (link->devices_due);
  g_clear_pointer (&link->unread, g_hash_table_unref);
  g_clear_pointer (&link->asked, g_hash_table_unref);
  g_array_unref (link->spares);
  g_mutex_clear (&link->lock);
  g_cond_clear (&link->ended);
  g_mutex_clear (&link->resources);
  g_mutex_clear (&link->storage);
  g_free (link->type);
  lv_uri_free (link->uri);
  g_free (link);
}

virConnectPtr
lv_link_events (LvLink *link)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);

  if (link->events != NULL)
    virConnectRef (link->events);
  return link->events;
}

gboolean
lv_link_is_alive (LvLink *link)
{
  g_autoptr (virConnect) events = lv_link_events (link);

  return !g_atomic_int_get (&link->dead) && events != NULL && LV (virConnectIsAlive (events)) != 0;
}

void
lv_link_job_ended (LvLink *link)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);

  link->n_ended++;
  g_cond_broadcast (&link->ended);
}

guint64
lv_link_jobs_ended (LvLink *link)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);

  return link->n_ended;
}

gboolean
lv_link_await_job (LvLink *link, guint64 seen, gint64 end)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);

  while (link->n_ended == seen)
    if (g_atomic_int_get (&link->dead) || !g_cond_wait_until (&link->ended, &link->lock, end))
      return FALSE;
  return TRUE;
}

gboolean
lv_link_lacks (LvLink *link, LvCall call)
{
  return __atomic_load_n (&link->missing[call], __ATOMIC_RELAXED);
}

void
lv_link_note (LvLink *link, LvCall call)
{
  if (lv_last_missing ())
    __atomic_store_n (&link->missing[call], TRUE, __ATOMIC_RELAXED);
}
