/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events.  One thread runs libvirt's event loop for all hosts, so nothing in it may wait: a
 * callback tells what the event itself says and queues the rest.
 */
#pragma once

#include "link.h"

/* Starts the loop; once, before the first connection. */
void lv_events_start (void);

/* Asks for all that concerns us; what a driver does not have is left out. */
void lv_events_register (LvLink *link, virConnectPtr conn);
