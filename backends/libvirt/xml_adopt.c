/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users write as the definition of a pool or a network that has a name, and maybe a UUID. */
#include "xml.h"

#include "error.h"
#include "xml_tools.h"

#include <string.h>

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

/* The document, if its root is a KIND; NULL: INVALID. */
static LvXml *
parse (const char *text, const char *kind, GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, error);

  if (xml == NULL || g_strcmp0 ((const char *) lv_xml_root (xml)->name, kind) == 0)
    return g_steal_pointer (&xml);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "the document is no %s: its root has to be <%s>", kind, kind);
  return NULL;
}

char *
lv_xml_adopt (const char *text, const char *kind, const char *name, const char *uuid,
              GError **error)
{
  g_autoptr (LvXml) xml = parse (text, kind, error);

  if (xml == NULL || !adopt (xml, kind, "name", name, error)
      || !adopt (xml, kind, "uuid", uuid, error))
    return NULL;
  return lv_xml_print (xml, NULL);
}

char *
lv_xml_adopt_filter (const char *text, const char *name, const char *uuid, GError **error)
{
  g_autoptr (LvXml) xml = parse (text, "filter", error);
  g_autofree char *found = xml ? lv_xml_attribute (lv_xml_root (xml), "name") : NULL;

  if (xml == NULL || !adopt (xml, "filter", "uuid", uuid, error))
    return NULL;
  if (found != NULL && strcmp (found, name) != 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "the document describes another filter: its name is %s, not %s", found, name);
    return NULL;
  }
  lv_xml_set (lv_xml_root (xml), "name", name);
  return lv_xml_print (xml, NULL);
}
