/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools. */
#include "xml.h"

#include "xml_tools.h"

#include <string.h>

/* Reading. */

/* The texts that PATH finds, with spaces between them; NULL: none. */
static char *
join_texts (LvXml *xml, const char *path)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, path);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *one = lv_xml_text (xml, nodes->pdata[i], ".");

    g_string_append_printf (text, "%s%s", i ? " " : "", one);
  }
  return text->len ? g_strdup (text->str) : NULL;
}

/* As in virfs_pool_split_source(). */
static char *
join_host (const char *host, const char *rest)
{
  if (host == NULL || rest == NULL)
    return g_strdup (host ? host : rest);
  return strchr (host, ':') ? g_strdup_printf ("[%s]:%s", host, rest)
                            : g_strdup_printf ("%s:%s", host, rest);
}

static char *
read_source (LvXml *xml)
{
  g_autofree char *host = lv_xml_text (xml, NULL, "/pool/source/host/@name");
  g_autofree char *devices = join_texts (xml, "/pool/source/device/@path");
  g_autofree char *directory = lv_xml_text (xml, NULL, "/pool/source/dir/@path");
  g_autofree char *name = lv_xml_text (xml, NULL, "/pool/source/name");

  if (host == NULL) /* a volume group is called like its pool mostly; its devices say more */
    return g_steal_pointer (&devices);
  return join_host (host, devices ? devices : directory ? directory : name);
}

VirfsPoolInfo *
lv_xml_read_pool (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *name = xml ? lv_xml_text (xml, NULL, "/pool/name") : NULL;
  g_autofree char *uuid = NULL, *type = NULL, *path = NULL, *source = NULL;
  VirfsPoolInfo *pool;

  if (name == NULL)
    return NULL;
  pool = virfs_part_info_new (&virfs_pool_class, name);
  uuid = lv_xml_text (xml, NULL, "/pool/uuid");
  type = lv_xml_text (xml, NULL, "/pool/@type");
  path = lv_xml_text (xml, NULL, "/pool/target/path");
  source = read_source (xml);
  pool->type = g_intern_string (type);
  virfs_ref_string_set (&pool->uuid, uuid);
  virfs_ref_string_set (&pool->path, path);
  virfs_ref_string_set (&pool->source, source);
  pool->capacity = lv_xml_bytes_at (xml, "/pool/capacity");
  pool->allocation = lv_xml_bytes_at (xml, "/pool/allocation");
  pool->available = lv_xml_bytes_at (xml, "/pool/available");
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

char *
lv_xml_settle_pool (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  if (xml == NULL)
    return NULL;
  lv_xml_remove_all (xml, "/pool/capacity | /pool/allocation | /pool/available");
  return lv_xml_print (xml, NULL);
}

/* Making. */

static void
add_path (xmlNode *source, const char *element, const char *path)
{
  lv_xml_set (lv_xml_add (source, element, NULL), "path", path);
}

/* SOURCE is the element. */
static gboolean
fill_source (xmlNode *source, const VirfsPoolInfo *pool, GError **error)
{
  g_autofree char *host = NULL, *rest = NULL;
  g_auto (GStrv) devices = NULL;

  if (!virfs_pool_split_source (pool->type, pool->source, &host, &rest, error))
    return FALSE;
  if (host != NULL) {
    lv_xml_set (lv_xml_add (source, "host", NULL), "name", host);
    add_path (source, g_str_equal (pool->type, "netfs") ? "dir" : "device", rest);
    return TRUE;
  }
  devices = g_strsplit (pool->source ? pool->source : "", " ", -1);
  for (char **device = devices; *device; device++)
    if (**device != '\0')
      add_path (source, "device", *device);
  return TRUE;
}

/* Where libvirt has the volumes of a type that has no other place for them; the caller owns it. */
static char *
default_path (const VirfsPoolInfo *pool)
{
  if (pool->path != NULL)
    return g_strdup (pool->path);
  if (g_str_equal (pool->type, "logical"))
    return g_strconcat ("/dev/", pool->part.name, NULL);
  return g_strdup (g_str_equal (pool->type, "iscsi") ? "/dev/disk/by-path" : "/dev");
}

char *
lv_xml_describe_pool (const VirfsPoolInfo *pool, GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_create ("pool");
  g_autofree char *path = default_path (pool);
  xmlNode *root = lv_xml_root (xml), *source;

  lv_xml_set (root, "type", pool->type);
  lv_xml_add (root, "name", pool->part.name);
  source = lv_xml_add (root, "source", NULL);
  if (!fill_source (source, pool, error))
    return NULL;
  if (g_str_equal (pool->type, "logical"))
    lv_xml_add (source, "name", pool->part.name);
  lv_xml_add (lv_xml_add (root, "target", NULL), "path", path);
  return lv_xml_print (xml, NULL);
}

char *
lv_xml_make_pool (const char *name, const char *directory)
{
  g_autoptr (LvXml) xml = lv_xml_create ("pool");
  xmlNode *pool = lv_xml_root (xml);

  lv_xml_set (pool, "type", "dir");
  lv_xml_add (pool, "name", name);
  lv_xml_add (lv_xml_add (pool, "target", NULL), "path", directory);
  return lv_xml_print (xml, NULL);
}

/* Changing. */

char *
lv_xml_edit_pool (const char *text, const VirfsPoolInfo *wanted, GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, error);
  g_autofree char *source = xml ? read_source (xml) : NULL;
  xmlNode *root = xml ? lv_xml_root (xml) : NULL, *target;

  if (root == NULL)
    return NULL;
  if (g_strcmp0 (source, wanted->source) != 0) {
    lv_xml_remove_all (xml, "/pool/source/host | /pool/source/dir | /pool/source/device");
    if (!fill_source (lv_xml_need (root, "source"), wanted, error))
      return NULL;
  }
  target = lv_xml_need (root, "target");
  lv_xml_remove (lv_xml_node (xml, target, "path"));
  if (wanted->path != NULL)
    lv_xml_add (target, "path", wanted->path);
  return lv_xml_print (xml, NULL);
}
