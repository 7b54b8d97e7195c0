/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What qemu-img, which knows nothing of how they are made, says of our qcow2 files. */
#include "disk.h"

#include <glib/gstdio.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define D VIRFS_EXTENT_DATA
#define Z VIRFS_EXTENT_ZERO
#define U VIRFS_EXTENT_UNCHANGED

typedef struct {
  char *dir;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("virfs-qcow2-XXXXXX", NULL);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GDir) dir = g_dir_open (f->dir, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (f->dir, name, NULL);

    g_unlink (path);
  }
  g_rmdir (f->dir);
  g_free (f->dir);
}

/* In the fixture's directory; it succeeds, and says nothing but to its standard output. */
static G_GNUC_PRINTF (2, 3) void qemu_img (Fixture *f, const char *arguments, ...)
{
  va_list list;
  g_autofree char *line = NULL, *command = NULL, *out = NULL, *err = NULL;
  g_auto (GStrv) argv = NULL;
  g_auto (GStrv) environment = g_environ_unsetenv (g_get_environ (), "LD_PRELOAD");
  g_autoptr (GError) error = NULL;
  int status;

  va_start (list, arguments);
  line = g_strdup_vprintf (arguments, list);
  va_end (list);
  command = g_strconcat ("qemu-img ", line, NULL);
  g_assert_true (g_shell_parse_argv (command, NULL, &argv, NULL));
  g_spawn_sync (f->dir, argv, environment, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status,
                &error);
  g_assert_no_error (error);
  if (status != 0 || *err != '\0')
    g_test_message ("%s:\n%s%s", command, out, err);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpstr (err, ==, "");
}

typedef void (*Reader) (const Disk *disk, guint64 offset, gsize length, guint8 *buffer);

static void
copy (int fd, const Disk *disk, Reader reader, guint64 from, guint64 to)
{
  g_autofree guint8 *buffer = g_malloc (MIB);

  for (gsize n; from < to; from += n) {
    n = MIN (MIB, to - from);
    reader (disk, from, n, buffer);
    g_assert_cmpint (pwrite (fd, buffer, n, (off_t) from), ==, (gssize) n);
  }
}

static int
create (Fixture *f, const char *name, guint64 size)
{
  g_autofree char *path = g_build_filename (f->dir, name, NULL);
  int fd = g_open (path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, (off_t) size), ==, 0);
  return fd;
}

/* As cp writes it, with its holes. */
static void
write_qcow2 (Fixture *f, const char *name, const Disk *disk)
{
  guint64 size = virfs_qcow2_size (disk->qcow2), data = 0, hole = 0;
  int fd = create (f, name, size);

  while ((data = virfs_qcow2_next_data (disk->qcow2, hole)) < size) {
    hole = virfs_qcow2_next_hole (disk->qcow2, data);
    copy (fd, disk, disk_read_file, data, hole);
  }
  close (fd);
}

static void
write_raw (Fixture *f, const char *name, const Disk *disk)
{
  guint64 data = 0, hole = 0;
  int fd = create (f, name, disk_size (disk));

  while ((data = virfs_extents_next_data (disk->extents, hole)) < disk_size (disk)) {
    hole = virfs_extents_next_hole (disk->extents, data);
    copy (fd, disk, disk_read, data, hole);
  }
  close (fd);
}

/* QEMU finds no error and no leak, and what the disk had. */
static void
assert_qemu_agrees (Fixture *f, const char *name, const Disk *disk)
{
  g_autofree char *raw = g_strconcat (name, ".raw", NULL);

  write_raw (f, raw, disk);
  qemu_img (f, "check -f qcow2 %s", name);
  qemu_img (f, "compare -f qcow2 -F raw %s %s", name, raw);
}

/* It has the same size too. */
static void
assert_converts (Fixture *f, const char *name, const Disk *disk)
{
  g_autofree char *path = g_build_filename (f->dir, "converted", NULL), *bytes = NULL;
  gsize length;

  qemu_img (f, "convert -f qcow2 -O raw %s converted", name);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  g_assert_cmpuint (length, ==, (disk_size (disk) + 511) / 512 * 512);
  g_assert_cmpmem (bytes, disk_size (disk), disk->bytes, disk_size (disk));
}

/* OVERLAY, which is of DISK, becomes a part of FILE. */
static void
assert_commits (Fixture *f, const char *overlay, const char *file, const Disk *disk)
{
  qemu_img (f, "commit -f qcow2 %s", overlay);
  /* it grows a file that was smaller, and leaves the rest of one that was larger */
  qemu_img (f, "resize -q --shrink -f qcow2 %s %" G_GUINT64_FORMAT, file,
            (disk_size (disk) + 511) / 512 * 512);
  assert_qemu_agrees (f, file, disk);
}

/* A full file and two incremental ones: each by itself, merged by copying and merged in place. */
static void
assert_chain (Fixture *f, guint seed)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autoptr (Disk) mon = disk_random (rand, NULL, NULL);
  g_autoptr (Disk) tue = disk_random (rand, mon, "mon");
  g_autoptr (Disk) wed = disk_random (rand, tue, "tue");

  write_qcow2 (f, "mon", mon);
  write_qcow2 (f, "tue", tue);
  write_qcow2 (f, "wed", wed);
  assert_qemu_agrees (f, "mon", mon);
  assert_qemu_agrees (f, "tue", tue);
  assert_qemu_agrees (f, "wed", wed);
  assert_converts (f, "wed", wed);
  qemu_img (f, "convert -f qcow2 -O qcow2 wed merged");
  assert_qemu_agrees (f, "merged", wed);
  assert_commits (f, "wed", "tue", wed);
  assert_commits (f, "tue", "mon", wed);
}

static void
test_chains (Fixture *f, gconstpointer data)
{
  for (guint seed = 1000; seed < 1006; seed++)
    assert_chain (f, seed);
}

static void
test_sizes (Fixture *f, gconstpointer data)
{
  static const guint64 sizes[]
    = { 0, 1, 511, 512, 513, CLUSTER, CLUSTER - 1, 3 * MIB, CLUSTER + 1, 70000 };
  static const VirfsExtentKind kinds[] = { D, Z };

  for (guint i = 0; i < G_N_ELEMENTS (sizes) * G_N_ELEMENTS (kinds); i++) {
    guint64 size = sizes[i / G_N_ELEMENTS (kinds)];
    VirfsExtentKind kind = kinds[i % G_N_ELEMENTS (kinds)];
    g_autoptr (Disk) disk = disk_new (disk_spread_extents (size, 0, 0, D, kind), NULL);

    disk->bytes = g_malloc0 (size + 1);
    memset (disk->bytes, kind == D ? 'x' : 0, size);
    write_qcow2 (f, "disk", disk);
    assert_qemu_agrees (f, "disk", disk);
    assert_converts (f, "disk", disk);
  }
}

/* Several L2 tables, with gaps between them, of data and of zeroes. */
static void
test_large (Fixture *f, gconstpointer data)
{
  const guint64 size = 5 * GIB + 512, from = 700 * MIB, to = 3 * GIB + CLUSTER;
  g_autoptr (VirfsExtents) allocation = disk_spread_extents (size, 90, CLUSTER, D, Z);
  g_autoptr (VirfsExtents) dirty = virfs_extents_new ();
  g_autoptr (Disk) before = disk_new (disk_spread_extents (size, 60, 100 * KIB, D, Z), NULL);
  g_autoptr (Disk) change = NULL;
  g_autoptr (Disk) after = g_new0 (Disk, 1);

  virfs_extents_append (dirty, from, U);
  virfs_extents_append (dirty, to - from, D);
  virfs_extents_append (dirty, size - to, U);
  change = disk_new (virfs_extents_changed (allocation, dirty), "before");
  after->extents = virfs_extents_new ();
  for (guint64 at = 0; at < size; at += 4 * KIB) {
    const VirfsExtents *now = at < from || at >= to ? before->extents : allocation;

    virfs_extents_append (after->extents, MIN (4 * KIB, size - at),
                          virfs_extents_find (now, at)->kind);
  }
  write_qcow2 (f, "before", before);
  write_qcow2 (f, "change", change);
  assert_qemu_agrees (f, "before", before);
  assert_qemu_agrees (f, "change", after);
}

/* More clusters than a refcount block has refcounts; nobody looks at the data. */
static void
test_refcounts (Fixture *f, gconstpointer data)
{
  static const guint64 sizes[] = { 2 * GIB - 8 * CLUSTER, 2 * GIB - 7 * CLUSTER, 9 * GIB };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (Disk) disk = disk_new (disk_spread_extents (sizes[i], 0, 0, D, D), NULL);
    guint64 size = virfs_qcow2_size (disk->qcow2);
    int fd = create (f, "disk", size);

    copy (fd, disk, disk_read_file, 0, size - sizes[i]);
    close (fd);
    qemu_img (f, "check -f qcow2 disk");
  }
}

/* What QEMU reads from one cluster of FILE is what the disk has. */
static void
assert_qemu_reads (Fixture *f, const char *file, const Disk *disk, guint64 cluster)
{
  g_autofree char *path = g_build_filename (f->dir, "read", NULL), *bytes = NULL;
  g_autofree guint8 *expected = g_malloc (CLUSTER);
  gsize length;

  disk_read (disk, cluster * CLUSTER, CLUSTER, expected);
  qemu_img (f,
            "dd -f qcow2 -O raw bs=65536 skip=%" G_GUINT64_FORMAT " count=%" G_GUINT64_FORMAT
            " if=%s of=read",
            cluster, cluster + 1, file);
  g_assert_true (g_file_get_contents (path, &bytes, &length, NULL));
  g_assert_cmpmem (bytes, length, expected, CLUSTER);
}

static void
test_huge (Fixture *f, gconstpointer data)
{
  g_autoptr (Disk) disk = disk_new (disk_spread_extents (16 * TIB, 300, CLUSTER, D, Z), NULL);
  const guint64 every = 16 * TIB / 300 / CLUSTER;

  g_assert_cmpuint (virfs_qcow2_allocated (disk->qcow2), <, 300 * (CLUSTER + 4 * KIB) + MIB);
  write_qcow2 (f, "disk", disk);
  qemu_img (f, "check -f qcow2 disk");
  assert_qemu_reads (f, "disk", disk, 0);
  assert_qemu_reads (f, "disk", disk, 1);
  assert_qemu_reads (f, "disk", disk, every * 150);
  assert_qemu_reads (f, "disk", disk, every * 299 - 1);
  assert_qemu_reads (f, "disk", disk, every * 299);
  assert_qemu_reads (f, "disk", disk, 16 * TIB / CLUSTER - 1);
}

#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_autofree char *qemu_img = g_find_program_in_path ("qemu-img");

  if (qemu_img == NULL) {
    g_print ("skipped: there is no qemu-img\n");
    return 77; /* tells meson that a test was skipped */
  }
  g_test_init (&argc, &argv, NULL);
  ADD ("/qcow2/chains", test_chains);
  ADD ("/qcow2/sizes", test_sizes);
  ADD ("/qcow2/large", test_large);
  ADD ("/qcow2/refcounts", test_refcounts);
  ADD ("/qcow2/huge", test_huge);
  return g_test_run ();
}
