/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/devices/<device>/: a device of a host. */
#include "node_device_make.h"
#include "part_use.h"

const VirfsDir virfs_node_devices_dir = {
  .list = virfs_part_list,
  .find = virfs_part_find,
  .make = virfs_node_device_make,
  .remove = virfs_node_device_remove,
};

static void
show_passthrough (const VirfsNode *node, GString *out)
{
  g_string_append (out, virfs_node_device_passes (node->snapshot) ? "1\n" : "0\n");
}

static void
show_vports (const VirfsNode *node, GString *out)
{
  if (((const VirfsNodeDeviceInfo *) node->snapshot)->vport_ops)
    virfs_show_u64 (node, out);
}

static void
append_sibling (GString *out, const char *name)
{
  g_autofree char *label = name ? virfs_part_label (&virfs_node_device_class, name) : NULL;

  if (label != NULL)
    g_string_append_printf (out, "../%s", label);
}

static void
link_parent (const VirfsNode *node, GString *out)
{
  append_sibling (out, ((const VirfsNodeDeviceInfo *) node->snapshot)->parent);
}

static void
link_physical (const VirfsNode *node, GString *out)
{
  append_sibling (out, ((const VirfsNodeDeviceInfo *) node->snapshot)->physical_function);
}

#define F(field)                      VIRFS_BIT (VIRFS_PART_##field)
#define MEMBER(member)                G_STRUCT_OFFSET (VirfsNodeDeviceInfo, member)
#define SHOW(function, field, member) F (field), .show = function, .offset = MEMBER (member)
#define READ                          S_IFREG | 0440, .fields =
#define WRITE                         S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_TRUSTED, F (READY)
#define TEXT(member)                  READ SHOW (virfs_show_text, CONFIG, member)
#define LINES(member)                 READ SHOW (virfs_show_lines, CONFIG, member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a device of the host" },
  { "type", TEXT (type),
    .help = "libvirt's word: pci, usb_device, usb, scsi_host, scsi, storage, net, mdev, system …" },
  { "state", WRITE | F (STATE), .show = virfs_show_node_device_state,
    .store = virfs_store_node_device_state,
    .help = "draft, active; inactive: a mediated device that is defined only; write one of the last"
            " two" },
  { "made_of", WRITE | F (CONFIG), .show = virfs_show_made_of, .store = virfs_store_made_of,
    .help = "of a draft: the device that it is to be made of, one with mdev_types or vports" },
  { "passthrough", READ F (CONFIG), .show = show_passthrough,
    .help = "1: a guest can have it as its own (vms/<vm>/hostdevs)" },
  { "vendor", TEXT (vendor), .help = "who made it" },
  { "product", TEXT (product), .help = "what it is" },
  { "id", TEXT (id), .help = "the numbers of both, as in 10de:2204" },
  { "class", TEXT (device_class),
    .help = "of a PCI device: 0x0300.. is graphics, 0x0200.. a network card, 0x0108.. NVMe" },
  { "driver", READ SHOW (virfs_show_text, STATE, driver),
    .help = "of the host's kernel; vfio-pci: it is kept for guests" },
  { "address", TEXT (address),
    .help = "where it is: 0000:65:00.0 (PCI), BUS:DEVICE (USB), HOST:BUS:TARGET:LUN, a UUID" },
  { "iommu_group", TEXT (iommu_group), .help = "number of the group that goes to one guest only" },
  { "iommu_devices", LINES (iommu_devices), .help = "the others of that group, one a line" },
  { "numa_node", TEXT (numa_node), .help = "NUMA node of the host that it is near to" },
  { "path", TEXT (path), .help = "where the host's sysfs has it" },
  { "node", TEXT (node), .help = "where the host's /dev has it" },
  { "links", LINES (links), .help = "other names of that, one a line" },
  { "interface", TEXT (interface), .help = "the network interface that it is" },
  { "link", READ SHOW (virfs_show_text, STATE, link),
    .help
    = "of that: up, down, unknown …, when libvirt told of it last; interfaces/ has it fresher" },
  { "size", READ SHOW (virfs_show_known, SIZE, size), .help = "bytes, of storage" },
  { "parent", S_IFLNK | 0777, .fields = F (CONFIG), .link = link_parent,
    .help = "the device that it is at" },
  { "physical_function", S_IFLNK | 0777, .fields = F (CONFIG), .link = link_physical,
    .help = "the network card that it is a virtual function of (SR-IOV)" },
  { "virtual_functions", LINES (virtual_functions),
    .help = "the virtual functions of the card, one a line" },
  { "mdev_types", LINES (mdev_types),
    .help = "mediated devices that it can make, lines of TYPE AVAILABLE NAME" },
  { "mdev_type", WRITE | SHOW (virfs_show_text, CONFIG, mdev_type), .store = virfs_store_mdev_type,
    .help = "which of them a mediated device is; to be written to a draft" },
  { "autostart", WRITE | SHOW (virfs_show_bool, CONFIG, autostart),
    .store_bool = virfs_store_node_device_autostart,
    .help = "1: a mediated device that starts with its host" },
  { "persistent", READ SHOW (virfs_show_bool, STATE, persistent),
    .help = "1: a mediated device that is defined" },
  { "wwnn", WRITE | SHOW (virfs_show_text, CONFIG, wwnn), .store = virfs_store_wwn,
    .help = "the node name of a Fibre Channel adapter; to be written to a draft" },
  { "wwpn", WRITE | SHOW (virfs_show_text, CONFIG, wwpn), .store = virfs_store_wwn,
    .help = "the port name of a Fibre Channel adapter; to be written to a draft" },
  { "vports", READ SHOW (show_vports, STATE, vports),
    .help = "of a Fibre Channel adapter with NPIV: how many virtual ones are made of it" },
  { "vports_max", READ SHOW (show_vports, CONFIG, vports_max),
    .help = "how many there can be; 0: not known" },
  { "xml", READ SHOW (virfs_show_blob, XML, xml), .size = virfs_size_of_blob,
    .help = "libvirt's XML of it" },
  { "used_by", S_IFDIR | 0750, VIRFS_ROW_MEASURED, F (CONFIG), .dir = &virfs_part_users_dir,
    .help = "links to the guests that have it, now or at their next start" },
};

VirfsClass virfs_node_device_files = {
  .path = "hosts/<host>/devices/<device>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .parent = virfs_part_parent,
  .unref = virfs_object_unref,
  .snapshot = virfs_part_snapshot,
  .release = virfs_part_info_unref,
  .changed = virfs_part_changed,
  .ready = virfs_node_device_ready,
  .owner = virfs_access_owner,
};
