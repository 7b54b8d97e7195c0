/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host devices in guests' definitions, read and written. */
#include "xml_device.h"

#include "hostdev.h"
#include "xml_stream.h"
#include "xml_tools.h"

#include <string.h>

/* Reading. */

static guint64
number (const xmlNode *node, const char *name)
{
  g_autofree char *text = lv_xml_attribute (node, name);

  return text ? g_ascii_strtoull (text, NULL, 0) : 0;
}

static char *
read_usb (const xmlNode *address, const xmlNode *source)
{
  return g_strdup_printf ("%u:%u", (guint) number (address, "bus"),
                          (guint) number (address, "device"));
}

/* Its adapter is called as in scsi_host2. */
static char *
read_scsi (const xmlNode *address, const xmlNode *source)
{
  g_autofree char *adapter = lv_xml_attribute (lv_xml_child (source, "adapter"), "name");
  const char *host
    = adapter && g_str_has_prefix (adapter, "scsi_host") ? adapter + strlen ("scsi_host") : "-";

  return g_strdup_printf ("%s:%u:%u:%" G_GUINT64_FORMAT, host, (guint) number (address, "bus"),
                          (guint) number (address, "target"), number (address, "unit"));
}

static char *
read_pci (const xmlNode *address, const xmlNode *source)
{
  return lv_xml_pci_address (address);
}

static char *
read_mdev (const xmlNode *address, const xmlNode *source)
{
  return lv_xml_attribute (address, "uuid");
}

void
lv_xml_write_pci (xmlNode *source, const char *address)
{
  static const char *const names[] = { "domain", "bus", "slot", "function" };
  g_auto (GStrv) words = g_strsplit_set (address, ":.", G_N_ELEMENTS (names));
  xmlNode *node = lv_xml_add (source, "address", NULL);

  for (guint i = 0; i < g_strv_length (words); i++) {
    g_autofree char *value = g_strconcat ("0x", words[i], NULL);

    lv_xml_set (node, names[i], value);
  }
}

static void
write_usb (xmlNode *source, const char *address)
{
  g_auto (GStrv) words = g_strsplit (address, ":", 2);
  xmlNode *node = lv_xml_add (source, "address", NULL);

  lv_xml_set (node, "bus", words[0]);
  lv_xml_set (node, "device", words[1]);
}

static void
write_scsi (xmlNode *source, const char *address)
{
  static const char *const names[] = { NULL, "bus", "target", "unit" };
  g_auto (GStrv) words = g_strsplit (address, ":", G_N_ELEMENTS (names));
  g_autofree char *adapter = g_strconcat ("scsi_host", words[0], NULL);
  xmlNode *node;

  lv_xml_set (lv_xml_add (source, "adapter", NULL), "name", adapter);
  node = lv_xml_add (source, "address", NULL);
  for (guint i = 1; i < g_strv_length (words); i++)
    lv_xml_set (node, names[i], words[i]);
}

static void
write_mdev (xmlNode *source, const char *address)
{
  lv_xml_set (lv_xml_add (source, "address", NULL), "uuid", address);
}

static const struct {
  const char *type;
  char *(*read) (const xmlNode *address, const xmlNode *source);
  void (*write) (xmlNode *source, const char *address);
} kinds[] = {
  { "pci", read_pci, lv_xml_write_pci },
  { "usb", read_usb, write_usb },
  { "scsi", read_scsi, write_scsi },
  { "mdev", read_mdev, write_mdev },
};

static void
read_id (const xmlNode *source, VirfsHostdevInfo *info)
{
  const xmlNode *vendor = lv_xml_child (source, "vendor");
  g_autofree char *id = NULL;

  if (vendor == NULL)
    return;
  id = g_strdup_printf ("%04x:%04x", (guint) number (vendor, "id"),
                        (guint) number (lv_xml_child (source, "product"), "id"));
  virfs_ref_string_set (&info->id, id);
}

static void
read_address (const xmlNode *source, VirfsHostdevInfo *info)
{
  const xmlNode *address = lv_xml_child (source, "address");

  for (guint i = 0; address && i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (info->type, kinds[i].type) == 0) {
      g_autofree char *text = kinds[i].read (address, source);

      virfs_ref_string_set (&info->address, text);
    }
}

static void
read_facts (const xmlNode *node, VirfsHostdevInfo *info)
{
  g_autofree char *type = lv_xml_attribute (node, "type");
  const xmlNode *source = lv_xml_child (node, "source");

  info->type = g_intern_string (type);
  read_id (source, info);
  read_address (source, info);
}

/* The name that it was made with; or what it is, as in usb-046d-c52b: the same in each definition. */
static char *
name_of (const xmlNode *node, const VirfsHostdevInfo *info)
{
  g_autofree char *alias = lv_xml_attribute (lv_xml_child (node, "alias"), "name");
  const char *what = info->id ? info->id : info->address;

  if (alias != NULL && g_str_has_prefix (alias, LV_ALIAS_PREFIX))
    return g_strdup (alias + strlen (LV_ALIAS_PREFIX));
  return g_strdelimit (
    g_strdup_printf ("%s-%s", info->type ? info->type : "device", what ? what : "0"), ":./", '-');
}

static gboolean
has_name (GPtrArray *list, const char *name)
{
  for (guint i = 0; i < list->len; i++)
    if (strcmp (((VirfsPartInfo *) list->pdata[i])->name, name) == 0)
      return TRUE;
  return FALSE;
}

void
lv_xml_read_hostdev (xmlNode *node, GPtrArray *hostdevs)
{
  VirfsHostdevInfo *info = virfs_part_info_new (&virfs_hostdev_class, "");
  g_autofree char *name = NULL;

  read_facts (node, info);
  name = name_of (node, info);
  for (guint i = 2; has_name (hostdevs, name); i++) {
    g_autofree char *first = name_of (node, info);

    g_free (name);
    name = g_strdup_printf ("%s-%u", first, i);
  }
  g_ref_string_release (info->part.name);
  info->part.name = g_ref_string_new_intern (name);
  g_ptr_array_add (hostdevs, info);
}

/* The element of HOSTDEV in a guest's XML; NULL if there is none. */
xmlNode *
lv_xml_hostdev_node (LvXml *xml, const VirfsPartInfo *hostdev)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, "/domain/devices/hostdev");
  g_autoptr (GPtrArray) list = virfs_part_list_new ();

  for (guint i = 0; i < nodes->len; i++) {
    lv_xml_read_hostdev (nodes->pdata[i], list);
    if (strcmp (((VirfsPartInfo *) list->pdata[i])->name, hostdev->name) == 0)
      return nodes->pdata[i];
  }
  return NULL;
}

/* Writing. */

static void
write_id (xmlNode *source, const char *id)
{
  g_auto (GStrv) words = g_strsplit (id, ":", 2);
  g_autofree char *vendor = g_strconcat ("0x", words[0], NULL);
  g_autofree char *product = g_strconcat ("0x", words[1], NULL);

  lv_xml_set (lv_xml_add (source, "vendor", NULL), "id", vendor);
  lv_xml_set (lv_xml_add (source, "product", NULL), "id", product);
}

char *
lv_xml_make_hostdev (const VirfsPartInfo *wanted)
{
  const VirfsHostdevInfo *info = (const VirfsHostdevInfo *) wanted;
  g_autoptr (LvXml) xml = lv_xml_create ("hostdev");
  g_autofree char *alias = g_strconcat (LV_ALIAS_PREFIX, wanted->name, NULL);
  xmlNode *node = lv_xml_root (xml), *source;

  lv_xml_set (node, "mode", "subsystem");
  lv_xml_set (node, "type", info->type);
  if (strcmp (info->type, "mdev") == 0)
    lv_xml_set (node, "model", "vfio-pci");
  else if (strcmp (info->type, "scsi") != 0) /* libvirt takes it from the host, and gives it back */
    lv_xml_set (node, "managed", "yes");
  source = lv_xml_add (node, "source", NULL);
  if (info->id != NULL)
    write_id (source, info->id);
  for (guint i = 0; info->address && i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (info->type, kinds[i].type) == 0)
      kinds[i].write (source, info->address);
  lv_xml_set (lv_xml_add (node, "alias", NULL), "name", alias);
  return lv_xml_print (xml, NULL);
}
