/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rights that the kernel does not check, and giving them. */
#include "access.h"

#include "pool.h"
#include "use.h"

#include <string.h>

/* Volumes below a volume that are looked at; nobody has as many. */
#define DEEPEST 64

/* As for a file (path_resolution(7)): the first that fits counts, also where another gives more. */
static guint
bits_for (VirfsCall *call, const VirfsOwner *owner)
{
  if (virfs_call_uid (call) == owner->uid)
    return owner->mode >> 6;
  if (virfs_call_in_group (call, owner->gid))
    return owner->mode >> 3;
  return owner->mode;
}

gboolean
virfs_access_check (VirfsCall *call, gpointer object, VirfsMay may, GError **error)
{
  g_autofree char *path = NULL;
  VirfsOwner owner;

  if (virfs_call_is_trusted (call))
    return TRUE;
  virfs_object_owner (object, &owner);
  if (bits_for (call, &owner) & may)
    return TRUE;
  path = virfs_object_path (object);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_DENIED,
               "user %u may not %s %s, which belongs to user %u and group %u with the mode %04o",
               virfs_call_uid (call), may == VIRFS_MAY_WRITE ? "change" : "read", path, owner.uid,
               owner.gid, owner.mode);
  return FALSE;
}

/* What is a disk of a guest is the guest's, whosever the pool is. */
static gboolean
check_users (VirfsCall *call, VirfsPart *volume, VirfsMay may, GError **error)
{
  g_autoptr (GPtrArray) users = virfs_volume_users (volume);

  for (guint i = 0; i < users->len; i++) {
    const VirfsUser *user = users->pdata[i];
    g_autoptr (VirfsVm) vm
      = user->target ? virfs_infra_vm (volume->object.infra, user->path + strlen ("vms/")) : NULL;

    if (vm != NULL && !virfs_access_check (call, vm, may, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean check_source (VirfsCall *call, VirfsHost *host, const char *text, VirfsMay may,
                              guint depth, GError **error);

/* DEPTH: how many may be below it. */
static gboolean
check_volume (VirfsCall *call, VirfsPart *volume, VirfsMay may, guint depth, GError **error)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (volume);
  const char *backing = ((VirfsVolumeInfo *) info)->backing;

  return virfs_access_check (call, volume, may, error) && check_users (call, volume, may, error)
         && (backing == NULL
             || check_source (call, (VirfsHost *) virfs_part_root (volume), backing, VIRFS_MAY_READ,
                              depth, error));
}

static gboolean
check_source (VirfsCall *call, VirfsHost *host, const char *text, VirfsMay may, guint depth,
              GError **error)
{
  g_autoptr (GError) missing = NULL;
  g_autoptr (VirfsPart) volume = virfs_volume_find (host, NULL, text, &missing);

  if (volume != NULL && depth > 0)
    return check_volume (call, volume, may, depth - 1, error);
  if (*text != '/' && missing != NULL)
    g_propagate_error (error, g_steal_pointer (&missing));
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_DENIED,
                 "%s is no volume of a pool of %s; only root and the user who mounted the tree may"
                 " use such a file",
                 text, host->name);
  return FALSE;
}

gboolean
virfs_access_check_source (VirfsCall *call, VirfsHost *host, const char *text, VirfsMay may,
                           GError **error)
{
  return virfs_call_is_trusted (call) || check_source (call, host, text, may, DEEPEST, error);
}

gboolean
virfs_access_check_volume (VirfsCall *call, VirfsPart *volume, VirfsMay may, GError **error)
{
  return virfs_call_is_trusted (call) || check_volume (call, volume, may, DEEPEST, error);
}

gboolean
virfs_access_check_pool (VirfsCall *call, VirfsHost *host, const char *name, VirfsMay may,
                         GError **error)
{
  g_autoptr (VirfsPart) pool = virfs_infra_part (host->object.infra, host, &virfs_pool_class, name);

  return pool == NULL || virfs_access_check (call, pool, may, error);
}

gboolean
virfs_access_check_give (VirfsCall *call, const VirfsOwner *is, const VirfsOwner *wanted,
                         GError **error)
{
  if (virfs_call_is_trusted (call))
    return TRUE;
  if (wanted->uid != is->uid)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
                 "only root and the user who mounted the tree can give something to another user");
  else if (virfs_call_uid (call) != is->uid)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
                 "only its owner, user %u, can change the group and the permissions", is->uid);
  else if (wanted->gid != is->gid && !virfs_call_in_group (call, wanted->gid))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
                 "it can be given to a group that its owner is in, not to group %u", wanted->gid);
  else
    return TRUE;
  return FALSE;
}

void
virfs_access_owner (const VirfsNode *node, VirfsOwner *owner)
{
  virfs_object_owner (node->object, owner);
}

void
virfs_access_set_owner (VirfsCall *call, const VirfsNode *node, const VirfsOwner *owner)
{
  g_autofree char *path = virfs_object_path (node->object);
  g_autoptr (GError) error = NULL;
  VirfsOwner is;

  virfs_object_owner (node->object, &is);
  if (*node->row->path != '\0')
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
                 "this belongs to whom %s belongs: chown and chmod that", path);
  else if (virfs_access_check_give (call, &is, owner, &error))
    virfs_infra_give (virfs_node_infra (node), node->object, path, owner, &error);
  virfs_call_finish (call, error);
}
