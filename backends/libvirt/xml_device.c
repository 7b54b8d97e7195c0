/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks and NICs as definitions have them.  They are read for every guest of a host whenever we
 * connect: the definition is streamed, and only they become trees of nodes.
 */
#include "xml_device.h"

#include "hostdev.h"
#include "text.h"

#include "xml_tools.h"
#include "xml_stream.h"

#include <string.h>

void
lv_devices_init (LvDevices *devices)
{
  devices->disks = virfs_part_list_new ();
  devices->nics = virfs_part_list_new ();
  devices->hostdevs = virfs_part_list_new ();
}

void
lv_devices_clear (LvDevices *devices)
{
  g_clear_pointer (&devices->disks, g_ptr_array_unref);
  g_clear_pointer (&devices->nics, g_ptr_array_unref);
  g_clear_pointer (&devices->hostdevs, g_ptr_array_unref);
  if (devices->graphics != NULL)
    g_string_free (g_steal_pointer (&devices->graphics), TRUE);
}

/* Nodes. */

static const char *
word (xmlNode *node, const char *name)
{
  g_autofree char *value = lv_xml_attribute (node, name);

  return g_intern_string (value);
}

static GRefString *
text (xmlNode *node, const char *name)
{
  g_autofree char *value = lv_xml_attribute (node, name);

  return value ? g_ref_string_new (value) : NULL;
}

/* Of what many guests have in common. */
static GRefString *
shared_text (xmlNode *node, const char *name)
{
  g_autofree char *value = lv_xml_attribute (node, name);

  return value ? g_ref_string_new_intern (value) : NULL;
}

static guint64
number (xmlNode *node, const char *name)
{
  g_autofree char *value = lv_xml_attribute (node, name);

  return value ? g_ascii_strtoull (value, NULL, 10) : 0;
}

static GRefString *
content (xmlNode *node)
{
  xmlChar *value = node ? xmlNodeGetContent (node) : NULL;
  GRefString *copy = value && *value ? g_ref_string_new ((char *) value) : NULL;

  xmlFree (value);
  return copy;
}

static guint64
content_number (xmlNode *node)
{
  g_autofree char *value = NULL;
  xmlChar *found = node ? xmlNodeGetContent (node) : NULL;

  value = g_strdup ((char *) found);
  xmlFree (found);
  return value ? g_ascii_strtoull (value, NULL, 10) : 0;
}

/* Disks. */

/* As in nbd://host/name. */
static GRefString *
url_of (xmlNode *source)
{
  g_autofree char *protocol = lv_xml_attribute (source, "protocol");
  g_autofree char *name = lv_xml_attribute (source, "name");
  g_autofree char *host = lv_xml_attribute (lv_xml_child (source, "host"), "name");
  g_autofree char *url
    = g_strdup_printf ("%s://%s/%s", protocol ? protocol : "", host ? host : "", name ? name : "");

  return g_ref_string_new (url);
}

static GRefString *
volume_of (xmlNode *source)
{
  g_autofree char *pool = lv_xml_attribute (source, "pool");
  g_autofree char *volume = lv_xml_attribute (source, "volume");
  g_autofree char *path = g_strconcat (pool, "/", volume, NULL);

  return g_ref_string_new (path);
}

static void
read_source (xmlNode *source, VirfsDiskInfo *disk)
{
  static const char *const paths[] = { "file", "dev", "dir" };

  if (source == NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (paths) && disk->source == NULL; i++)
    disk->source = text (source, paths[i]);
  disk->pool = shared_text (source, "pool");
  if (disk->pool != NULL) {
    g_clear_pointer (&disk->source, g_ref_string_release);
    disk->source = volume_of (source);
  } else if (disk->source == NULL && g_strcmp0 (disk->type, "network") == 0) {
    disk->source = url_of (source);
  }
}

static void
read_limits (xmlNode *tune, VirfsDiskInfo *disk)
{
  if (tune == NULL)
    return;
  disk->read_bytes_max = content_number (lv_xml_child (tune, "read_bytes_sec"));
  disk->write_bytes_max = content_number (lv_xml_child (tune, "write_bytes_sec"));
  disk->total_bytes_max = content_number (lv_xml_child (tune, "total_bytes_sec"));
  disk->read_iops_max = content_number (lv_xml_child (tune, "read_iops_sec"));
  disk->write_iops_max = content_number (lv_xml_child (tune, "write_iops_sec"));
  disk->total_iops_max = content_number (lv_xml_child (tune, "total_iops_sec"));
}

static void
read_disk (xmlNode *node, LvDevices *devices)
{
  xmlNode *driver = lv_xml_child (node, "driver"), *target = lv_xml_child (node, "target");
  g_autofree char *name = lv_xml_attribute (target, "dev");
  const char *device = word (node, "device");
  VirfsDiskInfo *disk;

  if (name == NULL)
    return;
  disk = virfs_part_info_new (&virfs_disk_class, name);
  disk->device = device ? device : "disk";
  disk->type = word (node, "type");
  disk->bus = word (target, "bus");
  disk->format = word (driver, "type");
  disk->cache = word (driver, "cache");
  disk->discard = word (driver, "discard");
  disk->io = word (driver, "io");
  disk->serial = content (lv_xml_child (node, "serial"));
  disk->readonly = lv_xml_child (node, "readonly") != NULL;
  disk->shareable = lv_xml_child (node, "shareable") != NULL;
  disk->boot = number (lv_xml_child (node, "boot"), "order");
  read_source (lv_xml_child (node, "source"), disk);
  read_limits (lv_xml_child (node, "iotune"), disk);
  g_ptr_array_add (devices->disks, disk);
}

/* NICs. */

static char *
nic_alias (xmlNode *node)
{
  g_autofree char *alias = lv_xml_attribute (lv_xml_child (node, "alias"), "name");
  const char *name
    = alias && g_str_has_prefix (alias, LV_ALIAS_PREFIX) ? alias + strlen (LV_ALIAS_PREFIX) : "";

  return g_strdup (name);
}

static GRefString *
vf_of (const xmlNode *address)
{
  g_autofree char *text = address ? lv_xml_pci_address (address) : NULL;

  return text ? g_ref_string_new (text) : NULL;
}

static void
read_place (xmlNode *node, VirfsNicInfo *nic)
{
  xmlNode *source = lv_xml_child (node, "source");

  nic->type = word (node, "type");
  nic->network = shared_text (source, "network");
  if (nic->network != NULL) {
    /* a running guest's is told as what the network has made of it */
    nic->type = "network";
    return;
  }
  nic->bridge = shared_text (source, "bridge");
  if (nic->bridge == NULL)
    nic->bridge = shared_text (source, "dev");
  if (g_strcmp0 (nic->type, "hostdev") == 0)
    nic->vf = vf_of (lv_xml_child (source, "address"));
}

static GRefString *
team_of (xmlNode *teaming)
{
  g_autofree char *with = lv_xml_attribute (teaming, "persistent");

  if (teaming == NULL)
    return NULL;
  if (with == NULL)
    return g_ref_string_new_intern (VIRFS_TEAM_PERSISTENT);
  return g_ref_string_new (g_str_has_prefix (with, LV_ALIAS_PREFIX) ? with + strlen (LV_ALIAS_PREFIX)
                                                                    : with);
}

/* libvirt counts in KiB a second. */
static guint64
read_rate (xmlNode *bandwidth, const char *direction)
{
  return number (lv_xml_child (bandwidth, direction), "average") * 1024;
}

static void
read_nic (xmlNode *node, LvDevices *devices)
{
  g_autofree char *name = nic_alias (node);
  g_autofree char *link = lv_xml_attribute (lv_xml_child (node, "link"), "state");
  VirfsNicInfo *nic = virfs_part_info_new (&virfs_nic_class, name);

  read_place (node, nic);
  nic->team = team_of (lv_xml_child (node, "teaming"));
  nic->mac = text (lv_xml_child (node, "mac"), "address");
  nic->device = text (lv_xml_child (node, "target"), "dev");
  nic->model = word (lv_xml_child (node, "model"), "type");
  nic->filter = shared_text (lv_xml_child (node, "filterref"), "filter");
  nic->link_down = g_strcmp0 (link, "down") == 0;
  nic->boot = number (lv_xml_child (node, "boot"), "order");
  nic->rx_max = read_rate (lv_xml_child (node, "bandwidth"), "inbound");
  nic->tx_max = read_rate (lv_xml_child (node, "bandwidth"), "outbound");
  g_ptr_array_add (devices->nics, nic);
}

/* The state is told of a guest that runs. */
static void
read_channel (xmlNode *node, LvDevices *devices)
{
  xmlNode *target = lv_xml_child (node, "target");
  g_autofree char *name = lv_xml_attribute (target, "name");
  g_autofree char *state = lv_xml_attribute (target, "state");

  if (g_strcmp0 (name, "org.qemu.guest_agent.0") == 0)
    devices->agent
      = g_strcmp0 (state, "connected") == 0 ? VIRFS_AGENT_CONNECTED : VIRFS_AGENT_DISCONNECTED;
}

static void
append_word (GString *out, const char *word)
{
  virfs_text_escape (out, word && *word ? word : "-");
}

/* A port of -1 is still to be chosen; a socket takes the place of address and port. */
static void
read_graphics (xmlNode *node, LvDevices *devices)
{
  g_autofree char *type = lv_xml_attribute (node, "type");
  g_autofree char *address = lv_xml_attribute (node, "listen");
  g_autofree char *port = lv_xml_attribute (node, "port");
  g_autofree char *tls = lv_xml_attribute (node, "tlsPort");
  g_autofree char *path = lv_xml_attribute (lv_xml_child (node, "listen"), "socket");

  if (devices->graphics == NULL)
    devices->graphics = g_string_new (NULL);
  append_word (devices->graphics, type);
  g_string_append_c (devices->graphics, ' ');
  append_word (devices->graphics, path ? path : address);
  if (port != NULL && *port != '-')
    g_string_append_printf (devices->graphics, " %" G_GUINT64_FORMAT,
                            g_ascii_strtoull (port, NULL, 10));
  if (tls != NULL && *tls != '-')
    g_string_append_printf (devices->graphics, " tls %" G_GUINT64_FORMAT,
                            g_ascii_strtoull (tls, NULL, 10));
  g_string_append_c (devices->graphics, '\n');
}

/* The stream. */

void
lv_xml_stream_devices (xmlTextReader *reader, LvDevices *devices)
{
  int more = xmlTextReaderRead (reader);

  while (more == 1 && xmlTextReaderDepth (reader) >= 2) {
    const char *name = (const char *) xmlTextReaderConstLocalName (reader);

    if (xmlTextReaderNodeType (reader) == XML_READER_TYPE_ELEMENT) {
      if (strcmp (name, "disk") == 0)
        read_disk (xmlTextReaderExpand (reader), devices);
      else if (strcmp (name, "interface") == 0)
        read_nic (xmlTextReaderExpand (reader), devices);
      else if (strcmp (name, "hostdev") == 0)
        lv_xml_read_hostdev (xmlTextReaderExpand (reader), devices->hostdevs);
      else if (strcmp (name, "channel") == 0)
        read_channel (xmlTextReaderExpand (reader), devices);
      else if (strcmp (name, "graphics") == 0)
        read_graphics (xmlTextReaderExpand (reader), devices);
    }
    more = xmlTextReaderNext (reader);
  }
}
