/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest needs, beside what is known of hosts. */
#include "fit_needs.h"

#include "error.h"

#include <string.h>

VirfsVmNeeds *
virfs_vm_needs_new (void)
{
  VirfsVmNeeds *needs = g_new0 (VirfsVmNeeds, 1);

  needs->networks = g_ptr_array_new_with_free_func (g_free);
  needs->bridges = g_ptr_array_new_with_free_func (g_free);
  needs->pools = g_ptr_array_new_with_free_func (g_free);
  needs->files = g_ptr_array_new_with_free_func (g_free);
  needs->media = g_ptr_array_new_with_free_func (g_free);
  needs->disks = g_ptr_array_new_with_free_func (g_free);
  return needs;
}

void
virfs_vm_needs_free (VirfsVmNeeds *needs)
{
  if (needs == NULL)
    return;
  g_free (needs->guest_type);
  g_free (needs->machine);
  g_ptr_array_unref (needs->networks);
  g_ptr_array_unref (needs->bridges);
  g_ptr_array_unref (needs->pools);
  g_ptr_array_unref (needs->files);
  g_ptr_array_unref (needs->media);
  g_ptr_array_unref (needs->disks);
  g_free (needs);
}

/* HAVE may be NULL: the driver cannot tell, so the attempt will. */
static const char *
first_missing (GPtrArray *wanted, GPtrArray *have)
{
  for (guint i = 0; have != NULL && i < wanted->len; i++)
    if (!g_ptr_array_find_with_equal_func (have, wanted->pdata[i], g_str_equal, NULL))
      return wanted->pdata[i];
  return NULL;
}

static gboolean
pool_has_name (gconstpointer pool, gconstpointer name)
{
  return virfs_pool_is_active (pool) && g_str_equal (((const VirfsPartInfo *) pool)->name, name);
}

static gboolean
pool_has_path (gconstpointer pool, gconstpointer path)
{
  return virfs_pool_is_active (pool) && g_strcmp0 (((const VirfsPoolInfo *) pool)->path, path) == 0;
}

static gboolean
has_pool (const VirfsHostInfo *host, const char *key, GEqualFunc equal)
{
  GPtrArray *pools = host->parts[VIRFS_HOST_POOLS];

  return pools == NULL || g_ptr_array_find_with_equal_func (pools, key, equal, NULL);
}

/* Borrowed; NULL: none is known. */
static const VirfsPoolInfo *
find_pool (const VirfsHostInfo *host, const char *directory)
{
  GPtrArray *pools = host->parts[VIRFS_HOST_POOLS];
  guint i;

  return pools && g_ptr_array_find_with_equal_func (pools, directory, pool_has_path, &i)
           ? pools->pdata[i]
           : NULL;
}

/* Where the guest's host has a pool for a file's directory, the other host must have one there too.
 * A file outside of all pools may be on shared storage that libvirt was not told about. */
const char *
virfs_fit_missing_file (const VirfsHostInfo *source, const VirfsVmNeeds *needs,
                        const VirfsHostInfo *target)
{
  for (guint i = 0; i < needs->files->len; i++) {
    g_autofree char *directory = g_path_get_dirname (needs->files->pdata[i]);

    if (source->parts[VIRFS_HOST_POOLS] != NULL && has_pool (source, directory, pool_has_path)
        && !has_pool (target, directory, pool_has_path))
      return needs->files->pdata[i];
  }
  return NULL;
}

/* Two directories may be one file system of the network, mounted by others than libvirt, of which one was looked
 * at before a file was made: it has one size, but for the blocks in which each host counts it. */
static gboolean
is_another (const VirfsPoolInfo *from, const VirfsPoolInfo *to)
{
  guint64 least = MIN (from->capacity, to->capacity), most = MAX (from->capacity, to->capacity);

  return !virfs_pool_is_same (from, to) && least > 0 && most - least > most / 100;
}

/* Only of a pool that both have, each its own: else it may be there without our knowing it. */
static gboolean
lacks_medium (const VirfsHostInfo *source, const VirfsHostInfo *target, const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *name = g_path_get_basename (path);
  const VirfsPoolInfo *from = find_pool (source, directory);
  const VirfsPoolInfo *to = find_pool (target, directory);

  return from != NULL && to != NULL && to->part.parts != NULL && is_another (from, to)
         && virfs_part_list_find (to->part.parts, name) == NULL;
}

const char *
virfs_fit_missing_medium (const VirfsHostInfo *source, const VirfsVmNeeds *needs,
                          const VirfsHostInfo *target)
{
  for (guint i = 0; i < needs->media->len; i++)
    if (lacks_medium (source, target, needs->media->pdata[i]))
      return needs->media->pdata[i];
  return NULL;
}

/* A disk's pool and its volume there, as they are found. */

static const VirfsPoolInfo *
find_active (const VirfsHostInfo *host, const char *name)
{
  const VirfsPoolInfo *pool = virfs_part_list_find (host->parts[VIRFS_HOST_POOLS], name);

  return pool && virfs_pool_is_active (pool) ? pool : NULL;
}

gboolean
virfs_fit_place (const VirfsHostInfo *source, const VirfsHostInfo *target, const char *disk,
                 VirfsFitPlace *place)
{
  const VirfsPoolInfo *(*find) (const VirfsHostInfo *host, const char *key)
    = *disk == '/' ? find_pool : find_active;
  g_autofree char *key = g_path_get_dirname (disk);
  g_autofree char *name = g_path_get_basename (disk);

  place->from = find (source, key);
  place->to = find (target, key);
  if (place->from == NULL || place->to == NULL)
    return FALSE;
  place->here = virfs_part_list_find (place->from->part.parts, name);
  place->there = virfs_part_list_find (place->to->part.parts, name);
  return TRUE;
}

gboolean
virfs_fit_pools (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info,
                 GError **error)
{
  for (guint i = 0; i < needs->pools->len; i++)
    if (!has_pool (info, needs->pools->pdata[i], pool_has_name)) {
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s has no active storage pool %s",
                   name, (char *) needs->pools->pdata[i]);
      return FALSE;
    }
  return TRUE;
}

gboolean
virfs_fit_networks (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info,
                    GError **error)
{
  const char *network = first_missing (needs->networks, info->networks);
  const char *bridge = first_missing (needs->bridges, info->bridges);

  if (network != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s has no active network %s", name,
                 network);
  else if (bridge != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s has no bridge or interface %s",
                 name, bridge);
  return network == NULL && bridge == NULL;
}

gboolean
virfs_fit_hypervisor (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info,
                      GError **error)
{
  if (needs->guest_type == NULL || info->guest_types == NULL
      || g_ptr_array_find_with_equal_func (info->guest_types, needs->guest_type, g_str_equal, NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED, "%s cannot run guests of type %s", name,
               needs->guest_type);
  return FALSE;
}

gboolean
virfs_fit_needs (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info,
                 GError **error)
{
  return virfs_fit_hypervisor (needs, name, info, error)
         && virfs_fit_networks (needs, name, info, error)
         && virfs_fit_pools (needs, name, info, error);
}
