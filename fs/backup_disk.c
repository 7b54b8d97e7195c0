/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disks of a backup: vms/<vm>/backups/<backup>/<disk>.raw and its like, which are files to be
 * copied, and nbd/<disk>/ for those who speak NBD.
 */
#include "backup.h"

#include "files_dir.h"
#include "part_class.h"

#include <string.h>

const VirfsDir virfs_backup_disks_dir = { .list = virfs_part_list, .find = virfs_part_find };

/* The files. */

static VirfsDiskView *
view_of (const VirfsNode *node)
{
  return ((const VirfsBackupDiskInfo *) node->snapshot)->view;
}

static VirfsContent *
open_view (const VirfsNode *node, VirfsViewFormat format, GError **error)
{
  VirfsDiskView *view = view_of (node);

  if (view != NULL)
    return virfs_disk_view_open (view, format);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED, "this disk cannot be read from here");
  return NULL;
}

static VirfsContent *
open_raw (const VirfsNode *node, GError **error)
{
  return open_view (node, VIRFS_VIEW_RAW, error);
}

static gsize
size_of_raw (const VirfsNode *node)
{
  return view_of (node) ? virfs_disk_view_size (view_of (node), VIRFS_VIEW_RAW) : 0;
}

static guint64
allocated_of_raw (const VirfsNode *node)
{
  return view_of (node) ? virfs_disk_view_allocated (view_of (node), VIRFS_VIEW_RAW) : 0;
}

static VirfsContent *
open_qcow2 (const VirfsNode *node, GError **error)
{
  return open_view (node, VIRFS_VIEW_QCOW2, error);
}

static gsize
size_of_qcow2 (const VirfsNode *node)
{
  return view_of (node) ? virfs_disk_view_size (view_of (node), VIRFS_VIEW_QCOW2) : 0;
}

static guint64
allocated_of_qcow2 (const VirfsNode *node)
{
  return view_of (node) ? virfs_disk_view_allocated (view_of (node), VIRFS_VIEW_QCOW2) : 0;
}

/* The map: a line for each extent, `START LENGTH KIND`, that the qcow2 file has. */

static const VirfsExtent *
extents_of (const VirfsNode *node, gsize *n)
{
  *n = 0;
  return view_of (node) ? virfs_extents_list (virfs_disk_view_extents (view_of (node)), n) : NULL;
}

static const char *
kind_name (const VirfsNode *node, VirfsExtentKind kind)
{
  const VirfsBackupDiskInfo *disk = node->snapshot;

  if (kind == VIRFS_EXTENT_DATA)
    return "data";
  return kind == VIRFS_EXTENT_ZERO && disk->bitmap != NULL ? "zero" : NULL;
}

static gsize
digits (guint64 number)
{
  gsize n = 1;

  while (number >= 10) {
    number /= 10;
    n++;
  }
  return n;
}

static gsize
size_of_map (const VirfsNode *node)
{
  gsize n, size = 0;
  const VirfsExtent *extents = extents_of (node, &n);

  for (gsize i = 0; i < n; i++) {
    const char *kind = kind_name (node, extents[i].kind);

    if (kind != NULL)
      size += digits (extents[i].start) + digits (extents[i].length) + strlen (kind) + 3;
  }
  return size;
}

static VirfsContent *
open_map (const VirfsNode *node, GError **error)
{
  GString *text = g_string_new (NULL);
  gsize n;
  const VirfsExtent *extents = extents_of (node, &n);

  for (gsize i = 0; i < n; i++) {
    const char *kind = kind_name (node, extents[i].kind);

    if (kind != NULL)
      g_string_append_printf (text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %s\n",
                              extents[i].start, extents[i].length, kind);
  }
  return virfs_content_new_bytes (g_string_free_to_bytes (text));
}

/* nbd/<disk>/ */

static void
show_changed (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "%" G_GUINT64_FORMAT "\n",
                          virfs_backup_disk_changed (node->snapshot));
}

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, Type, member)                                                        \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (Type, member)
#define READ  S_IFREG | 0440, .fields =
#define IMAGE S_IFREG | 0440, VIRFS_ROW_PRIVATE, .fields = F (CONFIG)
#define FILES "/vms/<vm>/backups/<backup>/<disk>"

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a disk of a backup" },
  { "size", READ SHOW (virfs_show_u64, CONFIG, VirfsBackupDiskInfo, size),
    .help = "bytes that the guest sees" },
  { "changed", READ F (CONFIG), .show = show_changed,
    .help = "bytes that have changed since the parent; in a full one, those that are data" },
  { "uri", READ SHOW (virfs_show_text, CONFIG, VirfsBackupDiskInfo, uri),
    .help = "where an NBD client finds it, as in nbdcopy $(cat uri) vda.raw" },
  { "bitmap", READ SHOW (virfs_show_text, CONFIG, VirfsBackupDiskInfo, bitmap),
    .help = "name of the dirty bitmap that tells what has changed; nothing: it is full" },
  { FILES ".raw", IMAGE, .open = open_raw, .size = size_of_raw, .allocated = allocated_of_raw,
    .help = "a disk as it was in that instant; what is empty is a hole" },
  { FILES ".qcow2", IMAGE, .open = open_qcow2, .size = size_of_qcow2,
    .allocated = allocated_of_qcow2,
    .help = "the same as a qcow2 file; with a parent, what has changed since, upon the parent's" },
  { FILES ".map", IMAGE, .open = open_map, .size = size_of_map,
    .help = "what the qcow2 file has: lines of start and length, bytes, and data or zero" },
};

VirfsClass virfs_backup_disk_files = {
  .path = "vms/<vm>/backups/<backup>/nbd/<disk>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};

/* Where the files are listed. */

static const char *
suffix_of (const VirfsRow *row)
{
  return *row->path == '/' ? strrchr (row->path, '.') : NULL;
}

char *
virfs_backup_file_path (const VirfsNode *node)
{
  const VirfsPart *disk = node->object;
  g_autofree char *backup = virfs_object_path (disk->owner);

  return g_strconcat (backup, "/", disk->label, suffix_of (node->row), NULL);
}

static void
list_disk (const VirfsPart *disk, VirfsListing *listing)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const char *suffix = suffix_of (&rows[i]);
    g_autofree char *name = suffix ? g_strconcat (disk->label, suffix, NULL) : NULL;

    if (name != NULL)
      virfs_listing_add (
        listing, name, virfs_inode (&virfs_backup_disk_files, disk->object.id, &rows[i]), S_IFREG);
  }
}

static VirfsPart *
disk_in (const VirfsNode *backup, const char *label)
{
  return virfs_infra_part (virfs_node_infra (backup), backup->object, &virfs_backup_disk_class,
                           label);
}

static void
list_files (const VirfsNode *dir, VirfsListing *listing)
{
  GPtrArray *disks = ((const VirfsPartInfo *) dir->snapshot)->parts;

  for (guint i = 0; disks && i < disks->len; i++) {
    const VirfsPartInfo *info = disks->pdata[i];
    g_autofree char *label = virfs_part_label (info->class, info->name);
    g_autoptr (VirfsPart) disk = disk_in (dir, label);

    if (disk != NULL)
      list_disk (disk, listing);
  }
  virfs_guest_files_list (dir, listing);
}

static guint64
find_file (const VirfsNode *dir, const char *name)
{
  const char *dot = strrchr (name, '.');
  g_autofree char *label = dot ? g_strndup (name, dot - name) : NULL;
  g_autoptr (VirfsPart) disk = label ? disk_in (dir, label) : NULL;

  for (guint i = 0; disk && i < G_N_ELEMENTS (rows); i++)
    if (g_strcmp0 (suffix_of (&rows[i]), dot) == 0)
      return virfs_inode (&virfs_backup_disk_files, disk->object.id, &rows[i]);
  return virfs_guest_files_find (dir, name);
}

/* The guest's files, from its disks. */

static void
make_files (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (GPtrArray) disks
    = g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_files_disk_free);
  GPtrArray *infos = ((const VirfsPartInfo *) dir->snapshot)->parts;
  g_autoptr (VirfsHost) host = NULL;

  if (!g_str_equal (name, VIRFS_FILES)) {
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED, "only " VIRFS_FILES " can be made here");
    return;
  }
  for (guint i = 0; infos && i < infos->len; i++) {
    const VirfsBackupDiskInfo *disk = infos->pdata[i];

    if (disk->uri != NULL)
      g_ptr_array_add (
        disks, virfs_files_disk_new (disk->part.name, disk->uri, disk->certificates));
  }
  host = virfs_part_host (dir);
  virfs_guest_files_make (call, dir, host, disks);
}

const VirfsDir virfs_backup_images_dir = {
  .list = list_files, .find = find_file, .make = make_files, .remove = virfs_guest_files_remove
};
