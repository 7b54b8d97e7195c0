/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which disk can move, and where to. */
#include "disk_move.h"

#include "error.h"

#include <string.h>

/* Pools of block devices that volumes can be made in. */
static const char *const block_types[] = { "logical", "zfs", NULL };

static gboolean
has_devices (const VirfsPoolInfo *pool)
{
  return pool->type != NULL && g_strv_contains (block_types, pool->type);
}

gboolean
virfs_move_comes_along (const VirfsDiskInfo *disk)
{
  return !disk->part.draft && disk->source != NULL && !disk->readonly
         && !virfs_disk_is_removable (disk);
}

static guint
count_parts (const VirfsVmInfo *guest, VirfsVmPart part)
{
  GPtrArray *list = guest->parts[part];
  guint n = 0;

  for (guint i = 0; list && i < list->len; i++)
    n += !((VirfsPartInfo *) list->pdata[i])->draft;
  return n;
}

/* What it is does not change with time. */
static gboolean
check_kind (const VirfsDiskInfo *disk, GError **error)
{
  const char *name = disk->part.name;

  if (virfs_disk_is_removable (disk) || disk->source == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s is a drive for media, which stays where it is: write another source to it",
                 name);
  else if (disk->readonly || disk->shareable)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s is %s, so others may have it too: copy its volume, and write its source", name,
                 disk->readonly ? "readonly" : "shareable");
  else if (g_strcmp0 (disk->device, "lun") == 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s is a LUN that the guest has for itself, and cannot be copied", name);
  else if (g_strcmp0 (disk->format, "raw") != 0 && g_strcmp0 (disk->format, "qcow2") != 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s is %s, and only raw and qcow2 disks move: convert it first, with qemu-img",
                 name, disk->format ? disk->format : "of no known format");
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_state (const VirfsVmInfo *guest, GError **error)
{
  VirfsVmState state = guest->state;

  if (state == VIRFS_VM_RUNNING || state == VIRFS_VM_PAUSED || state == VIRFS_VM_UNKNOWN
      || (state == VIRFS_VM_SHUTOFF && !guest->saved))
    return TRUE;
  if (guest->saved)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "memory of the guest is saved and goes on with its disks where they are: start it,"
                 " or write discard to its ctl first");
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "disks move while their guest runs, is paused or shut off: it is %s",
                 virfs_vm_state_name (state));
  return FALSE;
}

/* What libvirt keeps of a guest beside its disks names them. */
static gboolean
check_kept (const VirfsVmInfo *guest, GError **error)
{
  GPtrArray *snapshots = guest->parts[VIRFS_VM_SNAPSHOTS];

  if (count_parts (guest, VIRFS_VM_SNAPSHOTS) > 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "snapshots of the guest are in its disks or name them, and would be lost: delete"
                 " snapshots/%s first",
                 ((VirfsPartInfo *) snapshots->pdata[0])->name);
  else if (count_parts (guest, VIRFS_VM_BACKUPS) > 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "a backup of the guest is open: rmdir backups/%s first",
                 ((VirfsPartInfo *) guest->parts[VIRFS_VM_BACKUPS]->pdata[0])->name);
  else
    return TRUE;
  return FALSE;
}

/* What was attached or detached until the next start only would have two places. */
static gboolean
check_halves (const VirfsVmInfo *guest, const VirfsDiskInfo *disk, GError **error)
{
  if (disk->part.draft)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "%s is a draft: write its pool, and its size", disk->part.name);
  else if (virfs_vm_state_active (guest->state) && !disk->live)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "the running guest does not have %s, only after its next start", disk->part.name);
  else
    return TRUE;
  return FALSE;
}

gboolean
virfs_move_check_disk (const VirfsVmInfo *guest, const VirfsDiskInfo *disk, GError **error)
{
  return check_halves (guest, disk, error) && check_kind (disk, error) && check_state (guest, error)
         && check_kept (guest, error);
}

gboolean
virfs_move_is_there (const VirfsDiskInfo *disk, const VirfsPoolInfo *pool)
{
  gsize length = pool->path ? strlen (pool->path) : 0;
  const char *rest;

  if (disk->pool != NULL)
    return g_str_equal (disk->pool, pool->part.name);
  if (disk->source == NULL || length == 0 || !g_str_has_prefix (disk->source, pool->path))
    return FALSE;
  rest = disk->source + length;
  return *rest == '/' && strchr (rest + 1, '/') == NULL;
}

const char *
virfs_move_format (const char *format, const VirfsPoolInfo *pool)
{
  return virfs_pool_has_files (pool) ? format : "raw";
}

static gboolean
check_space (const VirfsDiskInfo *disk, const VirfsPoolInfo *pool, GError **error)
{
  guint64 bytes = virfs_pool_has_files (pool) ? disk->allocation : disk->size;

  if (bytes <= pool->available)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE,
               "the pool %s has %" G_GUINT64_FORMAT " bytes left, and %s takes %" G_GUINT64_FORMAT,
               pool->part.name, pool->available, disk->part.name, bytes);
  return FALSE;
}

gboolean
virfs_move_check_pool (const VirfsVmInfo *guest, const VirfsDiskInfo *disk,
                       const VirfsPoolInfo *pool, GError **error)
{
  const char *name = pool->part.name;

  if (!virfs_pool_is_active (pool))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "the pool %s is %s; write start to its ctl first", name,
                 pool->part.draft ? "a draft" : pool->state);
  else if (!virfs_pool_has_files (pool) && !has_devices (pool))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "no volume for a disk can be made in %s, a pool of the type %s", name, pool->type);
  else if (!virfs_pool_has_files (pool) && count_parts (guest, VIRFS_VM_CHECKPOINTS) > 0
           && g_strcmp0 (disk->format, "qcow2") == 0)
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
      "disks in %s are raw, which cannot carry the checkpoints of the guest: delete these"
      " first",
      name);
  else
    return check_space (disk, pool, error);
  return FALSE;
}
