/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images/<file>.d/files/: the files of a guest that an image has. */
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

/* VOLUME and what it is based on; FALSE: CALL has failed. */
static gboolean
add_chain (VirfsCall *call, VirfsPart *volume, VirfsFilesDisk *disk)
{
  VirfsHost *host = (VirfsHost *) virfs_part_root (volume);
  g_autoptr (VirfsPart) part = virfs_object_ref (volume);

  for (guint i = 0; part != NULL && i < CHAIN_MOST; i++) {
    g_autoptr (VirfsPartInfo) info = virfs_part_info (part);
    const VirfsVolumeInfo *known = (VirfsVolumeInfo *) info;
    g_autofree char *file = virfs_infra_backend (part->object.infra)->volume_file (part);
    VirfsPart *below = NULL;

    if (file == NULL) {
      virfs_call_fail (
        call, VIRFS_ERROR_UNSUPPORTED,
        "the file of %s cannot be reached from here, or has changed since its pool was"
        " looked at (write refresh to the ctl of that)",
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
    virfs_object_unref (part);
    part = below;
  }
  return TRUE;
}

static void
make_files (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  const VirfsImageInfo *info = dir->snapshot;
  g_autoptr (GPtrArray) disks
    = g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_files_disk_free);
  VirfsFilesDisk *disk = virfs_files_disk_new ("sda", NULL);
  VirfsPart *volume = info->volumes->len > 0 ? info->volumes->pdata[0] : NULL;

  g_ptr_array_add (disks, disk);
  if (!g_str_equal (name, VIRFS_FILES))
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED, "only " VIRFS_FILES " can be made here");
  else if (volume == NULL)
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "the image is being written");
  else if (is_idle (call, volume) && add_chain (call, volume, disk))
    virfs_guest_files_make (call, dir, (VirfsHost *) virfs_part_root (volume), disks);
}

const VirfsDir virfs_image_about_dir = {
  .list = virfs_guest_files_list,
  .find = virfs_guest_files_find,
  .make = make_files,
  .remove = virfs_guest_files_remove,
};
