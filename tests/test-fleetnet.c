/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks and pools of the fleet, and profiles of hosts, as files, on the fake. */
#include "device.h"
#include "fixture.h"
#include "fleetwide.h"
#include "pool.h"

#include <string.h>

#define LAN "networks/lan"

static void
give (Fixture *f, const char *name, const char *xml, gboolean remove)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);
  g_autoptr (VirfsBlob) blob = virfs_blob_new (xml);
  g_autoptr (VirfsDefinition) definition
    = virfs_definition_new (VIRFS_DEFINED_NETWORK, "lan", "lan", blob);

  definition->autostart = definition->active = TRUE;
  definition->remove = remove;
  virfs_fake_give (host, definition);
}

static void
define (Fixture *f)
{
  g_assert_cmpint (mkdir_at (f, LAN), ==, 0);
  g_assert_cmpint (echo_n (f, "<network/>\n", -1, LAN "/xml"), ==, 0);
}

static void
test_seen (Fixture *f, gconstpointer data)
{
  assert_soon_reads (f, "networks/default/present", "h1 active\nh2 active\n");
  assert_reads (f, "networks/default/state", "seen\n");
  assert_reads (f, "networks/default/ctl", "adopt\n");
  assert_reads (f, "networks/default/xml", "");
  assert_soon_reads (f, "pools/default/state", "seen\n");
  g_assert_cmpint (mkdir_at (f, "networks/default"), ==, EEXIST);
  g_assert_cmpint (rmdir_at (f, "networks/default"), ==, EBUSY);
  g_assert_cmpint (echo (f, "repair", "networks/default/ctl"), ==, EBUSY);
  g_assert_cmpint (echo (f, "dance", "networks/default/ctl"), ==, EINVAL);
  g_assert_cmpint (echo (f, "adopt h9", "networks/default/ctl"), ==, ENOENT);
  g_assert_cmpint (echo (f, "nat", "networks/default/forward"), ==, EBUSY);
  assert_says (f, "error", "does not define default");
  g_assert_cmpint (echo (f, "adopt h2", "networks/default/ctl"), ==, 0);
  assert_reads (f, "networks/default/state", "defined\n");
  assert_reads (f, "networks/default/xml", "<network/>\n");
  g_assert_cmpint (echo (f, "forget", "networks/default/ctl"), ==, 0);
  assert_reads (f, "networks/default/state", "seen\n");
  assert_reads (f, "networks/default/present", "h1 active\nh2 active\n");
}

static void
test_draft (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, "networks/a%b"), ==, EINVAL);
  g_assert_cmpint (mkdir_at (f, LAN), ==, 0);
  g_assert_cmpint (mkdir_at (f, LAN), ==, EEXIST);
  assert_reads (f, LAN "/state", "draft\n");
  assert_reads (f, LAN "/hosts", "all\n");
  assert_reads (f, LAN "/autostart", "1\n");
  g_assert_cmpint (echo (f, "sideways", LAN "/forward"), ==, EINVAL);
  g_assert_cmpint (echo (f, "nat", LAN "/forward"), ==, 0);
  g_assert_cmpint (echo (f, "define", LAN "/ctl"), ==, EINVAL);
  assert_says (f, "error", "needs an address");
  g_assert_cmpint (echo (f, "isolated", LAN "/forward"), ==, 0);
  g_assert_cmpint (echo (f, "h2", LAN "/hosts"), ==, 0);
  g_assert_cmpint (echo (f, "h2 h9", LAN "/hosts"), ==, ENOENT);
  g_assert_cmpint (echo (f, "repair", LAN "/ctl"), ==, EBUSY);
  g_assert_cmpint (echo (f, "define", LAN "/ctl"), ==, 0);
  assert_reads (f, LAN "/present", "h2 active\n");
  assert_lists (f, "hosts/h2/networks", "default lan");
  g_assert_cmpint (echo (f, "all", LAN "/hosts"), ==, 0);
  assert_reads (f, LAN "/present", "h1 active\nh2 active\n");
  g_assert_cmpint (rmdir_at (f, LAN), ==, 0);
  g_assert_false (exists (f, LAN));
  assert_lists (f, "hosts/h2/networks", "default");
  g_assert_cmpint (mkdir_at (f, "pools/fast"), ==, 0);
  g_assert_cmpint (rmdir_at (f, "pools/fast"), ==, 0);
}

static void
test_drift (Fixture *f, gconstpointer data)
{
  define (f);
  assert_reads (f, LAN "/drift", "");
  give (f, "h2", "<network other='1'/>\n", FALSE);
  assert_soon_reads (f, LAN "/drift", "h2 it is another\n");
  g_assert_cmpint (echo (f, "repair h1", LAN "/ctl"), ==, 0);
  assert_reads (f, LAN "/drift", "h2 it is another\n");
  g_assert_cmpint (echo (f, "repair h7", LAN "/ctl"), ==, ENOENT);
  g_assert_cmpint (echo (f, "repair", LAN "/ctl"), ==, 0);
  assert_reads (f, LAN "/drift", "");
  give (f, "h1", "", TRUE);
  assert_soon_reads (f, LAN "/drift", "h1 missing\n");
  assert_lists (f, "hosts/h1/networks", "default");
  turn_host (f, "h2", VIRFS_HOST_UNREACHABLE);
  g_assert_cmpint (echo (f, "repair", LAN "/ctl"), ==, EHOSTDOWN);
  assert_says (f, "error", "h2 is not reachable");
  assert_reads (f, LAN "/drift", "");
  g_assert_cmpint (rmdir_at (f, LAN), ==, EHOSTDOWN);
  turn_host (f, "h2", VIRFS_HOST_UP);
  g_assert_cmpint (echo (f, "office", LAN "/domain"), ==, 0);
  assert_reads (f, LAN "/drift", "h1 it is another\nh2 it is another\n");
  g_assert_cmpint (echo (f, "repair", LAN "/ctl"), ==, 0);
  assert_reads (f, LAN "/drift", "");
  g_assert_cmpint (echo (f, "0", LAN "/autostart"), ==, 0);
  assert_reads (f, LAN "/drift", "h1 autostart is 1, not 0\nh2 autostart is 1, not 0\n");
}

/* What cannot be is told to who wants it, and is drift. */
static void
test_failure (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, LAN), ==, 0);
  g_assert_cmpint (echo_n (f, "<pool/>\n", -1, LAN "/xml"), ==, EINVAL);
  assert_reads (f, LAN "/state", "draft\n");
  g_assert_cmpint (echo_n (f, "<network dev='nowhere'/>\n", -1, LAN "/xml"), ==, ENOENT);
  assert_reads (f, LAN "/state", "defined\n");
  assert_reads (f, LAN "/drift",
                "h1 missing: there is no interface nowhere\n"
                "h2 missing: there is no interface nowhere\n");
  g_assert_cmpint (echo_n (f, "<network/>\n", -1, LAN "/xml"), ==, 0);
  assert_reads (f, LAN "/drift", "");
}

/* What a host makes of a definition is as good, also if it is not what others make of it. */
static void
test_made (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, LAN), ==, 0);
  g_assert_cmpint (echo_n (f, "<network dialect='1'/>\n", -1, LAN "/xml"), ==, 0);
  assert_reads (f, LAN "/drift", "");
  give (f, "h2", "<network dialect='1'/>\n<!-- h1 -->\n", FALSE);
  give (f, "h1", "<network other='1'/>\n", FALSE);
  assert_soon_reads (f, LAN "/drift", "h1 it is another\nh2 it is another\n");
  g_assert_cmpint (echo (f, "repair", LAN "/ctl"), ==, 0);
  assert_reads (f, LAN "/drift", "");
  g_assert_cmpint (echo_n (f, "<network dialect='2'/>\n", -1, LAN "/xml"), ==, 0);
  assert_reads (f, LAN "/drift", "h1 it is another\nh2 it is another\n");
  g_assert_cmpint (echo (f, "repair", LAN "/ctl"), ==, 0);
  assert_reads (f, LAN "/drift", "");
}

static void
plug (VirfsVmInfo *info, gpointer data)
{
  VirfsNicInfo *nic = virfs_part_info_new (&virfs_nic_class, "eth0");
  GPtrArray *list = virfs_part_list_new ();

  nic->network = g_ref_string_new ("lan");
  g_ptr_array_add (list, nic);
  virfs_part_lists_set (info->parts, VIRFS_VM_NICS, list);
}

static void
test_used (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  define (f);
  virfs_infra_edit_vm (f->infra, info->host, info->uuid, plug, NULL);
  g_assert_cmpint (rmdir_at (f, LAN), ==, EBUSY);
  assert_says (f, "error", "vms/h1-1 uses lan");
}

/* VOLUME: a path, NULL: none. */
static void
add_pool (GPtrArray *list, const char *name, const char *type, const char *path, const char *volume)
{
  VirfsPoolInfo *pool = virfs_part_info_new (&virfs_pool_class, name);

  pool->type = type;
  pool->state = "running";
  pool->path = g_ref_string_new (path);
  pool->part.parts = virfs_part_list_new ();
  if (volume != NULL) {
    VirfsVolumeInfo *info = virfs_part_info_new (&virfs_volume_class, "unit:0:0:1");

    info->path = g_ref_string_new (volume);
    g_ptr_array_add (pool->part.parts, info);
  }
  g_ptr_array_add (list, pool);
}

static void
add_disk (GPtrArray *list, const char *name, const char *source)
{
  VirfsDiskInfo *disk = virfs_part_info_new (&virfs_disk_class, name);

  disk->source = g_ref_string_new (source);
  g_ptr_array_add (list, disk);
}

static void
plug_disks (VirfsVmInfo *info, gpointer data)
{
  GPtrArray *list = virfs_part_list_new ();

  add_disk (list, "vda", "/srv/images/a.qcow2");
  add_disk (list, "vdb", "/dev/disk/by-path/one");
  virfs_part_lists_set (info->parts, VIRFS_VM_DISKS, list);
}

/* A pool beside or above another is not used by who uses that. */
static void
test_neighbours (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsVm) vm = vm_of (f, "h1-1");
  g_autoptr (VirfsVmInfo) guest = virfs_vm_info (vm);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (guest->host);
  VirfsHostInfo *info = virfs_host_info_copy (known);
  GPtrArray *pools = virfs_part_list_new ();

  add_pool (pools, "all", "dir", "/srv", NULL);
  add_pool (pools, "images", "dir", "/srv/images/", NULL);
  add_pool (pools, "san1", "iscsi", "/dev/disk/by-path", "/dev/disk/by-path/one");
  add_pool (pools, "san2", "iscsi", "/dev/disk/by-path", "/dev/disk/by-path/two");
  virfs_part_list_sort (pools);
  virfs_part_lists_set (info->parts, VIRFS_HOST_POOLS, pools);
  virfs_infra_update_host (f->infra, guest->host, info, NULL);
  virfs_infra_edit_vm (f->infra, guest->host, guest->uuid, plug_disks, NULL);
  g_assert_true (virfs_fleet_is_user (vm, &virfs_fleet_pool_class, "images"));
  g_assert_false (virfs_fleet_is_user (vm, &virfs_fleet_pool_class, "all"));
  g_assert_true (virfs_fleet_is_user (vm, &virfs_fleet_pool_class, "san1"));
  g_assert_false (virfs_fleet_is_user (vm, &virfs_fleet_pool_class, "san2"));
}

static void
test_join (Fixture *f, gconstpointer data)
{
  define (f);
  g_assert_cmpint (mkdir_at (f, "hosts/h3"), ==, 0);
  g_assert_cmpint (echo (f, "fake:1", "hosts/h3/uri"), ==, 0);
  assert_soon_reads (f, LAN "/present", "h1 active\nh2 active\nh3 active\n");
  assert_reads (f, LAN "/drift", "");
}

/* Profiles. */

static void
empty (Fixture *f, const char *name)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, name);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *copy = virfs_host_info_copy (known);

  virfs_infra_sync_vms (f->infra, host, g_ptr_array_new ());
  for (guint i = 0; i < VIRFS_HOST_N_PARTS; i++)
    virfs_part_lists_set (copy->parts, i, virfs_part_list_new ());
  virfs_infra_update_host (f->infra, host, copy, NULL);
}

static void
test_profile (Fixture *f, gconstpointer data)
{
  define (f);
  assert_soon (says (f, "hosts/h1/profile/list", "networks/lan autostart active"));
  assert_reads (f, "hosts/h1/restore", "");
  assert_reads (f, "hosts/h1/profile/networks.xml",
                "<networks>\n<network/>\n<network/>\n</networks>\n");
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  empty (f, "h1");
  assert_lists (f, "hosts/h1/networks", "");
  turn_host (f, "h1", VIRFS_HOST_UP);
  /* what the fleet defines comes by itself */
  assert_soon_reads (f, LAN "/present", "h1 active\nh2 active\n");
  assert_soon (says (f, "hosts/h1/restore", "networks/default"));
  g_assert_false (says (f, "hosts/h1/restore", "networks/lan"));
  g_assert_cmpint (echo (f, "networks/none", "hosts/h1/restore"), ==, ENOENT);
  g_assert_cmpint (echo (f, "networks/default", "hosts/h1/restore"), ==, 0);
  g_assert_false (says (f, "hosts/h1/restore", "networks/default"));
  assert_lists (f, "hosts/h1/networks", "default lan");
  assert_says (f, "hosts/h1/profile/list", "nwfilters/clean");
  g_assert_cmpint (echo (f, "none", "hosts/h1/restore"), ==, 0);
  assert_reads (f, "hosts/h1/restore", "");
  assert_soon (!says (f, "hosts/h1/profile/list", "nwfilters/clean"));
}

/* What cannot be read is not gone. */
static void
test_unread (Fixture *f, gconstpointer data)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h1");
  g_autoptr (VirfsHostInfo) known = NULL;
  GPtrArray *list = virfs_part_list_new ();
  VirfsHostInfo *copy;
  VirfsPartInfo *lan;

  define (f);
  assert_soon (says (f, "hosts/h1/profile/list", "networks/lan autostart active"));
  known = virfs_host_info (host);
  copy = virfs_host_info_copy (known);
  lan = virfs_part_info_copy (virfs_part_list_find (known->parts[VIRFS_HOST_NETWORKS], "lan"));
  g_clear_pointer (&((VirfsNetworkInfo *) lan)->definition, virfs_blob_unref);
  g_ptr_array_add (list, lan);
  virfs_part_lists_set (copy->parts, VIRFS_HOST_NETWORKS, list);
  virfs_infra_update_host (f->infra, host, copy, NULL);
  assert_soon (!says (f, "hosts/h1/profile/list", "networks/default"));
  assert_says (f, "hosts/h1/profile/list", "networks/lan autostart active");
}

/* A guest that has been brought to another host meanwhile is not given back. */
static void
test_moved (Fixture *f, gconstpointer data)
{
  assert_soon (says (f, "hosts/h1/profile/list", "vms/h1-1"));
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  move_vm (f, "h1-1", "h2");
  empty (f, "h1");
  turn_host (f, "h1", VIRFS_HOST_UP);
  assert_soon (says (f, "hosts/h1/restore", "vms/h1-2"));
  g_assert_false (says (f, "hosts/h1/restore", "vms/h1-1"));
  g_assert_cmpint (echo (f, "vms/h1-1", "hosts/h1/restore"), ==, ENOENT);
  assert_soon (says (f, "hosts/h2/profile/list", "vms/h1-1"));
}

/* What is removed while the host is up is meant to be. */
static void
test_removed (Fixture *f, gconstpointer data)
{
  define (f);
  assert_soon (says (f, "hosts/h1/profile/list", "networks/lan"));
  empty (f, "h1");
  assert_soon_reads (f, "hosts/h1/profile/list", "");
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  turn_host (f, "h1", VIRFS_HOST_UP);
  assert_soon_reads (f, LAN "/drift", "h1 missing\n");
  assert_reads (f, "hosts/h1/restore", "");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add ("/fleetnet/seen", "h1=fake:2 h2=fake:2", test_seen);
  fixture_add ("/fleetnet/draft", "h1=fake:2 h2=fake:2", test_draft);
  fixture_add ("/fleetnet/drift", "h1=fake:2 h2=fake:2", test_drift);
  fixture_add ("/fleetnet/failure", "h1=fake:2 h2=fake:2", test_failure);
  fixture_add ("/fleetnet/made", "h1=fake:2 h2=fake:2", test_made);
  fixture_add ("/fleetnet/used", "h1=fake:2 h2=fake:2", test_used);
  fixture_add ("/fleetnet/neighbours", "h1=fake:2 h2=fake:2", test_neighbours);
  fixture_add ("/fleetnet/join", "h1=fake:2 h2=fake:2", test_join);
  fixture_add ("/fleetnet/profile", "h1=fake:2 h2=fake:2", test_profile);
  fixture_add ("/fleetnet/unread", "h1=fake:2 h2=fake:2", test_unread);
  fixture_add ("/fleetnet/moved", "h1=fake:2 h2=fake:2", test_moved);
  fixture_add ("/fleetnet/removed", "h1=fake:2 h2=fake:2", test_removed);
  return g_test_run ();
}
