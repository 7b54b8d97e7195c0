/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a guest is in an image: images/<file>.d/files/, its files, and os/, what is installed. */
#include "access.h"
#include "files_dir.h"
#include "image.h"
#include "image_files.h"
#include "pool.h"
#include "use.h"

/* As long as anybody's chain of backing files is. */
#define CHAIN_MOST 100

static gboolean
is_idle (VirfsCall *call, VirfsPart *volume)
{
  g_autoptr (GPtrArray) users = virfs_volume_users (volume);
  const VirfsUser *user = virfs_users_active (volume->object.infra, users);

  if (user != NULL)
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "%s runs and writes to it: its files are in a backup of it, or here when it is"
                     " shut off",
                     user->path);
  return user == NULL;
}

/* What an image is based on may be another's: BELOW is read, too. */
static gboolean
may_look_into (VirfsCall *call, VirfsPart *below)
{
  g_autoptr (VirfsImage) image = virfs_volume_image (below);
  g_autoptr (GError) error = NULL;

  if (virfs_access_check_volume (call, below, VIRFS_MAY_READ, &error)
      && (image == NULL || virfs_access_check (call, image, VIRFS_MAY_READ, &error)))
    return is_idle (call, below);
  virfs_call_finish (call, error);
  return FALSE;
}

/* Where the host alone has the file of IMAGE, it is read as everybody reads it: in the mount.  FALSE: it is
 * based on another, which is not there. */
static gboolean
add_mounted (VirfsCall *call, VirfsImage *image, const VirfsVolumeInfo *known, VirfsFilesDisk *disk)
{
  g_autofree char *path = virfs_object_path (image);
  g_autofree char *file = virfs_call_mounted (call, path);

  if (known->backing != NULL)
    return FALSE;
  virfs_files_disk_add (disk, file, known->format);
  return TRUE;
}

/* VOLUME of IMAGE and what it is based on; FALSE: CALL has failed. */
static gboolean
add_chain (VirfsCall *call, VirfsImage *image, VirfsPart *volume, VirfsFilesDisk *disk)
{
  VirfsHost *host = (VirfsHost *) virfs_part_root (volume);
  g_autoptr (VirfsPart) part = virfs_object_ref (volume);

  for (guint i = 0; part != NULL && i < CHAIN_MOST; i++) {
    g_autoptr (VirfsPartInfo) info = virfs_part_info (part);
    const VirfsVolumeInfo *known = (VirfsVolumeInfo *) info;
    g_autofree char *file = virfs_infra_backend (part->object.infra)->volume_file (part);
    VirfsPart *below = NULL;

    if (file == NULL && i == 0 && add_mounted (call, image, known, disk))
      return TRUE;
    if (file == NULL) {
      virfs_call_fail (call, VIRFS_ERROR_UNSUPPORTED,
                       "the file of %s cannot be reached from here, and only what is based on "
                       "nothing can be looked"
                       " into then; or it has changed since its pool was looked at (write refresh "
                       "to the ctl of that)",
                       part->name);
      return FALSE;
    }
    virfs_files_disk_add (disk, file, known->format);
    if (known->backing != NULL)
      below = virfs_volume_find (host, NULL, known->backing, NULL);
    if (known->backing != NULL && below == NULL) {
      virfs_call_fail (call, VIRFS_ERROR_PERMITTED,
                       "%s is based on %s, which is no volume of a pool", part->name,
                       known->backing);
      return FALSE;
    }
    if (below != NULL && !may_look_into (call, below)) {
      virfs_object_unref (below);
      return FALSE;
    }
    virfs_object_unref (part);
    part = below;
  }
  return TRUE;
}

/* What DIR, of an image, leads to: the disks of a guest, which the caller owns, and the host that they are on.
 * NULL: CALL has failed. */
static GPtrArray *
disks_of (VirfsCall *call, const VirfsNode *dir, VirfsHost **host)
{
  const VirfsImageInfo *info = dir->snapshot;
  g_autoptr (GPtrArray) disks
    = g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_files_disk_free);
  VirfsFilesDisk *disk = virfs_files_disk_new ("sda", NULL, NULL);
  VirfsPart *volume = info->volumes->len > 0 ? info->volumes->pdata[0] : NULL;

  g_ptr_array_add (disks, disk);
  if (volume == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "the image is being written");
    return NULL;
  }
  if (!is_idle (call, volume) || !add_chain (call, dir->object, volume, disk))
    return NULL;
  *host = (VirfsHost *) virfs_part_root (volume);
  return g_steal_pointer (&disks);
}

static void
make_files (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (GPtrArray) disks = NULL;
  VirfsHost *host;

  if (!g_str_equal (name, VIRFS_FILES))
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED, "only " VIRFS_FILES " can be made here");
  else if ((disks = disks_of (call, dir, &host)) != NULL)
    virfs_guest_files_make (call, dir, host, disks);
}

const VirfsDir virfs_image_about_dir = {
  .list = virfs_guest_files_list,
  .find = virfs_guest_files_find,
  .make = make_files,
  .remove = virfs_guest_files_remove,
};

/* What is installed. */

static const VirfsOs *
os_of (const VirfsNode *node)
{
  return ((const VirfsImageInfo *) node->snapshot)->os;
}

void
virfs_show_inspect (const VirfsNode *node, GString *out)
{
  g_string_append (out, os_of (node) ? "1\n" : "0\n");
}

static void
note_os (gpointer image, VirfsOs *os)
{
  virfs_image_note_os (image, os);
}

/* Forgetting waits for the disk. */
typedef struct {
  VirfsCall *call;
  VirfsImage *image; /* a reference */
} Forgetting;

static gpointer
forget (gpointer data)
{
  g_autofree Forgetting *forgetting = data;

  virfs_image_note_os (forgetting->image, NULL);
  virfs_object_unref (forgetting->image);
  virfs_call_finish (forgetting->call, NULL);
  return NULL;
}

void
virfs_store_inspect (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  g_autoptr (GPtrArray) disks = NULL;
  Forgetting *forgetting;
  VirfsHost *host;

  if (!value) {
    forgetting = g_new (Forgetting, 1);
    *forgetting = (Forgetting){ call, virfs_object_ref (node->object) };
    g_thread_unref (g_thread_new ("virfs-inspect", forget, forgetting));
  } else if ((disks = disks_of (call, node, &host)) != NULL) {
    virfs_guest_files_inspect (call, node, host, disks, note_os);
  }
}

void
virfs_show_os (const VirfsNode *node, GString *out)
{
  const VirfsOs *os = os_of (node);
  const char *text = os ? *(char *const *) ((const char *) os + node->row->offset) : NULL;

  if (text != NULL)
    g_string_append_printf (out, "%s\n", text);
}

static const VirfsBlob *
list_of (const VirfsNode *node)
{
  const VirfsOs *os = os_of (node);

  return os ? *(VirfsBlob *const *) ((const char *) os + node->row->offset) : NULL;
}

void
virfs_show_os_list (const VirfsNode *node, GString *out)
{
  virfs_blob_append (list_of (node), out);
}

gsize
virfs_size_of_os_list (const VirfsNode *node)
{
  return virfs_blob_size (list_of (node));
}
