/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions of networks and pools for several hosts: without what each host has of its own. */
#include "xml_definition.h"

#include "error.h"
#include "xml.h"
#include "xml_network.h"
#include "xml_tools.h"

#include <stdlib.h>

static const char *
root_name (VirfsDefined kind)
{
  return kind == VIRFS_DEFINED_NETWORK ? "network" : "pool";
}

char *
lv_xml_check_definition (VirfsDefined kind, const char *name, const char *text, gboolean shared,
                         GError **error)
{
  g_autofree char *named = lv_xml_adopt (text, root_name (kind), name, NULL, error);
  g_autoptr (LvXml) xml = named ? lv_xml_parse (named, error) : NULL;

  if (xml == NULL)
    return NULL;
  if (kind == VIRFS_DEFINED_NETWORK)
    lv_xml_remove_all (xml, "/network/uuid | /network/mac | /network/@connections");
  else
    lv_xml_remove_all (xml, "/pool/capacity | /pool/allocation | /pool/available");
  if (kind == VIRFS_DEFINED_POOL && !shared)
    lv_xml_remove_all (xml, "/pool/uuid");
  return lv_xml_print (xml, NULL);
}

gpointer
lv_xml_read_definition (VirfsDefined kind, const char *xml)
{
  return kind == VIRFS_DEFINED_NETWORK ? (gpointer) lv_xml_read_network (xml)
                                       : (gpointer) lv_xml_read_pool (xml);
}

char *
lv_xml_write_definition (VirfsDefined kind, gconstpointer wanted, const char *xml, gsize member,
                         GError **error)
{
  if (kind == VIRFS_DEFINED_NETWORK)
    return xml ? lv_xml_edit_network (xml, wanted, member, error)
               : lv_xml_describe_network (wanted);
  return xml ? lv_xml_edit_pool (xml, wanted, error) : lv_xml_describe_pool (wanted, error);
}

/* What each host has of its own where nobody says what it is to be. */
static const char *const own[] = {
  "/network/uuid",
  "/network/mac",
  "/network/@connections",
  "/network/bridge/@name",
  "/pool/uuid",
  "/pool/capacity",
  "/pool/allocation",
  "/pool/available",
  "/pool/target/permissions",
  "/pool/target/permissions/mode",
  "/pool/target/permissions/owner",
  "/pool/target/permissions/group",
  "/pool/target/permissions/label",
};

char *
lv_xml_definition_made (const char *wanted, const char *is)
{
  g_autoptr (LvXml) want = lv_xml_parse (wanted, NULL);
  g_autoptr (LvXml) made = lv_xml_parse (is, NULL);

  if (want == NULL || made == NULL)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (own); i++)
    if (lv_xml_node (want, NULL, own[i]) == NULL)
      lv_xml_remove_all (made, own[i]);
  return lv_xml_print (made, NULL);
}

char *
lv_xml_identify (const char *text, const char *uuid)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  xmlNode *root = xml ? lv_xml_root (xml) : NULL;

  if (root == NULL || uuid == NULL)
    return g_strdup (text);
  lv_xml_remove (lv_xml_child (root, "uuid"));
  lv_xml_add (root, "uuid", uuid);
  return lv_xml_print (xml, NULL);
}

guint
lv_xml_network_connections (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *count = xml ? lv_xml_attribute (lv_xml_root (xml), "connections") : NULL;

  return count ? (guint) strtoul (count, NULL, 10) : 0;
}
