/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2 files that are made while they are read, held against a small reader of the format. */
#include "disk.h"

#include "error.h"

#include <malloc.h>
#include <string.h>

#define D VIRFS_EXTENT_DATA
#define Z VIRFS_EXTENT_ZERO
#define U VIRFS_EXTENT_UNCHANGED

#define ENTRIES (CLUSTER / 8)

static guint64
number (const Disk *disk, guint64 offset, guint size)
{
  guint8 bytes[8];
  guint64 value = 0;

  disk_read_file (disk, offset, size, bytes);
  for (guint i = 0; i < size; i++)
    value = value << 8 | bytes[i];
  /* whoever leaves holes out gets it too */
  g_assert_true (value == 0 || virfs_qcow2_next_data (disk->qcow2, offset) == offset);
  return value;
}

#define OFFSET_OF(entry) ((entry) & (((guint64) 1 << 56) - 512))

static guint64
l2_entry (const Disk *disk, guint64 cluster)
{
  guint64 l1 = number (disk, 40, 8), l2 = number (disk, l1 + cluster / ENTRIES * 8, 8);

  return l2 ? number (disk, OFFSET_OF (l2) + cluster % ENTRIES * 8, 8) : 0;
}

/* Cluster by cluster: in the file, said to be zero, or as in BEFORE. */
static void
assert_content (const Disk *disk, const Disk *before)
{
  guint64 old = before ? disk_size (before) : 0;

  for (guint64 at = 0; at < disk_size (disk); at += CLUSTER) {
    gsize length = MIN (CLUSTER, disk_size (disk) - at);
    g_autofree guint8 *content = g_malloc0 (CLUSTER);
    guint64 entry = l2_entry (disk, at / CLUSTER);

    if (entry == 0 && at < old)
      disk_read (before, at, MIN (length, old - at), content);
    else if (entry > 1)
      disk_read_file (disk, OFFSET_OF (entry), CLUSTER, content);
    g_assert_cmpmem (content, length, disk->bytes + at, length);
    for (gsize i = length; entry > 1 && i < CLUSTER; i++)
      g_assert_cmpuint (content[i], ==, 0);
  }
}

/* Counts one more user of the cluster that ENTRY points to, if it does. */
static void
use (guint8 *users, guint64 clusters, guint64 entry)
{
  guint64 offset = OFFSET_OF (entry);

  g_assert_cmpuint (offset % CLUSTER, ==, 0);
  g_assert_cmpuint (offset / CLUSTER, <, clusters);
  if (offset != 0)
    users[offset / CLUSTER]++;
}

/* The same for an entry of an L1 or L2 table, which says that it is the only one. */
static void
use_alone (guint8 *users, guint64 clusters, guint64 entry)
{
  use (users, clusters, entry);
  g_assert_cmpuint (entry >> 63, ==, OFFSET_OF (entry) != 0);
}

/* Each cluster of the file has one user, and the refcounts say so. */
static void
assert_refcounts (const Disk *disk)
{
  guint64 clusters = virfs_qcow2_size (disk->qcow2) / CLUSTER;
  guint64 l1 = number (disk, 40, 8), l1_size = number (disk, 36, 4);
  guint64 refcounts = number (disk, 48, 8), tables = number (disk, 56, 4);
  g_autofree guint8 *users = g_malloc0 (clusters);

  users[0]++;
  for (guint64 i = 0; i < tables; i++)
    use (users, clusters, refcounts + i * CLUSTER);
  for (guint64 i = 0; i < tables * ENTRIES; i++)
    use (users, clusters, number (disk, refcounts + i * 8, 8));
  for (guint64 i = 0; i < l1_size; i += ENTRIES)
    use (users, clusters, l1 + i * 8);
  for (guint64 i = 0; i < l1_size; i++)
    use_alone (users, clusters, number (disk, l1 + i * 8, 8));
  for (guint64 at = 0; at < disk_size (disk); at += CLUSTER)
    use_alone (users, clusters, l2_entry (disk, at / CLUSTER));
  for (guint64 i = 0; i < clusters; i++) {
    guint64 block = number (disk, refcounts + i / (CLUSTER / 2) * 8, 8);

    g_assert_cmpuint (users[i], ==, 1);
    g_assert_cmpuint (number (disk, block + i % (CLUSTER / 2) * 2, 2), ==, 1);
  }
}

/* Pieces of any size in any order are those of the whole. */
static void
assert_pieces (const Disk *disk, GRand *rand)
{
  guint64 size = virfs_qcow2_size (disk->qcow2);
  g_autofree guint8 *whole = g_malloc (size), *piece = g_malloc (size);

  disk_read_file (disk, 0, size, whole);
  for (guint i = 0; i < 30; i++) {
    guint64 offset = g_rand_int_range (rand, 0, size);
    guint64 length = g_rand_int_range (rand, 0, i % 2 ? 20 : size - offset) + 1;

    length = MIN (length, size - offset);
    disk_read_file (disk, offset, length, piece);
    g_assert_cmpmem (piece, length, whole + offset, length);
  }
}

/* What is said to be a hole is zero, and of the tables nothing else is. */
static void
assert_holes (const Disk *disk)
{
  static const guint8 zeroes[4096];
  guint64 size = virfs_qcow2_size (disk->qcow2), hole = 0, allocated = 0, guest;
  guint8 block[sizeof zeroes];
  gboolean is_data;

  for (guint64 data = 0; hole < size; allocated += hole - data) {
    data = virfs_qcow2_next_data (disk->qcow2, hole);
    for (guint64 at = hole; at < data; at += sizeof block) {
      g_assert_cmpuint (virfs_qcow2_next_hole (disk->qcow2, at), ==, at);
      disk_read_file (disk, at, sizeof block, block);
      g_assert_cmpmem (block, sizeof block, zeroes, sizeof zeroes);
    }
    hole = virfs_qcow2_next_hole (disk->qcow2, data);
    for (guint64 at = data; at < hole; at += sizeof block) {
      g_assert_cmpuint (virfs_qcow2_next_data (disk->qcow2, at), ==, at);
      virfs_qcow2_at (disk->qcow2, at, 1, &is_data, &guest);
      if (is_data)
        break;
      disk_read_file (disk, at, sizeof block, block);
      g_assert_true (memcmp (block, zeroes, sizeof block) != 0);
    }
  }
  g_assert_cmpuint (virfs_qcow2_allocated (disk->qcow2), ==, allocated);
}

static void
test_random (void)
{
  for (guint seed = 0; seed < 300; seed++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
    g_autoptr (Disk) full = disk_random (rand, NULL, NULL);
    g_autoptr (Disk) later = disk_random (rand, full, "full.qcow2");
    Disk *both[] = { full, later };

    for (guint i = 0; i < G_N_ELEMENTS (both); i++) {
      assert_content (both[i], i ? both[i - 1] : NULL);
      assert_refcounts (both[i]);
      assert_pieces (both[i], rand);
      assert_holes (both[i]);
    }
  }
}

/* Dozens of L2 tables, most of them far from each other. */
static void
test_tables (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  g_autoptr (Disk) data = disk_new (disk_spread_extents (60 * GIB, 25, MIB, D, Z), NULL);
  g_autoptr (Disk) zeroes = disk_new (disk_spread_extents (60 * GIB, 40, 700 * MIB, Z, U), "x");

  assert_refcounts (data);
  assert_pieces (data, rand);
  assert_holes (data);
  assert_refcounts (zeroes);
  assert_pieces (zeroes, rand);
  assert_holes (zeroes);
}

/* With a backing file each change is told; without one all is data that is not known to be zero. */
static void
test_kinds (void)
{
  static const guint64 entries[2][3] = { { 2, 1, 0 }, { 2, 0, 2 } }; /* 2: data */
  static const VirfsExtentKind kinds[] = { D, Z, U };

  for (guint i = 0; i < G_N_ELEMENTS (entries); i++) {
    VirfsExtents *extents = virfs_extents_new ();
    g_autoptr (Disk) disk = NULL;

    for (guint j = 0; j < G_N_ELEMENTS (kinds); j++)
      virfs_extents_append (extents, CLUSTER, kinds[j]);
    disk = disk_new (extents, i == 0 ? "x" : NULL);
    for (guint j = 0; j < G_N_ELEMENTS (kinds); j++)
      g_assert_cmpuint (MIN (l2_entry (disk, j), 2), ==, entries[i][j]);
  }
}

/* Whoever reads the file from its beginning to its end reads the disk so. */
static void
test_sequential (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (Disk) disk = disk_new (disk_random_extents (rand, 4 * GIB, 3), "x");
  guint64 size = virfs_qcow2_size (disk->qcow2), last = 0, guest = 0;
  gboolean is_data, was_data = FALSE;
  gsize n;

  for (guint64 at = 0; at < size; at += n) {
    n = virfs_qcow2_at (disk->qcow2, at, G_MAXSIZE, &is_data, &guest);
    g_assert_true (is_data || !was_data); /* the disk ends with a cluster */
    if (is_data) {
      g_assert_cmpuint (guest, >=, last);
      g_assert_true (!was_data || guest != last); /* else it would have been one piece */
      last = guest + n;
    }
    was_data = is_data;
  }
  g_assert_true (was_data);
  g_assert_cmpuint (last, <=, 4 * GIB);
  g_assert_cmpuint (virfs_qcow2_at (disk->qcow2, size, 1, &is_data, &guest), ==, 0);
  g_assert_cmpuint (virfs_qcow2_at (disk->qcow2, G_MAXUINT64, 1, &is_data, &guest), ==, 0);
}

/* What the header of the interface says of its size. */
static void
test_overhead (void)
{
  /* 13 MiB in each 512 MiB */
  g_autoptr (Disk) dense = disk_new (disk_spread_extents (20 * GIB, 40, 13 * MIB, D, U), "x");
  /* a change of 8 clusters in each 32 MiB */
  g_autoptr (Disk) sparse = disk_new (disk_spread_extents (20 * GIB, 640, 8 * CLUSTER, D, U), "x");
  g_autoptr (Disk) none = disk_new (disk_spread_extents (20 * GIB, 0, 0, D, U), "x");

  g_assert_cmpuint (virfs_qcow2_size (dense->qcow2), <, 40 * 13 * MIB * 101 / 100);
  g_assert_cmpuint (virfs_qcow2_allocated (sparse->qcow2), <, 640 * 8 * CLUSTER * 101 / 100);
  g_assert_cmpuint (virfs_qcow2_size (none->qcow2), ==, 4 * CLUSTER);
  g_assert_cmpuint (virfs_qcow2_allocated (none->qcow2), ==, 3 * 4 * KIB);
}

/* 16 TiB full of data, and discarded as a whole: too much to look at more than some of it. */
static void
test_whole (void)
{
  const guint64 clusters = 16 * TIB / CLUSTER;
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);
  g_autoptr (Disk) full = disk_new (disk_spread_extents (16 * TIB, 0, 0, D, D), NULL);
  g_autoptr (Disk) discarded = disk_new (disk_spread_extents (16 * TIB, 0, 0, D, Z), "x");
  guint64 size = virfs_qcow2_size (full->qcow2), data = size - 16 * TIB;
  guint64 refcounts = number (full, 48, 8);

  g_assert_cmpuint (number (full, 56, 4), ==, 2); /* clusters of the refcount table */
  for (guint i = 0; i < 1000; i++) {
    guint64 cluster = i ? g_rand_double (rand) * clusters : clusters - 1;
    guint64 in_file = (data / CLUSTER) + cluster;
    guint64 block = number (full, refcounts + in_file / (CLUSTER / 2) * 8, 8);

    g_assert_cmpuint (l2_entry (full, cluster), ==, (data + cluster * CLUSTER) | (guint64) 1 << 63);
    g_assert_cmpuint (number (full, block + in_file % (CLUSTER / 2) * 2, 2), ==, 1);
    g_assert_cmpuint (l2_entry (discarded, cluster), ==, 1);
  }
}

static void
test_refused (void)
{
  static const char *const cases[][2]
    = { { "", "raw" }, { "x", "" }, { "x", NULL }, { "x", "sixteen letters." } };
  g_autofree char *name = g_strnfill (1023, 'x'), *longer = g_strnfill (1024, 'x');
  g_autoptr (VirfsExtents) extents = disk_spread_extents (MIB, 1, CLUSTER, D, Z);
  g_autoptr (VirfsExtents) huge = disk_spread_extents (1024 * TIB + 1, 1, CLUSTER, D, Z);
  g_autoptr (VirfsQcow2) longest = virfs_qcow2_new (extents, name, "fifteen letters", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (longest);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_assert_null (virfs_qcow2_new (extents, cases[i][0], cases[i][1], &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
    g_clear_error (&error);
  }
  g_assert_null (virfs_qcow2_new (extents, longer, "raw", &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_null (virfs_qcow2_new (huge, NULL, NULL, &error));
  g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED);
}

static gsize
memory_in_use (void)
{
  struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

/* What the file of a disk of SIZE bytes takes that has data in a thousand places. */
static gsize
memory_of (guint64 size)
{
  g_autoptr (VirfsExtents) extents = disk_spread_extents (size, 1000, CLUSTER, D, Z);
  gsize before = memory_in_use (), after;
  g_autoptr (VirfsQcow2) qcow2 = virfs_qcow2_new (extents, NULL, NULL, NULL);

  after = memory_in_use ();
  g_assert_nonnull (qcow2);
  return after - before;
}

static void
test_memory (void)
{
  gsize small, large;

  if (memory_in_use () == 0) {
    g_test_skip ("this build's malloc does not say what is in use");
    return;
  }
  small = memory_of (TIB); /* each place has an L2 table of its own */
  large = memory_of (16 * TIB);
  g_test_message ("%" G_GSIZE_FORMAT " bytes for 1 TiB, %" G_GSIZE_FORMAT " for 16 TiB", small,
                  large);
  g_assert_cmpuint (small, >, 0);
  g_assert_cmpuint (large, <, small + small / 10);
  g_assert_cmpuint (large, <, 1000 * 150);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/qcow2/random", test_random);
  g_test_add_func ("/qcow2/tables", test_tables);
  g_test_add_func ("/qcow2/kinds", test_kinds);
  g_test_add_func ("/qcow2/sequential", test_sequential);
  g_test_add_func ("/qcow2/overhead", test_overhead);
  g_test_add_func ("/qcow2/whole", test_whole);
  g_test_add_func ("/qcow2/refused", test_refused);
  g_test_add_func ("/qcow2/memory", test_memory);
  return g_test_run ();
}
