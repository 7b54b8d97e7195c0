/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A seat: a connection to a host that one thread has for itself, for as long as an operation takes.
 *
 * libvirt lets threads share a connection, but a call that starts while another is under way may
 * not be sent before that ends: until 10.0 the client could miss the request to wake up, and a host
 * serves five calls of a connection at once (max_client_requests).  So whoever may have to wait
 * for a guest shares with nobody.  Connections are kept for the next who comes.
 */
#pragma once

#include "link.h"

typedef struct {
  LvLink *link; /* a reference; NULL: nobody sits here */
  virConnectPtr conn;
  guint uid; /* in whose name it asks; LV_OWN_NAME: the program's */
} LvSeat;

#define LV_OWN_NAME G_MAXUINT

/* Connects if there is none to spare, which may hang as long as the host does. */
gboolean lv_seat_take (LvSeat *seat, LvLink *link, GError **error);
/* The same for what user UID has asked for: in his name, if the host is to be told. */
gboolean lv_seat_take_as (LvSeat *seat, LvLink *link, guint uid, GError **error);
void lv_seat_leave (LvSeat *seat);

/* For link.c: room for spare ones; makes one, and closes them. */
GArray *lv_seat_new_spares (void);
gboolean lv_seat_prepare (LvLink *link, GError **error);
void lv_seat_close_spares (LvLink *link);
