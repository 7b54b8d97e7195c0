/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a new guest is made of when nobody says otherwise, and how an old one becomes another. */
#include "xml_create.h"

#include "error.h"
#include "xml.h"
#include "xml_metadata.h"
#include "xml_stream.h"

/* Slots that devices can be plugged into while it runs. */
#define SPARE_SLOTS 8

void
lv_new_disk_free (gpointer data)
{
  LvNewDisk *disk = data;

  g_free (disk->target);
  g_free (disk->path);
  g_free (disk);
}

static xmlNode *
add_with (xmlNode *parent, const char *name, const char *attribute, const char *value)
{
  xmlNode *node = lv_xml_add (parent, name, NULL);

  lv_xml_set (node, attribute, value);
  return node;
}

static void
set_text (LvXml *xml, const char *name, const char *text)
{
  g_autofree char *path = g_strconcat ("/domain/", name, NULL);
  xmlNode *root = lv_xml_root (xml);

  lv_xml_remove (lv_xml_node (xml, NULL, path));
  if (text != NULL)
    lv_xml_add (root, name, text);
}

static void
set_bytes (LvXml *xml, const char *name, guint64 bytes)
{
  g_autofree char *path = g_strconcat ("/domain/", name, NULL);
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, bytes);

  set_text (xml, name, text);
  lv_xml_set (lv_xml_node (xml, NULL, path), "unit", "bytes");
}

static void
set_vcpus (LvXml *xml, const VirfsDraftInfo *info)
{
  guint64 most = MAX (info->vcpus_max, info->vcpus);
  g_autofree char *now = g_strdup_printf ("%" G_GUINT64_FORMAT, info->vcpus);
  g_autofree char *all = g_strdup_printf ("%" G_GUINT64_FORMAT, most);

  set_text (xml, "vcpu", all);
  set_text (xml, "vcpus", NULL); /* a list of each that there was */
  if (most > info->vcpus)
    lv_xml_set (lv_xml_node (xml, NULL, "/domain/vcpu"), "current", now);
}

/* It belongs to whom the draft belongs from its first moment. */
static void
set_notes (LvXml *xml, const VirfsDraftInfo *info)
{
  VirfsVmNote owner = { .field = VIRFS_VM_OWNER };
  VirfsVmNote image = { .field = VIRFS_VM_IMAGE, .text = info->image };

  virfs_draft_owner (info, &owner.owner);
  lv_xml_note (xml, &owner, NULL);
  if (info->image != NULL)
    lv_xml_note (xml, &image, NULL);
}

/* What was written to the draft. */
static void
set_attributes (LvXml *xml, const VirfsDraftInfo *info)
{
  set_text (xml, "name", info->part.name);
  set_text (xml, "uuid", info->uuid);
  if (info->title != NULL)
    set_text (xml, "title", info->title);
  if (info->description != NULL)
    set_text (xml, "description", info->description);
  if (info->memory > 0) {
    set_bytes (xml, "memory", MAX (info->memory_max, info->memory));
    set_bytes (xml, "currentMemory", info->memory);
  }
  if (info->vcpus > 0)
    set_vcpus (xml, info);
  set_notes (xml, info);
}

static void
add_disk (LvXml *xml, xmlNode *devices, const LvNewDisk *disk)
{
  xmlNode *node = add_with (devices, "disk", "type", "file");
  gboolean virtio = g_str_has_prefix (disk->target, "vd");
  xmlNode *driver, *target;

  lv_xml_set (node, "device", disk->cdrom ? "cdrom" : "disk");
  driver = add_with (node, "driver", "name", "qemu");
  lv_xml_set (driver, "type", disk->format);
  if (!disk->cdrom)
    lv_xml_set (driver, "discard", "unmap");
  add_with (node, "source", "file", disk->path);
  target = add_with (node, "target", "dev", disk->target);
  lv_xml_set (target, "bus", virtio ? "virtio" : "sata");
  if (disk->cdrom)
    lv_xml_add (node, "readonly", NULL);
  if (disk->seed)
    add_with (node, "alias", "name", LV_SEED_ALIAS);
}

static void
add_nic (xmlNode *devices, const char *network)
{
  xmlNode *node = add_with (devices, "interface", "type", "network");

  add_with (node, "source", "network", network);
  add_with (node, "model", "type", "virtio");
}

/* A new definition. */

static void
add_boot (LvXml *xml, xmlNode *os, const VirfsDraftInfo *info)
{
  const char *first = info->boot;

  if (info->kernel != NULL) {
    lv_xml_add (os, "kernel", info->kernel);
    if (info->initrd != NULL)
      lv_xml_add (os, "initrd", info->initrd);
    if (info->cmdline != NULL)
      lv_xml_add (os, "cmdline", info->cmdline);
    return;
  }
  if (g_strcmp0 (first, "network") == 0)
    add_with (os, "boot", "dev", "network");
  if (g_strcmp0 (first, "cdrom") == 0)
    add_with (os, "boot", "dev", "cdrom");
  add_with (os, "boot", "dev", "hd");
  if (first == NULL && info->iso != NULL)
    add_with (os, "boot", "dev", "cdrom");
}

static void
add_os (LvXml *xml, xmlNode *root, const VirfsDraftInfo *info, const char *arch)
{
  xmlNode *os = lv_xml_add (root, "os", NULL);
  xmlNode *type = lv_xml_add (os, "type", "hvm");
  const char *machine = info->machine ? info->machine : g_str_equal (arch, "x86_64") ? "q35" : NULL;

  lv_xml_set (type, "arch", arch);
  if (machine != NULL)
    lv_xml_set (type, "machine", machine);
  if (g_strcmp0 (info->firmware, "efi") == 0)
    lv_xml_set (os, "firmware", "efi");
  add_boot (xml, os, info);
}

void
lv_xml_add_slots (xmlNode *devices)
{
  lv_xml_set (add_with (devices, "controller", "type", "pci"), "model", "pcie-root");
  for (guint i = 0; i < SPARE_SLOTS; i++)
    lv_xml_set (add_with (devices, "controller", "type", "pci"), "model", "pcie-root-port");
}

static void
add_channel (xmlNode *devices)
{
  xmlNode *channel = add_with (devices, "channel", "type", "unix");
  xmlNode *target = add_with (channel, "target", "type", "virtio");

  lv_xml_set (target, "name", "org.qemu.guest_agent.0");
}

static void
add_rng (xmlNode *devices)
{
  xmlNode *rng = add_with (devices, "rng", "model", "virtio");

  lv_xml_set (lv_xml_add (rng, "backend", "/dev/urandom"), "model", "random");
}

/* What is there whatever it is for: a console, the agent's channel, a display, random numbers and
 * memory that can be taken back. */
static void
add_usual_devices (xmlNode *devices)
{
  xmlNode *balloon;

  add_with (devices, "serial", "type", "pty");
  add_with (devices, "console", "type", "pty");
  add_channel (devices);
  add_with (devices, "input", "type", "tablet");
  lv_xml_set (add_with (devices, "graphics", "type", "vnc"), "autoport", "yes");
  add_with (lv_xml_add (devices, "video", NULL), "model", "type", "vga");
  add_rng (devices);
  balloon = add_with (devices, "memballoon", "model", "virtio");
  add_with (balloon, "stats", "period", "10");
}

char *
lv_xml_new_domain (const VirfsDraftInfo *info, const char *type, const char *arch, GPtrArray *disks,
                   const char *network)
{
  g_autoptr (LvXml) xml = lv_xml_create ("domain");
  xmlNode *root = lv_xml_root (xml);
  xmlNode *features, *devices;

  lv_xml_set (root, "type", type);
  set_attributes (xml, info);
  add_os (xml, root, info, arch);
  features = lv_xml_add (root, "features", NULL);
  lv_xml_add (features, "acpi", NULL);
  if (g_str_equal (arch, "x86_64"))
    lv_xml_add (features, "apic", NULL);
  if (g_str_equal (type, "kvm"))
    add_with (root, "cpu", "mode", "host-model");
  lv_xml_add (root, "on_crash", "restart");
  devices = lv_xml_add (root, "devices", NULL);
  /* only machines with PCI Express need ports to plug into */
  if (info->machine == NULL && g_str_equal (arch, "x86_64"))
    lv_xml_add_slots (devices);
  for (guint i = 0; i < disks->len; i++)
    add_disk (xml, devices, disks->pdata[i]);
  if (network != NULL)
    add_nic (devices, network);
  add_usual_devices (devices);
  return lv_xml_print (xml, NULL);
}

/* One of another guest. */

static void
remove_all (LvXml *xml, const char *path)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, path);

  for (guint i = 0; i < nodes->len; i++)
    lv_xml_remove (nodes->pdata[i]);
}

/* A file that is named after the guest is the clone's under its name; another is not to be shared. */
static void
rename_logs (LvXml *xml, const char *old, const char *name)
{
  g_autoptr (GPtrArray) logs = lv_xml_nodes (xml, NULL, "/domain/devices/*/log");

  for (guint i = 0; i < logs->len; i++) {
    g_autofree char *file = lv_xml_text (xml, logs->pdata[i], "@file");
    g_auto (GStrv) parts = file && old ? g_strsplit (file, old, 2) : NULL;
    g_autofree char *renamed = NULL;

    if (parts == NULL || parts[1] == NULL) {
      lv_xml_remove (logs->pdata[i]);
      continue;
    }
    renamed = g_strconcat (parts[0], name, parts[1], NULL);
    lv_xml_set (logs->pdata[i], "file", renamed);
  }
}

static xmlNode *
find_disk (LvXml *xml, const char *target)
{
  g_autoptr (GPtrArray) nodes = lv_xml_nodes (xml, NULL, "/domain/devices/disk");

  for (guint i = 0; i < nodes->len; i++) {
    g_autofree char *its = lv_xml_text (xml, nodes->pdata[i], "target/@dev");

    if (g_strcmp0 (its, target) == 0)
      return nodes->pdata[i];
  }
  return NULL;
}

static void
put_disk (LvXml *xml, const LvNewDisk *disk)
{
  xmlNode *devices = lv_xml_need (lv_xml_root (xml), "devices");
  xmlNode *node = find_disk (xml, disk->target);

  if (node == NULL) {
    add_disk (xml, devices, disk);
    return;
  }
  lv_xml_set (node, "type", "file");
  lv_xml_remove (lv_xml_node (xml, node, "source"));
  lv_xml_remove (lv_xml_node (xml, node, "backingStore"));
  lv_xml_set (lv_xml_need (node, "driver"), "type", disk->format);
  add_with (node, "source", "file", disk->path);
}

static void
put_network (LvXml *xml, const char *network)
{
  xmlNode *interface = lv_xml_node (xml, NULL, "/domain/devices/interface[1]");

  if (g_str_equal (network, "none")) {
    remove_all (xml, "/domain/devices/interface");
    return;
  }
  if (interface == NULL) {
    add_nic (lv_xml_need (lv_xml_root (xml), "devices"), network);
    return;
  }
  lv_xml_set (interface, "type", "network");
  lv_xml_remove (lv_xml_node (xml, interface, "source"));
  add_with (interface, "source", "network", network);
}

char *
lv_xml_clone_domain (const char *text, const VirfsDraftInfo *info, GPtrArray *disks, GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, error);
  g_autofree char *old = xml ? lv_xml_text (xml, NULL, "/domain/name") : NULL;

  if (xml == NULL)
    return NULL;
  if (lv_xml_node (xml, NULL, "/domain") == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "the XML has no <domain>");
    return NULL;
  }
  remove_all (xml, "/domain/@id | /domain/genid | /domain/os/nvram/text()"
                   " | /domain/os/nvram/source | /domain/seclabel");
  /* what is a clone's must not be another's; what a user wrote stays as he wrote it */
  if (info->xml == NULL) {
    remove_all (xml, "/domain/devices/interface/mac | /domain/devices/interface/target"
                     " | /domain/devices/channel/source | /domain/metadata"
                     " | /domain/devices/hostdev | /domain/devices/interface[@type='hostdev']"
                     " | /domain/devices/interface/teaming"
                     " | /domain/devices/disk[alias/@name='" LV_SEED_ALIAS "']");
    rename_logs (xml, old, info->part.name);
  }
  set_attributes (xml, info);
  for (guint i = 0; i < disks->len; i++)
    put_disk (xml, disks->pdata[i]);
  if (info->network != NULL)
    put_network (xml, info->network);
  return lv_xml_print (xml, NULL);
}

static xmlNode *
find_seed (LvXml *xml)
{
  return lv_xml_node (xml, NULL, "/domain/devices/disk[alias/@name='" LV_SEED_ALIAS "']");
}

char *
lv_xml_put_seed (const char *text, const char *path, gboolean *has, GError **error)
{
  LvNewDisk new = { .target = (char *) LV_SEED_TARGET,
                    .path = (char *) path,
                    .format = "raw",
                    .cdrom = TRUE,
                    .seed = TRUE };
  g_autoptr (LvXml) xml = lv_xml_parse (text, error);
  xmlNode *disk;

  if (xml == NULL)
    return NULL;
  disk = find_seed (xml);
  *has = disk != NULL;
  if (disk == NULL) {
    add_disk (xml, lv_xml_need (lv_xml_root (xml), "devices"), &new);
    disk = find_seed (xml);
  }
  lv_xml_remove (lv_xml_node (xml, disk, "source"));
  lv_xml_remove (lv_xml_node (xml, disk, "backingStore"));
  if (path != NULL)
    add_with (disk, "source", "file", path);
  return lv_xml_print (xml, disk);
}

char *
lv_xml_make_overlay (const char *name, guint64 size, const char *path, const char *image_xml)
{
  g_autofree char *plain = lv_xml_make_volume (name, "qcow2", size);
  g_autoptr (LvXml) image = image_xml ? lv_xml_parse (image_xml, NULL) : NULL;
  g_autofree char *format = image ? lv_xml_text (image, NULL, "/volume/target/format/@type") : NULL;
  g_autoptr (LvXml) xml = NULL;
  xmlNode *backing;

  if (path == NULL)
    return g_steal_pointer (&plain);
  xml = lv_xml_parse (plain, NULL);
  backing = lv_xml_add (lv_xml_root (xml), "backingStore", NULL);
  lv_xml_add (backing, "path", path);
  add_with (backing, "format", "type", format ? format : "raw");
  return lv_xml_print (xml, NULL);
}
