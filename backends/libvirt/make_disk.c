/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes that are made for a guest. */
#include "make_disk.h"

#include "connection.h"
#include "copy.h"
#include "error.h"
#include "fail.h"
#include "inventory.h"
#include "storage.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

static const VirfsDraftInfo *
info_of (LvMaking *making)
{
  return making->creation->info;
}

static const char *
host_name (LvMaking *making)
{
  return making->task->link->connection->name;
}

/* The model shows what there is now. */
static void
tell (LvMaking *making, virStorageVolPtr volume, gboolean there)
{
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByVolume (volume));

  if (pool != NULL)
    lv_inventory_refresh (making->task->link, making->task->here.conn, virStoragePoolGetName (pool),
                          there ? virStorageVolGetName (volume) : NULL);
}

/* Notes. */

static char *
note_of (LvMaking *making, virStorageVolPtr volume)
{
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByVolume (volume));

  return g_strdup_printf ("%s\t%s\t%s", host_name (making),
                          pool ? virStoragePoolGetName (pool) : "", virStorageVolGetName (volume));
}

static void
forget (LvMaking *making, const char *line)
{
  VirfsPart *draft = making->creation->draft;

  virfs_infra_forget_made (draft->object.infra, draft, line);
}

static gboolean
note (LvMaking *making, const char *pool, const char *name, GError **error)
{
  g_autofree char *line = g_strdup_printf ("%s\t%s\t%s", host_name (making), pool, name);
  VirfsPart *draft = making->creation->draft;

  return virfs_infra_note_made (draft->object.infra, draft, line, error);
}

/* What the host still copies although nobody waits for it (virfs was killed) can only be waited for, and
 * there is no event for its end. */
static gboolean
delete_when_done (LvTask *task, virStorageVolPtr volume, GError **error)
{
  gint64 pause = G_TIME_SPAN_SECOND / 10;

  while (LV (virStorageVolDelete (volume, 0)) < 0) {
    g_autoptr (GError) refusal = NULL;

    lv_fail (&refusal, "cannot remove %s, which an earlier attempt left", lv_volume_name (volume));
    if (!g_error_matches (refusal, VIRFS_ERROR, VIRFS_ERROR_BUSY) || lv_task_is_cancelled (task)) {
      g_propagate_error (error, g_steal_pointer (&refusal));
      return FALSE;
    }
    lv_task_sleep (task, pause);
    pause = MIN (2 * pause, G_TIME_SPAN_SECOND);
  }
  return TRUE;
}

static gboolean
clean_line (LvTask *task, VirfsPart *draft, const char *line, GError **error)
{
  g_auto (GStrv) words = g_strsplit (line, "\t", 3);
  g_autoptr (LvPool) pool = NULL;
  g_autoptr (virStorageVol) volume = NULL;

  if (g_strv_length (words) != 3 || !g_str_equal (words[0], task->link->connection->name))
    return TRUE;
  pool = lv_pool_by_name (&task->here, words[1], error);
  if (pool == NULL)
    return FALSE;
  volume = lv_pool_fresh_volume (pool, words[2]);
  if (volume != NULL && !delete_when_done (task, volume, error))
    return FALSE;
  lv_inventory_refresh (task->link, task->here.conn, words[1], NULL);
  virfs_infra_forget_made (draft->object.infra, draft, line);
  return TRUE;
}

gboolean
lv_draft_clean_volumes (LvTask *task, VirfsPart *draft, GError **error)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (draft);
  const char *made = ((VirfsDraftInfo *) known)->made;
  g_auto (GStrv) lines = g_strsplit (made ? made : "", "\n", -1);

  for (char **p = lines; *p; p++)
    if (**p && !clean_line (task, draft, *p, error))
      return FALSE;
  return TRUE;
}

void
lv_making_undo (LvMaking *making)
{
  for (guint i = making->made->len; i > 0; i--) {
    virStorageVolPtr volume = making->made->pdata[i - 1];
    g_autofree char *line = note_of (making, volume);

    /* what cannot be removed now stays noted */
    if (LV (virStorageVolDelete (volume, 0)) == 0)
      forget (making, line);
    tell (making, volume, FALSE);
  }
  g_ptr_array_set_size (making->made, 0);
}

void
lv_making_keep (LvMaking *making)
{
  for (guint i = 0; i < making->made->len; i++)
    tell (making, making->made->pdata[i], TRUE);
  g_ptr_array_set_size (making->made, 0);
}

gboolean
lv_making_add (LvMaking *making, const char *target, virStorageVolPtr volume, GError **error)
{
  LvNewDisk *disk;
  char *path;

  g_ptr_array_add (making->made, volume);
  path = LV (virStorageVolGetPath (volume));
  if (path == NULL)
    return lv_fail (error, "cannot tell where %s is", lv_volume_name (volume));
  disk = g_new0 (LvNewDisk, 1);
  disk->target = g_strdup (target);
  disk->path = g_strdup (path);
  disk->seed = disk->cdrom = g_str_has_suffix (path, ".iso");
  disk->format = disk->cdrom ? "raw" : "qcow2";
  free (path);
  g_ptr_array_add (making->disks, disk);
  return TRUE;
}

/* Images. */

virStorageVolPtr
lv_making_find_image (LvMaking *making, LvSeat *seat, const char *image, GError **error)
{
  const char *slash = strchr (image, '/');
  LvPool *pool;
  g_autofree char *pool_name = NULL;
  g_autofree char *name = NULL;
  virStorageVolPtr volume;

  if (*image != '/' && slash != NULL) {
    pool_name = g_strndup (image, slash - image);
    pool = lv_pool_by_name (seat, pool_name, error);
    name = g_strdup (slash + 1);
  } else {
    g_autofree char *directory = g_path_get_dirname (image);

    pool = lv_pool_by_directory (seat, directory, FALSE, error);
    name = g_path_get_basename (image);
  }
  if (pool == NULL)
    return NULL;
  /* one that was made for a directory lasts as long as its volumes are used */
  g_ptr_array_add (making->pools, pool);
  volume = lv_pool_fresh_volume (pool, name);
  if (volume == NULL)
    lv_fail (error, "cannot find the image %s on %s", image, seat->link->connection->name);
  return volume;
}

/* XML of a new volume: on top of IMAGE if that is given. */
static char *
volume_xml (LvMaking *making, const char *name, guint64 size, virStorageVolPtr image)
{
  char *image_xml = image ? LV (virStorageVolGetXMLDesc (image, 0)) : NULL;
  char *path = image ? LV (virStorageVolGetPath (image)) : NULL;
  char *xml = lv_xml_make_overlay (name, size, path, image_xml);

  free (image_xml);
  free (path);
  return xml;
}

static gboolean
grow (virStorageVolPtr volume, guint64 size, GError **error)
{
  virStorageVolInfo facts;

  if (LV (virStorageVolGetInfo (volume, &facts)) < 0)
    return lv_fail (error, "cannot tell the size of %s", lv_volume_name (volume));
  if (facts.capacity >= size || LV (virStorageVolResize (volume, size, 0)) == 0)
    return TRUE;
  return lv_fail (error, "cannot resize %s", lv_volume_name (volume));
}

/* A new volume as XML says; a copy of IMAGE if that is not NULL. */
virStorageVolPtr
lv_making_create_volume (LvMaking *making, LvPool *pool, const char *name, const char *xml,
                         virStorageVolPtr image, GError **error)
{
  virStorageVolPtr volume;

  if (!note (making, pool->name, name, error))
    return NULL;
  volume = image != NULL ? LV (virStorageVolCreateXMLFrom (pool->pool, xml, image, 0))
                         : LV (virStorageVolCreateXML (pool->pool, xml, 0));
  if (volume == NULL) {
    g_autofree char *line = g_strdup_printf ("%s\t%s\t%s", host_name (making), pool->name, name);

    lv_fail (error, "cannot make %s in the pool %s of %s", name, pool->name, host_name (making));
    forget (making, line);
  }
  return volume;
}

/* A new disk: empty, on top of IMAGE, or a copy of it. */
static virStorageVolPtr
make_volume (LvMaking *making, LvPool *pool, const char *name, guint64 size, virStorageVolPtr image,
             gboolean linked, GError **error)
{
  g_autofree char *xml = volume_xml (making, name, size, linked ? image : NULL);

  return lv_making_create_volume (making, pool, name, xml, linked ? NULL : image, error);
}

gboolean
lv_making_make_disk (LvMaking *making, const char *target, virStorageVolPtr image, guint64 wanted,
                     GError **error)
{
  const VirfsDraftInfo *info = info_of (making);
  g_autoptr (LvPool) pool
    = lv_pool_by_name (&making->task->here, info->pool ? info->pool : "default", error);
  virStorageVolInfo facts = { 0 };
  g_autofree char *name = NULL;
  virStorageVolPtr volume;
  guint64 size;

  if (pool == NULL)
    return FALSE;
  if (image != NULL && LV (virStorageVolGetInfo (image, &facts)) < 0)
    return lv_fail (error, "cannot tell the size of %s", lv_volume_name (image));
  if (wanted != 0 && wanted < facts.capacity) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "disk_size is less than the image has: %llu bytes", facts.capacity);
    return FALSE;
  }
  size = MAX (wanted, facts.capacity);
  name = lv_pool_free_name (pool, info->part.name, target, ".qcow2");
  volume
    = make_volume (making, pool, name, size, image, g_strcmp0 (info->clone, "linked") == 0, error);
  return volume != NULL && lv_making_add (making, target, volume, error)
         && grow (volume, size, error);
}

/* What has come makes the file what it is. */
static gboolean
grow_copy (LvPool *pool, const char *name, guint64 size, GError **error)
{
  g_autoptr (virStorageVol) volume = size ? lv_pool_fresh_volume (pool, name) : NULL;

  if (size == 0)
    return TRUE;
  return volume ? grow (volume, size, error) : lv_fail (error, "cannot find %s", name);
}

gboolean
lv_making_copy_disk (LvMaking *making, const char *target, virStorageVolPtr image,
                     const char *format, guint64 size, GError **error)
{
  const VirfsDraftInfo *info = info_of (making);
  g_autoptr (LvPool) pool
    = lv_pool_by_name (&making->task->here, info->pool ? info->pool : "default", error);
  g_autofree char *suffix = g_strconcat (".", format, NULL);
  virStorageVolInfo facts = { 0 };
  g_autofree char *name = NULL;
  g_autofree char *xml = NULL;
  gboolean is_raw = g_str_equal (format, "raw");
  virStorageVolPtr volume;
  guint64 done = 0;

  if (pool == NULL)
    return FALSE;
  LV (virStorageVolGetInfo (image, &facts));
  name = lv_pool_free_name (pool, info->part.name, target, suffix);
  /* a raw one has its size at once: what the guest wrote may look like another format, whose size the
   * host would change then */
  xml = lv_xml_make_volume (name, "raw", is_raw ? size : 0);
  volume = lv_making_create_volume (making, pool, name, xml, NULL, error);
  if (volume == NULL || !lv_making_add (making, target, volume, error))
    return FALSE;
  ((LvNewDisk *) making->disks->pdata[making->disks->len - 1])->format = format;
  return lv_copy_volume (making->task, virStorageVolGetName (image), image, volume, &done,
                         facts.allocation, error)
         && (is_raw || grow_copy (pool, name, size, error));
}

gboolean
lv_making_add_disk (LvMaking *making, GError **error)
{
  const VirfsDraftInfo *info = info_of (making);
  const char *name = making->creation->image ? making->creation->image : info->image;
  g_autoptr (virStorageVol) image = NULL;

  if (name == NULL && info->disk_size == 0)
    return TRUE;
  if (name != NULL) {
    image = lv_making_find_image (making, &making->task->here, name, error);
    if (image == NULL)
      return FALSE;
  }
  return lv_making_make_disk (making, "vda", image, info->disk_size, error);
}

/* Media. */

gboolean
lv_making_add_iso (LvMaking *making, GError **error)
{
  const VirfsDraftInfo *info = info_of (making);
  g_autoptr (virStorageVol) image = NULL;
  LvNewDisk *disk;
  char *path;

  if (info->iso == NULL)
    return TRUE;
  image = lv_making_find_image (making, &making->task->here, info->iso, error);
  path = image ? LV (virStorageVolGetPath (image)) : NULL;
  if (path == NULL)
    return image ? lv_fail (error, "cannot tell where %s is", info->iso) : FALSE;
  disk = g_new0 (LvNewDisk, 1);
  disk->target = g_strdup ("sda");
  disk->path = g_strdup (path);
  disk->format = "raw";
  disk->cdrom = TRUE;
  free (path);
  g_ptr_array_add (making->disks, disk);
  return TRUE;
}
