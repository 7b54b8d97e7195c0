/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of a host, read. */
#include "text.h"
#include "xml.h"
#include "xml_tools.h"

#include <string.h>

#define CAPABILITY "/device/capability"

static char *
text_at (LvXml *xml, const char *path)
{
  return lv_xml_text (xml, NULL, path);
}

static void
take_text (GRefString **field, LvXml *xml, const char *path)
{
  g_autofree char *text = text_at (xml, path);

  virfs_ref_string_set (field, text);
}

/* Four digits of `0x10de`, or of nothing. */
static guint
id_at (LvXml *xml, const char *path)
{
  g_autofree char *text = text_at (xml, path);

  return text ? (guint) (g_ascii_strtoull (text, NULL, 16) & 0xffff) : 0;
}

static void
read_identity (LvXml *xml, VirfsNodeDeviceInfo *info)
{
  g_autofree char *vendor = text_at (xml, CAPABILITY "/vendor/@id");
  g_autofree char *id = NULL;

  take_text (&info->vendor, xml, CAPABILITY "/vendor | " CAPABILITY "/hardware/vendor");
  take_text (&info->product, xml,
             CAPABILITY "/product | " CAPABILITY "/model | " CAPABILITY "/hardware/product");
  if (vendor == NULL)
    return;
  id = g_strdup_printf ("%04x:%04x", id_at (xml, CAPABILITY "/vendor/@id"),
                        id_at (xml, CAPABILITY "/product/@id"));
  virfs_ref_string_set (&info->id, id);
}

/* In /dev, and the link of a network interface. */
static void
read_names (LvXml *xml, VirfsNodeDeviceInfo *info)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, "/device/devnode[@type='link']");
  g_autoptr (GString) links = g_string_new (NULL);
  g_autofree char *state = text_at (xml, CAPABILITY "[@type='net']/link/@state");

  for (guint i = 0; i < nodes->len; i++) {
    xmlChar *link = xmlNodeGetContent (nodes->pdata[i]);

    g_string_append (links, links->len ? "\n" : "");
    virfs_text_escape (links, (char *) link);
    xmlFree (link);
  }
  take_text (&info->node, xml, "/device/devnode[@type='dev'] | " CAPABILITY "/block");
  virfs_ref_string_set (&info->links, links->str);
  take_text (&info->interface, xml, CAPABILITY "/interface");
  info->link = g_intern_string (state);
}

/* Addresses. */

/* In a device's own capability libvirt writes decimal numbers as elements, elsewhere hexadecimal ones as
 * attributes. */
static guint64
element (LvXml *xml, const char *name)
{
  g_autofree char *path = g_strconcat (CAPABILITY "/", name, NULL);
  g_autofree char *text = text_at (xml, path);

  return text ? g_ascii_strtoull (text, NULL, 10) : 0;
}

static char *
pci_address (LvXml *xml)
{
  return g_strdup_printf ("%04x:%02x:%02x.%x", (guint) element (xml, "domain"),
                          (guint) element (xml, "bus"), (guint) element (xml, "slot"),
                          (guint) element (xml, "function"));
}

static char *
usb_address (LvXml *xml)
{
  return g_strdup_printf ("%u:%u", (guint) element (xml, "bus"), (guint) element (xml, "device"));
}

static char *
scsi_address (LvXml *xml)
{
  return g_strdup_printf ("%u:%u:%u:%" G_GUINT64_FORMAT, (guint) element (xml, "host"),
                          (guint) element (xml, "bus"), (guint) element (xml, "target"),
                          element (xml, "lun"));
}

static char *
mdev_address (LvXml *xml)
{
  return text_at (xml, CAPABILITY "/uuid");
}

static const struct {
  const char *type;
  char *(*address) (LvXml *xml);
} addresses[] = {
  { "pci", pci_address },
  { "usb_device", usb_address },
  { "scsi", scsi_address },
  { "mdev", mdev_address },
};

static void
read_address (LvXml *xml, VirfsNodeDeviceInfo *info)
{
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    if (g_strcmp0 (info->type, addresses[i].type) == 0) {
      g_autofree char *address = addresses[i].address (xml);

      virfs_ref_string_set (&info->address, address);
    }
}

/* The name of the PCI device whose address NODE has. */
static char *
pci_name (xmlNode *node)
{
  char *address = lv_xml_pci_address (node);
  char *name = virfs_node_device_name ("pci", address);

  g_free (address);
  return name;
}

/* Those that PATH finds but for the device itself, one a line. */
static void
read_pci_names (GRefString **field, LvXml *xml, const char *path, const char *self)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, path);
  g_autoptr (GString) lines = g_string_new (NULL);

  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *name = pci_name (nodes->pdata[i]);

    if (strcmp (name, self) != 0)
      g_string_append_printf (lines, "%s%s", lines->len ? "\n" : "", name);
  }
  virfs_ref_string_set (field, lines->str);
}

static void
read_mdev_types (LvXml *xml, VirfsNodeDeviceInfo *info)
{
  g_autoptr (GPtrArray) nodes
    = lv_xml_nodes (xml, NULL, CAPABILITY "/capability[@type='mdev_types']/type");
  g_autoptr (GString) lines = g_string_new (NULL);

  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *id = lv_xml_attribute (nodes->pdata[i], "id");
    g_autofree char *name = lv_xml_text (xml, nodes->pdata[i], "name");
    g_autofree char *available = lv_xml_text (xml, nodes->pdata[i], "availableInstances");

    g_string_append (lines, lines->len ? "\n" : "");
    virfs_text_escape (lines, id ? id : "-");
    g_string_append_printf (lines, " %" G_GUINT64_FORMAT " ",
                            available ? g_ascii_strtoull (available, NULL, 10) : 0);
    virfs_text_escape (lines, name ? name : "-");
  }
  virfs_ref_string_set (&info->mdev_types, lines->str);
}

static void
read_relations (LvXml *xml, VirfsNodeDeviceInfo *info)
{
  take_text (&info->iommu_group, xml, CAPABILITY "/iommuGroup/@number");
  take_text (&info->numa_node, xml, CAPABILITY "/numa/@node");
  read_pci_names (&info->iommu_devices, xml, CAPABILITY "/iommuGroup/address", info->part.name);
  read_pci_names (&info->physical_function, xml,
                  CAPABILITY "/capability[@type='phys_function']/address", info->part.name);
  read_pci_names (&info->virtual_functions, xml,
                  CAPABILITY "/capability[@type='virt_functions']/address", info->part.name);
  read_mdev_types (xml, info);
}

/* Of a Fibre Channel adapter. */
static void
read_adapter (LvXml *xml, VirfsNodeDeviceInfo *info)
{
  g_autofree char *vports = text_at (xml, CAPABILITY "/capability[@type='vport_ops']/vports");
  g_autofree char *max = text_at (xml, CAPABILITY "/capability[@type='vport_ops']/max_vports");

  take_text (&info->wwnn, xml, CAPABILITY "/capability[@type='fc_host']/wwnn");
  take_text (&info->wwpn, xml, CAPABILITY "/capability[@type='fc_host']/wwpn");
  info->vport_ops = lv_xml_node (xml, NULL, CAPABILITY "/capability[@type='vport_ops']") != NULL;
  info->vports = vports ? g_ascii_strtoull (vports, NULL, 10) : 0;
  info->vports_max = max ? g_ascii_strtoull (max, NULL, 10) : 0;
}

VirfsNodeDeviceInfo *
lv_xml_read_node_device (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *name = xml ? text_at (xml, "/device/name") : NULL;
  g_autofree char *type = NULL, *size = NULL;
  VirfsNodeDeviceInfo *info;

  if (name == NULL)
    return NULL;
  info = virfs_part_info_new (&virfs_node_device_class, name);
  type = text_at (xml, CAPABILITY "/@type");
  size = text_at (xml, CAPABILITY "/size | " CAPABILITY "/capability/media_size");
  info->type = g_intern_string (type);
  info->size = size ? g_ascii_strtoull (size, NULL, 10) : 0;
  take_text (&info->driver, xml, "/device/driver/name");
  take_text (&info->parent, xml, "/device/parent");
  take_text (&info->path, xml, "/device/path");
  take_text (&info->device_class, xml, CAPABILITY "[@type='pci']/class");
  take_text (&info->mdev_type, xml, CAPABILITY "[@type='mdev']/type/@id");
  read_names (xml, info);
  read_identity (xml, info);
  read_address (xml, info);
  read_relations (xml, info);
  read_adapter (xml, info);
  info->active = TRUE;
  info->xml = virfs_blob_new (text);
  return info;
}

/* Making. */

static void
fill_mdev (xmlNode *capability, const VirfsNodeDeviceInfo *draft)
{
  lv_xml_set (lv_xml_add (capability, "type", NULL), "id", draft->mdev_type);
  lv_xml_add (capability, "uuid", draft->address);
}

static void
fill_vhba (xmlNode *capability, const VirfsNodeDeviceInfo *draft)
{
  xmlNode *names = lv_xml_add (capability, "capability", NULL);

  lv_xml_set (names, "type", "fc_host");
  if (draft->wwnn == NULL)
    return;
  lv_xml_add (names, "wwnn", draft->wwnn);
  lv_xml_add (names, "wwpn", draft->wwpn);
}

char *
lv_xml_make_node_device (const VirfsNodeDeviceInfo *draft)
{
  g_autoptr (LvXml) xml = lv_xml_create ("device");
  xmlNode *root = lv_xml_root (xml), *capability;

  lv_xml_add (root, "parent", draft->parent);
  capability = lv_xml_add (root, "capability", NULL);
  lv_xml_set (capability, "type", draft->type);
  if (g_strcmp0 (draft->type, VIRFS_NODE_DEVICE_MDEV) == 0)
    fill_mdev (capability, draft);
  else
    fill_vhba (capability, draft);
  return lv_xml_print (xml, NULL);
}
