/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces and devices of the fake's hosts: a bond of two cards, a graphics card with its sound, a network card
 * with a virtual function, a bridge, a USB stick and a mediated device. */
#include "fake.h"

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
} rows[] = {
  { "computer", "system" },
  { "mdev_4b20d080", "mdev", NULL, NULL, "4b20d080-1b54-4048-85b3-a6a62d165c01", "30", "computer" },
  { "net_eth0", "net", NULL, NULL, NULL, NULL, "pci_0000_17_00_0" },
  { "pci_0000_00_1f_0", "pci", "8086:0001", "0x060100", "0000:00:1f.0", "1", "computer" },
  { "pci_0000_17_00_0", "pci", "8086:1572", "0x020000", "0000:17:00.0", "12", "computer" },
  { "pci_0000_17_02_0", "pci", "8086:154c", "0x020000", "0000:17:02.0", "13", "computer" },
  { "pci_0000_65_00_0", "pci", "10de:2204", "0x030000", "0000:65:00.0", "27", "computer" },
  { "pci_0000_65_00_1", "pci", "10de:1aef", "0x040300", "0000:65:00.1", "27", "computer" },
  { "usb_1_2", "usb_device", "046d:c52b", NULL, "1:4", NULL, "computer" },
  { "usb_1_3", "usb_device", "046d:c52b", NULL, "1:5", NULL, "computer" },
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
    if (g_str_equal (info->part.name, "pci_0000_17_02_0"))
      virfs_ref_string_set (&info->physical_function, "pci_0000_17_00_0");
    if (g_str_equal (info->part.name, "pci_0000_65_00_1"))
      virfs_ref_string_set (&info->iommu_devices, "pci_0000_65_00_0");
    if (g_str_equal (info->type, "net"))
      virfs_ref_string_set (&info->interface, "eth0");
    info->xml = virfs_blob_new ("<device/>\n");
    g_ptr_array_add (list, info);
  }
  virfs_part_list_sort (list);
  return list;
}
