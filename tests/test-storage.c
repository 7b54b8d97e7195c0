/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools and volumes as files, on the fake. */
#include "device.h"
#include "fixture.h"
#include "use.h"

#include <string.h>
#include <sys/statvfs.h>

#define POOL "hosts/h1/pools/default"
#define VOLS "hosts/h1/pools/default/volumes"
#define DISK VOLS "/disk.qcow2"

/* What the guest LABEL has as its only disk. */
typedef struct {
  const char *type, *source;
} Source;

static void
set_disk (VirfsVmInfo *info, gpointer data)
{
  const Source *source = data;
  VirfsDiskInfo *disk = virfs_part_info_new (&virfs_disk_class, "vda");
  GPtrArray *list = virfs_part_list_new ();

  disk->device = "disk";
  disk->type = source->type;
  disk->source = g_ref_string_new (source->source);
  g_ptr_array_add (list, disk);
  virfs_part_lists_set (info->parts, VIRFS_VM_DISKS, list);
}

static void
use (Fixture *f, const char *label, const char *type, const char *source)
{
  g_autoptr (VirfsVm) vm = vm_of (f, label);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  virfs_infra_edit_vm (f->infra, info->host, info->uuid, set_disk, &(Source){ type, source });
}

static void
test_pool (Fixture *f, gconstpointer data)
{
  assert_reads (f, POOL "/state", "running\n");
  assert_reads (f, POOL "/ctl", "stop\nrefresh\n");
  g_assert_cmpint (echo (f, "start", POOL "/ctl"), ==, EBUSY);
  g_assert_cmpint (rmdir_at (f, POOL), ==, EBUSY);
  assert_says (f, "error", "write stop to its ctl first");
  g_assert_cmpint (echo (f, "/elsewhere", POOL "/path"), ==, EBUSY);
  g_assert_cmpint (echo (f, "inactive", POOL "/state"), ==, 0);
  g_assert_cmpint (echo (f, "inactive", POOL "/state"), ==, 0);
  assert_reads (f, POOL "/ctl", "start\nbuild\ndelete\n");
  assert_reads (f, POOL "/capacity", "");
  g_assert_cmpint (mkdir_at (f, VOLS "/new"), ==, EBUSY);
  g_assert_cmpint (echo (f, "/elsewhere", POOL "/path"), ==, 0);
  assert_reads (f, POOL "/path", "/elsewhere\n");
  g_assert_cmpint (echo (f, "netfs", POOL "/type"), ==, EBUSY);
  g_assert_cmpint (rmdir_at (f, POOL), ==, 0);
  assert_lists (f, "hosts/h1/pools", "");
}

static void
test_draft (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, POOL), ==, EEXIST);
  g_assert_cmpint (mkdir_at (f, "hosts/h1/pools/fast"), ==, 0);
  assert_reads (f, "hosts/h1/pools/fast/state", "draft\n");
  assert_reads (f, "hosts/h1/pools/fast/type", "dir\n");
  assert_reads (f, "hosts/h1/pools/fast/ctl", "define\nstart\n");
  g_assert_cmpint (echo (f, "running", "hosts/h1/pools/fast/state"), ==, EINVAL);
  assert_says (f, "error", "needs a path");
  g_assert_cmpint (echo (f, "srv", "hosts/h1/pools/fast/path"), ==, EINVAL);
  g_assert_cmpint (echo (f, "/nowhere", "hosts/h1/pools/fast/path"), ==, 0);
  g_assert_cmpint (echo (f, "running", "hosts/h1/pools/fast/state"), ==, ENOENT);
  assert_reads (f, "hosts/h1/pools/fast/state", "draft\n");
  g_assert_cmpint (echo (f, "/srv/fast", "hosts/h1/pools/fast/path"), ==, 0);
  g_assert_cmpint (echo (f, "1", "hosts/h1/pools/fast/autostart"), ==, 0);
  g_assert_cmpint (echo (f, "start", "hosts/h1/pools/fast/ctl"), ==, 0);
  assert_reads (f, "hosts/h1/pools/fast/state", "running\n");
  assert_reads (f, "hosts/h1/pools/fast/path", "/srv/fast\n");
  assert_lists (f, "hosts/h1/pools", "default fast");
  g_assert_cmpint (mkdir_at (f, "hosts/h1/pools/not"), ==, 0);
  g_assert_cmpint (rmdir_at (f, "hosts/h1/pools/not"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "hosts/h1/pools/a%b"), ==, EINVAL);
}

/* What each type needs, and what its source looks like. */
static void
test_sources (Fixture *f, gconstpointer data)
{
  static const struct {
    const char *type, *source;
    int error;
  } rows[] = {
    { "netfs", "nas:/export/vms", 0 },
    { "netfs", "[fd00::1]:/export", 0 },
    { "netfs", "/export", EINVAL },
    { "netfs", "nas", EINVAL },
    { "iscsi", "san1:iqn.2026-01.example:fast", 0 },
    { "iscsi", "san1", EINVAL },
    { "fs", "/dev/sdb1", 0 },
    { "logical", "/dev/sdb /dev/sdc", 0 },
  };

  g_assert_cmpint (mkdir_at (f, "hosts/h1/pools/p"), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpint (echo (f, "", "hosts/h1/pools/p/source"), ==, 0);
    g_assert_cmpint (echo (f, rows[i].type, "hosts/h1/pools/p/type"), ==, 0);
    g_assert_cmpint (echo (f, rows[i].source, "hosts/h1/pools/p/source"), ==, rows[i].error);
  }
  g_assert_cmpint (echo (f, "netfs", "hosts/h1/pools/p/type"), ==, 0);
  g_assert_cmpint (echo (f, "/mnt", "hosts/h1/pools/p/path"), ==, 0);
  g_assert_cmpint (echo (f, "running", "hosts/h1/pools/p/state"), ==, EINVAL);
  assert_says (f, "error", "HOST:DIRECTORY");
  g_assert_cmpint (echo (f, "rbd", "hosts/h1/pools/p/type"), ==, EINVAL);
}

static void
test_xml (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (echo_n (f, "<pool/>\n", -1, POOL "/xml"), ==, 0);
  g_assert_cmpint (echo_n (f, "<pool type='dir'/>\n", -1, POOL "/xml"), ==, EBUSY);
  g_assert_cmpint (mkdir_at (f, "hosts/h1/pools/p"), ==, 0);
  g_assert_cmpint (echo_n (f, "<domain/>\n", -1, "hosts/h1/pools/p/xml"), ==, EINVAL);
  g_assert_cmpint (echo_n (f, "<pool type='dir'/>\n", -1, "hosts/h1/pools/p/xml"), ==, 0);
  assert_reads (f, "hosts/h1/pools/p/state", "inactive\n");
}

static void
test_volume (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, VOLS "/new"), ==, 0);
  assert_reads (f, VOLS "/new/size", "");
  assert_reads (f, VOLS "/new/clone", "default/disk.qcow2\n");
  g_assert_cmpint (echo (f, "docx", VOLS "/new/format"), ==, EINVAL);
  g_assert_cmpint (echo (f, "0", VOLS "/new/size"), ==, EINVAL);
  g_assert_cmpint (echo (f, "2T", VOLS "/new/size"), ==, ENOSPC);
  g_assert_cmpint (echo (f, "wipe", VOLS "/new/ctl"), ==, EBUSY);
  g_assert_cmpint (echo (f, "2G", VOLS "/new/size"), ==, 0);
  assert_reads (f, VOLS "/new/size", "2147483648\n");
  assert_reads (f, VOLS "/new/format", "qcow2\n");
  assert_reads (f, VOLS "/new/clone", "");
  assert_reads (f, VOLS "/new/ctl", "refresh\nwipe\n");
  g_assert_cmpint (echo (f, "raw", VOLS "/new/format"), ==, EBUSY);
  g_assert_cmpint (echo (f, "2G", VOLS "/new/size"), ==, 0);
  g_assert_cmpint (echo (f, "1G", VOLS "/new/size"), ==, EINVAL);
  g_assert_cmpint (echo (f, "3G", VOLS "/new/size"), ==, 0);
  g_assert_cmpint (rmdir_at (f, VOLS "/new"), ==, 0);
  assert_lists (f, VOLS, "disk.qcow2");
}

/* A linked clone, and a full one. */
static void
test_clones (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, VOLS "/linked"), ==, 0);
  g_assert_cmpint (echo (f, "disk", VOLS "/linked/backing"), ==, ENOENT);
  g_assert_cmpint (echo (f, "disk.qcow2", VOLS "/linked/backing"), ==, 0);
  assert_reads (f, VOLS "/linked/backing", "/images/disk.qcow2\n");
  g_assert_cmpint (echo (f, "/images/disk.qcow2", VOLS "/linked/backing"), ==, 0);
  g_assert_cmpint (echo (f, "disk.qcow2", VOLS "/linked/clone"), ==, EINVAL);
  g_assert_cmpint (echo (f, "1M", VOLS "/linked/size"), ==, EINVAL);
  assert_says (f, "error", "smaller than what it is based on");
  g_assert_cmpint (echo (f, "raw", VOLS "/linked/format"), ==, 0);
  g_assert_cmpint (echo (f, "1G", VOLS "/linked/size"), ==, EINVAL);
  g_assert_cmpint (echo (f, "", VOLS "/linked/format"), ==, 0);
  g_assert_cmpint (echo (f, "1G", VOLS "/linked/size"), ==, 0);
  assert_reads (f, DISK "/used_by", VOLS "/linked\n");
  g_assert_cmpint (rmdir_at (f, DISK), ==, EBUSY);
  assert_says (f, "error", "used by " VOLS "/linked");
  g_assert_cmpint (mkdir_at (f, VOLS "/full"), ==, 0);
  g_assert_cmpint (echo (f, "default/disk.qcow2", VOLS "/full/clone"), ==, 0);
  assert_reads (f, VOLS "/full/size", "1073741824\n");
  g_assert_cmpint (rmdir_at (f, VOLS "/linked"), ==, 0);
  g_assert_cmpint (rmdir_at (f, DISK), ==, 0);
}

static void
test_used (Fixture *f, gconstpointer data)
{
  assert_reads (f, DISK "/used_by", "");
  use (f, "h1-1", "file", "/images/disk.qcow2");
  use (f, "h1-2", "volume", "default/disk.qcow2");
  assert_reads (f, DISK "/used_by", "vms/h1-1\nvms/h1-2\n");
  g_assert_cmpint (rmdir_at (f, DISK), ==, EBUSY);
  g_assert_cmpint (echo (f, "wipe", DISK "/ctl"), ==, EBUSY);
  g_assert_cmpint (echo (f, "2G", DISK "/size"), ==, EBUSY);
  assert_says (f, "error", "vms/h1-1/disks/vda/size");
  g_assert_cmpint (mkdir_at (f, VOLS "/copy"), ==, 0);
  g_assert_cmpint (echo (f, "disk.qcow2", VOLS "/copy/clone"), ==, EBUSY);
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  g_assert_cmpint (echo (f, "2G", DISK "/size"), ==, 0);
  rename_vm (f, "h1-2", "web");
  assert_reads (f, DISK "/used_by", "vms/h1-1\nvms/web\n");
  use (f, "h1-1", "file", "/images/another");
  use (f, "web", "file", "/images/another");
  assert_reads (f, DISK "/used_by", "");
}

static void
set_uuid (gpointer info, gpointer uuid)
{
  virfs_ref_string_set (&((VirfsPoolInfo *) info)->uuid, uuid);
}

static void
name_pool (Fixture *f, const char *host, const char *uuid)
{
  g_autoptr (VirfsHost) owner = virfs_infra_host (f->infra, host);
  g_autoptr (VirfsPart) pool = virfs_infra_part (f->infra, owner, &virfs_pool_class, "default");

  virfs_infra_edit_part (f->infra, pool, set_uuid, (gpointer) uuid);
}

static void
add_place (VirfsHost *host, const char *path, const char *name, gpointer places)
{
  g_string_append_printf (places, "%s:%s:%s ", host->name, path, name ? name : "");
}

static void
assert_places (Fixture *f, const char *path, const char *wanted)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (f->infra, "h1");
  g_autoptr (GString) places = g_string_new (NULL);

  virfs_path_places (host, path, add_place, places);
  g_assert_cmpstr (places->str, ==, wanted);
}

/* Pools with one UUID are one storage, whichever host has them. */
static void
test_shared (Fixture *f, gconstpointer data)
{
  use (f, "h2-1", "file", "/images/disk.qcow2");
  name_pool (f, "h1", "1");
  name_pool (f, "h2", "2");
  assert_reads (f, DISK "/used_by", "");
  assert_places (f, "/images/disk.qcow2", "h1:/images/disk.qcow2:default/disk.qcow2 ");
  name_pool (f, "h2", "1");
  assert_reads (f, DISK "/used_by", "vms/h2-1\n");
  g_assert_cmpint (rmdir_at (f, DISK), ==, EBUSY);
  assert_says (f, "hosts/h1/error", "used by vms/h2-1");
  assert_places (f, "/images/disk.qcow2",
                 "h1:/images/disk.qcow2:default/disk.qcow2"
                 " h2:/images/disk.qcow2:default/disk.qcow2 ");
  assert_places (f, "/elsewhere/disk", "h1:/elsewhere/disk: ");
}

static void
test_df (Fixture *f, gconstpointer data)
{
  g_autofree char *disk = at (f, DISK), *top = at (f, "");
  struct statvfs st;
  g_autofree char *out = NULL;

  g_assert_cmpint (statvfs (disk, &st), ==, 0);
  g_assert_cmpuint ((guint64) st.f_blocks * st.f_frsize, ==, G_GUINT64_CONSTANT (1) << 40);
  g_assert_cmpuint ((guint64) st.f_bavail * st.f_frsize, ==, G_GUINT64_CONSTANT (1) << 38);
  g_assert_cmpint (statvfs (top, &st), ==, 0);
  g_assert_cmpuint (st.f_blocks, ==, 0);
  g_assert_cmpint (sh (f, "df --output=size,avail -BG " POOL " | tail -n1", &out), ==, 0);
  g_assert_cmpstr (g_strstrip (out), ==, "1024G  256G");
  g_assert_cmpuint ((guint64) stat_at (f, DISK).st_blocks * 512, ==, 1 << 20);
  g_assert_cmpuint (stat_at (f, DISK).st_size, ==, 0);
}

static void
test_host_down (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, VOLS "/new"), ==, 0);
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  assert_reads (f, DISK "/size", "1073741824\n");
  g_assert_cmpint (stat_at (f, DISK "/size").st_mode & 0222, ==, 0);
  g_assert_cmpint (rmdir_at (f, DISK), ==, EHOSTDOWN);
  g_assert_cmpint (rmdir_at (f, VOLS "/new"), ==, 0);
}

#define ADD(path, func) fixture_add (path, "h1=fake:2", func)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  ADD ("/storage/pool", test_pool);
  ADD ("/storage/draft", test_draft);
  ADD ("/storage/sources", test_sources);
  ADD ("/storage/xml", test_xml);
  ADD ("/storage/volume", test_volume);
  ADD ("/storage/clones", test_clones);
  ADD ("/storage/used", test_used);
  fixture_add ("/storage/shared", "h1=fake:2 h2=fake:2", test_shared);
  ADD ("/storage/df", test_df);
  ADD ("/storage/host-down", test_host_down);
  return g_test_run ();
}
