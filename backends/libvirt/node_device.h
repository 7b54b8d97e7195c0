/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a host (node_device.c). */
#pragma once

#include "link.h"

/* Reads them all and tells it; once for each link. */
void lv_node_devices_read (LvLink *link, virConnectPtr conn);

/* Of events: something has become of the device NAME, which is read again soon. */
void lv_node_device_queue (LvLink *link, const char *name);
/* Reads those again that events have told of. */
void lv_node_devices_refresh (LvLink *link, virConnectPtr conn);
/* The same, and network cards whose links no event tells of. */
void lv_node_devices_poll (LvLink *link, virConnectPtr conn);
