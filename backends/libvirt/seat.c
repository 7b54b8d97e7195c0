/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seats and those to spare. */
#include "seat.h"

#include "connection.h"
#include "error.h"

/* As many operations a host as usually run at once; more connections are closed after use. */
#define MOST_SPARES 2

/* Operations may leave a connection silent for long, and a stream keeps it busy. */
#define KEEPALIVE 5, 5

/* The state of libvirt's test driver is the connection's, and it has no wire. */
static gboolean
keeps_state (LvLink *link)
{
  return g_str_equal (link->type, "TEST");
}

static virConnectPtr
take_spare (LvLink *link)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);
  guint n = link->spares->len;

  return n > 0 ? g_ptr_array_steal_index (link->spares, n - 1) : NULL;
}

static virConnectPtr
connect_or_share (LvLink *link, GError **error)
{
  virConnectPtr conn;

  if (keeps_state (link))
    return lv_link_events (link);
  conn = take_spare (link);
  return conn ? conn : lv_link_connect (link, KEEPALIVE, error);
}

gboolean
lv_seat_take (LvSeat *seat, LvLink *link, GError **error)
{
  virConnectPtr conn = connect_or_share (link, error);

  if (conn != NULL)
    *seat = (LvSeat){ .link = lv_link_ref (link), .conn = conn };
  else if (error != NULL && *error == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is not reachable",
                 link->connection->name);
  return conn != NULL;
}

static gboolean
keep (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);

  if (link->events == NULL || link->spares->len >= MOST_SPARES)
    return FALSE;
  g_ptr_array_add (link->spares, conn);
  return TRUE;
}

void
lv_seat_leave (LvSeat *seat)
{
  LvSeat left = *seat;

  if (left.link == NULL)
    return;
  *seat = (LvSeat){ 0 };
  if (keeps_state (left.link))
    LV (virConnectClose (left.conn));
  else if (!keep (left.link, left.conn))
    lv_link_disconnect (left.link, left.conn);
  lv_link_unref (left.link);
}

gboolean
lv_seat_prepare (LvLink *link, GError **error)
{
  LvSeat seat;

  if (!lv_seat_take (&seat, link, error))
    return FALSE;
  lv_seat_leave (&seat);
  return TRUE;
}

void
lv_seat_close_spares (LvLink *link)
{
  virConnectPtr conn;

  while ((conn = take_spare (link)) != NULL)
    lv_link_disconnect (link, conn);
}
