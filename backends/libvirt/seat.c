/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seats and those to spare. */
#include "seat.h"

#include "connection.h"
#include "error.h"
#include "identity.h"

#include <unistd.h>

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

typedef struct {
  virConnectPtr conn;
  guint uid; /* as a seat's */
} Spare;

GArray *
lv_seat_new_spares (void)
{
  return g_array_new (FALSE, FALSE, sizeof (Spare));
}

/* The last that was kept for UID. */
static virConnectPtr
take_spare (LvLink *link, guint uid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);

  for (guint i = link->spares->len; i-- > 0;) {
    Spare spare = g_array_index (link->spares, Spare, i);

    if (spare.uid == uid) {
      g_array_remove_index (link->spares, i);
      return spare.conn;
    }
  }
  return NULL;
}

static virConnectPtr
connect_as (LvLink *link, guint uid, GError **error)
{
  virConnectPtr conn = lv_link_connect (link, KEEPALIVE, error);

  if (conn == NULL || uid == LV_OWN_NAME
      || lv_identity_take (conn, uid, link->connection->name, error))
    return conn;
  lv_link_disconnect (link, conn);
  return NULL;
}

static virConnectPtr
connect_or_share (LvLink *link, guint uid, GError **error)
{
  virConnectPtr conn;

  if (keeps_state (link) && uid == LV_OWN_NAME)
    return lv_link_events (link);
  conn = take_spare (link, uid);
  return conn ? conn : connect_as (link, uid, error);
}

static gboolean
take (LvSeat *seat, LvLink *link, guint uid, GError **error)
{
  virConnectPtr conn = connect_or_share (link, uid, error);

  if (conn != NULL)
    *seat = (LvSeat){ .link = lv_link_ref (link), .conn = conn, .uid = uid };
  else if (error != NULL && *error == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is not reachable",
                 link->connection->name);
  return conn != NULL;
}

gboolean
lv_seat_take (LvSeat *seat, LvLink *link, GError **error)
{
  return take (seat, link, LV_OWN_NAME, error);
}

gboolean
lv_seat_take_as (LvSeat *seat, LvLink *link, guint uid, GError **error)
{
  return take (seat, link, link->as_caller && uid != getuid () ? uid : LV_OWN_NAME, error);
}

/* Takes CONN, or returns what is to be closed for it; the oldest goes first. */
static virConnectPtr
keep (LvLink *link, virConnectPtr conn, guint uid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);
  Spare spare = { conn, uid };

  if (link->events == NULL)
    return conn;
  g_array_append_val (link->spares, spare);
  if (link->spares->len <= MOST_SPARES)
    return NULL;
  conn = g_array_index (link->spares, Spare, 0).conn;
  g_array_remove_index (link->spares, 0);
  return conn;
}

void
lv_seat_leave (LvSeat *seat)
{
  LvSeat left = *seat;
  virConnectPtr closed;

  if (left.link == NULL)
    return;
  *seat = (LvSeat){ 0 };
  if (keeps_state (left.link))
    LV (virConnectClose (left.conn));
  else if ((closed = keep (left.link, left.conn, left.uid)) != NULL)
    lv_link_disconnect (left.link, closed);
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

/* The link has no events any more, so none comes back. */
void
lv_seat_close_spares (LvLink *link)
{
  g_autoptr (GArray) spares = NULL;

  g_mutex_lock (&link->lock);
  spares = link->spares;
  link->spares = lv_seat_new_spares ();
  g_mutex_unlock (&link->lock);
  for (guint i = 0; i < spares->len; i++)
    lv_link_disconnect (link, g_array_index (spares, Spare, i).conn);
}
