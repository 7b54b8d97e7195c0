/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces and devices of hosts as files, and devices that are given to guests, on the fake. */
#include "fixture.h"

#include <string.h>

#define BOND "hosts/h1/interfaces/bond0"
#define DEVS "hosts/h1/devices"
#define GPU  DEVS "/pci_0000_65_00_0"

/* The host h1 now has PARTS (taken) of that kind. */
static void
change_host (Fixture *f, VirfsHostPart which, GPtrArray *parts)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h1");
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *copy = virfs_host_info_copy (known);

  virfs_part_lists_set (copy->parts, which, parts);
  virfs_infra_update_host (f->infra, host, copy, NULL);
}

static void
test_interfaces (Fixture *f, gconstpointer data)
{
  assert_lists (f, "hosts/h1/interfaces", "bond0 eth0 eth1");
  assert_reads (f, BOND "/state", "up\n");
  assert_reads (f, BOND "/type", "bond\n");
  assert_reads (f, BOND "/slaves", "eth0 up\neth1 up\n");
  assert_reads (f, BOND "/speed", "");
  assert_leads (f, "hosts/h1/interfaces/eth1/master", "../bond0");
  g_assert_false (exists (f, BOND "/master"));
  g_assert_cmpint (echo (f, "down", BOND "/state"), ==, EACCES);
  g_assert_cmpint (mkdir_at (f, "hosts/h1/interfaces/br7"), ==, EPERM);
}

static void
test_degraded (Fixture *f, gconstpointer data)
{
  g_autofree char *report = NULL;

  change_host (f, VIRFS_HOST_INTERFACES, virfs_fake_interfaces ("eth0 up\neth1 down"));
  assert_soon_reads (f, BOND "/state", "degraded\n");
  assert_reads (f, BOND "/slaves", "eth0 up\neth1 down\n");
  report = cat (f, "reports/attention.tsv");
  g_assert_nonnull (strstr (report, "hosts/h1/interfaces/bond0\tthe bond is degraded: eth1"));
  change_host (f, VIRFS_HOST_INTERFACES, virfs_fake_interfaces ("eth0 up\neth1 up"));
  assert_soon_reads (f, BOND "/state", "up\n");
}

static void
test_devices (Fixture *f, gconstpointer data)
{
  assert_reads (f, GPU "/type", "pci\n");
  assert_reads (f, GPU "/state", "active\n");
  assert_reads (f, GPU "/passthrough", "1\n");
  assert_reads (f, GPU "/id", "10de:2204\n");
  assert_reads (f, GPU "/iommu_group", "27\n");
  assert_reads (f, GPU "/address", "0000:65:00.0\n");
  assert_leads (f, DEVS "/net_eth0/parent", "../pci_0000_17_00_0");
  assert_reads (f, DEVS "/net_eth0/passthrough", "0\n");
  assert_reads (f, DEVS "/pci_0000_00_1f_0/passthrough", "0\n");
  assert_reads (f, DEVS "/usb_usb1/passthrough", "0\n");
  assert_reads (f, DEVS "/usb_1_2/passthrough", "1\n");
  g_assert_cmpint (rmdir_at (f, GPU), ==, EPERM);
}

/* A device that is pulled out. */
static void
test_gone (Fixture *f, gconstpointer data)
{
  GPtrArray *rest = virfs_fake_devices ();

  g_ptr_array_remove_index (rest, rest->len - 2);
  change_host (f, VIRFS_HOST_DEVICES, rest);
  assert_soon (!exists (f, DEVS "/usb_1_3"));
  g_assert_true (exists (f, DEVS "/usb_1_2"));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add ("/hardware/interfaces", "h1=fake:2", test_interfaces);
  fixture_add ("/hardware/degraded", "h1=fake:2", test_degraded);
  fixture_add ("/hardware/devices", "h1=fake:2", test_devices);
  fixture_add ("/hardware/gone", "h1=fake:2", test_gone);
  return g_test_run ();
}
