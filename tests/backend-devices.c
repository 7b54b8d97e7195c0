/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks and NICs in libvirt's XML: read, named, made, found and changed. */
#include "draft.h"
#include "vm.h"
#include "xml.h"
#include "xml_create.h"

#include <string.h>

#define MAC_1 "52:54:00:00:00:01"
#define MAC_2 "52:54:00:00:00:02"

#define DOMAIN(devices)                                                                            \
  "<domain type='qemu'><name>web</name><devices>" devices "</devices></domain>"
#define NIC(mac, more)                                                                             \
  "<interface type='network'><mac address='" mac "'/><source network='default'/>" more             \
  "</interface>"
#define ALIAS(name) "<alias name='" name "'/>"

/* What a guest shows that has these definitions; NULL: it has none.  The caller owns it. */
static VirfsVmInfo *
read_both (const char *now, const char *next)
{
  VirfsVmInfo *info = virfs_vm_info_new ("00000000-0000-0000-0000-000000000001", "web");
  g_auto (LvDevices) live = { 0 };
  g_auto (LvDevices) config = { 0 };

  lv_devices_init (&live);
  lv_devices_init (&config);
  if (now != NULL)
    lv_xml_read_domain (now, NULL, &live);
  if (next != NULL)
    lv_xml_read_domain (next, NULL, &config);
  lv_devices_tell (now ? &live : NULL, next ? &config : NULL, info);
  return info;
}

/* As in `eth0:live,next lan:live`; the caller owns it. */
static char *
list_nics (const VirfsVmInfo *info)
{
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];
  GString *out = g_string_new (NULL);

  for (guint i = 0; i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    g_string_append_printf (out, "%s%s:%s%s%s", i ? " " : "", nic->part.name,
                            nic->live ? "live" : "", nic->live && nic->persistent ? "," : "",
                            nic->persistent ? "next" : "");
  }
  return g_string_free (out, FALSE);
}

static void
assert_nics (const char *now, const char *next, const char *wanted)
{
  g_autoptr (VirfsVmInfo) info = read_both (now, next);
  g_autofree char *names = list_nics (info);

  g_assert_cmpstr (names, ==, wanted);
}

static const VirfsDiskInfo *
disk_of (const VirfsVmInfo *info, const char *name)
{
  const VirfsDiskInfo *disk = virfs_part_list_find (info->parts[VIRFS_VM_DISKS], name);

  g_assert_nonnull (disk);
  return disk;
}

static void
test_read_disks (void)
{
  g_autoptr (VirfsVmInfo) info = read_both (
    NULL,
    DOMAIN (
      "<disk type='file' device='disk'>"
      "<driver name='qemu' type='qcow2' cache='none' discard='unmap' io='native'/>"
      "<source file='/images/a'/><target dev='vda' bus='virtio'/><serial>s1</serial>"
      "<iotune><read_bytes_sec>1024</read_bytes_sec><write_iops_sec>7</write_iops_sec></iotune>"
      "<boot order='2'/><shareable/></disk>"
      "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>"
      "<disk type='volume' device='disk'><source pool='fast' volume='b'/>"
      "<target dev='vdb'/></disk>"
      "<disk type='network'><source protocol='nbd' name='c'><host name='nas'/></source>"
      "<target dev='vdc'/></disk>"));
  const VirfsDiskInfo *vda = disk_of (info, "vda"), *sda = disk_of (info, "sda");

  g_assert_cmpstr (vda->source, ==, "/images/a");
  g_assert_cmpstr (vda->format, ==, "qcow2");
  g_assert_cmpstr (vda->cache, ==, "none");
  g_assert_cmpstr (vda->discard, ==, "unmap");
  g_assert_cmpstr (vda->io, ==, "native");
  g_assert_cmpstr (vda->serial, ==, "s1");
  g_assert_cmpuint (vda->boot, ==, 2);
  g_assert_cmpuint (vda->read_bytes_max, ==, 1024);
  g_assert_cmpuint (vda->write_iops_max, ==, 7);
  g_assert_true (vda->shareable && vda->persistent && !vda->live && !vda->readonly);
  g_assert_true (sda->source == NULL && sda->readonly && virfs_disk_is_removable (sda));
  g_assert_cmpstr (disk_of (info, "vdb")->source, ==, "fast/b");
  g_assert_cmpstr (disk_of (info, "vdb")->pool, ==, "fast");
  g_assert_cmpstr (disk_of (info, "vdc")->source, ==, "nbd://nas/c");
}

static void
test_read_broken (void)
{
  g_autoptr (VirfsVmInfo) info
    = read_both (NULL, "<domain><devices><disk/><disk><target/></disk><interface/><disk type=");

  g_assert_cmpuint (info->parts[VIRFS_VM_DISKS]->len, ==, 0);
}

static void
test_names (void)
{
  const char *two = DOMAIN (NIC (MAC_1, "") NIC (MAC_2, ALIAS ("ua-lan")));

  assert_nics (NULL, two, "eth0:next lan:next");
  assert_nics (two, two, "eth0:live,next lan:live,next");
  /* libvirt's own aliases say nothing */
  assert_nics (DOMAIN (NIC (MAC_1, ALIAS ("net0"))), DOMAIN (NIC (MAC_1, "")), "eth0:live,next");
  /* what only one of both has */
  assert_nics (DOMAIN (NIC (MAC_1, "") NIC (MAC_2, "")), DOMAIN (NIC (MAC_1, "")),
               "eth0:live,next eth1:live");
  assert_nics (DOMAIN (NIC (MAC_2, "")), DOMAIN (NIC (MAC_1, "") NIC (MAC_2, "")),
               "eth0:next eth1:live,next");
  /* somebody has called one as another would be called */
  assert_nics (NULL, DOMAIN (NIC (MAC_1, "") NIC (MAC_2, ALIAS ("ua-eth0"))),
               "eth0:next eth1:next");
}

static void
test_same_mac (void)
{
  const char *named = DOMAIN (NIC (MAC_1, "") NIC (MAC_1, ALIAS ("ua-lan")));
  const char *plain = DOMAIN (NIC (MAC_1, "") NIC (MAC_1, ""));

  assert_nics (named, named, "eth0:live,next lan:live,next");
  assert_nics (plain, plain, "eth0:live,next eth1:live,next");
}

/* Of several NICs of one address the right one. */
static void
test_find (void)
{
  const char *xml = DOMAIN (NIC (MAC_1, "") NIC (MAC_1, ALIAS ("ua-lan")));
  g_autoptr (VirfsVmInfo) info = read_both (NULL, xml);
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];
  g_autofree char *eth0 = lv_xml_find_device (xml, virfs_part_list_find (nics, "eth0"));
  g_autofree char *lan = lv_xml_find_device (xml, virfs_part_list_find (nics, "lan"));
  g_autofree char *other = lv_xml_find_device (DOMAIN (NIC (MAC_2, "")), nics->pdata[0]);

  g_assert_nonnull (eth0);
  g_assert_null (strstr (eth0, "ua-lan"));
  g_assert_nonnull (lan);
  g_assert_nonnull (strstr (lan, "ua-lan"));
  g_assert_null (other);
}

/* What was made is read as what it was to be. */
static void
test_make (void)
{
  g_autoptr (VirfsPartInfo) draft = (VirfsPartInfo *) virfs_disk_draft_new ("vdb");
  VirfsDiskInfo *disk = (VirfsDiskInfo *) draft;
  g_autoptr (VirfsPartInfo) nic = (VirfsPartInfo *) virfs_nic_draft_new ("lan");
  g_autofree char *disk_xml = NULL, *nic_xml = NULL, *xml = NULL;
  g_autoptr (VirfsVmInfo) info = NULL;
  const VirfsNicInfo *read;

  virfs_ref_string_set (&disk->source, "/images/<&>");
  virfs_ref_string_set (&disk->serial, "s1");
  disk->type = "file";
  disk->format = "qcow2";
  disk->total_iops_max = 100;
  virfs_ref_string_set (&((VirfsNicInfo *) nic)->bridge, "br0");
  ((VirfsNicInfo *) nic)->rx_max = 1000;
  disk_xml = lv_xml_make_disk (disk);
  nic_xml = lv_xml_make_nic ((VirfsNicInfo *) nic);
  xml = g_strconcat ("<domain><devices>", disk_xml, nic_xml, "</devices></domain>", NULL);
  info = read_both (NULL, xml);
  disk->persistent = TRUE;
  g_assert_cmphex (virfs_part_info_diff (disk_of (info, "vdb"), disk), ==, 0);
  read = virfs_part_list_find (info->parts[VIRFS_VM_NICS], "lan");
  g_assert_nonnull (read);
  g_assert_cmpstr (read->bridge, ==, "br0");
  g_assert_cmpstr (read->type, ==, "bridge");
  g_assert_cmpstr (read->mac, ==, ((VirfsNicInfo *) nic)->mac);
  /* libvirt counts in KiB */
  g_assert_cmpuint (read->rx_max, ==, 1024);
}

static void
test_edit (void)
{
  const char *xml = DOMAIN ("<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>"
                            "<source file='/images/one.iso' index='1'/>"
                            "<target dev='sda' bus='sata'/><readonly/></disk>");
  g_autoptr (VirfsVmInfo) info = read_both (xml, NULL);
  const VirfsDiskInfo *known = disk_of (info, "sda");
  VirfsDiskInfo *wanted = virfs_part_info_copy (known);
  g_autoptr (VirfsPartInfo) owned = &wanted->part;
  gsize source = G_STRUCT_OFFSET (VirfsDiskInfo, source);
  g_autofree char *ejected = NULL, *changed = NULL;

  virfs_ref_string_set (&wanted->source, NULL);
  ejected = lv_xml_edit_device (xml, &known->part, &wanted->part, source);
  g_assert_null (strstr (ejected, "<source"));
  g_assert_nonnull (strstr (ejected, "<readonly"));
  virfs_ref_string_set (&wanted->source, "/dev/sr0");
  wanted->type = "block";
  changed = lv_xml_edit_device (xml, &known->part, &wanted->part, source);
  g_assert_nonnull (strstr (changed, "type=\"block\""));
  g_assert_nonnull (strstr (changed, "dev=\"/dev/sr0\""));
  g_assert_null (strstr (changed, "one.iso"));
}

/* Devices of the host are given to a guest by those who may; a clone has none of its source's. */
static void
test_clone (void)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info_new (&virfs_draft_class, "clone");
  g_autoptr (GPtrArray) disks = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *cloned = NULL;

  virfs_ref_string_set (&((VirfsDraftInfo *) info)->uuid, "00000000-0000-0000-0000-000000000002");
  cloned = lv_xml_clone_domain (
    DOMAIN ("<hostdev mode='subsystem' type='pci'/><interface type='hostdev'/>" NIC (
      MAC_1, "<teaming type='persistent'/>")),
    (VirfsDraftInfo *) info, disks, &error);
  g_assert_no_error (error);
  g_assert_null (strstr (cloned, "hostdev"));
  g_assert_null (strstr (cloned, "teaming"));
  g_assert_nonnull (strstr (cloned, "type=\"network\""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/devices/read-disks", test_read_disks);
  g_test_add_func ("/devices/read-broken", test_read_broken);
  g_test_add_func ("/devices/names", test_names);
  g_test_add_func ("/devices/same-mac", test_same_mac);
  g_test_add_func ("/devices/find", test_find);
  g_test_add_func ("/devices/make", test_make);
  g_test_add_func ("/devices/edit", test_edit);
  g_test_add_func ("/devices/clone", test_clone);
  return g_test_run ();
}
