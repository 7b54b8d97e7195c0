/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools and volumes. */
#include "xml.h"

#include "xml_tools.h"

static guint64
bytes_at (LvXml *xml, const char *path)
{
  xmlNode *node = lv_xml_node (xml, NULL, path);
  g_autofree char *value = node ? lv_xml_text (xml, node, ".") : NULL;
  g_autofree char *unit = node ? lv_xml_text (xml, node, "@unit") : NULL;

  return value ? lv_xml_bytes (value, unit ? unit : "bytes") : 0;
}

VirfsPoolInfo *
lv_xml_read_pool (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *name = xml ? lv_xml_text (xml, NULL, "/pool/name") : NULL;
  g_autofree char *type = NULL, *path = NULL;
  VirfsPoolInfo *pool;

  if (name == NULL)
    return NULL;
  pool = virfs_part_info_new (&virfs_pool_class, name);
  type = lv_xml_text (xml, NULL, "/pool/@type");
  path = lv_xml_text (xml, NULL, "/pool/target/path");
  pool->type = g_intern_string (type);
  virfs_ref_string_set (&pool->path, path);
  pool->capacity = bytes_at (xml, "/pool/capacity");
  pool->allocation = bytes_at (xml, "/pool/allocation");
  pool->available = bytes_at (xml, "/pool/available");
  return pool;
}

char *
lv_xml_pool_source (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  xmlNode *source = xml ? lv_xml_node (xml, NULL, "/pool/source") : NULL;
  g_autofree char *type = xml ? lv_xml_text (xml, NULL, "/pool/@type") : NULL;
  g_autofree char *from = source ? lv_xml_print (xml, source) : NULL;

  return g_strdup_printf ("%s %s", type, from ? from : "");
}

static xmlNode *
root_of (LvXml *xml)
{
  return xmlDocGetRootElement (xml->doc);
}

char *
lv_xml_make_pool (const char *name, const char *directory)
{
  g_autoptr (LvXml) xml = lv_xml_create ("pool");
  xmlNode *pool = root_of (xml);

  lv_xml_set (pool, "type", "dir");
  lv_xml_add (pool, "name", name);
  lv_xml_add (lv_xml_add (pool, "target", NULL), "path", directory);
  return lv_xml_print (xml, NULL);
}

static void
add_size (xmlNode *volume, const char *name, guint64 bytes)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, bytes);

  lv_xml_set (lv_xml_add (volume, name, text), "unit", "bytes");
}

char *
lv_xml_make_volume (const char *name, const char *format, guint64 capacity)
{
  g_autoptr (LvXml) xml = lv_xml_create ("volume");
  xmlNode *volume = root_of (xml);
  xmlNode *target;

  lv_xml_add (volume, "name", name);
  add_size (volume, "capacity", capacity);
  add_size (volume, "allocation", 0);
  target = lv_xml_add (volume, "target", NULL);
  lv_xml_set (lv_xml_add (target, "format", NULL), "type", format);
  return lv_xml_print (xml, NULL);
}

static void
remove_nodes (LvXml *xml, const char *path)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, path);

  for (guint i = 0; i < nodes->len; i++)
    lv_xml_remove (nodes->pdata[i]);
}

/* A guest may use an image as something else than it looks like. */
static void
set_format (LvXml *xml, const char *format)
{
  xmlNode *node = lv_xml_node (xml, NULL, "/volume/target/format");
  g_autofree char *old = node ? lv_xml_text (xml, node, "@type") : NULL;

  if (node == NULL || g_strcmp0 (old, format) == 0)
    return;
  lv_xml_set (node, "type", format);
  remove_nodes (xml, "/volume/target/compat | /volume/target/features"
                     " | /volume/target/clusterSize");
}

char *
lv_xml_copy_volume (const char *text, const char *format, guint64 capacity)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  if (xml == NULL)
    return NULL;
  /* who may open the file is for the other host to say when the guest starts there */
  remove_nodes (xml, "/volume/key | /volume/capacity | /volume/allocation | /volume/physical"
                     " | /volume/source | /volume/backingStore | /volume/target/path"
                     " | /volume/target/timestamps | /volume/target/permissions/owner"
                     " | /volume/target/permissions/group | /volume/target/permissions/label");
  if (format != NULL)
    set_format (xml, format);
  add_size (root_of (xml), "capacity", capacity);
  add_size (root_of (xml), "allocation", 0);
  return lv_xml_print (xml, NULL);
}

char *
lv_xml_volume_backing (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  return xml ? lv_xml_text (xml, NULL, "/volume/backingStore/path") : NULL;
}
