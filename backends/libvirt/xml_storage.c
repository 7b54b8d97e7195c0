/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes. */
#include "xml.h"

#include "xml_tools.h"

static void
add_size (xmlNode *volume, const char *name, guint64 bytes)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, bytes);

  lv_xml_set (lv_xml_add (volume, name, text), "unit", "bytes");
}

/* libvirt's default for qcow2 is what QEMU could read in 2012, which has no place for the bitmaps of
 * checkpoints. */
static void
add_format (xmlNode *volume, const char *format)
{
  xmlNode *target = lv_xml_add (volume, "target", NULL);

  lv_xml_set (lv_xml_add (target, "format", NULL), "type", format);
  if (g_str_equal (format, "qcow2"))
    lv_xml_add (target, "compat", "1.1");
}

char *
lv_xml_make_volume (const char *name, const char *format, guint64 capacity)
{
  g_autoptr (LvXml) xml = lv_xml_create ("volume");
  xmlNode *volume = lv_xml_root (xml);

  lv_xml_add (volume, "name", name);
  add_size (volume, "capacity", capacity);
  add_size (volume, "allocation", 0);
  add_format (volume, format);
  return lv_xml_print (xml, NULL);
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
  lv_xml_remove_all (xml, "/volume/target/compat | /volume/target/features"
                          " | /volume/target/clusterSize");
}

char *
lv_xml_copy_volume (const char *text, const char *format, guint64 capacity)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  if (xml == NULL)
    return NULL;
  /* who may open the file is for the other host to say when the guest starts there */
  lv_xml_remove_all (xml, "/volume/key | /volume/capacity | /volume/allocation | /volume/physical"
                          " | /volume/source | /volume/backingStore | /volume/target/path"
                          " | /volume/target/timestamps | /volume/target/permissions/owner"
                          " | /volume/target/permissions/group | /volume/target/permissions/label");
  if (format != NULL)
    set_format (xml, format);
  add_size (lv_xml_root (xml), "capacity", capacity);
  add_size (lv_xml_root (xml), "allocation", 0);
  return lv_xml_print (xml, NULL);
}

char *
lv_xml_move_volume (const char *text, const char *name, const char *format, guint64 capacity)
{
  g_autofree char *old = lv_xml_volume_format (text);
  g_autofree char *copy = NULL;
  g_autoptr (LvXml) from = NULL;
  g_autoptr (LvXml) xml = NULL;
  g_autofree char *backing = NULL, *backing_format = NULL;
  xmlNode *node;

  if (g_strcmp0 (old, format) != 0)
    return lv_xml_make_volume (name, format, capacity);
  copy = lv_xml_copy_volume (text, NULL, capacity);
  from = lv_xml_parse (text, NULL);
  xml = lv_xml_parse (copy, NULL);
  lv_xml_remove (lv_xml_node (xml, NULL, "/volume/name"));
  lv_xml_add (lv_xml_root (xml), "name", name);
  xmlUnsetProp (lv_xml_root (xml), BAD_CAST "type");
  backing = lv_xml_text (from, NULL, "/volume/backingStore/path");
  if (backing == NULL)
    return lv_xml_print (xml, NULL);
  backing_format = lv_xml_text (from, NULL, "/volume/backingStore/format/@type");
  node = lv_xml_add (lv_xml_root (xml), "backingStore", NULL);
  lv_xml_add (node, "path", backing);
  lv_xml_set (lv_xml_add (node, "format", NULL), "type", backing_format ? backing_format : "raw");
  return lv_xml_print (xml, NULL);
}

char *
lv_xml_volume_backing (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  return xml ? lv_xml_text (xml, NULL, "/volume/backingStore/path") : NULL;
}

char *
lv_xml_volume_format (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  return xml ? lv_xml_text (xml, NULL, "/volume/target/format/@type") : NULL;
}

static const char *
word_at (LvXml *xml, const char *path)
{
  g_autofree char *word = lv_xml_text (xml, NULL, path);

  return g_intern_string (word);
}

VirfsVolumeInfo *
lv_xml_read_volume (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *name = xml ? lv_xml_text (xml, NULL, "/volume/name") : NULL;
  g_autofree char *path = NULL, *backing = NULL, *modified = NULL, *touched = NULL, *born = NULL;
  VirfsVolumeInfo *volume;

  if (name == NULL)
    return NULL;
  volume = virfs_part_info_new (&virfs_volume_class, name);
  path = lv_xml_text (xml, NULL, "/volume/target/path");
  backing = lv_xml_text (xml, NULL, "/volume/backingStore/path");
  volume->type = word_at (xml, "/volume/@type");
  volume->format = word_at (xml, "/volume/target/format/@type");
  virfs_ref_string_set (&volume->path, path);
  virfs_ref_string_set (&volume->backing, backing);
  volume->size = lv_xml_bytes_at (xml, "/volume/capacity");
  volume->allocation = lv_xml_bytes_at (xml, "/volume/allocation");
  volume->length = lv_xml_bytes_at (xml, "/volume/physical");
  modified = lv_xml_text (xml, NULL, "/volume/target/timestamps/mtime");
  virfs_ref_string_set (&volume->modified, modified);
  born = lv_xml_text (xml, NULL, "/volume/target/timestamps/btime");
  virfs_ref_string_set (&volume->born, born);
  touched = lv_xml_text (xml, NULL, "/volume/target/timestamps/ctime");
  virfs_ref_string_set (&volume->touched, touched);
  volume->xml = virfs_blob_new (text);
  return volume;
}

char *
lv_xml_describe_volume (const VirfsVolumeInfo *volume, const char *backing_format)
{
  g_autoptr (LvXml) xml = lv_xml_create ("volume");
  xmlNode *root = lv_xml_root (xml), *node;

  lv_xml_add (root, "name", volume->part.name);
  add_size (root, "capacity", volume->size);
  add_size (root, "allocation", volume->allocation);
  if (volume->format != NULL)
    add_format (root, volume->format);
  if (volume->backing != NULL) {
    node = lv_xml_add (root, "backingStore", NULL);
    lv_xml_add (node, "path", volume->backing);
    lv_xml_set (lv_xml_add (node, "format", NULL), "type", backing_format);
  }
  return lv_xml_print (xml, NULL);
}
