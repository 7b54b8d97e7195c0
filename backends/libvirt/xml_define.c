/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A definition that a user wrote, made fit to be stored. */
#include "xml.h"

#include "error.h"
#include "xml_metadata.h"
#include "xml_tools.h"

#include <string.h>

/* UUIDs are compared without hyphens and case, as libvirt does. */
static gboolean
same_uuid (const char *a, const char *b)
{
  while (*a && *b) {
    if (*a == '-' || g_ascii_isspace (*a))
      a++;
    else if (*b == '-')
      b++;
    else if (g_ascii_tolower (*a++) != g_ascii_tolower (*b++))
      return FALSE;
  }
  return *(a + strspn (a, "- \t\n")) == *b;
}

static gboolean
check_identity (LvXml *xml, const char *name, const char *uuid, GError **error)
{
  g_autofree char *its_name = lv_xml_text (xml, NULL, "/domain/name");
  g_autofree char *its_uuid = lv_xml_text (xml, NULL, "/domain/uuid");

  if (lv_xml_node (xml, NULL, "/domain") == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "the XML has no <domain>");
    return FALSE;
  }
  if (g_strcmp0 (its_name, name) != 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "the XML is of a guest called %s, this one is %s", its_name ? its_name : "nothing",
                 name);
    return FALSE;
  }
  if (its_uuid != NULL && !same_uuid (its_uuid, uuid)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "the XML is of the guest with the UUID %s, this one has %s", its_uuid, uuid);
    return FALSE;
  }
  if (its_uuid == NULL)
    lv_xml_add (lv_xml_node (xml, NULL, "/domain"), "uuid", uuid);
  return TRUE;
}

static void
copy_attribute (LvXml *from, xmlNode *node, const char *name, xmlNode *to)
{
  g_autofree char *path = g_strconcat ("@", name, NULL);
  g_autofree char *value = lv_xml_text (from, node, path);

  if (value != NULL)
    lv_xml_set (to, name, value);
}

/* Displays have passwords that are not shown.  What has the same type and place in the list is the
 * same display. */
static void
keep_passwords (LvXml *xml, LvXml *old)
{
  static const char graphics[] = "/domain/devices/graphics";
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, graphics);
  g_autoptr (GPtrArray) old_nodes = old ? lv_xml_nodes (old, NULL, graphics) : NULL;

  for (guint i = 0; old_nodes && i < MIN (nodes->len, old_nodes->len); i++) {
    g_autofree char *type = lv_xml_text (xml, nodes->pdata[i], "@type");
    g_autofree char *old_type = lv_xml_text (old, old_nodes->pdata[i], "@type");

    if (g_strcmp0 (type, old_type) == 0 && lv_xml_node (xml, nodes->pdata[i], "@passwd") == NULL) {
      copy_attribute (old, old_nodes->pdata[i], "passwd", nodes->pdata[i]);
      copy_attribute (old, old_nodes->pdata[i], "passwdValidTo", nodes->pdata[i]);
    }
  }
}

char *
lv_xml_adopt_definition (const char *text, const char *stored, const char *name, const char *uuid,
                         GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, error);
  g_autoptr (LvXml) old = stored ? lv_xml_parse (stored, NULL) : NULL;

  if (xml == NULL || !check_identity (xml, name, uuid, error))
    return NULL;
  keep_passwords (xml, old);
  lv_xml_keep_metadata (xml, lv_xml_node (xml, NULL, "/domain"), old);
  return lv_xml_print (xml, NULL);
}
