/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading networks.  There are few of them, so each look reads them all. */
#include "network_list.h"

#include "fail.h"
#include "text.h"
#include "xml_network.h"

#include <stdlib.h>
#include <string.h>

/* Leases. */

static void
add_column (GString *line, const char *text)
{
  g_string_append_c (line, ' ');
  if (text != NULL && *text != '\0')
    virfs_text_escape (line, text);
  else
    g_string_append_c (line, '-');
}

/* A lease without an end has the time 0. */
static char *
lease_line (const virNetworkDHCPLease *lease)
{
  g_autoptr (GString) line = g_string_new (NULL);

  if (lease->expirytime > 0)
    virfs_text_append_time (line, lease->expirytime * G_TIME_SPAN_SECOND);
  else
    g_string_append_c (line, '-');
  add_column (line, lease->mac);
  add_column (line, lease->ipaddr);
  add_column (line, lease->hostname);
  return g_strdup (line->str);
}

static gint
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (strchr (*(char *const *) a, ' '), strchr (*(char *const *) b, ' '));
}

static void
read_leases (LvLink *link, virNetworkPtr network, VirfsNetworkInfo *info)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  virNetworkDHCPLeasePtr *leases = NULL;
  g_autofree char *text = NULL;
  int n;

  if (lv_link_lacks (link, LV_CALL_LEASES))
    return;
  n = LV (virNetworkGetDHCPLeases (network, NULL, &leases, 0));
  if (n < 0)
    lv_link_note (link, LV_CALL_LEASES);
  for (int i = 0; i < n; i++) {
    g_ptr_array_add (lines, lease_line (leases[i]));
    virNetworkDHCPLeaseFree (leases[i]);
  }
  free (leases);
  g_ptr_array_sort (lines, compare_lines);
  g_ptr_array_add (lines, NULL);
  text = g_strjoinv ("\n", (char **) lines->pdata);
  virfs_ref_string_set (&info->leases, text);
}

/* Networks. */

char *
lv_network_definition (virNetworkPtr network)
{
  char *xml = LV (virNetworkGetXMLDesc (network, VIR_NETWORK_XML_INACTIVE));

  return xml == NULL && lv_last_refused_flags () ? LV (virNetworkGetXMLDesc (network, 0)) : xml;
}

/* Of an inactive one that is what it is. */
static void
read_definition (virNetworkPtr network, VirfsNetworkInfo *info)
{
  char *xml;

  if (!info->persistent)
    return;
  if (!info->active) {
    info->definition = virfs_blob_ref (info->xml);
    return;
  }
  xml = lv_network_definition (network);
  info->definition = xml ? virfs_blob_new (xml) : NULL;
  free (xml);
}

/* NULL if it is gone meanwhile. */
static VirfsNetworkInfo *
read_network (LvLink *link, virNetworkPtr network)
{
  char *xml = LV (virNetworkGetXMLDesc (network, 0));
  VirfsNetworkInfo *info = xml ? lv_xml_read_network (xml) : NULL;
  int autostart = 0;

  if (info != NULL) {
    info->xml = virfs_blob_new (xml);
    info->active = LV (virNetworkIsActive (network)) > 0;
    info->persistent = LV (virNetworkIsPersistent (network)) > 0;
    if (LV (virNetworkGetAutostart (network, &autostart)) == 0)
      info->autostart = autostart != 0;
    read_definition (network, info);
    if (info->active)
      read_leases (link, network, info);
  }
  free (xml);
  return info;
}

GPtrArray *
lv_networks_read (LvLink *link, virConnectPtr conn)
{
  virNetworkPtr *items = NULL;
  g_autoptr (GPtrArray) networks = NULL;
  GPtrArray *list;
  int n;

  if (lv_link_lacks (link, LV_CALL_NETWORKS))
    return NULL;
  n = LV (virConnectListAllNetworks (conn, &items, 0));
  networks = lv_take_networks (items, n);
  if (networks == NULL) {
    lv_link_note (link, LV_CALL_NETWORKS);
    return NULL;
  }
  list = virfs_part_list_new ();
  for (guint i = 0; i < networks->len; i++) {
    VirfsNetworkInfo *info = read_network (link, networks->pdata[i]);

    if (info != NULL)
      g_ptr_array_add (list, info);
  }
  virfs_part_list_sort (list);
  return list;
}
