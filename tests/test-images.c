/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images/ as files, on the fake. */
#include "device.h"
#include "fake_image.h"
#include "fixture.h"
#include "image.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
make_directory (void)
{
  virfs_fake_images = g_dir_make_tmp ("virfs-images-XXXXXX", NULL);
  __atomic_store_n (&virfs_fake_room, G_MAXUINT64, __ATOMIC_RELEASE);
}

static void
set_up (Fixture *f, gconstpointer hosts)
{
  make_directory ();
  fixture_set_up (f, hosts);
}

static void
set_up_for_all (Fixture *f, gconstpointer hosts)
{
  make_directory ();
  fixture_set_up_for_all (f, hosts);
}

static void
tear_down (Fixture *f, gconstpointer hosts)
{
  g_autoptr (GDir) dir = NULL;
  const char *name;

  fixture_tear_down (f, hosts);
  dir = g_dir_open (virfs_fake_images, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (virfs_fake_images, name, NULL);

    g_assert_cmpint (g_unlink (path), ==, 0);
  }
  g_assert_cmpint (g_rmdir (virfs_fake_images), ==, 0);
  g_clear_pointer (&virfs_fake_images, g_free);
}

/* SHELL's commands succeed. */
static void
works (Fixture *f, const char *shell)
{
  g_autofree char *out = NULL;

  if (sh (f, shell, &out) != 0)
    g_error ("%s: %s", shell, out);
}

/* They fail, and say WORDS. */
static void
fails (Fixture *f, const char *shell, const char *words)
{
  g_autofree char *out = NULL;

  if (sh (f, shell, &out) == 0 || strstr (out, words) == NULL)
    g_error ("%s: %s; not %s", shell, out, words);
}

/* Files on the fake's hosts. */
static char *
files (void)
{
  g_autofree char *command = g_strdup_printf ("cd %s && ls -A", virfs_fake_images);
  g_autofree char *out = NULL;
  const char *argv[] = { "sh", "-c", command, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out,
                               NULL, NULL, NULL));
  return g_strdelimit (g_strdup (g_strchomp (out)), "\n", ' ');
}

#define DISK "disk.qcow2 disk.qcow2.d"

static void
test_copy (Fixture *f, gconstpointer data)
{
  assert_lists (f, "images", DISK);
  works (f, "echo content > images/a.raw && cat images/a.raw | grep -qx content");
  assert_lists (f, "images", "a.raw a.raw.d " DISK);
  assert_reads (f, "images/a.raw.d/host", "h1\n");
  assert_reads (f, "images/a.raw.d/pool", "default\n");
  assert_reads (f, "images/a.raw.d/format", "raw\n");
  works (f, "[ $(stat -c %s images/a.raw) = 8 ]");
  works (f, "sha256sum < images/a.raw | cut -d ' ' -f 1 | cmp - images/a.raw.d/sha256");
  works (f, "touch -d 2020-01-02 images/.old && echo x > images/.old && touch -d 2020-01-02 "
            "images/.old && mv images/.old images/old && [ $(stat -c %Y images/old) = "
            "$(date -d 2020-01-02 +%s) ] && rm images/old");
  works (f, "echo other > images/a.raw && grep -qx other images/a.raw");
  works (f,
         "echo more >> images/a.raw && grep -qx more images/a.raw && grep -qx other images/a.raw");
  assert_reads (f, "images/a.raw.d/sha256", "");
  works (f, "echo verify > images/a.raw.d/ctl");
  works (f, "sha256sum < images/a.raw | cut -d ' ' -f 1 | cmp - images/a.raw.d/sha256");
  works (f, "rm images/a.raw");
  assert_lists (f, "images", DISK);
}

/* Holes stay holes, and what comes in whatever order is where it belongs. */
static void
test_order (Fixture *f, gconstpointer data)
{
  works (f, "printf end | dd of=images/s.raw bs=1 seek=10000000 status=none");
  works (f, "[ $(stat -c %s images/s.raw) = 10000003 ] && [ $(stat -c %b images/s.raw) -lt 100 ]");
  works (f, "printf begin | dd of=images/s.raw bs=1 conv=notrunc status=none");
  works (f, "printf middle | dd of=images/s.raw bs=1 seek=5000 conv=notrunc status=none");
  works (f, "(printf begin; head -c 4995 /dev/zero; printf middle; head -c 9994994 /dev/zero; "
            "printf end) | cmp - images/s.raw");
  works (f, "truncate -s 5006 images/s.raw && tail -c 6 images/s.raw | grep -q middle");
  works (f, "rm images/s.raw");
}

/* Who writes one reads what he has written, and what was there. */
static void
test_read_back (Fixture *f, gconstpointer data)
{
  works (f, "exec 3<>images/a.raw && printf 'one two' >&3 && exec 3>&-");
  works (f, "exec 3<>images/a.raw && [ \"$(head -c 7 <&3)\" = 'one two' ] && printf ' three' >&3 "
            "&& exec 3>&-");
  works (f, "grep -qx 'one two three' images/a.raw && rm images/a.raw");
}

static void
test_publish (Fixture *f, gconstpointer data)
{
  works (f, "echo one > images/.a.raw");
  g_assert_true (exists (f, "images/.a.raw"));
  g_assert_false (exists (f, "images/.a.raw.d/host"));
  assert_same (files (), "h1:new:.a.raw");
  works (f,
         "grep -qx one images/.a.raw && mv images/.a.raw images/.b && mv images/.b images/a.raw");
  assert_lists (f, "images", "a.raw a.raw.d " DISK);
  assert_same (files (), "h1:a.raw");
  works (f, "echo two > images/.a.raw.AbC123 && mv images/.a.raw.AbC123 images/a.raw");
  works (f, "grep -qx two images/a.raw && [ ! -e images/.a.raw.AbC123 ]");
  works (f, "echo three > images/.c && rm images/.c && [ ! -e images/.c ]");
  works (f, "mv images/a.raw images/d.raw && grep -qx two images/d.raw && [ ! -e images/a.raw ]");
  works (f, "sha256sum < images/d.raw | cut -d ' ' -f 1 | cmp - images/d.raw.d/sha256");
  g_assert_cmpint (mv (f, "images/d.raw", "images/.d"), ==, EINVAL);
  g_assert_cmpint (mv (f, "images/d.raw", "images/d.d"), ==, EINVAL);
  fails (f, "echo x > images/x.d", "Invalid argument");
  fails (f, "echo x > 'images/a%b'", "Invalid argument");
  fails (f, "rmdir images/d.raw.d", "not permitted");
  works (f, "rm images/d.raw");
}

/* What cannot be used is not published, and nothing of it stays. */
static void
test_refuse (Fixture *f, gconstpointer data)
{
  fails (f,
         "printf 'QFI\\373\\0\\0\\0\\7%0100d' 0 > /tmp/$$.bad; cp /tmp/$$.bad images/bad.qcow2; "
         "s=$?; rm /tmp/$$.bad; exit $s",
         "Invalid argument");
  assert_says (f, "error", "its version is 7");
  assert_soon (!exists (f, "images/bad.qcow2"));
  __atomic_store_n (&virfs_fake_room, 100000, __ATOMIC_RELEASE);
  fails (f, "head -c 300000 /dev/urandom > images/big.raw", "No space left");
  assert_soon (!exists (f, "images/big.raw"));
  assert_same (files (), "");
  assert_says (f, "error", "No space left");
}

/* A writer that is killed has not completed what he writes. */
/* It says so of itself. */
static void
test_suffix (Fixture *f, gconstpointer data)
{
  works (
    f, "echo '<html>404' > images/a.qcow2; tail -n 1 error | grep -q 'a.qcow2 is no qcow2 image'");
  assert_soon (!exists (f, "images/a.qcow2"));
  works (f, "echo '<html>404' > images/.a.raw");
  g_assert_cmpint (mv (f, "images/.a.raw", "images/a.vmdk"), ==, EINVAL);
  assert_says (f, "error", "a.vmdk is no vmdk image");
  works (f, "mv images/.a.raw images/a.raw && rm images/a.raw");
}

static void
test_killed (Fixture *f, gconstpointer data)
{
  g_autofree char *path = at (f, "images/k.raw");
  GPid child = fork ();

  if (child == 0) {
    int fd = open (path, O_WRONLY | O_CREAT, 0600);

    if (fd < 0 || write (fd, "half", 4) != 4)
      _exit (1);
    raise (SIGKILL);
  }
  g_assert_cmpint (waitpid (child, NULL, 0), ==, child);
  assert_soon (!exists (f, "images/k.raw"));
  assert_same (files (), "");
}

/* Somebody opens it again before it has anything in it, as qemu-img does. */
static void
test_again (Fixture *f, gconstpointer data)
{
  works (f, ": > images/q.raw && [ -e images/q.raw ] && echo x 1<> images/q.raw");
  works (f, "grep -qx x images/q.raw && rm images/q.raw");
  works (f, ": > images/r.raw && rm images/r.raw");
  assert_same (files (), "h1:q.raw"); /* the fake does not remove it */
}

static gboolean
has_files (const char *names)
{
  g_autofree char *is = files ();

  return g_str_equal (is, names);
}

static const char *disk_format = "raw"; /* of the next */

/* The guest LABEL has PATH as its disk. */
static void
set_disk (VirfsVmInfo *info, gpointer path)
{
  VirfsDiskInfo *disk = virfs_part_info_new (&virfs_disk_class, "vda");
  GPtrArray *list = virfs_part_list_new ();

  disk->type = "file";
  disk->format = disk_format;
  disk->source = g_ref_string_new (path);
  g_ptr_array_add (list, disk);
  virfs_part_lists_set (info->parts, VIRFS_VM_DISKS, list);
}

static void
use (Fixture *f, const char *label, const char *path)
{
  g_autoptr (VirfsVm) vm = vm_of (f, label);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  virfs_infra_edit_vm (f->infra, info->host, info->uuid, set_disk, (gpointer) path);
}

static void
test_used (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL;

  works (f, "echo x > images/u.raw");
  path = g_build_filename (virfs_fake_images, "h1:u.raw", NULL);
  assert_lists (f, "images/u.raw.d/used_by", "");
  use (f, "h1-1", path);
  assert_lists (f, "images/u.raw.d/used_by", "h1-1");
  assert_leads (f, "images/u.raw.d/used_by/h1-1", "../../../vms/h1-1");
  works (f, "cat images/u.raw.d/used_by/h1-1/state && [ $(stat -c %a images/u.raw) = 600 ]");
  g_assert_cmpint (unlink_at (f, "images/u.raw"), ==, EBUSY);
  assert_says (f, "error", "used by vms/h1-1");
  g_assert_cmpint (mv (f, "images/u.raw", "images/v.raw"), ==, EBUSY);
  fails (f, "echo y > images/u.raw", "busy");
  fails (f, "echo y > images/.u && mv images/.u images/u.raw", "busy");
  use (f, "h1-1", "/elsewhere");
  assert_lists (f, "images/u.raw.d/used_by", "");
  works (f, "rm images/.u images/u.raw");
}

static void
test_owner (Fixture *f, gconstpointer data)
{
  works (f, "echo x > images/.o && chmod 644 images/.o && mv images/.o images/o.raw");
  works (f, "[ $(stat -c %a images/o.raw) = 644 ] && [ $(stat -c %a images/o.raw.d) = 755 ]");
  works (f, "chmod 640 images/o.raw && [ $(stat -c %a images/o.raw) = 640 ]");
  works (f, "mv images/o.raw images/p.raw && [ $(stat -c %a images/p.raw) = 640 ]");
  g_assert_cmpint (sh_quietly (f, "chmod 777 images/p.raw.d/format"), !=, 0);
  works (f, "rm images/p.raw");
}

#define AS_USER "setpriv --reuid 4321 --regid 4321 --clear-groups sh -ec "

/* What was looked at when it was published cannot be changed by who could bring a host to read what he may
 * not. */
static void
test_user (Fixture *f, gconstpointer data)
{
  works (f, "chmod 777 images");
  works (f, AS_USER "'echo mine > images/mine && [ $(stat -c %u images/mine) = 4321 ]'");
  fails (f, AS_USER "'echo other 1<> images/mine'", "not permitted");
  works (f, AS_USER "'echo new > images/.mine && mv images/.mine images/mine'");
  works (f, "grep -qx new images/mine");
  fails (f, AS_USER "'exec 3> images/.x; echo a >&3; mv images/.x images/x; env echo b >&3'",
         "not permitted");
  works (f, "grep -qx a images/x && echo root 1<> images/x && grep -qx root images/x");
  works (f, "echo y > images/y");
  fails (f, AS_USER "'rm images/y'", "Permission denied");
  fails (f, AS_USER "'cat images/y'", "Permission denied");
  fails (f, AS_USER "'mv images/mine images/y'", "Permission denied");
  works (f, "rm images/x images/y images/mine");
}

/* Two hosts: what is not known to be the same is not. */
static void
test_names (Fixture *f, gconstpointer data)
{
  assert_lists (f, "images", DISK " disk.qcow2~h2 disk.qcow2~h2.d");
  works (f, "grep -qx h1 images/disk.qcow2.d/host && grep -qx h2 'images/disk.qcow2~h2.d/host'");
  turn_host (f, "h1", VIRFS_HOST_UNREACHABLE);
  assert_lists (f, "images", "disk.qcow2~h2 disk.qcow2~h2.d");
  turn_host (f, "h1", VIRFS_HOST_UP);
  assert_lists (f, "images", DISK " disk.qcow2~h2 disk.qcow2~h2.d");
}

/* A guest is made where its image is not: that is copied, and is one image on both. */
static void
test_bring (Fixture *f, gconstpointer data)
{
  works (f, "echo system > images/sys.raw");
  works (f, "mkdir vms/new && echo ../../images/sys.raw > vms/new/image");
  assert_reads (f, "vms/new/image", "sys.raw\n");
  works (f, "h=$(cat images/sys.raw.d/host); [ $h = h1 ] && o=h2 || o=h1; echo $o > vms/new/host");
  works (f, "echo shutoff > vms/new/state");
  assert_reads (f, "images/sys.raw.d/host", "h1\nh2\n");
  assert_lists (f, "images", DISK " disk.qcow2~h2 disk.qcow2~h2.d sys.raw sys.raw.d");
  works (f, "cat jobs/*/operation | grep -q '^copy image to h'");
  assert_same (files (), "h1:sys.raw h2:sys.raw");
  works (f, "rm images/sys.raw");
  assert_lists (f, "images", DISK " disk.qcow2~h2 disk.qcow2~h2.d");
  g_assert_cmpint (mkdir_at (f, "vms/none"), ==, 0);
  g_assert_cmpint (echo (f, "sys.raw", "vms/none/image"), ==, EINVAL);
}

/* A disk is replaced when an image has come as a whole, and not before. */
static void
test_restore (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL;

  works (f, "head -c 300032 /dev/urandom > images/d.raw && cat images/d.raw > images/old.raw");
  works (f, "head -c 100352 /dev/urandom > images/new.raw");
  path = g_build_filename (virfs_fake_images, "h1:d.raw", NULL);
  use (f, "h1-1", path);
  fails (f, "cat images/new.raw > vms/h1-1/disks/vda/restore", "busy");
  assert_says (f, "vms/h1-1/error", "while its guest is shut off");
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  fails (f, "cat images/new.raw > vms/h1-1/disks/vda/restore", "busy");
  assert_says (f, "vms/h1-1/error", "snapshots/first");
  g_assert_cmpint (rmdir_at (f, "vms/h1-1/snapshots/first"), ==, 0);
  fails (f, "head -c 1000 images/new.raw > vms/h1-1/disks/vda/restore", "Invalid argument");
  assert_says (f, "vms/h1-1/error", "1000 bytes have come");
  fails (f, "echo x | dd of=vms/h1-1/disks/vda/restore bs=1 seek=4E", "File too large");
  fails (f, "truncate -s 7E vms/h1-1/disks/vda/restore", "File too large");
  __atomic_store_n (&virfs_fake_room, 50000, __ATOMIC_RELEASE);
  fails (f, "cat images/new.raw > vms/h1-1/disks/vda/restore", "No space left");
  __atomic_store_n (&virfs_fake_room, G_MAXUINT64, __ATOMIC_RELEASE);
  works (f, "cmp images/d.raw images/old.raw");
  works (f, "cp images/new.raw vms/h1-1/disks/vda/restore && cmp images/new.raw images/d.raw");
  works (f, "[ ! -s vms/h1-1/disks/vda/restore ] && ! grep -q . vms/h1-1/disks/vda/restore");
  /* nothing is left of those that were refused */
  assert_soon (has_files ("h1:d.raw h1:new.raw h1:old.raw"));
}

/* A raw image becomes what the disk is. */
static void
test_restore_qcow2 (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL;

  works (f, "head -c 300032 /dev/urandom > images/d.raw");
  path = g_build_filename (virfs_fake_images, "h1:d.raw", NULL);
  disk_format = "qcow2";
  use (f, "h1-1", path);
  disk_format = "raw";
  set_state (f, "h1-1", VIRFS_VM_SHUTOFF);
  g_assert_cmpint (rmdir_at (f, "vms/h1-1/snapshots/first"), ==, 0);
  works (f, "truncate -s 1M images/sparse.raw && echo x | dd of=images/sparse.raw bs=1 seek=700000"
            " conv=notrunc 2>/dev/null");
  works (f, "cp images/sparse.raw vms/h1-1/disks/vda/restore");
  works (f, "head -c 3 images/d.raw | grep -qx QFI && [ $(stat -c %s images/d.raw) -lt 600000 ]");
  works (f, "grep -q -a -x x images/d.raw || [ $(tail -c 65536 images/d.raw | tr -d '\\0') = x ]");
  works (f, "cp images/d.raw vms/h1-1/disks/vda/restore");
}

#define add(path, hosts, func) g_test_add (path, Fixture, hosts, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  add ("/images/copy", "h1=fake:2", test_copy);
  add ("/images/order", "h1=fake:2", test_order);
  add ("/images/suffix", "h1=fake:2", test_suffix);
  add ("/images/read-back", "h1=fake:2", test_read_back);
  add ("/images/publish", "h1=fake:2", test_publish);
  add ("/images/refuse", "h1=fake:2", test_refuse);
  add ("/images/killed", "h1=fake:2", test_killed);
  add ("/images/again", "h1=fake:2", test_again);
  add ("/images/used", "h1=fake:2", test_used);
  add ("/images/restore", "h1=fake:2", test_restore);
  add ("/images/restore-qcow2", "h1=fake:2", test_restore_qcow2);
  add ("/images/owner", "h1=fake:2", test_owner);
  if (getuid () == 0)
    g_test_add ("/images/user", Fixture, "h1=fake:2", set_up_for_all, test_user, tear_down);
  add ("/images/names", "h1=fake:0 h2=fake:0", test_names);
  add ("/images/bring", "h1=fake:0 h2=fake:0", test_bring);
  return g_test_run ();
}
