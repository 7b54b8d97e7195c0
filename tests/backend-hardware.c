/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces and devices of the libvirt backend, on libvirt's test driver. */
#include "backend.h"

#include "device.h"
#include "hostdev.h"
#include "local.h"
#include "part_draft.h"
#include "xml.h"
#include "xml_device.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const char host_xml[]
  = "<node><interface type='ethernet' name='eth0'><mac address='52:54:00:00:00:01'/>"
    "<link speed='10000' state='up'/></interface>"
    "<interface type='bond' name='bond0'><bond mode='active-backup'>"
    "<miimon freq='100' carrier='ioctl'/>"
    "<interface type='ethernet' name='eth0'><link speed='10000' state='up'/></interface>"
    "<interface type='ethernet' name='eth1'><link state='down'/></interface></bond></interface>"
    "<interface type='ethernet' name='vnet3'><mac address='52:54:00:00:00:09'/></interface>"
    "<device><name>computer</name><capability type='system'><hardware><uuid>"
    "11111111-2222-3333-4444-555555555555</uuid></hardware><firmware/></capability></device>"
    "<device><name>pci_0000_65_00_0</name><path>/sys/x</path><parent>computer</parent>"
    "<driver><name>nouveau</name></driver><capability type='pci'><class>0x030000</class>"
    "<domain>0</domain><bus>101</bus><slot>0</slot><function>0</function>"
    "<product id='0x2204'>GA102</product><vendor id='0x10de'>NVIDIA Corporation</vendor>"
    "<capability type='mdev_types'><type id='nvidia-11'><name>GRID M60-0B</name>"
    "<deviceAPI>vfio-pci</deviceAPI><availableInstances>16</availableInstances></type>"
    "</capability><iommuGroup number='27'>"
    "<address domain='0x0000' bus='0x65' slot='0x00' function='0x0'/>"
    "<address domain='0x0000' bus='0x65' slot='0x00' function='0x1'/></iommuGroup>"
    "<numa node='1'/></capability></device>"
    "<device><name>net_vnet3_52_54_00_00_00_09</name><parent>computer</parent>"
    "<capability type='net'><interface>vnet3</interface><address>52:54:00:00:00:09</address>"
    "</capability></device>"
    "<device><name>net_eth9</name><parent>computer</parent>"
    "<capability type='net'><interface>eth9</interface><address>52:54:00:00:00:0a</address>"
    "<link speed='1000' state='up'/></capability></device>"
    "<device><name>block_sdb</name><devnode type='dev'>/dev/sdb</devnode>"
    "<devnode type='link'>/dev/disk/by-id/ata-1</devnode>"
    "<devnode type='link'>/dev/disk/by-path/pci-1</devnode><parent>computer</parent>"
    "<capability type='storage'><block>/dev/sdb</block><drive_type>disk</drive_type>"
    "<size>1000</size></capability></device>"
    "<device><name>usb_1_2</name><parent>computer</parent><capability type='usb_device'>"
    "<bus>1</bus><device>4</device><product id='0xc52b'>Receiver</product>"
    "<vendor id='0x046d'>Logitech</vendor></capability></device>"
    "<domain type='test'><name>web</name><memory>1024</memory><os><type>hvm</type></os><devices>"
    "<interface type='network'><mac address='52:54:00:00:00:11'/><source network='default'/>"
    "<model type='virtio'/><teaming type='persistent'/><alias name='ua-lan'/></interface>"
    "<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:11'/>"
    "<source><address type='pci' domain='0' bus='0x17' slot='2' function='0'/></source>"
    "<teaming type='transient' persistent='ua-lan'/><alias name='ua-vf'/></interface>"
    "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
    "<address domain='0' bus='101' slot='0' function='0'/></source></hostdev>"
    "<hostdev mode='subsystem' type='usb'><source><vendor id='0x046d'/><product id='0xc52b'/>"
    "</source><alias name='ua-key'/></hostdev></devices></domain></node>";

/* What is known of a part; the caller owns the reference, NULL: there is none. */
static gpointer
info_of (Backend *f, const VirfsPartClass *class, const char *name)
{
  g_autoptr (VirfsPart) part = virfs_infra_part (f->infra, f->host, class, name);

  return part ? virfs_part_info (part) : NULL;
}

static gboolean
has_device (Backend *f, const char *name)
{
  g_autoptr (VirfsPartInfo) info = info_of (f, &virfs_node_device_class, name);

  return info != NULL;
}

static void
set_up (Backend *f, gconstpointer data)
{
  backend_open (f, host_xml, NULL);
  assert_soon (has_device (f, "computer"));
}

/* The one that all connections to it share. */
static void
set_up_default (Backend *f, gconstpointer data)
{
  backend_open_uri (f, "test:///default");
  assert_soon (has_device (f, "computer"));
}

static void
test_interfaces (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsPartInfo) bond_info = info_of (f, &virfs_interface_class, "bond0");
  g_autoptr (VirfsPartInfo) card_info = info_of (f, &virfs_interface_class, "eth0");
  g_autoptr (VirfsPartInfo) tap = info_of (f, &virfs_interface_class, "vnet3");
  const VirfsInterfaceInfo *bond = (VirfsInterfaceInfo *) bond_info;
  const VirfsInterfaceInfo *card = (VirfsInterfaceInfo *) card_info;

  g_assert_null (tap);
  g_assert_cmpstr (bond->type, ==, "bond");
  g_assert_cmpstr (bond->mode, ==, "active-backup");
  g_assert_cmpstr (bond->slaves, ==, "eth0 up\neth1 down");
  g_assert_cmpstr (bond->state, ==, "degraded");
  g_assert_cmpstr (card->master, ==, "bond0");
  g_assert_cmpstr (card->state, ==, "up");
  g_assert_cmpstr (card->mac, ==, "52:54:00:00:00:01");
  g_assert_cmpuint (card->speed, ==, G_GUINT64_CONSTANT (10000000000));
}

static void
test_devices (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsPartInfo) gpu_info = info_of (f, &virfs_node_device_class, "pci_0000_65_00_0");
  g_autoptr (VirfsPartInfo) usb_info = info_of (f, &virfs_node_device_class, "usb_1_2");
  const VirfsNodeDeviceInfo *gpu = (VirfsNodeDeviceInfo *) gpu_info;
  const VirfsNodeDeviceInfo *usb = (VirfsNodeDeviceInfo *) usb_info;

  g_assert_cmpstr (gpu->type, ==, "pci");
  g_assert_cmpstr (gpu->address, ==, "0000:65:00.0");
  g_assert_cmpstr (gpu->id, ==, "10de:2204");
  g_assert_cmpstr (gpu->vendor, ==, "NVIDIA Corporation");
  g_assert_cmpstr (gpu->iommu_group, ==, "27");
  g_assert_cmpstr (gpu->iommu_devices, ==, "pci_0000_65_00_1");
  g_assert_cmpstr (gpu->numa_node, ==, "1");
  g_assert_cmpstr (gpu->mdev_types, ==, "nvidia-11 16 GRID M60-0B");
  g_assert_cmpstr (usb->address, ==, "1:4");
  g_assert_cmpstr (usb->id, ==, "046d:c52b");
  g_assert_true (virfs_node_device_passes (gpu));
  g_assert_true (virfs_node_device_passes (usb));
  g_assert_false (has_device (f, "net_vnet3_52_54_00_00_00_09"));
}

/* What the host may have a use for. */
static void
test_own (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsPartInfo) card_info = info_of (f, &virfs_node_device_class, "net_eth9");
  g_autoptr (VirfsPartInfo) disk_info = info_of (f, &virfs_node_device_class, "block_sdb");
  const VirfsNodeDeviceInfo *card = (VirfsNodeDeviceInfo *) card_info;
  const VirfsNodeDeviceInfo *disk = (VirfsNodeDeviceInfo *) disk_info;

  g_assert_cmpstr (card->interface, ==, "eth9");
  g_assert_cmpstr (card->link, ==, "up");
  g_assert_cmpstr (disk->node, ==, "/dev/sdb");
  g_assert_cmpstr (disk->links, ==, "/dev/disk/by-id/ata-1\n/dev/disk/by-path/pci-1");
  g_assert_null (disk->link);
}

/* What the kernel tells of this machine, which is not what it tells of the test driver's host. */
static void
test_local (Backend *f, gconstpointer data)
{
  struct stat root;
  g_autofree char *link = NULL, *target = NULL, *node = NULL, *use = NULL;

  g_assert_cmpint (stat ("/", &root), ==, 0);
  g_assert_null (lv_local_use ("/dev/virfs-nothing"));
  link = g_strdup_printf ("/sys/dev/block/%u:%u", major (root.st_dev), minor (root.st_dev));
  target = g_file_read_link (link, NULL);
  if (target == NULL) {
    g_test_skip ("the root of this machine is on no block device");
    return;
  }
  node = g_strconcat ("/dev/", strrchr (target, '/') + 1, NULL);
  use = lv_local_use (node);
  g_assert_true (use != NULL && g_str_has_prefix (use, "is mounted at /"));
  g_assert_null (virfs_libvirt_backend.host_uses (f->host, node));
}

/* What a guest has of all that, in somebody's definition. */
static void
test_guest (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (f->infra, "web");
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autoptr (VirfsHostInfo) host = virfs_host_info (f->host);
  const VirfsHostdevInfo *gpu
    = virfs_part_list_find (info->parts[VIRFS_VM_HOSTDEVS], "pci-0000-65-00-0");
  const VirfsHostdevInfo *key = virfs_part_list_find (info->parts[VIRFS_VM_HOSTDEVS], "key");
  const VirfsNicInfo *lan = virfs_part_list_find (info->parts[VIRFS_VM_NICS], "lan");
  const VirfsNicInfo *vf = virfs_part_list_find (info->parts[VIRFS_VM_NICS], "vf");

  g_assert_cmpstr (gpu->address, ==, "0000:65:00.0");
  g_assert_true (gpu->live);
  g_assert_cmpstr (virfs_hostdev_device (gpu, host)->part.name, ==, "pci_0000_65_00_0");
  g_assert_cmpstr (key->id, ==, "046d:c52b");
  g_assert_cmpstr (virfs_hostdev_device (key, host)->part.name, ==, "usb_1_2");
  g_assert_cmpstr (lan->team, ==, "persistent");
  g_assert_cmpstr (vf->team, ==, "lan");
  g_assert_cmpstr (vf->vf, ==, "0000:17:02.0");
}

/* As it is written; libvirt takes it. */
static void
assert_defines (const char *first, const char *second)
{
  virConnectPtr conn = virConnectOpen ("test:///default");
  g_autofree char *xml
    = g_strdup_printf ("<domain type='test'><name>new</name><memory>1024</memory><os><type>hvm"
                       "</type></os><devices>%s%s</devices></domain>",
                       first, second);
  virDomainPtr domain = virDomainDefineXML (conn, xml);

  g_assert_nonnull (domain);
  virDomainUndefine (domain);
  virDomainFree (domain);
  virConnectClose (conn);
}

static void
test_write (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsPartInfo) lan_info = &virfs_nic_draft_new ("lan")->part;
  g_autoptr (VirfsPartInfo) vf_info = &virfs_nic_draft_new ("vf")->part;
  g_autoptr (VirfsPartInfo) disk_info = virfs_part_info_new (&virfs_hostdev_class, "disk");
  VirfsNicInfo *lan = (VirfsNicInfo *) lan_info, *vf = (VirfsNicInfo *) vf_info;
  VirfsHostdevInfo *disk = (VirfsHostdevInfo *) disk_info;
  g_autofree char *first = NULL, *second = NULL, *third = NULL;

  virfs_ref_string_set (&lan->network, "default");
  virfs_ref_string_set (&lan->team, VIRFS_TEAM_PERSISTENT);
  vf->model = NULL;
  virfs_ref_string_set (&vf->vf, "0000:17:02.3");
  virfs_ref_string_set (&vf->team, "lan");
  virfs_ref_string_set (&vf->mac, lan->mac);
  disk->type = "scsi";
  virfs_ref_string_set (&disk->address, "2:0:1:7");
  first = lv_xml_make_nic (lan);
  second = lv_xml_make_nic (vf);
  third = lv_xml_make_hostdev (disk_info);
  g_assert_nonnull (strstr (first, "<teaming type=\"persistent\"/>"));
  g_assert_nonnull (strstr (second, "<teaming type=\"transient\" persistent=\"ua-lan\"/>"));
  g_assert_nonnull (strstr (second, "slot=\"0x02\" function=\"0x3\""));
  g_assert_nonnull (strstr (third, "<adapter name=\"scsi_host2\"/>"));
  assert_defines (first, second);
  assert_defines (third, "<controller type='scsi' index='0' model='virtio-scsi'/>");
}

/* An adapter that others make and remove is told by events, and nothing else is asked of the host. */
static void
test_events (Backend *f, gconstpointer data)
{
  virConnectPtr conn = virConnectOpen ("test:///default");
  virNodeDevicePtr made
    = virNodeDeviceCreateXML (conn,
                              "<device><parent>scsi_host1</parent><capability type='scsi_host'>"
                              "<capability type='fc_host'><wwnn>2000000012341299</wwnn>"
                              "<wwpn>1000000012341299</wwpn></capability></capability></device>",
                              0);
  g_autofree char *name = NULL;

  g_assert_nonnull (made);
  name = g_strdup (virNodeDeviceGetName (made));
  assert_soon (has_device (f, name));
  g_assert_cmpint (virNodeDeviceDestroy (made), ==, 0);
  assert_soon (!has_device (f, name));
  g_assert_true (has_device (f, "scsi_host1"));
  virNodeDeviceFree (made);
  virConnectClose (conn);
}

static int
verb (Backend *f, VirfsPart *device, VirfsNodeDeviceVerb which)
{
  VirfsJob *job = backend_begin_host (f);

  virfs_libvirt_backend.node_device_verb (device, which, job);
  return backend_end (job);
}

/* The name of the device with that port; the caller owns it. */
static char *
adapter_with (Backend *f, const char *wwpn)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (f->host);
  GPtrArray *devices = info->parts[VIRFS_HOST_DEVICES];

  for (guint i = 0; i < devices->len; i++) {
    const VirfsNodeDeviceInfo *device = devices->pdata[i];

    if (!device->part.draft && g_strcmp0 (device->wwpn, wwpn) == 0)
      return g_strdup (device->part.name);
  }
  return NULL;
}

#define WWNN "2000000012341277"
#define WWPN "1000000012341277"

/* A virtual adapter is made of a draft, and goes. */
static void
test_adapter (Backend *f, gconstpointer data)
{
  g_autoptr (VirfsPartInfo) parent = info_of (f, &virfs_node_device_class, "scsi_host1");
  VirfsNodeDeviceInfo *wanted = virfs_part_info_new (&virfs_node_device_class, "vhba");
  g_autoptr (VirfsPart) draft = NULL, part = NULL;
  g_autoptr (VirfsPartInfo) made_info = NULL;
  g_autofree char *name = NULL;

  g_assert_true (((VirfsNodeDeviceInfo *) parent)->vport_ops);
  wanted->type = VIRFS_NODE_DEVICE_VHBA;
  wanted->parent = g_ref_string_new ("scsi_host1");
  wanted->wwnn = g_ref_string_new (WWNN);
  wanted->wwpn = g_ref_string_new (WWPN);
  draft = virfs_infra_make_part_draft (f->infra, f->host, wanted, NULL);
  g_assert_cmpint (verb (f, draft, VIRFS_NODE_DEVICE_START), ==, 0);
  g_assert_false (has_device (f, "vhba"));
  name = adapter_with (f, WWPN);
  made_info = info_of (f, &virfs_node_device_class, name);
  g_assert_cmpstr (((VirfsNodeDeviceInfo *) made_info)->wwnn, ==, WWNN);
  g_assert_true (virfs_node_device_is_made ((VirfsNodeDeviceInfo *) made_info));
  part = virfs_infra_part (f->infra, f->host, &virfs_node_device_class, name);
  g_assert_cmpint (verb (f, part, VIRFS_NODE_DEVICE_REMOVE), ==, 0);
  g_assert_false (has_device (f, name));
}

/* The test driver makes no mediated devices: what it is asked for is right, and the draft stays. */
static void
test_mediated (Backend *f, gconstpointer data)
{
  VirfsNodeDeviceInfo *wanted = virfs_part_info_new (&virfs_node_device_class, "vgpu");
  g_autoptr (VirfsPart) draft = NULL;
  g_autofree char *xml = NULL;

  wanted->type = VIRFS_NODE_DEVICE_MDEV;
  wanted->parent = g_ref_string_new ("pci_0000_65_00_0");
  wanted->mdev_type = g_ref_string_new ("nvidia-11");
  wanted->address = g_ref_string_new ("4b20d080-1b54-4048-85b3-a6a62d165c01");
  xml = lv_xml_make_node_device (wanted);
  g_assert_nonnull (strstr (xml, "<parent>pci_0000_65_00_0</parent>"));
  g_assert_nonnull (strstr (xml, "<type id=\"nvidia-11\"/>"));
  g_assert_nonnull (strstr (xml, "<uuid>4b20d080-1b54-4048-85b3-a6a62d165c01</uuid>"));
  draft = virfs_infra_make_part_draft (f->infra, f->host, wanted, NULL);
  g_assert_cmpint (verb (f, draft, VIRFS_NODE_DEVICE_START), ==, ENOTSUP);
  g_assert_true (has_device (f, "vgpu"));
}

int
main (int argc, char **argv)
{
  VirfsLibvirtOptions options = VIRFS_LIBVIRT_DEFAULTS;

  options.poll_interval = 3600; /* so that events tell, and nothing else */

  g_test_init (&argc, &argv, NULL);
  virfs_libvirt_init (&options);
  g_test_add ("/hardware/interfaces", Backend, NULL, set_up, test_interfaces, backend_close);
  g_test_add ("/hardware/devices", Backend, NULL, set_up, test_devices, backend_close);
  g_test_add ("/hardware/own", Backend, NULL, set_up, test_own, backend_close);
  g_test_add ("/hardware/local", Backend, NULL, set_up, test_local, backend_close);
  g_test_add ("/hardware/guest", Backend, NULL, set_up, test_guest, backend_close);
  g_test_add ("/hardware/write", Backend, NULL, set_up, test_write, backend_close);
  g_test_add ("/hardware/events", Backend, NULL, set_up_default, test_events, backend_close);
  g_test_add ("/hardware/adapter", Backend, NULL, set_up_default, test_adapter, backend_close);
  g_test_add ("/hardware/mediated", Backend, NULL, set_up, test_mediated, backend_close);
  return g_test_run ();
}
