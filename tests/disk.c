/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks that tests make up. */
#include "disk.h"

#include <string.h>

void
disk_free (Disk *disk)
{
  g_free (disk->bytes);
  virfs_extents_free (disk->extents);
  virfs_qcow2_free (disk->qcow2);
  g_free (disk);
}

Disk *
disk_new (VirfsExtents *extents, const char *backing_file)
{
  Disk *disk = g_new0 (Disk, 1);
  g_autoptr (GError) error = NULL;

  disk->extents = extents;
  disk->qcow2 = virfs_qcow2_new (extents, backing_file, backing_file ? "qcow2" : NULL, &error);
  g_assert_no_error (error);
  return disk;
}

guint64
disk_size (const Disk *disk)
{
  return virfs_extents_size (disk->extents);
}

/* Never zero, and another every 251 bytes. */
static guint8
pattern (guint64 offset)
{
  return 1 + (offset + offset / CLUSTER) % 251;
}

void
disk_read (const Disk *disk, guint64 offset, gsize length, guint8 *buffer)
{
  g_assert_cmpuint (offset + length, <=, disk_size (disk));
  if (disk->bytes != NULL) {
    memcpy (buffer, disk->bytes + offset, length);
    return;
  }
  for (guint64 end = offset + length, next; offset < end; offset = next) {
    const VirfsExtent *extent = virfs_extents_find (disk->extents, offset);

    for (next = MIN (end, extent->start + extent->length); offset < next; offset++)
      *buffer++ = extent->kind == VIRFS_EXTENT_DATA ? pattern (offset) : 0;
  }
}

void
disk_read_file (const Disk *disk, guint64 offset, gsize length, guint8 *buffer)
{
  while (length > 0) {
    gboolean is_data;
    guint64 guest = 0;
    gsize n = virfs_qcow2_at (disk->qcow2, offset, length, &is_data, &guest);

    g_assert_cmpuint (n, >, 0);
    g_assert_cmpuint (n, <=, length);
    if (is_data)
      disk_read (disk, guest, n, buffer);
    else
      virfs_qcow2_fill (disk->qcow2, offset, n, buffer);
    offset += n;
    length -= n;
    buffer += n;
  }
}

VirfsExtents *
disk_random_extents (GRand *rand, guint64 size, guint kinds)
{
  static const guint64 units[] = { 1, 512, 4096, CLUSTER };
  guint64 unit = units[g_rand_int_range (rand, 0, G_N_ELEMENTS (units))];
  guint64 most = g_rand_int_range (rand, CLUSTER / 2, 4 * CLUSTER) / unit;
  VirfsExtents *extents = virfs_extents_new ();

  while (virfs_extents_size (extents) < size) {
    guint64 length = unit * g_rand_int_range (rand, 1, MAX (most, 1) + 1);

    virfs_extents_append (extents, MIN (length, size - virfs_extents_size (extents)),
                          g_rand_int_range (rand, 0, kinds));
  }
  return extents;
}

/* What a disk is after what its extents say has happened to BEFORE (NULL: to nothing). */
static guint8 *
random_bytes (GRand *rand, const VirfsExtents *extents, const Disk *before)
{
  guint64 size = virfs_extents_size (extents), old = before ? disk_size (before) : 0;
  guint8 *bytes = g_malloc0 (size + 1);
  guint8 salt = g_rand_int_range (rand, 0, 256);
  gsize n;
  const VirfsExtent *list = virfs_extents_list (extents, &n);

  for (gsize i = 0; i < n; i++)
    for (guint64 at = list[i].start; at < list[i].start + list[i].length; at++)
      if (list[i].kind == VIRFS_EXTENT_DATA)
        bytes[at] = pattern (at) ^ salt;
      else if (list[i].kind == VIRFS_EXTENT_UNCHANGED && at < old)
        bytes[at] = before->bytes[at];
  return bytes;
}

Disk *
disk_random (GRand *rand, const Disk *before, const char *backing_file)
{
  guint64 size = before ? (disk_size (before) + 511) / 512 * 512
                        : (guint64) g_rand_int_range (rand, 0, 40 * CLUSTER);
  Disk *disk;

  if (before != NULL && g_rand_boolean (rand))
    size = 512 * g_rand_int_range (rand, 0, 40 * CLUSTER / 512);
  disk = disk_new (disk_random_extents (rand, size, before ? 3 : 2), backing_file);
  disk->bytes = random_bytes (rand, disk->extents, before);
  return disk;
}

VirfsExtents *
disk_spread_extents (guint64 size, guint n, guint64 length, VirfsExtentKind kind,
                     VirfsExtentKind rest)
{
  VirfsExtents *extents = virfs_extents_new ();

  for (guint i = 0; i < n; i++) {
    guint64 start = size / n / CLUSTER * CLUSTER * i;

    virfs_extents_append (extents, start - virfs_extents_size (extents), rest);
    virfs_extents_append (extents, length, kind);
  }
  virfs_extents_append (extents, size - virfs_extents_size (extents), rest);
  return extents;
}
