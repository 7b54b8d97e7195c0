/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of what a host has beside guests. */
#include "event_private.h"

#include "connection.h"
#include "gate.h"
#include "inventory.h"
#include "lent.h"
#include "node_device.h"

static void
tell_host (LvLink *link, const char *kind, const char *name, const char *event)
{
  g_autofree char *details = virfs_event_details ("name", name ? name : "", "event", event, NULL);

  lv_gate_tell_event (link, NULL, kind, details);
}

static void
on_network (virConnectPtr conn, virNetworkPtr network, int event, int detail, void *link)
{
  static const char *const events[] = { "defined", "undefined", "started", "stopped" };

  tell_host (link, "network", virNetworkGetName (network), LV_WORD (events, event));
  lv_connection_queue_resources (link, FALSE);
}

static void
on_pool (virConnectPtr conn, virStoragePoolPtr pool, int event, int detail, void *link)
{
  static const char *const events[]
    = { "defined", "undefined", "started", "stopped", "created", "deleted" };

  if (lv_lent_is_own (virStoragePoolGetName (pool)))
    return;
  tell_host (link, "pool", virStoragePoolGetName (pool), LV_WORD (events, event));
  lv_inventory_poll (link);
}

static void
on_pool_refresh (virConnectPtr conn, virStoragePoolPtr pool, void *link)
{
  lv_inventory_poll (link);
}

/* Guests' interfaces come and go with them: nothing for the log. */
static void
on_device (virConnectPtr conn, virNodeDevicePtr device, int event, int detail, void *link)
{
  lv_node_device_queue (link, virNodeDeviceGetName (device));
}

static void
on_device_update (virConnectPtr conn, virNodeDevicePtr device, void *link)
{
  lv_node_device_queue (link, virNodeDeviceGetName (device));
}

static void
on_secret (virConnectPtr conn, virSecretPtr secret, int event, int detail, void *link)
{
  static const char *const events[] = { "defined", "undefined" };
  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  virSecretGetUUIDString (secret, uuid);
  tell_host (link, "secret", uuid, LV_WORD (events, event));
}

/* Registering. */

static void
register_network (LvLink *link, virConnectPtr conn)
{
  lv_events_note (
    link, virConnectNetworkEventDeregisterAny,
    LV (virConnectNetworkEventRegisterAny (conn, NULL, VIR_NETWORK_EVENT_ID_LIFECYCLE,
                                           VIR_NETWORK_EVENT_CALLBACK (on_network),
                                           lv_link_ref (link), lv_events_unref_link)));
}

static void
register_pool (LvLink *link, virConnectPtr conn, int kind,
               virConnectStoragePoolEventGenericCallback callback)
{
  lv_events_note (link, virConnectStoragePoolEventDeregisterAny,
                  LV (virConnectStoragePoolEventRegisterAny (
                    conn, NULL, kind, callback, lv_link_ref (link), lv_events_unref_link)));
}

static void
register_device (LvLink *link, virConnectPtr conn, int kind,
                 virConnectNodeDeviceEventGenericCallback callback)
{
  lv_events_note (link, virConnectNodeDeviceEventDeregisterAny,
                  LV (virConnectNodeDeviceEventRegisterAny (
                    conn, NULL, kind, callback, lv_link_ref (link), lv_events_unref_link)));
}

static void
register_secret (LvLink *link, virConnectPtr conn)
{
  lv_events_note (link, virConnectSecretEventDeregisterAny,
                  LV (virConnectSecretEventRegisterAny (conn, NULL, VIR_SECRET_EVENT_ID_LIFECYCLE,
                                                        VIR_SECRET_EVENT_CALLBACK (on_secret),
                                                        lv_link_ref (link), lv_events_unref_link)));
}

void
lv_events_register_host (LvLink *link, virConnectPtr conn)
{
  register_network (link, conn);
  register_pool (link, conn, VIR_STORAGE_POOL_EVENT_ID_LIFECYCLE,
                 VIR_STORAGE_POOL_EVENT_CALLBACK (on_pool));
  register_pool (link, conn, VIR_STORAGE_POOL_EVENT_ID_REFRESH, on_pool_refresh);
  register_device (link, conn, VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE,
                   VIR_NODE_DEVICE_EVENT_CALLBACK (on_device));
  register_device (link, conn, VIR_NODE_DEVICE_EVENT_ID_UPDATE, on_device_update);
  register_secret (link, conn);
}
