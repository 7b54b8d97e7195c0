/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What we read from a guest's XML. */
#include "xml.h"

#include "error.h"
#include "xml_create.h"
#include "xml_metadata.h"
#include "xml_stream.h"
#include "xml_tools.h"

#include <string.h>

/* The summary, resources (xml_resource.c), and disks and NICs (xml_device.c).  They are read for every
 * guest of a host whenever we connect, so it is streamed. */

static char *
take_string (xmlChar *string)
{
  char *copy = g_strdup ((char *) string);

  xmlFree (string);
  return copy;
}

static guint64
read_bytes (xmlTextReader *reader)
{
  g_autofree char *text = take_string (xmlTextReaderReadString (reader));
  g_autofree char *unit = take_string (xmlTextReaderGetAttribute (reader, BAD_CAST "unit"));

  return lv_xml_bytes (text, unit);
}

static void
read_title (xmlTextReader *reader, VirfsVmInfo *info)
{
  g_autofree char *text = take_string (xmlTextReaderReadString (reader));

  virfs_ref_string_set (&info->title, text);
}

static void
read_description (xmlTextReader *reader, VirfsVmInfo *info)
{
  g_autofree char *text = take_string (xmlTextReaderReadString (reader));

  virfs_ref_string_set (&info->description, text);
}

static void
read_memory_max (xmlTextReader *reader, VirfsVmInfo *info)
{
  info->memory_max = read_bytes (reader);
  if (info->memory == 0)
    info->memory = info->memory_max;
}

static void
read_memory (xmlTextReader *reader, VirfsVmInfo *info)
{
  info->memory = read_bytes (reader);
}

static const struct {
  const char *name;
  void (*read) (xmlTextReader *reader, VirfsVmInfo *info);
} elements[] = {
  { "title", read_title },
  { "description", read_description },
  { "memory", read_memory_max },
  { "currentMemory", read_memory },
  { "vcpu", lv_xml_stream_vcpu },
  { "cputune", lv_xml_stream_cputune },
  { "numatune", lv_xml_stream_numatune },
  { "os", lv_xml_stream_os },
  { "cpu", lv_xml_stream_cpu },
  { "metadata", lv_xml_read_metadata },
};

static void
read_element (xmlTextReader *reader, const char *name, VirfsVmInfo *info)
{
  for (guint i = 0; i < G_N_ELEMENTS (elements); i++)
    if (strcmp (elements[i].name, name) == 0)
      elements[i].read (reader, info);
}

void
lv_xml_read_domain (const char *xml, VirfsVmInfo *info, LvDevices *devices)
{
  g_autoptr (xmlTextReader) reader = xmlReaderForMemory (
    xml, strlen (xml), NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  int more = reader ? xmlTextReaderRead (reader) : 0;

  while (more == 1) {
    gboolean below = xmlTextReaderDepth (reader) == 1;

    if (below && xmlTextReaderNodeType (reader) == XML_READER_TYPE_ELEMENT) {
      const char *name = (const char *) xmlTextReaderConstLocalName (reader);

      /* nothing of interest comes after them */
      if (strcmp (name, "devices") == 0)
        break;
      if (info != NULL)
        read_element (reader, name, info);
    }
    more = below ? xmlTextReaderNext (reader) : xmlTextReaderRead (reader);
  }
  if (more == 1 && devices != NULL)
    lv_xml_stream_devices (reader, devices);
}

/* What only migration asks for is found with XPath. */

static void
add_text (GPtrArray *list, LvXml *xml, xmlNode *node, const char *path)
{
  char *text = lv_xml_text (xml, node, path);

  if (text != NULL && *text && !g_ptr_array_find_with_equal_func (list, text, g_str_equal, NULL))
    g_ptr_array_add (list, text);
  else
    g_free (text);
}

static void
read_interface_needs (LvXml *xml, xmlNode *interface, VirfsVmNeeds *needs)
{
  /* a running guest's interface of a network is told as what it has become, with its network */
  if (lv_xml_node (xml, interface, "source/@network") != NULL) {
    add_text (needs->networks, xml, interface, "source/@network");
  } else {
    add_text (needs->bridges, xml, interface, "self::*[@type='bridge']/source/@bridge");
    add_text (needs->bridges, xml, interface, "self::*[@type='direct']/source/@dev");
  }
}

static void
read_disk_needs (LvXml *xml, xmlNode *disk, VirfsVmNeeds *needs)
{
  g_autofree char *pool = lv_xml_text (xml, disk, "self::*[not(readonly)]/source/@pool");
  g_autofree char *volume = lv_xml_text (xml, disk, "source/@volume");

  add_text (needs->pools, xml, disk, "source/@pool");
  add_text (needs->files, xml, disk, "source/@file");
  /* the others are dropped where they are not */
  add_text (needs->media, xml, disk,
            "self::*[readonly]/source[not(@startupPolicy) or @startupPolicy='mandatory']/@file");
  add_text (needs->disks, xml, disk, "self::*[not(readonly)]/source/@file");
  if (pool != NULL && volume != NULL)
    g_ptr_array_add (needs->disks, g_strconcat (pool, "/", volume, NULL));
}

static gboolean
has_tpm_state (LvXml *xml)
{
  return lv_xml_node (xml, NULL, "/domain/devices/tpm/backend[@type='emulator']") != NULL;
}

VirfsVmNeeds *
lv_xml_read_needs (const char *text, GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, error);
  g_autoptr (GPtrArray) interfaces = NULL;
  g_autoptr (GPtrArray) disks = NULL;
  g_autofree char *type = NULL, *arch = NULL, *machine = NULL;
  VirfsVmNeeds *needs;

  if (xml == NULL)
    return NULL;
  needs = virfs_vm_needs_new ();
  type = lv_xml_text (xml, NULL, "/domain/@type");
  arch = lv_xml_text (xml, NULL, "/domain/os/type/@arch");
  if (type != NULL && arch != NULL)
    needs->guest_type = g_strconcat (type, " ", arch, NULL);
  machine = lv_xml_text (xml, NULL, "/domain/os/type/@machine");
  if (machine != NULL && arch != NULL)
    needs->machine = g_strconcat (arch, " ", machine, NULL);
  needs->tpm = has_tpm_state (xml);
  interfaces = lv_xml_nodes (xml, NULL, "/domain/devices/interface");
  for (guint i = 0; i < interfaces->len; i++)
    read_interface_needs (xml, interfaces->pdata[i], needs);
  disks = lv_xml_nodes (xml, NULL, "/domain/devices/disk");
  for (guint i = 0; i < disks->len; i++)
    read_disk_needs (xml, disks->pdata[i], needs);
  return needs;
}

void
lv_disk_free (LvDisk *disk)
{
  if (disk == NULL)
    return;
  g_free (disk->target);
  g_free (disk->type);
  g_free (disk->format);
  g_free (disk->path);
  g_free (disk->pool);
  g_free (disk->volume);
  g_free (disk);
}

static LvDisk *
read_disk (LvXml *xml, xmlNode *node)
{
  LvDisk *disk = g_new0 (LvDisk, 1);

  disk->target = lv_xml_text (xml, node, "target/@dev");
  disk->type = lv_xml_text (xml, node, "@type");
  disk->format = lv_xml_text (xml, node, "driver/@type");
  disk->path = lv_xml_text (xml, node, "source/@file | source/@dev");
  disk->pool = lv_xml_text (xml, node, "source/@pool");
  disk->volume = lv_xml_text (xml, node, "source/@volume");
  disk->readonly = lv_xml_node (xml, node, "readonly") != NULL
                   || lv_xml_node (xml, node, "self::*[@device='cdrom']") != NULL;
  disk->seed = lv_xml_node (xml, node, "alias[@name='" LV_SEED_ALIAS "']") != NULL;
  disk->shareable = lv_xml_node (xml, node, "shareable") != NULL;
  disk->encrypted = lv_xml_node (xml, node, "encryption | source/encryption") != NULL;
  return disk;
}

GPtrArray *
lv_xml_read_disks (const char *text)
{
  GPtrArray *disks = g_ptr_array_new_with_free_func ((GDestroyNotify) lv_disk_free);
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autoptr (GPtrArray) nodes = NULL;

  if (xml == NULL)
    return disks;
  nodes = lv_xml_nodes (xml, NULL, "/domain/devices/disk[source]");
  for (guint i = 0; i < nodes->len; i++)
    g_ptr_array_add (disks, read_disk (xml, nodes->pdata[i]));
  return disks;
}

LvDisk *
lv_xml_read_nvram (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *path = xml ? lv_xml_text (xml, NULL, "/domain/os/nvram/source/@file") : NULL;
  LvDisk *disk;

  if (xml != NULL && path == NULL)
    path = lv_xml_text (xml, NULL, "/domain/os/nvram[not(source)]");
  if (path == NULL || *g_strstrip (path) != '/')
    return NULL;
  disk = g_new0 (LvDisk, 1);
  disk->type = g_strdup ("file");
  disk->path = g_steal_pointer (&path);
  return disk;
}

gboolean
lv_xml_has_tpm_state (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);

  return xml && has_tpm_state (xml);
}
