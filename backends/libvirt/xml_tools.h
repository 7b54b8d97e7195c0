/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libxml2 with less writing; for xml*.c only. */
#pragma once

#include <glib.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlreader.h>
#include <libxml/xpath.h>

/* A document to be asked and changed. */
typedef struct {
  xmlDoc *doc;
  xmlXPathContext *xpath;
} LvXml;

/* NULL if XML is not well-formed: INVALID.  Entities and the network are left alone. */
LvXml *lv_xml_parse (const char *xml, GError **error);
void lv_xml_free (LvXml *xml);

/* The nodes that PATH finds below NODE (NULL: the document); of xmlNode*, owned by the document. */
GPtrArray *lv_xml_nodes (LvXml *xml, xmlNode *node, const char *path);
/* The first of them, or NULL. */
xmlNode *lv_xml_node (LvXml *xml, xmlNode *node, const char *path);
/* The text of the first, or NULL; the caller owns it. */
char *lv_xml_text (LvXml *xml, xmlNode *node, const char *path);

/* Without XPath, of a tree that a stream was expanded to: the first child element of that name, NULL if
 * there is none (or no NODE), and an attribute; the caller owns it. */
xmlNode *lv_xml_child (const xmlNode *node, const char *name);
char *lv_xml_attribute (const xmlNode *node, const char *name);

/* The hexadecimal numbers of a PCI device's <address> as in 0000:65:00.0; the caller owns it. */
char *lv_xml_pci_address (const xmlNode *node);

xmlNode *lv_xml_root (LvXml *xml);
/* Adds an element with TEXT (NULL: none, escaped as needed). */
xmlNode *lv_xml_add (xmlNode *parent, const char *name, const char *text);
/* The first child element of that name, made if there is none. */
xmlNode *lv_xml_need (xmlNode *parent, const char *name);
void lv_xml_set (xmlNode *node, const char *attribute, const char *value);
void lv_xml_remove (xmlNode *node);
/* All that PATH finds; none may be within another. */
void lv_xml_remove_all (LvXml *xml, const char *path);
/* A document with nothing but its root. */
LvXml *lv_xml_create (const char *root);
/* The root as text; the caller owns it. */
char *lv_xml_print (LvXml *xml, xmlNode *node);

/* VALUE in UNIT (libvirt's: KiB, MB, b …; NULL: KiB) as bytes. */
guint64 lv_xml_bytes (const char *value, const char *unit);
/* The same of the element at PATH, whose unit is bytes if it has none; 0 if there is none. */
guint64 lv_xml_bytes_at (LvXml *xml, const char *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvXml, lv_xml_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (xmlTextReader, xmlFreeTextReader)
