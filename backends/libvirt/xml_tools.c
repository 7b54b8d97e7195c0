/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents, XPath and units. */
#include "xml_tools.h"

#include "error.h"

#include <string.h>

#define OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)

static LvXml *
wrap (xmlDoc *doc)
{
  LvXml *xml = g_new0 (LvXml, 1);

  xml->doc = doc;
  xml->xpath = xmlXPathNewContext (doc);
  return xml;
}

LvXml *
lv_xml_parse (const char *text, GError **error)
{
  xmlParserCtxt *parser = xmlNewParserCtxt ();
  xmlDoc *doc = xmlCtxtReadMemory (parser, text, strlen (text), NULL, NULL, OPTIONS);
  const xmlError *last = xmlCtxtGetLastError (parser);

  if (doc == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "the XML is broken in line %d: %.*s",
                 last ? last->line : 1, last ? (int) strcspn (last->message, "\n") : 0,
                 last ? last->message : "");
  xmlFreeParserCtxt (parser);
  return doc ? wrap (doc) : NULL;
}

LvXml *
lv_xml_create (const char *root)
{
  xmlDoc *doc = xmlNewDoc (BAD_CAST "1.0");

  xmlDocSetRootElement (doc, xmlNewNode (NULL, BAD_CAST root));
  return wrap (doc);
}

void
lv_xml_free (LvXml *xml)
{
  if (xml == NULL)
    return;
  xmlXPathFreeContext (xml->xpath);
  xmlFreeDoc (xml->doc);
  g_free (xml);
}

GPtrArray *
lv_xml_nodes (LvXml *xml, xmlNode *node, const char *path)
{
  GPtrArray *nodes = g_ptr_array_new ();
  xmlXPathObject *found;

  xml->xpath->node = node ? node : (xmlNode *) xml->doc;
  found = xmlXPathEvalExpression (BAD_CAST path, xml->xpath);
  if (found != NULL && found->nodesetval != NULL)
    for (int i = 0; i < found->nodesetval->nodeNr; i++)
      g_ptr_array_add (nodes, found->nodesetval->nodeTab[i]);
  xmlXPathFreeObject (found);
  return nodes;
}

xmlNode *
lv_xml_node (LvXml *xml, xmlNode *node, const char *path)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, node, path);

  return nodes->len ? nodes->pdata[0] : NULL;
}

char *
lv_xml_text (LvXml *xml, xmlNode *node, const char *path)
{
  xmlNode *found = lv_xml_node (xml, node, path);
  xmlChar *content = found ? xmlNodeGetContent (found) : NULL;
  char *text = g_strdup ((char *) content);

  xmlFree (content);
  return text;
}

xmlNode *
lv_xml_child (const xmlNode *node, const char *name)
{
  for (xmlNode *c = node ? node->children : NULL; c; c = c->next)
    if (c->type == XML_ELEMENT_NODE && strcmp ((const char *) c->name, name) == 0)
      return c;
  return NULL;
}

char *
lv_xml_attribute (const xmlNode *node, const char *name)
{
  xmlChar *value = node ? xmlGetProp (node, BAD_CAST name) : NULL;
  char *copy = g_strdup ((char *) value);

  xmlFree (value);
  return copy;
}

xmlNode *
lv_xml_root (LvXml *xml)
{
  return xmlDocGetRootElement (xml->doc);
}

xmlNode *
lv_xml_add (xmlNode *parent, const char *name, const char *text)
{
  return xmlNewTextChild (parent, NULL, BAD_CAST name, BAD_CAST text);
}

xmlNode *
lv_xml_need (xmlNode *parent, const char *name)
{
  xmlNode *found = lv_xml_child (parent, name);

  return found ? found : lv_xml_add (parent, name, NULL);
}

void
lv_xml_set (xmlNode *node, const char *attribute, const char *value)
{
  xmlSetProp (node, BAD_CAST attribute, BAD_CAST value);
}

void
lv_xml_remove (xmlNode *node)
{
  if (node == NULL)
    return;
  xmlUnlinkNode (node);
  xmlFreeNode (node);
}

void
lv_xml_remove_all (LvXml *xml, const char *path)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, path);

  for (guint i = 0; i < nodes->len; i++)
    lv_xml_remove (nodes->pdata[i]);
}

char *
lv_xml_print (LvXml *xml, xmlNode *node)
{
  xmlBuffer *buffer = xmlBufferCreate ();
  char *text;

  xmlNodeDump (buffer, xml->doc, node ? node : lv_xml_root (xml), 0, 0);
  text = g_strdup ((const char *) xmlBufferContent (buffer));
  xmlBufferFree (buffer);
  return text;
}

guint64
lv_xml_bytes (const char *value, const char *unit)
{
  static const char letters[] = "KMGTPE";
  guint64 number = value ? g_ascii_strtoull (value, NULL, 10) : 0;
  const char *unit_or_default = unit ? unit : "KiB";
  const char *letter = strchr (letters, g_ascii_toupper (*unit_or_default));
  guint64 base = g_str_has_suffix (unit_or_default, "B") && !strchr (unit_or_default, 'i')
                     && strlen (unit_or_default) == 2
                   ? 1000
                   : 1024;

  /* `b` and `bytes` are none of the letters */
  for (long i = *unit_or_default && letter ? letter - letters : -1; i >= 0; i--)
    number *= base;
  return number;
}

guint64
lv_xml_bytes_at (LvXml *xml, const char *path)
{
  xmlNode *node = lv_xml_node (xml, NULL, path);
  g_autofree char *value = node ? lv_xml_text (xml, node, ".") : NULL;
  g_autofree char *unit = node ? lv_xml_text (xml, node, "@unit") : NULL;

  return value ? lv_xml_bytes (value, unit ? unit : "bytes") : 0;
}

static guint
hex_attribute (const xmlNode *node, const char *name)
{
  g_autofree char *text = lv_xml_attribute (node, name);

  return text ? (guint) g_ascii_strtoull (text, NULL, 16) : 0;
}

char *
lv_xml_pci_address (const xmlNode *node)
{
  return g_strdup_printf ("%04x:%02x:%02x.%x", hex_attribute (node, "domain"),
                          hex_attribute (node, "bus"), hex_attribute (node, "slot"),
                          hex_attribute (node, "function"));
}
