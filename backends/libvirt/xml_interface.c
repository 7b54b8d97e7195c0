/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces of a host, read. */
#include "text.h"
#include "xml.h"
#include "xml_tools.h"

#include <string.h>

/* What the kernel says of its link, or else whether it is active. */
static const char *
state_of (LvXml *xml, xmlNode *node, gboolean active)
{
  g_autofree char *link = lv_xml_text (xml, node, "link/@state");

  if (link != NULL && strcmp (link, "unknown") != 0)
    active = strcmp (link, "up") == 0;
  return active ? VIRFS_INTERFACE_UP : VIRFS_INTERFACE_DOWN;
}

static guint64
number_at (LvXml *xml, xmlNode *node, const char *path)
{
  g_autofree char *text = lv_xml_text (xml, node, path);

  return text ? g_ascii_strtoull (text, NULL, 10) : 0;
}

static void
take_text (GRefString **field, LvXml *xml, const char *path)
{
  g_autofree char *text = lv_xml_text (xml, NULL, path);

  virfs_ref_string_set (field, text);
}

static void
read_slaves (LvXml *xml, VirfsInterfaceInfo *info)
{
  g_autoptr (GPtrArray) nodes
    = lv_xml_nodes (xml, NULL, "/interface/bridge/interface | /interface/bond/interface");
  g_autoptr (GString) lines = g_string_new (NULL);

  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *name = lv_xml_attribute (nodes->pdata[i], "name");

    if (name == NULL || virfs_interface_is_hidden (name))
      continue;
    g_string_append (lines, lines->len ? "\n" : "");
    virfs_text_escape (lines, name);
    g_string_append_printf (lines, " %s", state_of (xml, nodes->pdata[i], TRUE));
  }
  virfs_ref_string_set (&info->slaves, lines->str);
}

static void
read_addresses (LvXml *xml, VirfsInterfaceInfo *info)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, "/interface/protocol/ip");
  g_autoptr (GString) lines = g_string_new (NULL);

  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *address = lv_xml_attribute (nodes->pdata[i], "address");

    g_string_append (lines, lines->len ? "\n" : "");
    virfs_text_escape (lines, address ? address : "-");
    g_string_append_printf (lines, "/%" G_GUINT64_FORMAT,
                            number_at (xml, nodes->pdata[i], "@prefix"));
  }
  virfs_ref_string_set (&info->addresses, lines->str);
}

VirfsInterfaceInfo *
lv_xml_read_interface (const char *text, gboolean active)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *name = xml ? lv_xml_text (xml, NULL, "/interface/@name") : NULL;
  g_autofree char *type = NULL, *mode = NULL;
  VirfsInterfaceInfo *info;

  if (name == NULL)
    return NULL;
  info = virfs_part_info_new (&virfs_interface_class, name);
  type = lv_xml_text (xml, NULL, "/interface/@type");
  mode = lv_xml_text (xml, NULL, "/interface/bond/@mode");
  info->type = g_intern_string (type);
  info->mode = g_intern_string (mode);
  info->state = state_of (xml, lv_xml_root (xml), active);
  info->mtu = number_at (xml, NULL, "/interface/mtu/@size");
  /* libvirt counts in Mbit */
  info->speed = number_at (xml, NULL, "/interface/link/@speed") * 1000000;
  take_text (&info->mac, xml, "/interface/mac/@address");
  read_slaves (xml, info);
  read_addresses (xml, info);
  info->xml = virfs_blob_new (text);
  return info;
}
