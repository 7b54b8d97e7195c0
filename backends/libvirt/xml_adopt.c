/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users write as the definition of a pool or a network that has a name, and maybe a UUID. */
#include "xml.h"

#include "error.h"
#include "xml_tools.h"

/* The element of the root, a KIND, with that text: added where there is none, INVALID where it has
 * another. */
static gboolean
adopt (LvXml *xml, const char *kind, const char *element, const char *value, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/%s/%s", kind, element);
  g_autofree char *found = lv_xml_text (xml, NULL, path);

  if (value == NULL || g_strcmp0 (found, value) == 0)
    return TRUE;
  if (found == NULL) {
    lv_xml_add (lv_xml_root (xml), element, value);
    return TRUE;
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "the document describes another %s: its %s is %s, not %s", kind, element, found,
               value);
  return FALSE;
}

char *
lv_xml_adopt (const char *text, const char *kind, const char *name, const char *uuid,
              GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, error);

  if (xml == NULL)
    return NULL;
  if (g_strcmp0 ((const char *) lv_xml_root (xml)->name, kind) != 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "the document is no %s: its root has to be <%s>", kind, kind);
    return NULL;
  }
  if (!adopt (xml, kind, "name", name, error) || !adopt (xml, kind, "uuid", uuid, error))
    return NULL;
  return lv_xml_print (xml, NULL);
}
