/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks that a host is to have. */
#include "apply.h"

#include "error.h"
#include "network_list.h"
#include "xml.h"
#include "xml_definition.h"
#include "xml_network.h"

#include <stdlib.h>

LV_DEFINABLE_FUNCTIONS (virNetwork, network)

static gpointer
network_define (virConnectPtr conn, const char *xml)
{
  return LV (virNetworkDefineXML (conn, xml));
}

static gpointer
network_create (virConnectPtr conn, const char *xml)
{
  return LV (virNetworkCreateXML (conn, xml));
}

static char *
network_describe (gpointer network, gboolean stored)
{
  return stored ? lv_network_definition (network) : LV (virNetworkGetXMLDesc (network, 0));
}

static int
network_start (gpointer network)
{
  return LV (virNetworkCreate (network));
}

/* A guest may have come into it since it was said that it is to go. */
static gboolean
check_unused (const char *live, const VirfsDefinition *wanted, GError **error)
{
  guint connections = lv_xml_network_connections (live);

  if (connections > 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%u NICs are in the network %s", connections,
                 wanted->name);
  return connections == 0;
}

static gboolean
check_restart (const char *live, const VirfsDefinition *wanted, GError **error)
{
  guint connections = lv_xml_network_connections (live);

  if (connections > 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "the network %s is defined as it is to be, but %u NICs are in it: it runs so when"
                 " it is stopped and started",
                 wanted->name, connections);
  return connections == 0;
}

static void
update_list (virNetworkPtr network, const VirfsNetworkInfo *wanted, gsize member)
{
  char *xml = LV (virNetworkGetXMLDesc (network, 0));
  g_autoptr (GPtrArray) steps = xml ? lv_xml_network_steps (xml, wanted, member, NULL) : NULL;

  free (xml);
  if (steps != NULL)
    lv_network_take_steps (network, steps, member, VIR_NETWORK_UPDATE_AFFECT_LIVE, NULL);
}

static void
update (gpointer network, const char *xml)
{
  static const gsize lists[]
    = { G_STRUCT_OFFSET (VirfsNetworkInfo, dhcp), G_STRUCT_OFFSET (VirfsNetworkInfo, hosts),
        G_STRUCT_OFFSET (VirfsNetworkInfo, dns), G_STRUCT_OFFSET (VirfsNetworkInfo, portgroups) };
  g_autoptr (VirfsPartInfo) wanted = (VirfsPartInfo *) lv_xml_read_network (xml);

  for (guint i = 0; wanted && i < G_N_ELEMENTS (lists); i++)
    update_list (network, (const VirfsNetworkInfo *) wanted, lists[i]);
}

const LvDefinable lv_definable_network = {
  LV_DEFINABLE_MEMBERS (network),
  .check_unused = check_unused,
  .update = update,
  .check_restart = check_restart,
};
