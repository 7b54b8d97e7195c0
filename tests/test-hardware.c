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

/* The fake's devices without NAME; the caller owns them. */
static GPtrArray *
devices_without (const char *name)
{
  GPtrArray *rest = virfs_fake_devices ();

  g_ptr_array_remove (rest, virfs_part_list_find (rest, name));
  return rest;
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
  change_host (f, VIRFS_HOST_DEVICES, devices_without ("usb_1_3"));
  assert_soon (!exists (f, DEVS "/usb_1_3"));
  g_assert_true (exists (f, DEVS "/usb_1_2"));
}

/* Giving. */

#define HOSTDEVS "vms/h1-1/hostdevs" /* runs */
#define OFF      "vms/h1-2/hostdevs" /* does not */

static void
test_give (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/a b"), ==, EINVAL);
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/gpu"), ==, 0);
  assert_reads (f, HOSTDEVS "/gpu/device", "");
  assert_reads (f, HOSTDEVS "/gpu/live", "0\n");
  g_assert_cmpint (echo (f, "", HOSTDEVS "/gpu/device"), ==, ENOENT);
  g_assert_cmpint (echo (f, "pci_0000_66_00_0", HOSTDEVS "/gpu/device"), ==, ENOENT);
  assert_says (f, "vms/h1-1/error", "hosts/h1/devices has what there is");
  g_assert_cmpint (echo (f, "pci_0000_65_00_0", HOSTDEVS "/gpu/device"), ==, 0);
  assert_reads (f, HOSTDEVS "/gpu/device", "pci_0000_65_00_0\n");
  assert_reads (f, HOSTDEVS "/gpu/type", "pci\n");
  assert_reads (f, HOSTDEVS "/gpu/address", "0000:65:00.0\n");
  assert_reads (f, HOSTDEVS "/gpu/live", "1\n");
  assert_lists (f, GPU "/used_by", "h1-1");
  assert_leads (f, GPU "/used_by/h1-1", "../../../../../vms/h1-1");
  g_assert_cmpint (echo (f, "pci_0000_65_00_0", HOSTDEVS "/gpu/device"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_17_02_0", HOSTDEVS "/gpu/device"), ==, EBUSY);
  g_assert_cmpint (rmdir_at (f, HOSTDEVS "/gpu"), ==, 0);
  g_assert_false (exists (f, HOSTDEVS "/gpu"));
  assert_lists (f, GPU "/used_by", "");
}

/* What no guest can have, or somebody has. */
static void
test_refused (Fixture *f, gconstpointer data)
{
  static const char *const wrong[] = { "computer", "net_eth0", "pci_0000_00_1f_0", "usb_usb1" };

  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/gpu"), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpint (echo (f, wrong[i], HOSTDEVS "/gpu/device"), ==, EINVAL);
  /* the host's own eth0, which is up */
  g_assert_cmpint (echo (f, "pci_0000_17_00_0", HOSTDEVS "/gpu/device"), ==, EBUSY);
  assert_says (f, "vms/h1-1/error",
               "is eth0 of the host, which is in bond0; end that there first, or write force");
  g_assert_cmpint (echo (f, "pci_0000_65_00_0", HOSTDEVS "/gpu/device"), ==, 0);
  g_assert_cmpint (mkdir_at (f, OFF "/mine"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_65_00_0", OFF "/mine/device"), ==, EBUSY);
  assert_says (f, "vms/h1-2/error", "vms/h1-1/hostdevs/gpu has pci_0000_65_00_0 already");
  /* its sound is of the same group */
  g_assert_cmpint (echo (f, "pci_0000_65_00_1", OFF "/mine/device"), ==, EBUSY);
  assert_says (f, "vms/h1-2/error", "an IOMMU group is one guest's");
  g_assert_cmpint (rmdir_at (f, HOSTDEVS "/gpu"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_65_00_1", OFF "/mine/device"), ==, 0);
  assert_reads (f, OFF "/mine/live", "0\n");
  assert_reads (f, OFF "/mine/persistent", "1\n");
}

/* What the host itself needs, with what is below a device. */

static void
set_link (Fixture *f, const char *device, const char *link)
{
  GPtrArray *devices = virfs_fake_devices ();

  ((VirfsNodeDeviceInfo *) virfs_part_list_find (devices, device))->link = link;
  change_host (f, VIRFS_HOST_DEVICES, devices);
}

static void
test_cards (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/card"), ==, 0);
  /* interfaces/ has none of these */
  set_link (f, "net_enx0", "up");
  g_assert_cmpint (echo (f, "usb_2_1", HOSTDEVS "/card/device"), ==, EBUSY);
  assert_says (f, "vms/h1-1/error", "usb_2_1 is enx0 of the host, which is up; end that");
  set_link (f, "net_enx0", "unknown");
  g_assert_cmpint (echo (f, "usb_2_1", HOSTDEVS "/card/device"), ==, EBUSY);
  assert_says (f, "vms/h1-1/error", "of which is not known that it is down");
  set_link (f, "net_enx0", NULL);
  g_assert_cmpint (echo (f, "usb_2_1", HOSTDEVS "/card/device"), ==, EBUSY);
  set_link (f, "net_enx0", "down");
  g_assert_cmpint (echo (f, "usb_2_1", HOSTDEVS "/card/device"), ==, 0);
  g_assert_cmpint (rmdir_at (f, HOSTDEVS "/card"), ==, 0);
  /* who knows what he does */
  set_link (f, "net_enx0", "up");
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/card"), ==, 0);
  g_assert_cmpint (echo (f, "usb_2_1 forced", HOSTDEVS "/card/device"), ==, ENOENT);
  g_assert_cmpint (echo (f, "usb_2_1 force", HOSTDEVS "/card/device"), ==, 0);
  assert_reads (f, HOSTDEVS "/card/device", "usb_2_1\n");
}

static void
test_network_card (Fixture *f, gconstpointer data)
{
  GPtrArray *networks = virfs_fake_networks ("00000000-0000-4000-8000-000000000001");

  virfs_ref_string_set (&((VirfsNetworkInfo *) networks->pdata[0])->dev, "eth7 enx0");
  change_host (f, VIRFS_HOST_NETWORKS, networks);
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/card"), ==, 0);
  g_assert_cmpint (echo (f, "usb_2_1", HOSTDEVS "/card/device"), ==, EBUSY);
  assert_says (f, "vms/h1-1/error", "enx0 of the host, by which its network default goes out");
}

/* A network card, and its virtual functions. */
static void
test_functions (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/vf"), ==, 0);
  g_assert_cmpint (mkdir_at (f, OFF "/card"), ==, 0);
  set_link (f, "net_eth9", "up");
  g_assert_cmpint (echo (f, "pci_0000_19_00_0", OFF "/card/device"), ==, EBUSY);
  assert_says (f, "vms/h1-2/error", "pci_0000_19_00_0 is eth9 of the host, which is up");
  set_link (f, "net_eth9", "down");
  g_assert_cmpint (echo (f, "pci_0000_19_02_0", HOSTDEVS "/vf/device"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_19_00_0", OFF "/card/device"), ==, EBUSY);
  assert_says (f, "vms/h1-2/error",
               "vms/h1-1/hostdevs/vf has pci_0000_19_02_0, which is a part of pci_0000_19_00_0");
  g_assert_cmpint (echo (f, "pci_0000_19_00_0 force", OFF "/card/device"), ==, EBUSY);
  g_assert_cmpint (rmdir_at (f, HOSTDEVS "/vf"), ==, 0);
  /* and the other way round */
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/card"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_19_00_0", HOSTDEVS "/card/device"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_19_02_0", OFF "/card/device"), ==, EBUSY);
  assert_says (f, "vms/h1-2/error",
               "vms/h1-1/hostdevs/card has pci_0000_19_00_0, which has as a part pci_0000_19_02_0");
}

static void
test_disks (Fixture *f, gconstpointer data)
{
  GPtrArray *pools = virfs_fake_pools ("00000000-0000-4000-8000-000000000002");

  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/disk"), ==, 0);
  g_assert_cmpint (echo (f, "usb_2_2", HOSTDEVS "/disk/device"), ==, EBUSY);
  assert_says (f, "vms/h1-1/error", "usb_2_2 is /dev/sdb of the host, which is mounted at /srv");
  g_assert_cmpint (echo (f, "scsi_9_0_0_0", HOSTDEVS "/disk/device"), ==, EBUSY);
  /* a guest that runs has it as a disk */
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/disks/sdq"), ==, 0);
  g_assert_cmpint (echo (f, "/dev/disk/by-path/pci-2", "vms/h1-1/disks/sdq/source"), ==, 0);
  g_assert_cmpint (echo (f, "scsi_2_0_0_0", HOSTDEVS "/disk/device"), ==, EBUSY);
  assert_says (f, "vms/h1-1/error", "/dev/sdc of the host, which is vms/h1-1/disks/sdq");
  g_assert_cmpint (rmdir_at (f, "vms/h1-1/disks/sdq"), ==, 0);
  /* a pool is made of it */
  virfs_ref_string_set (&((VirfsPoolInfo *) pools->pdata[0])->source,
                        "/dev/sdd /dev/disk/by-id/scsi-1-part2");
  change_host (f, VIRFS_HOST_POOLS, pools);
  g_assert_cmpint (echo (f, "scsi_2_0_0_0", HOSTDEVS "/disk/device"), ==, EBUSY);
  assert_says (f, "vms/h1-1/error",
               "/dev/sdc of the host, which hosts/h1/pools/default is made of");
  /* which is no part of it */
  pools = virfs_fake_pools ("00000000-0000-4000-8000-000000000002");
  virfs_ref_string_set (&((VirfsPoolInfo *) pools->pdata[0])->source, "/dev/sdcd1");
  change_host (f, VIRFS_HOST_POOLS, pools);
  g_assert_cmpint (echo (f, "scsi_2_0_0_0", HOSTDEVS "/disk/device"), ==, 0);
}

/* Made of others. */

/* The device that has TEXT in its FILE, as a path; the caller owns it. */
static char *
made_with (Fixture *f, const char *file, const char *text)
{
  g_autofree char *names = ls (f, DEVS);
  g_auto (GStrv) each = g_strsplit (names, " ", -1);

  for (char **name = each; *name; name++) {
    g_autofree char *path = g_strdup_printf (DEVS "/%s", *name);
    g_autofree char *its = g_strdup_printf ("%s/%s", path, file);
    g_autofree char *shown = cat (f, its);

    if (g_strcmp0 (shown, text) == 0)
      return g_steal_pointer (&path);
  }
  g_error ("no device has %s in %s", text, file);
}

static void
assert_in (Fixture *f, const char *dir, const char *file, const char *text)
{
  g_autofree char *path = g_strdup_printf ("%s/%s", dir, file);

  assert_reads (f, path, text);
}

static int
echo_in (Fixture *f, const char *text, const char *dir, const char *file)
{
  g_autofree char *path = g_strdup_printf ("%s/%s", dir, file);

  return echo (f, text, path);
}

#define NEW DEVS "/vgpu"

static void
test_mediated (Fixture *f, gconstpointer data)
{
  g_autofree char *uuid = NULL, *made = NULL, *name = NULL;

  g_assert_cmpint (mkdir_at (f, NEW), ==, 0);
  g_assert_cmpint (mkdir_at (f, NEW), ==, EEXIST);
  assert_reads (f, NEW "/state", "draft\n");
  assert_reads (f, NEW "/passthrough", "0\n");
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, EINVAL);
  assert_says (f, "hosts/h1/error", "write to made_of");
  g_assert_cmpint (echo (f, "nothing", NEW "/made_of"), ==, ENOENT);
  g_assert_cmpint (echo (f, "usb_1_2", NEW "/made_of"), ==, EINVAL);
  g_assert_cmpint (echo (f, "pci_0000_65_00_0", NEW "/made_of"), ==, 0);
  assert_reads (f, NEW "/made_of", "pci_0000_65_00_0\n");
  assert_reads (f, NEW "/type", "mdev\n");
  uuid = cat (f, NEW "/address");
  g_assert_cmpuint (strlen (uuid), ==, 37);
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, EINVAL);
  assert_says (f, "hosts/h1/error", "its mdev_types has the types");
  g_assert_cmpint (echo (f, "nvidia-12", NEW "/mdev_type"), ==, 0);
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, EBUSY);
  g_assert_cmpint (echo (f, "nvidia-11", NEW "/mdev_type"), ==, 0);
  g_assert_cmpint (echo (f, "1", NEW "/autostart"), ==, 0);
  g_assert_cmpint (echo (f, "on", NEW "/state"), ==, EINVAL);
  g_assert_cmpint (echo (f, "inactive", NEW "/state"), ==, 0);
  g_assert_false (exists (f, NEW));
  made = made_with (f, "address", uuid);
  assert_in (f, made, "state", "inactive\n");
  assert_in (f, made, "persistent", "1\n");
  assert_in (f, made, "autostart", "1\n");
  assert_in (f, made, "mdev_type", "nvidia-11\n");
  assert_in (f, made, "made_of", "pci_0000_65_00_0\n");
  g_assert_cmpint (echo_in (f, "active", made, "state"), ==, 0);
  assert_in (f, made, "state", "active\n");
  g_assert_cmpint (echo_in (f, "0", made, "autostart"), ==, 0);
  assert_in (f, made, "autostart", "0\n");
  g_assert_cmpint (echo_in (f, "nvidia-12", made, "mdev_type"), ==, EBUSY);
  /* it is in use, and so is what it is made of */
  name = g_path_get_basename (made);
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/gpu"), ==, 0);
  g_assert_cmpint (echo (f, name, HOSTDEVS "/gpu/device"), ==, 0);
  g_assert_cmpint (rmdir_at (f, made), ==, EBUSY);
  g_assert_cmpint (echo_in (f, "inactive", made, "state"), ==, EBUSY);
  assert_says (f, "hosts/h1/error", "vms/h1-1/hostdevs/gpu has mdev_");
  g_assert_cmpint (mkdir_at (f, OFF "/all"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_65_00_0", OFF "/all/device"), ==, EBUSY);
  g_assert_cmpint (rmdir_at (f, HOSTDEVS "/gpu"), ==, 0);
  /* a guest is to have it when it starts */
  g_assert_cmpint (echo (f, name, OFF "/all/device"), ==, 0);
  g_assert_cmpint (rmdir_at (f, made), ==, EBUSY);
  g_assert_cmpint (echo_in (f, "inactive", made, "state"), ==, 0);
  g_assert_cmpint (rmdir_at (f, OFF "/all"), ==, 0);
  g_assert_cmpint (rmdir_at (f, made), ==, 0);
  g_assert_false (exists (f, made));
}

static void
test_adapter (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, NEW), ==, 0);
  g_assert_cmpint (echo (f, "scsi_host1", NEW "/made_of"), ==, 0);
  assert_reads (f, NEW "/type", "scsi_host\n");
  assert_reads (f, NEW "/address", "");
  g_assert_cmpint (echo (f, "50", NEW "/wwpn"), ==, EINVAL);
  g_assert_cmpint (echo (f, "FFFFFFFFFFFFFFFF", NEW "/wwpn"), ==, 0);
  assert_reads (f, NEW "/wwpn", "ffffffffffffffff\n");
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, EINVAL);
  assert_says (f, "hosts/h1/error", "write both wwnn and wwpn");
  g_assert_cmpint (echo (f, "5001a4a000000002", NEW "/wwnn"), ==, 0);
  g_assert_cmpint (echo (f, "inactive", NEW "/state"), ==, ENOTSUP);
  g_assert_cmpint (echo (f, "1", NEW "/autostart"), ==, 0);
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, EINVAL);
  assert_says (f, "hosts/h1/error", "does not start with its host");
  g_assert_cmpint (echo (f, "0", NEW "/autostart"), ==, 0);
  /* what could not be made stays a draft */
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, EIO);
  assert_reads (f, NEW "/state", "draft\n");
  g_assert_cmpint (echo (f, "5001a4a000000001", NEW "/wwpn"), ==, 0);
  g_assert_cmpint (echo (f, "active", NEW "/state"), ==, 0);
  g_assert_false (exists (f, NEW));
  assert_reads (f, DEVS "/scsi_host12/wwpn", "5001a4a000000001\n");
  assert_reads (f, DEVS "/scsi_host12/state", "active\n");
  assert_leads (f, DEVS "/scsi_host12/parent", "../scsi_host1");
  g_assert_cmpint (echo (f, "inactive", DEVS "/scsi_host12/state"), ==, ENOTSUP);
  g_assert_cmpint (echo (f, "1", DEVS "/scsi_host12/autostart"), ==, ENOTSUP);
  g_assert_cmpint (rmdir_at (f, DEVS "/scsi_host12"), ==, 0);
  g_assert_false (exists (f, DEVS "/scsi_host12"));
  assert_reads (f, DEVS "/scsi_host1/vports_max", "127\n");
  assert_reads (f, DEVS "/scsi_host9/vports", "");
  /* hardware is not made */
  g_assert_cmpint (rmdir_at (f, DEVS "/scsi_host1"), ==, EPERM);
  g_assert_cmpint (echo (f, "inactive", DEVS "/scsi_host1/state"), ==, EPERM);
  g_assert_cmpint (mkdir_at (f, NEW), ==, 0);
  g_assert_cmpint (rmdir_at (f, NEW), ==, 0);
  g_assert_false (exists (f, NEW));
}

/* One of two that are alike is known by where it is, a single one by what it is. */
static void
test_usb (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/key"), ==, 0);
  g_assert_cmpint (echo (f, "usb_1_3", HOSTDEVS "/key/device"), ==, 0);
  assert_reads (f, HOSTDEVS "/key/device", "usb_1_3\n");
  assert_reads (f, HOSTDEVS "/key/address", "1:5\n");
  g_assert_cmpint (rmdir_at (f, HOSTDEVS "/key"), ==, 0);
  change_host (f, VIRFS_HOST_DEVICES, devices_without ("usb_1_3"));
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/key"), ==, 0);
  g_assert_cmpint (echo (f, "usb_1_2", HOSTDEVS "/key/device"), ==, 0);
  assert_reads (f, HOSTDEVS "/key/address", "");
  assert_reads (f, HOSTDEVS "/key/id", "046d:c52b\n");
  assert_reads (f, HOSTDEVS "/key/device", "usb_1_2\n");
}

static void
test_move (Fixture *f, gconstpointer data)
{
  assert_reads (f, "vms/h1-1/migrate", "h2\n");
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/gpu"), ==, 0);
  assert_reads (f, "vms/h1-1/migrate", "h2\n");
  g_assert_cmpint (echo (f, "pci_0000_65_00_0", HOSTDEVS "/gpu/device"), ==, 0);
  assert_reads (f, "vms/h1-1/migrate", "");
  g_assert_cmpint (echo (f, "h2", "vms/h1-1/migrate"), ==, ENOTSUP);
  assert_says (f, "vms/h1-1/error", "give back hostdevs/gpu");
  g_assert_cmpint (rmdir_at (f, HOSTDEVS "/gpu"), ==, 0);
  assert_reads (f, "vms/h1-1/migrate", "h2\n");
  g_assert_cmpint (echo (f, "h2", "vms/h1-1/migrate"), ==, 0);
}

#define NICS "vms/h1-1/nics"
#define VF   DEVS "/pci_0000_17_02_0"

static void
test_team (Fixture *f, gconstpointer data)
{
  g_autofree char *mac = NULL;

  g_assert_cmpint (mkdir_at (f, NICS "/lan"), ==, 0);
  g_assert_cmpint (echo (f, "default", NICS "/lan/network"), ==, 0);
  g_assert_cmpint (mkdir_at (f, NICS "/vf"), ==, 0);
  g_assert_cmpint (echo (f, "lan", NICS "/vf/team"), ==, EINVAL);
  assert_says (f, "vms/h1-1/error", "whose team is persistent");
  g_assert_cmpint (echo (f, "persistent", NICS "/lan/team"), ==, 0);
  g_assert_cmpint (echo (f, "lan", NICS "/vf/team"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_17_00_0", NICS "/vf/vf"), ==, EINVAL);
  g_assert_cmpint (echo (f, "nothing", NICS "/vf/vf"), ==, ENOENT);
  g_assert_cmpint (echo (f, "pci_0000_17_02_0", NICS "/vf/vf"), ==, 0);
  assert_reads (f, NICS "/vf/vf", "pci_0000_17_02_0\n");
  assert_reads (f, NICS "/vf/team", "lan\n");
  mac = cat (f, NICS "/lan/mac");
  assert_reads (f, NICS "/vf/mac", mac);
  assert_lists (f, VF "/used_by", "h1-1");
  assert_reads (f, "vms/h1-1/migrate", "h2\n");
  g_assert_cmpint (mkdir_at (f, HOSTDEVS "/too"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_17_02_0", HOSTDEVS "/too/device"), ==, EBUSY);
  assert_says (f, "vms/h1-1/error", "vms/h1-1/nics/vf has pci_0000_17_02_0 already");
  g_assert_cmpint (rmdir_at (f, NICS "/vf"), ==, 0);
  assert_lists (f, VF "/used_by", "");
  /* alone it does not go with the guest */
  g_assert_cmpint (mkdir_at (f, NICS "/vf"), ==, 0);
  g_assert_cmpint (echo (f, "pci_0000_17_02_0", NICS "/vf/vf"), ==, 0);
  g_assert_cmpint (echo (f, "lan", NICS "/vf/team"), ==, EBUSY);
  g_assert_cmpint (echo (f, "h2", "vms/h1-1/migrate"), ==, ENOTSUP);
  assert_says (f, "vms/h1-1/error", "nics/vf is a card of its host");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add ("/hardware/interfaces", "h1=fake:2", test_interfaces);
  fixture_add ("/hardware/degraded", "h1=fake:2", test_degraded);
  fixture_add ("/hardware/devices", "h1=fake:2", test_devices);
  fixture_add ("/hardware/gone", "h1=fake:2", test_gone);
  fixture_add ("/hardware/give", "h1=fake:2", test_give);
  fixture_add ("/hardware/refused", "h1=fake:2", test_refused);
  fixture_add ("/hardware/cards", "h1=fake:2", test_cards);
  fixture_add ("/hardware/network-card", "h1=fake:2", test_network_card);
  fixture_add ("/hardware/functions", "h1=fake:2", test_functions);
  fixture_add ("/hardware/disks", "h1=fake:2", test_disks);
  fixture_add ("/hardware/mediated", "h1=fake:2", test_mediated);
  fixture_add ("/hardware/adapter", "h1=fake:2", test_adapter);
  fixture_add ("/hardware/usb", "h1=fake:2", test_usb);
  fixture_add ("/hardware/move", "h1=fake:2 h2=fake:0", test_move);
  fixture_add ("/hardware/team", "h1=fake:2 h2=fake:0", test_team);
  return g_test_run ();
}
