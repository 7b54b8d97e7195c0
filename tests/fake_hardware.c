/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces and devices of the fake's hosts: a bond of two cards, a graphics card with its sound, a network card
 * with a virtual function, a bridge, a USB stick and a mediated device; another such card whose interfaces are
 * not known, a USB network card and a USB disk, and a LUN. */
#include "fake.h"

#include "error.h"
#include "part_draft.h"

#include <string.h>

static void
add_interface (GPtrArray *list, const char *name, const char *type, const char *slaves)
{
  VirfsInterfaceInfo *info = virfs_part_info_new (&virfs_interface_class, name);

  info->type = type;
  info->state = VIRFS_INTERFACE_UP;
  info->mac = g_ref_string_new ("52:54:00:00:01:01");
  info->mtu = 1500;
  virfs_ref_string_set (&info->slaves, slaves);
  info->xml = virfs_blob_new ("<interface/>\n");
  g_ptr_array_add (list, info);
}

GPtrArray *
virfs_fake_interfaces (const char *slaves)
{
  GPtrArray *list = virfs_part_list_new ();

  add_interface (list, "eth0", "ethernet", NULL);
  add_interface (list, "eth1", "ethernet", NULL);
  add_interface (list, "bond0", "bond", slaves);
  virfs_part_list_sort (list);
  virfs_interfaces_relate (list);
  return list;
}

static const struct {
  const char *name, *type, *id, *device_class, *address, *group, *parent;
  const char *whole, *interface, *node; /* the card that it is a function of */
} rows[] = {
  { "block_sdb", "storage", .parent = "scsi_9_0_0_0", .node = "/dev/sdb" },
  { "block_sdc", "storage", .parent = "scsi_2_0_0_0", .node = "/dev/sdc" },
  { "computer", "system" },
  /* has all the links that there are, for who looks at each file */
  { "mdev_4b20d080", "mdev", NULL, NULL, "4b20d080-1b54-4048-85b3-a6a62d165c01", "30", "computer",
    "pci_0000_17_00_0" },
  { "net_enx0", "net", .parent = "usb_2_1_1_0", .interface = "enx0" },
  { "net_eth0", "net", .parent = "pci_0000_17_00_0", .interface = "eth0" },
  { "net_eth9", "net", .parent = "pci_0000_19_02_0", .interface = "eth9" },
  { "pci_0000_00_1f_0", "pci", "8086:0001", "0x060100", "0000:00:1f.0", "1", "computer" },
  { "pci_0000_17_00_0", "pci", "8086:1572", "0x020000", "0000:17:00.0", "12", "computer" },
  { "pci_0000_17_02_0", "pci", "8086:154c", "0x020000", "0000:17:02.0", "13", "computer",
    "pci_0000_17_00_0" },
  { "pci_0000_19_00_0", "pci", "8086:1572", "0x020000", "0000:19:00.0", "14", "computer" },
  { "pci_0000_19_02_0", "pci", "8086:154c", "0x020000", "0000:19:02.0", "15", "computer",
    "pci_0000_19_00_0" },
  { "pci_0000_65_00_0", "pci", "10de:2204", "0x030000", "0000:65:00.0", "27", "computer" },
  { "pci_0000_65_00_1", "pci", "10de:1aef", "0x040300", "0000:65:00.1", "27", "computer" },
  { "scsi_2_0_0_0", "scsi", .address = "2:0:0:0", .parent = "computer" },
  { "scsi_9_0_0_0", "scsi", .address = "9:0:0:0", .parent = "scsi_target9_0_0" },
  { "scsi_host1", "scsi_host", .parent = "computer" },
  { "scsi_host9", "scsi_host", .parent = "usb_2_2_1_0" },
  { "scsi_target9_0_0", "scsi_target", .parent = "scsi_host9" },
  { "usb_1_2", "usb_device", "046d:c52b", NULL, "1:4", NULL, "computer" },
  { "usb_1_3", "usb_device", "046d:c52b", NULL, "1:5", NULL, "computer" },
  { "usb_2_1", "usb_device", "0bda:8153", NULL, "2:3", NULL, "computer" },
  { "usb_2_1_1_0", "usb", .parent = "usb_2_1" },
  { "usb_2_2", "usb_device", "0781:5583", NULL, "2:4", NULL, "computer" },
  { "usb_2_2_1_0", "usb", .parent = "usb_2_2" },
  { "usb_usb1", "usb_device", "1d6b:0002", NULL, "1:1", NULL, "computer" },
};

GPtrArray *
virfs_fake_devices (void)
{
  GPtrArray *list = virfs_part_list_new ();

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    VirfsNodeDeviceInfo *info = virfs_part_info_new (&virfs_node_device_class, rows[i].name);

    info->type = rows[i].type;
    info->active = TRUE;
    virfs_ref_string_set (&info->id, rows[i].id);
    virfs_ref_string_set (&info->device_class, rows[i].device_class);
    virfs_ref_string_set (&info->address, rows[i].address);
    virfs_ref_string_set (&info->iommu_group, rows[i].group);
    virfs_ref_string_set (&info->parent, rows[i].parent);
    virfs_ref_string_set (&info->physical_function, rows[i].whole);
    virfs_ref_string_set (&info->interface, rows[i].interface);
    virfs_ref_string_set (&info->node, rows[i].node);
    info->link = rows[i].interface ? "down" : NULL;
    if (g_str_equal (info->part.name, "block_sdc"))
      virfs_ref_string_set (&info->links, "/dev/disk/by-id/scsi-1\n/dev/disk/by-path/pci-2");
    if (g_str_equal (info->part.name, "pci_0000_65_00_0"))
      virfs_ref_string_set (&info->mdev_types, "nvidia-11 16 GRID M60-0B\nnvidia-12 0 GRID M60-0Q");
    info->vport_ops = g_str_equal (info->part.name, "scsi_host1");
    info->vports_max = info->vport_ops ? 127 : 0;
    if (g_str_equal (info->part.name, "pci_0000_65_00_1"))
      virfs_ref_string_set (&info->iommu_devices, "pci_0000_65_00_0");
    info->xml = virfs_blob_new ("<device/>\n");
    g_ptr_array_add (list, info);
  }
  virfs_part_list_sort (list);
  return list;
}

char *
virfs_fake_host_uses (VirfsHost *host, const char *node)
{
  return g_str_equal (node, "/dev/sdb") ? g_strdup ("is mounted at /srv") : NULL;
}

/* Making. */

static char *
name_of (const VirfsNodeDeviceInfo *draft)
{
  return g_str_equal (draft->type, VIRFS_NODE_DEVICE_MDEV)
           ? virfs_node_device_name ("mdev", draft->address)
           : g_strdup ("scsi_host12");
}

/* What becomes of the draft: its name is another one. */
static gpointer
make_device (const VirfsNodeDeviceInfo *draft, gboolean start)
{
  g_autofree char *name = name_of (draft);
  VirfsNodeDeviceInfo *made = virfs_part_info_new (&virfs_node_device_class, name);

  virfs_part_info_assign (made, draft);
  made->active = start;
  made->persistent = g_str_equal (draft->type, VIRFS_NODE_DEVICE_MDEV);
  if (!made->persistent && made->wwpn == NULL)
    made->wwpn = g_ref_string_new ("5001a4aaaaaaaaaa");
  made->xml = virfs_blob_new ("<device/>\n");
  return made;
}

void
virfs_fake_node_device_verb (VirfsPart *device, VirfsNodeDeviceVerb verb, VirfsJob *job)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (device);
  VirfsNodeDeviceInfo *info = NULL;
  gboolean start = verb == VIRFS_NODE_DEVICE_START;
  GError *error = NULL;

  if (g_strcmp0 (((VirfsNodeDeviceInfo *) known)->wwpn, "ffffffffffffffff") == 0)
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_FAILED, "the switch refuses it");
  if (known->draft) {
    info = make_device ((VirfsNodeDeviceInfo *) known, start);
    if (error == NULL)
      virfs_infra_remove_part_draft (device->object.infra, device);
  } else if (verb != VIRFS_NODE_DEVICE_REMOVE) {
    info = virfs_part_info_copy (known);
    info->active = start;
  }
  virfs_fake_tell_part (device, info, error, job);
}

void
virfs_fake_node_device_set_autostart (VirfsPart *device, gboolean autostart, VirfsJob *job)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (device);
  VirfsNodeDeviceInfo *info = virfs_part_info_copy (known);

  info->autostart = autostart;
  virfs_fake_tell_part (device, info, NULL, job);
}
