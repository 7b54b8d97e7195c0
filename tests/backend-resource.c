/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resources in libvirt's XML: what is read, changed and offered, without a host. */
#include "cpuset.h"
#include "xml.h"
#include "xml_resource.h"

#include <string.h>

#define UUID "11111111-2222-4333-8444-000000000001"

static const char domain[]
  = "<domain type='kvm'><name>web</name><uuid>" UUID "</uuid>"
    "<vcpu placement='static' cpuset='2,3' current='1'>3</vcpu>"
    "<cputune><shares>100</shares><vcpupin vcpu='1' cpuset='8'/></cputune>"
    "<numatune><memory mode='interleave' placement='auto'/></numatune>"
    "<os firmware='efi'><type arch='x86_64' machine='pc-q35-7.1'>hvm</type>"
    "<loader type='pflash'>/code.fd</loader><nvram>/vars.fd</nvram>"
    "<boot dev='network'/><boot dev='fd'/></os>"
    "<devices><emulator>/usr/bin/qemu</emulator>"
    "<disk type='file'><target dev='vda'/><address type='pci' slot='0x01'/></disk>"
    "<disk type='file'><target dev='sda'/><address type='drive'/></disk>"
    "<controller type='pci' model='pcie-root'/>"
    "<controller type='pci' model='pcie-root-port'><address type='pci' slot='0x02'/></controller>"
    "<hostdev><source><address type='pci' slot='0x1f'/></source></hostdev>"
    "<interface type='network'><mac address='52:54:00:00:00:01'/><boot order='7'/></interface>"
    "</devices></domain>";

static const char capabilities[]
  = "<capabilities><host><topology><cells num='2'><cell id='0'/><cell id='2'/></cells></topology>"
    "</host><guest><os_type>hvm</os_type><arch name='x86_64'>"
    "<machine>pc-q35-7.1</machine><machine canonical='pc-q35-7.2'>q35</machine>"
    "<domain type='qemu'/><domain type='kvm'><machine>pc-i440fx-7.2</machine>"
    "<machine canonical='pc-i440fx-7.2'>pc</machine></domain></arch></guest>"
    "<guest><arch name='aarch64'><machine>virt-7.2</machine></arch></guest></capabilities>";

/* What is read of it. */
static VirfsVmInfo *
read_info (const char *xml)
{
  VirfsVmInfo *info = virfs_vm_info_new (UUID, "web");
  g_auto (LvDevices) devices = { 0 };

  lv_devices_init (&devices);
  lv_xml_read_domain (xml, info, &devices);
  lv_devices_tell (NULL, &devices, info);
  lv_devices_tell_boot (&devices, info);
  return info;
}

/* The same with FIELD changed; *TEXT, if that is not NULL, is the definition. */
static VirfsVmInfo *
change (const char *xml, VirfsVmField field, const char *value, char **text)
{
  g_autoptr (VirfsVmInfo) known = read_info (xml);
  g_autofree char *changed = lv_xml_edit_resource (xml, known, field, value);
  VirfsVmInfo *info;

  g_assert_nonnull (changed);
  info = read_info (changed);
  if (text != NULL)
    *text = g_steal_pointer (&changed);
  return info;
}

static void
test_read (void)
{
  g_autoptr (VirfsVmInfo) info = read_info (domain);

  g_assert_cmpuint (info->vcpus, ==, 1);
  g_assert_cmpuint (info->vcpus_max, ==, 3);
  g_assert_cmpstr (info->vcpu_pins, ==, "0 2-3\n1 8\n2 2-3");
  g_assert_cmpstr (info->emulator_cpuset, ==, "2-3");
  g_assert_null (info->numa_nodeset);
  g_assert_null (info->numa_mode);
  g_assert_cmpstr (info->firmware, ==, "efi");
  g_assert_cmpstr (info->machine, ==, "pc-q35-7.1");
  /* devices with an order come before all that is said of kinds */
  g_assert_cmpstr (info->boot, ==, "nics/eth0");
}

static void
test_pins (void)
{
  g_autofree char *text = NULL;
  g_autoptr (VirfsVmInfo) pinned = change (domain, VIRFS_VM_VCPU_PINS, "1 5", &text);
  g_autoptr (VirfsVmInfo) freed = change (text, VIRFS_VM_VCPU_PINS, "", NULL);
  g_autoptr (VirfsVmInfo) emulator = change (domain, VIRFS_VM_EMULATOR_CPUSET, "0", NULL);

  g_assert_cmpstr (pinned->vcpu_pins, ==, "1 5");
  g_assert_cmpstr (pinned->emulator_cpuset, ==, "2-3");
  g_assert_cmpuint (pinned->cpu_shares, ==, 100);
  g_assert_null (freed->vcpu_pins);
  g_assert_cmpstr (freed->emulator_cpuset, ==, "2-3");
  g_assert_cmpstr (emulator->vcpu_pins, ==, "0 2-3\n1 8\n2 2-3");
  g_assert_cmpstr (emulator->emulator_cpuset, ==, "0");
}

static void
test_numa (void)
{
  g_autofree char *text = NULL;
  g_autoptr (VirfsVmInfo) nodes = change (domain, VIRFS_VM_NUMA_NODESET, "0-1", &text);
  g_autoptr (VirfsVmInfo) strict = change (text, VIRFS_VM_NUMA_MODE, "strict", NULL);
  g_autoptr (VirfsVmInfo) none = change (text, VIRFS_VM_NUMA_NODESET, "", NULL);

  g_assert_cmpstr (nodes->numa_nodeset, ==, "0-1");
  g_assert_cmpstr (nodes->numa_mode, ==, "interleave");
  g_assert_null (strstr (text, "placement='auto'"));
  g_assert_null (strstr (text, "placement=\"auto\""));
  g_assert_cmpstr (strict->numa_mode, ==, "strict");
  g_assert_null (none->numa_nodeset);
}

static void
test_boot (void)
{
  g_autoptr (VirfsVmInfo) kinds = change (domain, VIRFS_VM_BOOT, "disk\ncdrom\nfloppy", NULL);
  g_autoptr (VirfsVmInfo) devices
    = change (domain, VIRFS_VM_BOOT, "disks/sda\nnics/eth0\ndisks/vda", NULL);
  g_autoptr (VirfsVmInfo) none = change (domain, VIRFS_VM_BOOT, "", NULL);

  g_assert_cmpstr (kinds->boot, ==, "disk\ncdrom\nfloppy");
  g_assert_cmpstr (devices->boot, ==, "disks/sda\nnics/eth0\ndisks/vda");
  g_assert_null (none->boot);
}

static void
test_firmware (void)
{
  g_autofree char *text = NULL;
  g_autoptr (VirfsVmInfo) bios = change (domain, VIRFS_VM_FIRMWARE, "bios", &text);
  g_autoptr (VirfsVmInfo) efi = change (text, VIRFS_VM_FIRMWARE, "efi", NULL);

  g_assert_cmpstr (bios->firmware, ==, "bios");
  g_assert_null (strstr (text, "loader"));
  g_assert_null (strstr (text, "nvram"));
  g_assert_cmpstr (efi->firmware, ==, "efi");
}

/* Of another family, and not of another version, it has other buses. */
static void
test_machine (void)
{
  g_autofree char *newer = NULL, *older = NULL, *back = NULL;
  g_autoptr (VirfsVmInfo) version = change (domain, VIRFS_VM_MACHINE, "pc-q35-7.2", &newer);
  g_autoptr (VirfsVmInfo) family = change (domain, VIRFS_VM_MACHINE, "pc-i440fx-7.2", &older);
  g_autoptr (VirfsVmInfo) q35 = change (older, VIRFS_VM_MACHINE, "pc-q35-7.2", &back);

  g_assert_cmpstr (version->machine, ==, "pc-q35-7.2");
  g_assert_nonnull (strstr (newer, "pcie-root-port"));
  g_assert_nonnull (strstr (newer, "slot=\"0x01\""));
  g_assert_cmpstr (family->machine, ==, "pc-i440fx-7.2");
  g_assert_null (strstr (older, "controller"));
  g_assert_null (strstr (older, "slot=\"0x01\""));
  g_assert_nonnull (strstr (older, "type=\"drive\""));
  /* the host's device is where it is */
  g_assert_nonnull (strstr (older, "slot=\"0x1f\""));
  g_assert_cmpstr (q35->machine, ==, "pc-q35-7.2");
  g_assert_nonnull (strstr (back, "pcie-root-port"));
}

static void
assert_machines (const char *type, const char *arch, const char *expected)
{
  LvPlatform platform = { .type = (char *) type, .arch = (char *) arch };
  g_autoptr (GPtrArray) names = lv_xml_offered_machines (capabilities, &platform);
  g_autofree char *all = NULL;

  g_ptr_array_add (names, NULL);
  all = g_strjoinv (" ", (char **) names->pdata);
  g_assert_cmpstr (all, ==, expected);
}

static void
assert_canonical (const char *type, const char *name, const char *expected)
{
  LvPlatform platform = { .type = (char *) type, .arch = (char *) "x86_64" };
  g_autofree char *canonical = lv_xml_canonical_machine (capabilities, &platform, name);

  g_assert_cmpstr (canonical, ==, expected);
}

static void
test_offers (void)
{
  g_autoptr (GByteArray) nodes = lv_xml_offered_nodes (capabilities);
  g_autofree char *text = virfs_cpuset_print (nodes);
  g_auto (LvPlatform) platform = { 0 };

  g_assert_cmpstr (text, ==, "0,2");
  assert_machines ("qemu", "x86_64", "q35 pc-q35-7.1");
  assert_machines ("kvm", "x86_64", "pc pc-i440fx-7.2");
  assert_machines ("kvm", "aarch64", "virt-7.2");
  assert_machines ("lxc", "sparc", "");
  assert_canonical ("qemu", "q35", "pc-q35-7.2");
  assert_canonical ("qemu", "pc-q35-7.1", "pc-q35-7.1");
  assert_canonical ("kvm", "pc", "pc-i440fx-7.2");
  lv_xml_read_platform (domain, &platform);
  g_assert_cmpstr (platform.type, ==, "kvm");
  g_assert_cmpstr (platform.arch, ==, "x86_64");
  g_assert_cmpstr (platform.machine, ==, "pc-q35-7.1");
  g_assert_cmpstr (platform.emulator, ==, "/usr/bin/qemu");
  g_assert_true (lv_xml_offers_firmware (
    "<domainCapabilities><os supported='yes'><enum name='firmware'><value>efi</value></enum></os>"
    "</domainCapabilities>",
    "efi"));
  g_assert_false (lv_xml_offers_firmware (
    "<domainCapabilities><os supported='yes'><enum name='firmware'/></os></domainCapabilities>",
    "efi"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/resource/read", test_read);
  g_test_add_func ("/resource/pins", test_pins);
  g_test_add_func ("/resource/numa", test_numa);
  g_test_add_func ("/resource/boot", test_boot);
  g_test_add_func ("/resource/firmware", test_firmware);
  g_test_add_func ("/resource/machine", test_machine);
  g_test_add_func ("/resource/offers", test_offers);
  return g_test_run ();
}
