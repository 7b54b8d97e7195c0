/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backups as directories, and their disks as files. */
#include "fixture.h"

#include "fake_disk.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BACKUPS "vms/h1-1/backups"

static int
open_at (Fixture *f, const char *path)
{
  g_autofree char *full = at (f, path);
  int fd = open (full, O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

/* Forgets the kernel's pages. */
static void
forget (int fd)
{
  g_assert_cmpint (posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED), ==, 0);
}

typedef void (*ReadFunc) (const Disk *disk, guint64 offset, gsize length, guint8 *buffer);

/* Some of the file, at random. */
static void
check_random (int fd, const Disk *disk, guint64 size, ReadFunc func, GRand *rand)
{
  for (guint i = 0; i < 60; i++) {
    guint64 offset = (guint64) (g_rand_double (rand) * size);
    gsize most = (gsize) g_rand_int_range (rand, 1, 300000);
    gsize length = MIN (most, size - offset);
    g_autofree guint8 *got = g_malloc (length), *want = g_malloc (length);

    if (i % 20 == 0)
      forget (fd);
    g_assert_cmpint (pread (fd, got, length, (off_t) offset), ==, length);
    func (disk, offset, length, want);
    g_assert_cmpmem (got, length, want, length);
  }
}

typedef struct {
  int fd;
  const Disk *disk;
  guint64 size;
  ReadFunc func;
  guint32 seed;
} Reader;

static gpointer
run_reader (gpointer data)
{
  Reader *reader = data;
  g_autoptr (GRand) rand = g_rand_new_with_seed (reader->seed);

  check_random (reader->fd, reader->disk, reader->size, reader->func, rand);
  return NULL;
}

static void
check_file (Fixture *f, const char *path, const Disk *disk, guint64 size, ReadFunc func)
{
  int fd = open_at (f, path);
  GThread *threads[4];
  Reader readers[G_N_ELEMENTS (threads)];
  g_autofree guint8 *all = g_malloc (size + 1), *want = g_malloc (size + 1);

  g_assert_cmpint (stat_at (f, path).st_size, ==, size);
  if (size > 0)
    for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
      readers[i] = (Reader){ fd, disk, size, func, i };
      threads[i] = g_thread_new ("reader", run_reader, &readers[i]);
    }
  for (guint i = 0; size > 0 && i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  forget (fd);
  g_assert_cmpint (pread (fd, all, size + 1, 0), ==, size);
  if (size > 0)
    func (disk, 0, size, want);
  g_assert_cmpmem (all, size, want, size);
  close (fd);
}

/* Full ones and incremental ones. */
static void
test_files (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 6; i++) {
    g_autofree char *name = g_strdup_printf ("b%u", i);
    g_autofree char *dir = g_build_filename (BACKUPS, name, NULL);
    g_autofree char *raw = g_build_filename (dir, "vda.raw", NULL);
    g_autofree char *qcow2 = g_build_filename (dir, "vda.qcow2", NULL);
    g_autoptr (Disk) full = virfs_fake_disk (name, NULL);

    g_assert_cmpint (mkdir_at (f, dir), ==, 0);
    check_file (f, raw, full, disk_size (full), disk_read);
    check_file (f, qcow2, full, virfs_qcow2_size (full->qcow2), disk_read_file);
    g_assert_cmpint (rmdir_at (f, dir), ==, 0);
  }
}

/* Where the holes are is told as it is, and what a file takes. */
static void
test_holes (Fixture *f, gconstpointer data)
{
  g_autoptr (Disk) disk = virfs_fake_disk ("holes", NULL);
  off_t size = (off_t) disk_size (disk);
  int fd;

  g_assert_cmpint (mkdir_at (f, BACKUPS "/holes"), ==, 0);
  g_assert_cmpint (stat_at (f, BACKUPS "/holes/vda.raw").st_blocks, ==,
                   (virfs_extents_bytes (disk->extents, VIRFS_EXTENT_DATA) + 511) / 512);
  g_assert_cmpint (stat_at (f, BACKUPS "/holes/vda.qcow2").st_blocks, ==,
                   (virfs_qcow2_allocated (disk->qcow2) + 511) / 512);
  fd = open_at (f, BACKUPS "/holes/vda.raw");
  for (off_t at = 0; at < size; at += 10000) {
    off_t next = (off_t) virfs_extents_next_data (disk->extents, (guint64) at);

    g_assert_cmpint (lseek (fd, at, SEEK_DATA), ==, next < size ? next : -1);
    g_assert_cmpint (lseek (fd, at, SEEK_HOLE), ==,
                     virfs_extents_next_hole (disk->extents, (guint64) at));
  }
  g_assert_cmpint (lseek (fd, size, SEEK_HOLE), ==, -1);
  g_assert_cmpint (errno, ==, ENXIO);
  g_assert_cmpint (lseek (fd, 0, SEEK_END), ==, size);
  close (fd);
  /* what is no such file has none */
  fd = open_at (f, BACKUPS "/holes/manifest.json");
  size = stat_at (f, BACKUPS "/holes/manifest.json").st_size;
  g_assert_cmpint (lseek (fd, 1, SEEK_DATA), ==, 1);
  g_assert_cmpint (lseek (fd, 1, SEEK_HOLE), ==, size);
  close (fd);
}

/* What has changed is told in bytes and in extents, and its file names the parent's. */
static void
test_incremental (Fixture *f, gconstpointer data)
{
  g_autoptr (Disk) disk = virfs_fake_disk ("tue", "mon");
  g_autofree char *map = NULL, *manifest = NULL, *wanted = NULL;
  g_autoptr (GString) lines = g_string_new (NULL);
  guint8 header[512];
  gsize n;
  const VirfsExtent *list = virfs_extents_list (disk->extents, &n);
  guint64 changed = 0;
  int fd;

  assert_reads (f, BACKUPS "/backing", "../%p/%d.qcow2\n");
  g_assert_cmpint (echo (f, "%x", BACKUPS "/backing"), ==, EINVAL);
  assert_says (f, "vms/h1-1/error", "%p stands for the parent");
  g_assert_cmpint (echo (f, "/backup/%p-%d.qcow2", BACKUPS "/backing"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/checkpoints/mon"), ==, 0);
  g_assert_cmpint (echo (f, "mon", BACKUPS "/base"), ==, 0);
  g_assert_cmpint (mkdir_at (f, BACKUPS "/tue"), ==, 0);
  for (gsize i = 0; i < n; i++)
    if (list[i].kind != VIRFS_EXTENT_UNCHANGED) {
      changed += list[i].length;
      g_string_append_printf (lines, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s\n",
                              list[i].start, list[i].length,
                              list[i].kind == VIRFS_EXTENT_DATA ? "data" : "zero");
    }
  map = cat (f, BACKUPS "/tue/vda.map");
  g_assert_cmpstr (map, ==, lines->str);
  g_assert_cmpint (stat_at (f, BACKUPS "/tue/vda.map").st_size, ==, lines->len);
  wanted = g_strdup_printf ("%" G_GUINT64_FORMAT "\n", changed);
  assert_reads (f, BACKUPS "/tue/changed", wanted);
  assert_reads (f, BACKUPS "/tue/nbd/vda/changed", wanted);
  manifest = cat (f, BACKUPS "/tue/manifest.json");
  g_assert_nonnull (strstr (manifest, "\"backing\" : \"/backup/mon-vda.qcow2\""));
  fd = open_at (f, BACKUPS "/tue/vda.qcow2");
  g_assert_cmpint (pread (fd, header, sizeof header, 0), ==, sizeof header);
  g_assert_nonnull (memmem (header, sizeof header, "/backup/mon-vda.qcow2", 21));
  close (fd);
  /* checksums are known when somebody has asked for them */
  g_assert_nonnull (strstr (manifest, "\"sha256\" : null"));
  g_assert_cmpint (echo (f, "checksums", BACKUPS "/tue/ctl"), ==, EINVAL);
  g_assert_cmpint (echo (f, "checksum", BACKUPS "/tue/ctl"), ==, 0);
  g_assert_cmpint (
    sh_quietly (f, "cd " BACKUPS "/tue && sum=$(sha256sum < vda.qcow2 | cut -d ' ' -f 1)"
                   " && grep -q \"sha256.* : .$sum.\" manifest.json && [ ${#sum} = 64 ]"),
    ==, 0);
  check_file (f, BACKUPS "/tue/vda.raw", disk, disk_size (disk), disk_read);
}

/* The kernel keeps nothing of a backup for the next of the same name. */
static void
test_again (Fixture *f, gconstpointer data)
{
  g_autoptr (Disk) full = virfs_fake_disk ("again", NULL);
  g_autoptr (Disk) later = virfs_fake_disk ("again", "mon");

  g_assert_cmpint (mkdir_at (f, BACKUPS "/again"), ==, 0);
  check_file (f, BACKUPS "/again/vda.raw", full, disk_size (full), disk_read);
  g_assert_cmpint (rmdir_at (f, BACKUPS "/again"), ==, 0);
  g_assert_cmpint (mkdir_at (f, "vms/h1-1/checkpoints/mon"), ==, 0);
  g_assert_cmpint (echo (f, "mon", BACKUPS "/base"), ==, 0);
  g_assert_cmpint (mkdir_at (f, BACKUPS "/again"), ==, 0);
  check_file (f, BACKUPS "/again/vda.raw", later, disk_size (later), disk_read);
}

/* A server that goes away is an error of those who read; and closing a backup does not wait for them. */
static void
test_fail (Fixture *f, gconstpointer data)
{
  char byte;
  int fd;

  g_assert_cmpint (mkdir_at (f, BACKUPS "/mon"), ==, 0);
  fd = open_at (f, BACKUPS "/mon/vda.raw");
  g_assert_cmpint (pread (fd, &byte, 1, 0), ==, 1);
  forget (fd);
  virfs_fake_disk_fail (EIO);
  g_assert_cmpint (pread (fd, &byte, 1, 0), ==, -1);
  g_assert_cmpint (errno, ==, EIO);
  virfs_fake_disk_fail (0);
  g_assert_cmpint (rmdir_at (f, BACKUPS "/mon"), ==, 0);
  g_assert_cmpint (pread (fd, &byte, 1, 0), ==, -1);
  g_assert_cmpint (errno, ==, ESTALE);
  close (fd);
  g_assert_false (exists (f, BACKUPS "/mon/vda.raw"));
}

/* Only their owner reads disks. */
static void
test_listed (Fixture *f, gconstpointer data)
{
  g_assert_cmpint (mkdir_at (f, BACKUPS "/mon"), ==, 0);
  assert_lists (
    f, BACKUPS "/mon",
    "changed checkpoint consistency created ctl domain.xml manifest.json nbd nvram parent"
    " reason scratch scratch_max vda.map vda.qcow2 vda.raw");
  g_assert_cmpint (stat_at (f, BACKUPS "/mon/vda.raw").st_mode, ==, S_IFREG | 0400);
  g_assert_false (exists (f, BACKUPS "/mon/vda.vmdk"));
  g_assert_false (exists (f, BACKUPS "/mon/vdb.raw"));
  g_assert_false (exists (f, BACKUPS "/mon/vda"));
  g_assert_cmpint (echo (f, "x", BACKUPS "/mon/vda.raw"), ==, EACCES);
}

#define HOSTS "h1=fake:2"

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add ("/backups/listed", HOSTS, test_listed);
  fixture_add ("/backups/files", HOSTS, test_files);
  fixture_add ("/backups/holes", HOSTS, test_holes);
  fixture_add ("/backups/incremental", HOSTS, test_incremental);
  fixture_add ("/backups/again", HOSTS, test_again);
  fixture_add ("/backups/fail", HOSTS, test_fail);
  return g_test_run ();
}
