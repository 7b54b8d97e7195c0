/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a disk is to have in it: something that is there, or a new volume. */
#include "plug.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "storage.h"
#include "use.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

static const char *
host_name (LvTask *task)
{
  return task->link->connection->name;
}

/* Finding. */

static virStorageVolPtr
find_by_name (LvTask *task, const char *text, GError **error)
{
  const char *slash = strchr (text, '/');
  g_autofree char *pool_name = g_strndup (text, slash - text);
  g_autoptr (LvPool) pool = lv_pool_by_name (&task->here, pool_name, error);
  virStorageVolPtr volume = pool ? lv_pool_fresh_volume (pool, slash + 1) : NULL;

  if (pool != NULL && volume == NULL)
    lv_fail (error, "there is no %s on %s", text, host_name (task));
  return volume;
}

static virStorageVolPtr
find_by_path (LvTask *task, const char *path, LvPool **pool, GError **error)
{
  virStorageVolPtr volume = lv_pool_find_path (&task->here, path, pool);

  if (volume == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no %s on %s", path,
                 host_name (task));
  return volume;
}

static const char *
format_of (virStorageVolPtr volume)
{
  char *xml = LV (virStorageVolGetXMLDesc (volume, 0));
  g_autofree char *format = xml ? lv_xml_volume_format (xml) : NULL;
  static const char *const known[] = { "qcow2", "qed", "vmdk", "vdi", "vhdx", "vpc", NULL };

  free (xml);
  /* an `iso` and whatever else has no structure is what it is */
  return format && g_strv_contains (known, format) ? g_intern_string (format) : "raw";
}

/* Files and block devices are named by their path, which needs no pool when the guest starts. */
static gboolean
take_volume (VirfsDiskInfo *disk, virStorageVolPtr volume, GError **error)
{
  virStorageVolInfo info;
  char *path = LV (virStorageVolGetPath (volume));

  if (path == NULL || LV (virStorageVolGetInfo (volume, &info)) < 0) {
    free (path);
    return lv_fail (error, "cannot tell what %s is", lv_volume_name (volume));
  }
  if (disk->format == NULL)
    disk->format = format_of (volume);
  disk->type = info.type == VIR_STORAGE_VOL_FILE    ? "file"
               : info.type == VIR_STORAGE_VOL_BLOCK ? "block"
                                                    : "volume";
  if (!g_str_equal (disk->type, "volume"))
    virfs_ref_string_set (&disk->source, path);
  free (path);
  return TRUE;
}

/* Who has it. */

/* One disk is nobody's if both only read it, or both agree to share it. */
static gboolean
may_share (const VirfsDiskInfo *a, const VirfsDiskInfo *b)
{
  return (a->shareable && b->shareable)
         || ((a->readonly || virfs_disk_is_removable (a))
             && (b->readonly || virfs_disk_is_removable (b)));
}

typedef struct {
  LvTask *task;
  const VirfsDiskInfo *disk;
  const char *path, *name; /* what others may call it, on the host that is looked at */
  char *owner;             /* who has it, as in `vdb of web`; NULL: nobody */
} Search;

static gboolean
is_it (const Search *search, const VirfsDiskInfo *disk)
{
  gboolean named = g_strcmp0 (disk->type, "volume") == 0;

  return disk->source != NULL && g_strcmp0 (disk->source, named ? search->name : search->path) == 0;
}

static void
search_vm (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Search *search = data;
  GPtrArray *disks = info->parts[VIRFS_VM_DISKS];

  for (guint i = 0; disks && i < disks->len && search->owner == NULL; i++) {
    const VirfsDiskInfo *disk = disks->pdata[i];
    gboolean own = g_str_equal (info->uuid, search->task->uuid);

    if (is_it (search, disk) && !may_share (disk, search->disk)
        && (own ? strcmp (disk->part.name, search->disk->part.name) != 0 : disk->live))
      search->owner = g_strdup_printf ("%s of %s", disk->part.name, info->name);
  }
}

static void
search_host (VirfsHost *host, const char *path, const char *name, gpointer data)
{
  Search *search = data;

  search->path = path;
  search->name = name;
  virfs_infra_foreach_vm (host->object.infra, host, search_vm, search);
}

static gboolean
check_free (LvTask *task, const VirfsDiskInfo *disk, GError **error)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (task->vm);
  Search search = { .task = task, .disk = disk };

  if (*disk->source == '/')
    virfs_path_places (info->host, disk->source, search_host, &search);
  else
    search_host (info->host, disk->source, disk->source, &search);
  if (search.owner == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s is the disk %s already; both have to be shareable, or both readonly",
               disk->source, search.owner);
  g_free (search.owner);
  return FALSE;
}

/* A guest that runs would write to it. */
static gboolean
check_base (LvTask *task, const VirfsDiskInfo *disk, GError **error)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (task->vm);
  g_autoptr (VirfsPart) volume = NULL;
  g_autofree char *overlay = NULL;

  if (disk->readonly || virfs_disk_is_removable (disk) || !virfs_vm_state_active (info->state))
    return TRUE;
  volume = virfs_volume_find (info->host, NULL, disk->source, NULL);
  overlay = volume ? virfs_volume_overlay (volume) : NULL;
  if (overlay == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s is based on %s, which must not change therefore: write 1 to readonly first, or"
               " take a full clone of it",
               overlay, disk->source);
  return FALSE;
}

static gboolean
use_source (LvTask *task, VirfsDiskInfo *disk, GError **error)
{
  g_autoptr (LvPool) pool = NULL; /* lasts longer than its volume */
  g_autoptr (virStorageVol) volume = NULL;

  if (g_str_has_prefix (disk->source, "/dev/")) {
    disk->type = "block";
    disk->format = disk->format ? disk->format : "raw";
  } else {
    volume = *disk->source == '/' ? find_by_path (task, disk->source, &pool, error)
                                  : find_by_name (task, disk->source, error);
    if (volume == NULL || !take_volume (disk, volume, error))
      return FALSE;
  }
  return check_free (task, disk, error) && check_base (task, disk, error);
}

/* Making. */

/* The pool of the guest's first disk, as a reference; NULL: none can be told. */
static LvPool *
first_pool (LvTask *task)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (task->vm);
  GPtrArray *disks = info->parts[VIRFS_VM_DISKS];

  for (guint i = 0; disks && i < disks->len; i++) {
    const VirfsDiskInfo *disk = disks->pdata[i];
    LvPool *pool = NULL;

    if (disk->part.draft || virfs_disk_is_removable (disk) || disk->source == NULL)
      continue;
    if (disk->pool != NULL)
      pool = lv_pool_by_name (&task->here, disk->pool, NULL);
    else if (*disk->source == '/')
      pool = lv_pool_by_path (&task->here, disk->source, NULL);
    if (pool != NULL)
      return pool;
  }
  return NULL;
}

static LvPool *
choose_pool (LvTask *task, const VirfsDiskInfo *disk, GError **error)
{
  LvPool *pool = disk->pool ? NULL : first_pool (task);

  if (pool == NULL)
    pool = lv_pool_by_name (&task->here, disk->pool ? disk->pool : "default", error);
  if (pool == NULL || LV (virStoragePoolIsActive (pool->pool)) == 1)
    return pool;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "the pool %s is not running", pool->name);
  lv_pool_free (pool);
  return NULL;
}

/* Pools that are no directories have volumes without a format. */
static const char *
choose_format (LvPool *pool, const VirfsDiskInfo *disk)
{
  static const char *const directories[] = { "dir", "fs", "netfs", "gluster", "vstorage", NULL };
  char *xml = disk->format ? NULL : LV (virStoragePoolGetXMLDesc (pool->pool, 0));
  VirfsPoolInfo *info = xml ? lv_xml_read_pool (xml) : NULL;
  const char *format = disk->format;

  if (format == NULL)
    format = info && g_strv_contains (directories, info->type) ? "qcow2" : "raw";
  virfs_part_info_unref (info);
  free (xml);
  return format;
}

/* GUEST-TARGET.FORMAT, with a number if somebody has left one of that name. */
static char *
choose_name (LvTask *task, LvPool *pool, const char *target, const char *format)
{
  g_autofree char *guest = g_strdelimit (g_strdup (task->name), "/", '_');

  for (guint i = 1;; i++) {
    g_autofree char *number = i > 1 ? g_strdup_printf ("-%u", i) : g_strdup ("");
    g_autofree char *name = g_strdup_printf ("%s-%s%s.%s", guest, target, number, format);
    g_autoptr (virStorageVol) there = LV (virStorageVolLookupByName (pool->pool, name));

    if (there == NULL)
      return g_steal_pointer (&name);
  }
}

static gboolean
make_source (LvTask *task, VirfsDiskInfo *disk, virStorageVolPtr *made, GError **error)
{
  g_autoptr (LvPool) pool = choose_pool (task, disk, error);
  g_autofree char *name = NULL, *xml = NULL, *source = NULL;

  if (pool == NULL)
    return FALSE;
  disk->format = choose_format (pool, disk);
  name = choose_name (task, pool, disk->part.name, disk->format);
  xml = lv_xml_make_volume (name, disk->format, disk->size);
  *made = LV (virStorageVolCreateXML (pool->pool, xml, 0));
  if (*made == NULL)
    return lv_fail (error, "cannot make %s in the pool %s", name, pool->name);
  source = g_strdup_printf ("%s/%s", pool->name, name);
  virfs_ref_string_set (&disk->source, source);
  return take_volume (disk, *made, error);
}

gboolean
lv_plug_source (LvTask *task, VirfsDiskInfo *disk, virStorageVolPtr *made, GError **error)
{
  if (disk->source != NULL)
    return use_source (task, disk, error);
  if (made != NULL && disk->size != 0)
    return make_source (task, disk, made, error);
  disk->type = "file"; /* a drive without medium */
  return TRUE;
}
