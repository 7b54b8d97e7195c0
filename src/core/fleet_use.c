/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which guests use a network or pool, wherever they are: by a NIC, or a disk whose file is in it. */
#include "fleet_private.h"

#include "device.h"
#include "pool.h"

#include <string.h>

static gboolean
uses_network (const VirfsVmInfo *info, const char *name)
{
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];

  for (guint i = 0; nics && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    if (!nic->part.draft && g_strcmp0 (nic->network, name) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Whether FILE is in DIRECTORY itself: what is farther below may be of another pool. */
static gboolean
is_in (const char *file, const char *directory)
{
  gsize n = directory ? strlen (directory) : 0;

  while (n > 0 && directory[n - 1] == '/')
    n--;
  return n > 0 && strncmp (file, directory, n) == 0 && file[n] == '/'
         && strchr (file + n + 1, '/') == NULL;
}

static gboolean
has_volume (const VirfsPoolInfo *pool, const char *path)
{
  GPtrArray *volumes = pool->part.parts;

  for (guint i = 0; i < volumes->len; i++)
    if (g_strcmp0 (((VirfsVolumeInfo *) volumes->pdata[i])->path, path) == 0)
      return TRUE;
  return FALSE;
}

/* Several pools of devices are in one directory, as /dev/disk/by-path: their volumes tell, if they are known. */
static gboolean
holds (const VirfsPoolInfo *pool, const char *source)
{
  if (source == NULL)
    return FALSE;
  return virfs_pool_has_files (pool) || pool->part.parts == NULL ? is_in (source, pool->path)
                                                                 : has_volume (pool, source);
}

/* POOL: what the guest's host has of that name. */
static gboolean
uses_pool (const VirfsVmInfo *info, const VirfsPoolInfo *pool)
{
  GPtrArray *disks = info->parts[VIRFS_VM_DISKS];

  for (guint i = 0; pool && disks && i < disks->len; i++) {
    const VirfsDiskInfo *disk = disks->pdata[i];

    if (!disk->part.draft
        && (g_strcmp0 (disk->pool, pool->part.name) == 0 || holds (pool, disk->source)))
      return TRUE;
  }
  return FALSE;
}

static gboolean
uses (const VirfsVmInfo *info, const VirfsHostInfo *host, VirfsDefined kind, const char *name)
{
  return kind == VIRFS_DEFINED_NETWORK ? uses_network (info, name)
                                       : uses_pool (info, virfs_fleet_part_of (host, kind, name));
}

typedef struct {
  VirfsDefined kind;
  const char *name;
  GPtrArray *users;
} Search;

/* Under the registry's lock. */
static void
look_at (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Search *search = data;

  if (uses (info, info->host->info, search->kind, search->name))
    g_ptr_array_add (search->users, virfs_object_ref (vm));
}

GPtrArray *
virfs_fleet_users (VirfsInfra *infra, const VirfsPartClass *class, const char *name)
{
  Search search
    = { virfs_fleet_kind (class), name, g_ptr_array_new_with_free_func (virfs_object_unref) };

  virfs_infra_foreach_vm (infra, NULL, look_at, &search);
  return search.users;
}

gboolean
virfs_fleet_is_user (VirfsVm *vm, const VirfsPartClass *class, const char *name)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autoptr (VirfsHostInfo) host = virfs_host_info (info->host);

  return uses (info, host, virfs_fleet_kind (class), name);
}
