/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks and NICs as files, on the fake. */
#include "fixture.h"

#include <string.h>

#define DISKS "vms/h1-1/disks"
#define NICS  "vms/h1-1/nics"
#define ERROR "vms/h1-1/error"

static void
test_disk (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, DISKS "/vdb"), ==, 0);
  g_assert_cmpint (mkdir_at (f, DISKS "/vdb"), ==, EEXIST);
  assert_reads (f, DISKS "/vdb/live", "0\n");
  assert_reads (f, DISKS "/vdb/persistent", "0\n");
  assert_reads (f, DISKS "/vdb/size", "");
  assert_reads (f, DISKS "/vdb/bus", "virtio\n");
  g_assert_cmpint (echo (f, "fast", DISKS "/vdb/cache"), ==, EINVAL);
  assert_says (f, ERROR, "default none writethrough");
  g_assert_cmpint (echo (f, "none", DISKS "/vdb/cache"), ==, 0);
  g_assert_cmpint (echo (f, "", DISKS "/vdb/cache"), ==, 0);
  g_assert_cmpint (echo (f, "a b", DISKS "/vdb/serial"), ==, EINVAL);
  g_assert_cmpint (echo (f, "5M", DISKS "/vdb/read_bytes_max"), ==, 0);
  g_assert_cmpint (echo (f, "5M", DISKS "/vdb/read_iops_max"), ==, EINVAL);
  g_assert_cmpint (echo (f, "nowhere", DISKS "/vdb/pool"), ==, ENOENT);
  g_assert_cmpint (echo (f, "0", DISKS "/vdb/size"), ==, EINVAL);
  g_assert_cmpint (echo (f, "1000", DISKS "/vdb/size"), ==, EINVAL);
  g_assert_cmpint (echo (f, "1G", DISKS "/vdb/size"), ==, 0);
  assert_reads (f, DISKS "/vdb/live", "1\n");
  assert_reads (f, DISKS "/vdb/size", "1073741824\n");
  assert_reads (f, DISKS "/vdb/read_bytes_max", "5242880\n");
  g_assert_cmpint (echo (f, "512M", DISKS "/vdb/size"), ==, EINVAL);
  assert_says (f, ERROR, "cannot shrink");
  g_assert_cmpint (echo (f, "2G", DISKS "/vdb/size"), ==, 0);
  g_assert_cmpint (echo (f, "default", DISKS "/vdb/pool"), ==, EBUSY);
  g_assert_cmpint (echo (f, "", DISKS "/vdb/source"), ==, EINVAL);
  g_assert_cmpint (rmdir_at (f, DISKS "/vdb"), ==, 0);
  g_assert_false (exists (f, DISKS "/vdb"));
}

/* What it is called says on which bus it is. */
static void
test_targets (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *name, *bus, *device;
  } rows[] = {
    { "vdaa", "virtio\n", "disk\n" }, { "sdb", "scsi\n", "disk\n" }, { "hdc", "ide\n", "disk\n" },
    { "fda", "fdc\n", "floppy\n" },   { "xvda", "xen\n", "disk\n" },
  };
  static const char *const wrong[] = { "data", "vd", "vd1", "vda1", "vdabcd", "VDA", "vd%61" };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *dir = g_strconcat (DISKS "/", rows[i].name, NULL);
    g_autofree char *bus = g_strconcat (dir, "/bus", NULL);
    g_autofree char *device = g_strconcat (dir, "/device", NULL);

    g_assert_cmpint (mkdir_at (f, dir), ==, 0);
    assert_reads (f, bus, rows[i].bus);
    assert_reads (f, device, rows[i].device);
    g_assert_cmpint (rmdir_at (f, dir), ==, 0);
  }
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *dir = g_strconcat (DISKS "/", wrong[i], NULL);

    g_assert_cmpint (mkdir_at (f, dir), ==, EINVAL);
  }
}

static void
test_source (Fixture *f, gconstpointer data)
{
  static const char *const wrong[] = { "none", "a/b/c", "/", "pool/" };

  g_assert_cmpint (mkdir_at (f, DISKS "/vdb"), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpint (echo (f, wrong[i], DISKS "/vdb/source"), ==, EINVAL);
  g_assert_cmpint (echo (f, "/nowhere/disk", DISKS "/vdb/source"), ==, ENOENT);
  assert_reads (f, DISKS "/vdb/live", "0\n");
  g_assert_cmpint (echo (f, "/images/data", DISKS "/vdb/source"), ==, 0);
  assert_reads (f, DISKS "/vdb/source", "/images/data\n");
}

static void
test_medium (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, DISKS "/sdb"), ==, 0);
  g_assert_cmpint (echo (f, "tape", DISKS "/sdb/device"), ==, EINVAL);
  g_assert_cmpint (echo (f, "cdrom", DISKS "/sdb/device"), ==, 0);
  g_assert_cmpint (echo (f, "1G", DISKS "/sdb/size"), ==, EINVAL);
  assert_says (f, ERROR, "write its source");
  g_assert_cmpint (echo (f, "/images/one.iso", DISKS "/sdb/source"), ==, 0);
  g_assert_cmpint (echo (f, "/images/two.iso", DISKS "/sdb/source"), ==, 0);
  g_assert_cmpint (echo (f, "/nowhere.iso", DISKS "/sdb/source"), ==, ENOENT);
  assert_reads (f, DISKS "/sdb/source", "/images/two.iso\n");
  g_assert_cmpint (echo (f, "", DISKS "/sdb/source"), ==, 0);
  assert_reads (f, DISKS "/sdb/source", "");
  g_assert_cmpint (echo (f, "", DISKS "/sdb/source"), ==, 0);
}

static void
test_nic (Fixture *f, gconstpointer data)
{
  g_autofree char *mac = NULL;

  g_assert_cmpint (mkdir_at (f, NICS "/my lan"), ==, EINVAL);
  g_assert_cmpint (mkdir_at (f, NICS "/lan"), ==, 0);
  mac = cat (f, NICS "/lan/mac");
  g_assert_true (g_str_has_prefix (mac, "52:54:00:"));
  g_assert_cmpint (echo (f, "52:54:00:00:00:0g", NICS "/lan/mac"), ==, EINVAL);
  g_assert_cmpint (echo (f, "01:54:00:00:00:01", NICS "/lan/mac"), ==, EINVAL);
  g_assert_cmpint (echo (f, "52:54:00:AA:00:01", NICS "/lan/mac"), ==, 0);
  assert_reads (f, NICS "/lan/mac", "52:54:00:aa:00:01\n");
  g_assert_cmpint (echo (f, "token-ring", NICS "/lan/model"), ==, EINVAL);
  g_assert_cmpint (echo (f, "off", NICS "/lan/link"), ==, EINVAL);
  g_assert_cmpint (echo (f, "", NICS "/lan/network"), ==, EINVAL);
  g_assert_cmpint (echo (f, "a/b", NICS "/lan/network"), ==, ENOENT);
  g_assert_cmpint (echo (f, "default", NICS "/lan/network"), ==, 0);
  assert_reads (f, NICS "/lan/network", "default\n");
  g_assert_cmpint (echo (f, "down", NICS "/lan/link"), ==, 0);
  assert_reads (f, NICS "/lan/link", "down\n");
  g_assert_cmpint (echo (f, "1M", NICS "/lan/rx_max"), ==, 0);
  assert_reads (f, NICS "/lan/rx_max", "1048576\n");
  /* two of one address would be taken for one */
  g_assert_cmpint (mkdir_at (f, NICS "/wan"), ==, 0);
  g_assert_cmpint (echo (f, "52:54:00:aa:00:01", NICS "/wan/mac"), ==, EEXIST);
  assert_says (f, ERROR, "lan of this guest has the MAC address");
  g_assert_cmpint (echo (f, "52:54:00:aa:00:01", NICS "/lan/mac"), ==, 0);
  g_assert_cmpint (rmdir_at (f, NICS "/wan"), ==, 0);
  g_assert_cmpint (rmdir_at (f, NICS "/lan"), ==, 0);
  assert_lists (f, NICS, "net0");
}

/* A guest that moves takes no changes, a host that is down neither; a draft can be dropped. */
static void
test_not_now (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, DISKS "/vdb"), ==, 0);
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  g_assert_cmpint (echo (f, "1G", DISKS "/vdb/size"), ==, EHOSTDOWN);
  g_assert_cmpint (rmdir_at (f, DISKS "/vda"), ==, EHOSTDOWN);
  g_assert_cmpint (rmdir_at (f, DISKS "/vdb"), ==, 0);
}

/* du tells what it takes on its host. */
static void
test_du (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, DISKS "/vdb"), ==, 0);
  g_assert_cmpuint (stat_at (f, DISKS "/vdb").st_blocks, ==, 0);
  g_assert_cmpint (echo (f, "1G", DISKS "/vdb/size"), ==, 0);
  assert_reads (f, DISKS "/vdb/allocation", "1048576\n");
  g_assert_cmpuint ((guint64) stat_at (f, DISKS "/vdb").st_blocks * 512, ==, 1 << 20);
}

/* Disks that go to another pool. */
static void
test_move (Fixture *f, gconstpointer data)
{
  const char *disk = DISKS "/vdb", *move = DISKS "/vdb/move";

  assert_reads (f, DISKS "/vda/move", "");
  g_assert_cmpint (rmdir_at (f, DISKS "/vda"), ==, 0);
  g_assert_cmpint (mkdir_at (f, disk), ==, 0);
  g_assert_cmpint (echo (f, "default", move), ==, EBUSY);
  g_assert_cmpint (echo (f, "qcow2", DISKS "/vdb/format"), ==, 0);
  g_assert_cmpint (echo (f, "1G", DISKS "/vdb/size"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "hosts/h1/pools/fast"), ==, 0);
  g_assert_cmpint (echo (f, "fast", move), ==, EBUSY);
  assert_says (f, ERROR, "delete snapshots/first");
  g_assert_cmpint (rmdir_at (f, "vms/h1-1/snapshots/first"), ==, 0);
  g_assert_cmpint (echo (f, "fast", move), ==, EBUSY);
  assert_says (f, ERROR, "the pool fast is a draft");
  g_assert_cmpint (echo (f, "/fast", "hosts/h1/pools/fast/path"), ==, 0);
  g_assert_cmpint (echo (f, "start", "hosts/h1/pools/fast/ctl"), ==, 0);
  assert_reads (f, move, "fast\n");
  assert_reads (f, "vms/h1-1/move", "fast\n");
  g_assert_cmpint (echo (f, "nowhere", move), ==, ENOENT);
  g_assert_cmpint (echo (f, "default", move), ==, 0);
  assert_reads (f, DISKS "/vdb/source", "/images/new.qcow2\n");
  g_assert_cmpint (echo (f, "fast", move), ==, 0);
  assert_reads (f, DISKS "/vdb/source", "fast/vdb\n");
  assert_reads (f, move, "default\n");
  g_assert_cmpint (echo (f, "default", "vms/h1-1/move"), ==, 0);
  assert_reads (f, DISKS "/vdb/pool", "default\n");
}

/* The kernel believes that what it has moved is there. */
static void
test_mv (Fixture *f, gconstpointer data)
{
  const char *disk = DISKS "/vdb", *volume = "hosts/h1/pools/fast/volumes/vdb";

  test_move (f, data);
  g_assert_cmpint (mv (f, disk, volume), ==, 0);
  assert_reads (f, DISKS "/vdb/pool", "fast\n");
  assert_lists (f, DISKS, "vdb");
  assert_lists (f, "hosts/h1/pools/fast/volumes", "");
  g_assert_cmpint (mv (f, disk, "hosts/h1/pools/default/volumes/vdc"), ==, EPERM);
  g_assert_cmpint (mv (f, disk, "hosts/h1/pools/vdb"), ==, EPERM);
  g_assert_cmpint (mv (f, disk, DISKS "/vdc"), ==, EPERM);
  assert_says (f, ERROR, "hosts/h1/pools/");
}

#define ADD(path, func) fixture_add (path, "h1=fake:2", func)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  ADD ("/devices/disk", test_disk);
  ADD ("/devices/targets", test_targets);
  ADD ("/devices/source", test_source);
  ADD ("/devices/medium", test_medium);
  ADD ("/devices/nic", test_nic);
  ADD ("/devices/not-now", test_not_now);
  ADD ("/devices/du", test_du);
  ADD ("/devices/move", test_move);
  ADD ("/devices/mv", test_mv);
  return g_test_run ();
}
