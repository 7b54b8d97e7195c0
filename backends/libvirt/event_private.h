/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What event.c, for guests, and event_host.c, for the rest, have in common. */
#pragma once

#include "event.h"

/* The word at I, or "unknown": a newer libvirt may say more than is known here. */
#define LV_WORD(words, i) \
  ((i) >= 0 && (guint) (i) < G_N_ELEMENTS (words) && (words)[i] ? (words)[i] : "unknown")

/* Registers what concerns a host's networks, pools, devices and secrets. */
void lv_events_register_host (LvLink *link, virConnectPtr conn);

/* Notes how a registration is undone; ID is -1 if the driver has no such kind. */
void lv_events_note (LvLink *link, int (*deregister) (virConnectPtr, int), int id);

/* What libvirt calls when it needs a link no more. */
void lv_events_unref_link (void *link);
