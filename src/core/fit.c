/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a host can take a guest, as far as the model knows. */
#include "fit.h"

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
  return needs;
}

void
virfs_vm_needs_free (VirfsVmNeeds *needs)
{
  if (needs == NULL)
    return;
  g_free (needs->guest_type);
  g_ptr_array_unref (needs->networks);
  g_ptr_array_unref (needs->bridges);
  g_ptr_array_unref (needs->pools);
  g_ptr_array_unref (needs->files);
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

/* Where the guest's host has a pool for a file's directory, the other host must have one there too.
 * A file outside of all pools may be on shared storage that libvirt was not told about. */
static const char *
missing_directory (const VirfsHostInfo *source, const VirfsVmNeeds *needs,
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

static gboolean
fit_pools (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info, GError **error)
{
  for (guint i = 0; i < needs->pools->len; i++)
    if (!has_pool (info, needs->pools->pdata[i], pool_has_name)) {
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s has no active storage pool %s",
                   name, (char *) needs->pools->pdata[i]);
      return FALSE;
    }
  return TRUE;
}

static gboolean
fit_files (const VirfsHostInfo *source, const VirfsVmNeeds *needs, const char *name,
           const VirfsHostInfo *info, GError **error)
{
  const char *file = missing_directory (source, needs, info);

  if (file != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND,
                 "%s has no active storage pool in the directory of %s", name, file);
  return file == NULL;
}

static gboolean
fit_networks (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info,
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

static gboolean
fit_hypervisor (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info,
                GError **error)
{
  if (needs->guest_type == NULL || info->guest_types == NULL
      || g_ptr_array_find_with_equal_func (info->guest_types, needs->guest_type, g_str_equal, NULL))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED, "%s cannot run guests of type %s", name,
               needs->guest_type);
  return FALSE;
}

static gboolean
fit_memory (const VirfsVmInfo *vm, const char *name, const VirfsHostInfo *info, GError **error)
{
  g_autofree char *wanted = NULL, *free = NULL;

  if (!virfs_vm_state_active (vm->state) || info->memory_free == 0
      || vm->memory <= info->memory_free)
    return TRUE;
  wanted = g_format_size_full (vm->memory, G_FORMAT_SIZE_IEC_UNITS);
  free = g_format_size_full (info->memory_free, G_FORMAT_SIZE_IEC_UNITS);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE,
               "%s has %s of memory free, the guest has %s", name, free, wanted);
  return FALSE;
}

/* Both hosts take part. */
static gboolean
fit_state (VirfsHost *host, const VirfsHostInfo *info, GError **error)
{
  if (info->state == VIRFS_HOST_UP)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is %s", host->name,
               virfs_host_state_name (info->state));
  return FALSE;
}

/* What serves its disks cannot go with it. */
static gboolean
fit_backups (const VirfsVmInfo *vm, GError **error)
{
  GPtrArray *open = vm->parts[VIRFS_VM_BACKUPS];

  if (open == NULL || open->len == 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "a backup of it is open: %s",
               ((VirfsPartInfo *) open->pdata[0])->name);
  return FALSE;
}

gboolean
virfs_fit_needs (const VirfsVmNeeds *needs, const char *name, const VirfsHostInfo *info,
                 GError **error)
{
  return fit_hypervisor (needs, name, info, error) && fit_networks (needs, name, info, error)
         && fit_pools (needs, name, info, error);
}

gboolean
virfs_fit (const VirfsVmInfo *vm, const VirfsVmNeeds *needs, VirfsHost *host,
           const VirfsHostInfo *info, GError **error)
{
  g_autoptr (VirfsHostInfo) source = virfs_host_info (vm->host);

  if (vm->host == host) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "the guest is on %s already", host->name);
    return FALSE;
  }
  if (!fit_state (vm->host, source, error) || !fit_state (host, info, error)
      || !fit_backups (vm, error))
    return FALSE;
  if (virfs_infra_has_namesake (host->object.infra, vm, host)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s has another guest named %s",
                 host->name, vm->name);
    return FALSE;
  }
  return virfs_fit_needs (needs, host->name, info, error)
         && fit_memory (vm, host->name, info, error)
         && fit_files (source, needs, host->name, info, error);
}
