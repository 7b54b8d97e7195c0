/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords of screens. */
#include "xml_graphics.h"

#include "xml_tools.h"

void
lv_xml_graphics_with_password (GPtrArray *elements, const char *definition, const char *type,
                               const char *password, const char *until)
{
  g_autofree char *path = g_strdup_printf ("/domain/devices/graphics[@type = '%s']", type);
  g_autoptr (LvXml) xml = lv_xml_parse (definition, NULL);
  g_autoptr (GPtrArray) nodes = xml ? lv_xml_nodes (xml, NULL, path) : NULL;

  for (guint i = 0; nodes && i < nodes->len; i++) {
    lv_xml_set (nodes->pdata[i], "passwd", password);
    lv_xml_set (nodes->pdata[i], "passwdValidTo", until);
    g_ptr_array_add (elements, lv_xml_print (xml, nodes->pdata[i]));
  }
}
