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
} LvSeat;

/* Connects if there is none to spare, which may hang as long as the host does. */
gboolean lv_seat_take (LvSeat *seat, LvLink *link, GError **error);
void lv_seat_leave (LvSeat *seat);

/* For link.c: makes one to spare, and closes those that are spare. */
gboolean lv_seat_prepare (LvLink *link, GError **error);
void lv_seat_close_spares (LvLink *link);
