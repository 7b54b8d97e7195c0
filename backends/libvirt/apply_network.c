/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks that a host is to have. */
#include "apply.h"

#include "error.h"
#include "fail.h"
#include "xml.h"
#include "xml_definition.h"
#include "xml_network.h"

#include <stdlib.h>

/* What is to go. */

/* A guest may have come into it since it was said that it is to go. */
static gboolean
check_unused (virNetworkPtr network, const VirfsDefinition *wanted, GError **error)
{
  char *xml = LV (virNetworkGetXMLDesc (network, 0));
  guint connections = xml ? lv_xml_network_connections (xml) : 0;

  free (xml);
  if (connections > 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%u NICs are in the network %s", connections,
                 wanted->name);
  return connections == 0;
}

static gboolean
remove_network (virNetworkPtr network, const VirfsDefinition *wanted, GError **error)
{
  gboolean persistent = network && LV (virNetworkIsPersistent (network)) > 0;

  if (network == NULL)
    return TRUE;
  if (!check_unused (network, wanted, error))
    return FALSE;
  if (LV (virNetworkIsActive (network)) > 0 && LV (virNetworkDestroy (network)) < 0)
    return lv_fail (error, "cannot stop the network %s", wanted->name);
  return !persistent || LV (virNetworkUndefine (network)) == 0
         || lv_fail (error, "cannot undefine the network %s", wanted->name);
}

/* What there is. */

static gboolean
read_stood (virNetworkPtr network, LvStood *stood, GError **error)
{
  int autostart = 0;
  char *xml;

  stood->persistent = LV (virNetworkIsPersistent (network)) > 0;
  stood->active = LV (virNetworkIsActive (network)) > 0;
  LV (virNetworkGetAutostart (network, &autostart));
  stood->autostart = autostart != 0;
  xml = LV (virNetworkGetXMLDesc (network, stood->persistent ? VIR_NETWORK_XML_INACTIVE : 0));
  stood->xml = g_strdup (xml);
  free (xml);
  return stood->xml != NULL || lv_fail (error, "cannot read what is there now");
}

static gboolean
put_back_transient (virConnectPtr conn, virNetworkPtr network, const LvStood *stood, GError **error)
{
  g_autoptr (virNetwork) back = NULL;
  gboolean runs = LV (virNetworkIsActive (network)) > 0;

  if (LV (virNetworkUndefine (network)) < 0)
    return lv_fail (error, "its definition cannot be removed");
  back = runs ? NULL : LV (virNetworkCreateXML (conn, stood->xml));
  return runs || back != NULL || lv_fail (error, "it does not start again");
}

static gboolean
put_back (virConnectPtr conn, virNetworkPtr network, const LvStood *stood, GError **error)
{
  g_autoptr (virNetwork) back = NULL;

  if (!stood->persistent)
    return put_back_transient (conn, network, stood, error);
  back = LV (virNetworkDefineXML (conn, stood->xml));
  if (back == NULL)
    return lv_fail (error, "it cannot be defined again");
  LV (virNetworkSetAutostart (back, stood->autostart));
  return !stood->active || LV (virNetworkIsActive (back)) > 0 || LV (virNetworkCreate (back)) == 0
         || lv_fail (error, "it does not start again");
}

/* What is wanted. */

/* Whether the network that runs is as it is defined now. */
static gboolean
runs_as_wanted (virNetworkPtr network, const char *wanted, guint *connections)
{
  char *stored = LV (virNetworkGetXMLDesc (network, VIR_NETWORK_XML_INACTIVE));
  char *live = LV (virNetworkGetXMLDesc (network, 0));
  g_autofree char *made = stored ? lv_xml_definition_made (wanted, stored) : NULL;
  g_autofree char *differ = made && live ? lv_xml_differ (made, live) : NULL;

  *connections = live ? lv_xml_network_connections (live) : 0;
  free (stored);
  free (live);
  return differ == NULL;
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

/* What can be changed while guests are in it is. */
static void
update_running (virNetworkPtr network, const char *xml)
{
  static const gsize lists[]
    = { G_STRUCT_OFFSET (VirfsNetworkInfo, dhcp), G_STRUCT_OFFSET (VirfsNetworkInfo, hosts),
        G_STRUCT_OFFSET (VirfsNetworkInfo, dns), G_STRUCT_OFFSET (VirfsNetworkInfo, portgroups) };
  g_autoptr (VirfsPartInfo) wanted = (VirfsPartInfo *) lv_xml_read_network (xml);

  for (guint i = 0; wanted && i < G_N_ELEMENTS (lists); i++)
    update_list (network, (const VirfsNetworkInfo *) wanted, lists[i]);
}

/* *START: it does not run, or not any more, because it was not as it is to be. */
static gboolean
make_way (virNetworkPtr network, const VirfsDefinition *wanted, const char *xml, gboolean *start,
          GError **error)
{
  guint connections;

  *start = wanted->active;
  if (!wanted->active || LV (virNetworkIsActive (network)) <= 0)
    return TRUE;
  *start = !runs_as_wanted (network, xml, &connections);
  if (!*start)
    return TRUE;
  update_running (network, xml);
  *start = !runs_as_wanted (network, xml, &connections);
  if (!*start)
    return TRUE;
  if (connections == 0) {
    LV (virNetworkDestroy (network));
    return TRUE;
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "the network %s is defined as it is to be, but %u NICs are in it: it runs so when"
               " it is stopped and started",
               wanted->name, connections);
  return FALSE;
}

static virNetworkPtr
define (LvTask *task, virNetworkPtr known, const char *text)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autofree char *xml = NULL;

  if (known != NULL)
    virNetworkGetUUIDString (known, uuid);
  xml = lv_xml_identify (text, known ? uuid : NULL);
  return LV (virNetworkDefineXML (task->here.conn, xml));
}

gboolean
lv_apply_network (LvTask *task, const VirfsDefinition *wanted, const char *text, GError **error)
{
  g_autoptr (virNetwork) known = LV (virNetworkLookupByName (task->here.conn, wanted->name));
  g_autoptr (virNetwork) network = NULL;
  g_auto (LvStood) stood = { 0 };
  GError *failure = NULL;
  gboolean start;

  if (wanted->remove)
    return remove_network (known, wanted, error);
  if (known != NULL && !read_stood (known, &stood, error))
    return FALSE;
  network = define (task, known, text);
  if (network == NULL)
    return lv_fail (error, "cannot define the network %s", wanted->name);
  if (LV (virNetworkSetAutostart (network, wanted->autostart)) < 0)
    lv_fail (error, "cannot set autostart of the network %s", wanted->name);
  else if (!make_way (network, wanted, text, &start, error))
    return FALSE;
  else if (!start || LV (virNetworkCreate (network)) == 0)
    return TRUE;
  else
    lv_fail (error, "cannot start the network %s", wanted->name);
  if (stood.xml != NULL)
    put_back (task->here.conn, network, &stood, &failure);
  lv_stood_tell (task, wanted, &stood, failure, error);
  return FALSE;
}
