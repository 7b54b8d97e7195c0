/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks and NICs made, found and changed in definitions. */
#include "xml_device.h"

#include "hostdev.h"
#include "xml.h"
#include "xml_stream.h"
#include "xml_tools.h"

#include <string.h>

/* Nodes. */

/* An attribute of a child; TEXT NULL: it goes. */
static void
set_in (LvXml *xml, xmlNode *node, const char *name, const char *attribute, const char *text)
{
  xmlNode *found = text ? lv_xml_need (node, name) : lv_xml_node (xml, node, name);

  if (text != NULL)
    lv_xml_set (found, attribute, text);
  else if (found != NULL)
    xmlUnsetProp (found, BAD_CAST attribute);
}

/* Writing one member of an info into its element: one function for each that is no attribute. */

static void
write_content (LvXml *xml, xmlNode *node, const char *name, const char *text)
{
  lv_xml_remove (lv_xml_node (xml, node, name));
  if (text != NULL)
    lv_xml_add (node, name, text);
}

static void
write_flag (LvXml *xml, xmlNode *node, const char *name, gboolean value)
{
  lv_xml_remove (lv_xml_node (xml, node, name));
  if (value)
    lv_xml_add (node, name, NULL);
}

static void
write_boot (LvXml *xml, xmlNode *node, guint64 order)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, order);

  lv_xml_remove (lv_xml_node (xml, node, "boot"));
  if (order == 0)
    return;
  lv_xml_set (lv_xml_add (node, "boot", NULL), "order", text);
  /* a guest has one order or the other */
  while (lv_xml_node (xml, NULL, "/domain/os/boot") != NULL)
    lv_xml_remove (lv_xml_node (xml, NULL, "/domain/os/boot"));
}

static void
write_disk_boot (LvXml *xml, xmlNode *node, gconstpointer info)
{
  write_boot (xml, node, ((const VirfsDiskInfo *) info)->boot);
}

static void
write_device (LvXml *xml, xmlNode *node, gconstpointer info)
{
  lv_xml_set (node, "device", ((const VirfsDiskInfo *) info)->device);
}

/* Its place on the old bus is none on the new. */
static void
write_bus (LvXml *xml, xmlNode *node, gconstpointer info)
{
  const VirfsDiskInfo *disk = info;

  set_in (xml, node, "target", "dev", disk->part.name);
  set_in (xml, node, "target", "bus", disk->bus);
  lv_xml_remove (lv_xml_node (xml, node, "address"));
}

static void
write_source (LvXml *xml, xmlNode *node, gconstpointer info)
{
  const VirfsDiskInfo *disk = info;
  g_auto (GStrv) names = disk->source ? g_strsplit (disk->source, "/", 2) : NULL;
  gboolean is_block = g_strcmp0 (disk->type, "block") == 0;

  lv_xml_remove (lv_xml_node (xml, node, "source"));
  lv_xml_remove (lv_xml_node (xml, node, "backingStore"));
  lv_xml_set (node, "type", disk->type ? disk->type : "file");
  set_in (xml, node, "driver", "type", disk->format);
  if (disk->source == NULL)
    return;
  if (g_strcmp0 (disk->type, "volume") == 0) {
    set_in (xml, node, "source", "pool", names[0]);
    set_in (xml, node, "source", "volume", names[1]);
  } else {
    set_in (xml, node, "source", is_block ? "dev" : "file", disk->source);
  }
}

static void
write_serial (LvXml *xml, xmlNode *node, gconstpointer info)
{
  write_content (xml, node, "serial", ((const VirfsDiskInfo *) info)->serial);
}

static void
write_readonly (LvXml *xml, xmlNode *node, gconstpointer info)
{
  write_flag (xml, node, "readonly", ((const VirfsDiskInfo *) info)->readonly);
}

static void
write_shareable (LvXml *xml, xmlNode *node, gconstpointer info)
{
  write_flag (xml, node, "shareable", ((const VirfsDiskInfo *) info)->shareable);
}

/* A network counts before a bridge. */
static void
write_place (LvXml *xml, xmlNode *node, gconstpointer info)
{
  const VirfsNicInfo *nic = info;
  const char *where = nic->network ? "network" : "bridge";

  lv_xml_remove (lv_xml_node (xml, node, "source"));
  if (nic->vf != NULL) {
    lv_xml_set (node, "type", "hostdev");
    lv_xml_set (node, "managed", "yes");
    lv_xml_write_pci (lv_xml_add (node, "source", NULL), nic->vf);
    lv_xml_set (lv_xml_node (xml, node, "source/address"), "type", "pci");
    return;
  }
  lv_xml_set (node, "type", where);
  set_in (xml, node, "source", where, nic->network ? nic->network : nic->bridge);
}

static void
write_alias (LvXml *xml, xmlNode *node, const VirfsPartInfo *nic)
{
  g_autofree char *alias = g_strconcat (LV_ALIAS_PREFIX, nic->name, NULL);

  set_in (xml, node, "alias", "name", alias);
}

/* Those that go together name each other by alias. */
static void
write_team (LvXml *xml, xmlNode *node, gconstpointer info)
{
  const VirfsNicInfo *nic = info;
  gboolean stays = g_strcmp0 (nic->team, VIRFS_TEAM_PERSISTENT) == 0;
  g_autofree char *with = g_strconcat (LV_ALIAS_PREFIX, nic->team, NULL);

  lv_xml_remove (lv_xml_node (xml, node, "teaming"));
  if (nic->team == NULL)
    return;
  set_in (xml, node, "teaming", "type", stays ? "persistent" : "transient");
  if (!stays)
    set_in (xml, node, "teaming", "persistent", with);
  write_alias (xml, node, &nic->part);
}

static void
write_filter (LvXml *xml, xmlNode *node, gconstpointer info)
{
  const VirfsNicInfo *nic = info;

  lv_xml_remove (lv_xml_node (xml, node, "filterref"));
  set_in (xml, node, "filterref", "filter", nic->filter);
}

static void
write_link (LvXml *xml, xmlNode *node, gconstpointer info)
{
  gboolean down = ((const VirfsNicInfo *) info)->link_down;

  set_in (xml, node, "link", "state", down ? "down" : "up");
}

static void
write_nic_boot (LvXml *xml, xmlNode *node, gconstpointer info)
{
  write_boot (xml, node, ((const VirfsNicInfo *) info)->boot);
}

/* How each member is written: as an attribute of a child, or by a function. */
typedef struct {
  gsize member;
  const char *child, *attribute;
  void (*write) (LvXml *xml, xmlNode *node, gconstpointer info);
} Row;

#define DISK(member) G_STRUCT_OFFSET (VirfsDiskInfo, member)
#define NIC(member)  G_STRUCT_OFFSET (VirfsNicInfo, member)

static const Row disk_rows[] = {
  { DISK (device), .write = write_device },
  { DISK (format), "driver", "type" },
  { DISK (cache), "driver", "cache" },
  { DISK (discard), "driver", "discard" },
  { DISK (io), "driver", "io" },
  { DISK (source), .write = write_source },
  { DISK (bus), .write = write_bus },
  { DISK (serial), .write = write_serial },
  { DISK (readonly), .write = write_readonly },
  { DISK (shareable), .write = write_shareable },
  { DISK (boot), .write = write_disk_boot },
};

static const Row nic_rows[] = {
  { NIC (mac), "mac", "address" },         { NIC (network), .write = write_place },
  { NIC (bridge), .write = write_place },  { NIC (model), "model", "type" },
  { NIC (filter), .write = write_filter }, { NIC (link_down), .write = write_link },
  { NIC (boot), .write = write_nic_boot }, { NIC (team), .write = write_team },
};

static void
write_row (LvXml *xml, xmlNode *node, const Row *row, gconstpointer info)
{
  if (row->write != NULL)
    row->write (xml, node, info);
  else
    set_in (xml, node, row->child, row->attribute,
            *(char *const *) ((const char *) info + row->member));
}

static void
write_member (LvXml *xml, xmlNode *node, const VirfsPartInfo *info, gsize member)
{
  gboolean is_disk = info->class == &virfs_disk_class;
  const Row *rows = is_disk ? disk_rows : nic_rows;
  guint n = is_disk ? G_N_ELEMENTS (disk_rows) : G_N_ELEMENTS (nic_rows);

  for (guint i = 0; i < n; i++)
    if (rows[i].member == member)
      write_row (xml, node, &rows[i], info);
}

/* New devices. */

static void
add_limit (LvXml *xml, xmlNode *node, const char *name, guint64 value)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, value);

  if (value != 0)
    lv_xml_add (lv_xml_need (node, "iotune"), name, text);
}

char *
lv_xml_make_disk (const VirfsDiskInfo *disk)
{
  g_autoptr (LvXml) xml = lv_xml_create ("disk");
  xmlNode *node = lv_xml_root (xml);

  for (guint i = 0; i < G_N_ELEMENTS (disk_rows); i++)
    write_row (xml, node, &disk_rows[i], disk);
  add_limit (xml, node, "total_bytes_sec", disk->total_bytes_max);
  add_limit (xml, node, "read_bytes_sec", disk->read_bytes_max);
  add_limit (xml, node, "write_bytes_sec", disk->write_bytes_max);
  add_limit (xml, node, "total_iops_sec", disk->total_iops_max);
  add_limit (xml, node, "read_iops_sec", disk->read_iops_max);
  add_limit (xml, node, "write_iops_sec", disk->write_iops_max);
  return lv_xml_print (xml, NULL);
}

static void
add_rate (LvXml *xml, xmlNode *nic, const char *direction, guint64 bytes)
{
  g_autofree char *kib = g_strdup_printf ("%" G_GUINT64_FORMAT, lv_kib (bytes));

  if (bytes != 0)
    set_in (xml, lv_xml_need (nic, "bandwidth"), direction, "average", kib);
}

char *
lv_xml_make_nic (const VirfsNicInfo *nic)
{
  g_autoptr (LvXml) xml = lv_xml_create ("interface");
  xmlNode *node = lv_xml_root (xml);

  for (guint i = 0; i < G_N_ELEMENTS (nic_rows); i++)
    write_row (xml, node, &nic_rows[i], nic);
  write_alias (xml, node, &nic->part);
  if (nic->vf != NULL) /* the guest sees the card itself */
    lv_xml_remove (lv_xml_node (xml, node, "link"));
  add_rate (xml, node, "inbound", nic->rx_max);
  add_rate (xml, node, "outbound", nic->tx_max);
  return lv_xml_print (xml, NULL);
}

char *
lv_xml_make_controller (const char *type, const char *model)
{
  g_autoptr (LvXml) xml = lv_xml_create ("controller");

  lv_xml_set (lv_xml_root (xml), "type", type);
  lv_xml_set (lv_xml_root (xml), "model", model);
  return lv_xml_print (xml, NULL);
}

/* Finding. */

static gboolean
is_device (LvXml *xml, xmlNode *node, const VirfsPartInfo *device)
{
  gboolean is_disk = device->class == &virfs_disk_class;
  const char *key = is_disk ? device->name : ((const VirfsNicInfo *) device)->mac;
  g_autofree char *its = lv_xml_text (xml, node, is_disk ? "target/@dev" : "mac/@address");

  return key != NULL && its != NULL && g_ascii_strcasecmp (its, key) == 0;
}

/* Whether the NIC was made with that NAME. */
static gboolean
has_alias (LvXml *xml, xmlNode *node, const char *name)
{
  g_autofree char *alias = lv_xml_text (xml, node, "alias/@name");
  gboolean named = alias && g_str_has_prefix (alias, LV_ALIAS_PREFIX);

  return named && strcmp (alias + strlen (LV_ALIAS_PREFIX), name) == 0;
}

/* Of several NICs with one MAC address the one that has the name, or else the first. */
xmlNode *
lv_xml_device_node (LvXml *xml, const VirfsPartInfo *device)
{
  gboolean is_disk = device->class == &virfs_disk_class;
  g_autoptr (GPtrArray) nodes
    = lv_xml_nodes (xml, NULL, is_disk ? "/domain/devices/disk" : "/domain/devices/interface");
  xmlNode *found = NULL;

  if (device->class == &virfs_hostdev_class)
    return lv_xml_hostdev_node (xml, device);
  for (guint i = 0; i < nodes->len; i++) {
    if (!is_device (xml, nodes->pdata[i], device))
      continue;
    if (is_disk || has_alias (xml, nodes->pdata[i], device->name))
      return nodes->pdata[i];
    found = found ? found : nodes->pdata[i];
  }
  return found;
}

char *
lv_xml_find_device (const char *text, const VirfsPartInfo *device)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  xmlNode *node = xml ? lv_xml_device_node (xml, device) : NULL;

  return node ? lv_xml_print (xml, node) : NULL;
}

char *
lv_xml_device_alias (const char *text, const VirfsPartInfo *device)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  xmlNode *node = xml ? lv_xml_device_node (xml, device) : NULL;

  return node ? lv_xml_text (xml, node, "alias/@name") : NULL;
}

gboolean
lv_xml_has_controller (const char *text, const char *type)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *path = g_strdup_printf ("/domain/devices/controller[@type='%s']", type);

  return xml != NULL && lv_xml_node (xml, NULL, path) != NULL;
}

/* Changing. */

char *
lv_xml_edit_device (const char *text, const VirfsPartInfo *device, const VirfsPartInfo *wanted,
                    gsize member)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  xmlNode *node = xml ? lv_xml_device_node (xml, device) : NULL;

  if (node == NULL)
    return NULL;
  write_member (xml, node, wanted, member);
  return lv_xml_print (xml, node);
}

char *
lv_xml_edit_definition (const char *text, const VirfsPartInfo *device, const VirfsPartInfo *wanted,
                        gsize member)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  xmlNode *node = xml ? lv_xml_device_node (xml, device) : NULL;

  if (node == NULL)
    return NULL;
  write_member (xml, node, wanted, member);
  return lv_xml_print (xml, NULL);
}
