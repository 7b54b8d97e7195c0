/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks, read. */
#include "xml_network.h"

#include "xml_network_list.h"

#include <string.h>

static GRefString **
text_at (VirfsNetworkInfo *network, gsize member)
{
  return (GRefString **) ((char *) network + member);
}

static void
take_text (VirfsNetworkInfo *network, gsize member, LvXml *xml, const char *path)
{
  g_autofree char *text = lv_xml_text (xml, NULL, path);

  virfs_ref_string_set (text_at (network, member), text);
}

/* What PATH finds, with SEPARATOR between them. */
static void
join_texts (VirfsNetworkInfo *network, gsize member, LvXml *xml, const char *path)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, path);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *one = lv_xml_text (xml, nodes->pdata[i], ".");

    g_string_append_printf (text, "%s%s", i ? " " : "", one);
  }
  virfs_ref_string_set (text_at (network, member), text->str);
}

static void
read_list (VirfsNetworkInfo *network, const LvNetworkList *list, LvXml *xml)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, list->path);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *line = list->line (xml, nodes->pdata[i]);

    g_string_append_printf (text, "%s%s", i ? "\n" : "", line);
  }
  virfs_ref_string_set (text_at (network, list->member), text->str);
}

/* With libvirt a network that bridges does so by a bridge of the host, or by macvtap. */
static void
read_forward (VirfsNetworkInfo *network, LvXml *xml)
{
  xmlNode *forward = lv_xml_node (xml, NULL, "/network/forward");
  g_autofree char *mode = lv_xml_attribute (forward, "mode");

  if (forward == NULL)
    network->forward = "isolated";
  else if (g_strcmp0 (mode, "bridge") == 0 && network->bridge == NULL)
    network->forward = "macvtap";
  else
    network->forward = mode ? g_intern_string (mode) : "nat";
  join_texts (network, G_STRUCT_OFFSET (VirfsNetworkInfo, dev), xml,
              "/network/forward/interface/@dev | /network/forward/pf/@dev");
  if (network->dev == NULL)
    take_text (network, G_STRUCT_OFFSET (VirfsNetworkInfo, dev), xml, "/network/forward/@dev");
}

/* libvirt counts in KiB. */
static guint64
read_rate (LvXml *xml, const char *path)
{
  g_autofree char *text = lv_xml_text (xml, NULL, path);

  return text ? g_ascii_strtoull (text, NULL, 10) * 1024 : 0;
}

static void
read_rates (VirfsNetworkInfo *network, LvXml *xml)
{
  network->rx_max = read_rate (xml, "/network/bandwidth/inbound/@average");
  network->rx_peak = read_rate (xml, "/network/bandwidth/inbound/@peak");
  network->rx_burst = read_rate (xml, "/network/bandwidth/inbound/@burst");
  network->tx_max = read_rate (xml, "/network/bandwidth/outbound/@average");
  network->tx_peak = read_rate (xml, "/network/bandwidth/outbound/@peak");
  network->tx_burst = read_rate (xml, "/network/bandwidth/outbound/@burst");
}

VirfsNetworkInfo *
lv_xml_read_network (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *name = xml ? lv_xml_text (xml, NULL, "/network/name") : NULL;
  g_autofree char *mtu = NULL;
  VirfsNetworkInfo *network;
  const LvNetworkList *lists;
  guint n;

  if (name == NULL)
    return NULL;
  network = virfs_part_info_new (&virfs_network_class, name);
  mtu = lv_xml_text (xml, NULL, "/network/mtu/@size");
  network->mtu = mtu ? g_ascii_strtoull (mtu, NULL, 10) : 0;
  take_text (network, G_STRUCT_OFFSET (VirfsNetworkInfo, uuid), xml, "/network/uuid");
  take_text (network, G_STRUCT_OFFSET (VirfsNetworkInfo, bridge), xml, "/network/bridge/@name");
  take_text (network, G_STRUCT_OFFSET (VirfsNetworkInfo, domain), xml, "/network/domain/@name");
  join_texts (network, G_STRUCT_OFFSET (VirfsNetworkInfo, vlan), xml, "/network/vlan/tag/@id");
  read_forward (network, xml);
  read_rates (network, xml);
  lists = lv_network_lists (&n);
  for (guint i = 0; i < n; i++)
    read_list (network, &lists[i], xml);
  return network;
}
