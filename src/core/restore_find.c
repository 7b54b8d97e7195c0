/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a disk can be restored, and which volume it is in. */
#include "restore_private.h"

#include "claim.h"
#include "device.h"
#include "error.h"
#include "pool.h"
#include "snapshot.h"
#include "use.h"

#include <string.h>

static VirfsVm *
guest_of (VirfsPart *disk)
{
  return (VirfsVm *) disk->owner;
}

/* A reference; NULL: none. */
static VirfsHost *
host_of (VirfsPart *disk)
{
  g_autoptr (VirfsVmInfo) guest = virfs_vm_info (guest_of (disk));

  return guest->host ? virfs_object_ref (guest->host) : NULL;
}

static gboolean
check_off (VirfsPart *disk, GError **error)
{
  g_autoptr (VirfsVmInfo) guest = virfs_vm_info (guest_of (disk));
  GPtrArray *snapshots = guest->parts[VIRFS_VM_SNAPSHOTS];

  if (guest->state != VIRFS_VM_SHUTOFF)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "a disk can be restored while its guest is shut off: it is %s",
                 virfs_vm_state_name (guest->state));
  else if (guest->saved)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "memory of the guest is saved, and would go on with another disk: write discard to"
                 " its ctl first");
  else if (snapshots != NULL && snapshots->len > 0)
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
      "snapshots of the guest are in its disk, and would be lost: delete snapshots/%s first",
      ((VirfsPartInfo *) snapshots->pdata[0])->name);
  else
    return TRUE;
  return FALSE;
}

/* Its volume may be missing: then it is to be made where the definition has it. */
static gboolean
find_missing (VirfsHost *host, const char *source, char **pool, char **volume)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];
  g_autofree char *directory = g_path_get_dirname (source);

  for (guint i = 0; *source == '/' && pools && i < pools->len; i++) {
    const VirfsPoolInfo *candidate = pools->pdata[i];

    if (virfs_pool_has_files (candidate) && g_strcmp0 (candidate->path, directory) == 0) {
      *pool = g_strdup (candidate->part.name);
      *volume = g_path_get_basename (source);
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
check_users (VirfsPart *disk, VirfsPart *volume, GError **error)
{
  g_autoptr (GPtrArray) users = virfs_volume_users (volume);
  g_autofree char *path = virfs_object_path (guest_of (disk));

  for (guint i = 0; i < users->len; i++) {
    const VirfsUser *user = users->pdata[i];

    if (g_str_equal (user->path, path))
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "what is on the disk is also used by %s",
                 user->path);
    return FALSE;
  }
  return TRUE;
}

static gboolean
find_volume (VirfsPart *disk, VirfsHost *host, char **pool, char **volume, GError **error)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (disk);
  const char *source = ((VirfsDiskInfo *) info)->source;
  g_autoptr (VirfsPart) found = source ? virfs_volume_find (host, NULL, source, NULL) : NULL;

  if (found == NULL && (source == NULL || !find_missing (host, source, pool, volume))) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "only disks that are files in a pool of their host can be restored");
    return FALSE;
  }
  if (found == NULL)
    return TRUE;
  if (!check_users (disk, found, error))
    return FALSE;
  *pool = g_strdup (((VirfsPart *) found->owner)->name);
  *volume = g_strdup (found->name);
  return TRUE;
}

gboolean
virfs_restore_check (VirfsPart *disk, GError **error)
{
  g_autoptr (VirfsHost) host = host_of (disk);
  g_autofree char *pool = NULL, *volume = NULL;

  if (host == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "the guest has no host");
    return FALSE;
  }
  return check_off (disk, error) && find_volume (disk, host, &pool, &volume, error);
}

gboolean
virfs_restore_find (VirfsArrival *self, GError **error)
{
  self->host = host_of (self->disk);
  if (self->host != NULL)
    return find_volume (self->disk, self->host, &self->pool, &self->volume, error);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "the guest has no host");
  return FALSE;
}

/* The guest may have moved while the image came, or its disk may have. */
static gboolean
check_place (VirfsArrival *self, GError **error)
{
  g_autoptr (VirfsHost) host = host_of (self->disk);
  g_autofree char *pool = NULL, *volume = NULL;

  if (host == self->host && !find_volume (self->disk, host, &pool, &volume, error))
    return FALSE;
  if (host == self->host && g_strcmp0 (pool, self->pool) == 0
      && g_strcmp0 (volume, self->volume) == 0)
    return TRUE;
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
    "the disk is not any more where it was when its image began to come: restore it again");
  return FALSE;
}

gboolean
virfs_restore_claim (VirfsArrival *self, GError **error)
{
  VirfsVm *guest = guest_of (self->disk);

  if (!virfs_claim_begin (guest, VIRFS_CLAIM_RESTORE, self->job, error))
    return FALSE;
  if (virfs_restore_check (self->disk, error) && check_place (self, error))
    return TRUE;
  virfs_restore_release (self);
  return FALSE;
}

void
virfs_restore_release (VirfsArrival *self)
{
  virfs_claim_end (guest_of (self->disk), self->job);
}
