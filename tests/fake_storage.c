/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools and volumes of the fake's hosts: they come, change and go at once.  A pool in /nowhere does not
 * start, and what has more than a TiB does not fit.
 */
#include "fake.h"

#include "error.h"

#include <string.h>

#define MOST_BYTES (G_GUINT64_CONSTANT (1) << 40)

GPtrArray *
virfs_fake_pools (const char *uuid)
{
  GPtrArray *pools = virfs_part_list_new ();
  VirfsPoolInfo *pool = virfs_part_info_new (&virfs_pool_class, "default");
  VirfsVolumeInfo *volume = virfs_part_info_new (&virfs_volume_class, "disk.qcow2");

  pool->uuid = g_ref_string_new (uuid);
  pool->state = "running";
  pool->type = "dir";
  pool->path = g_ref_string_new ("/images");
  pool->capacity = MOST_BYTES;
  pool->available = MOST_BYTES / 4;
  pool->persistent = TRUE;
  pool->xml = virfs_blob_new ("<pool/>\n");
  volume->type = "file";
  volume->format = "qcow2";
  volume->path = g_ref_string_new ("/images/disk.qcow2");
  volume->size = 1 << 30;
  volume->allocation = 1 << 20;
  pool->part.parts = virfs_part_list_new ();
  g_ptr_array_add (pool->part.parts, volume);
  g_ptr_array_add (pools, pool);
  return pools;
}

/* LIST with INFO (taken) in place of what has that name, or without it. */
static GPtrArray *
replace (GPtrArray *list, const char *name, gpointer info)
{
  GPtrArray *copy = virfs_part_list_new ();

  for (guint i = 0; list && i < list->len; i++)
    if (strcmp (((VirfsPartInfo *) list->pdata[i])->name, name) != 0)
      g_ptr_array_add (copy, virfs_part_info_ref (list->pdata[i]));
  if (info != NULL)
    g_ptr_array_add (copy, info);
  virfs_part_list_sort (copy);
  return copy;
}

/* Tells that PART is what INFO (taken) says; NULL: gone. */
static void
tell (VirfsPart *part, gpointer info)
{
  if (part->owner->kind == VIRFS_KIND_HOST) {
    VirfsHost *host = (VirfsHost *) part->owner;
    g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
    VirfsHostInfo *copy = virfs_host_info_copy (known);

    virfs_part_lists_set (copy->parts, VIRFS_HOST_POOLS,
                          replace (known->parts[VIRFS_HOST_POOLS], part->name, info));
    virfs_infra_update_host (host->object.infra, host, copy, NULL);
  } else {
    VirfsPart *pool = (VirfsPart *) part->owner;
    g_autoptr (VirfsPartInfo) known = virfs_part_info (pool);
    VirfsPartInfo *copy = virfs_part_info_copy (known);

    virfs_part_lists_set (&copy->parts, 0, replace (known->parts, part->name, info));
    tell (pool, copy);
  }
}

/* INFO (taken) is told if ERROR (taken) is NULL and the host answers. */
static void
carry_out (VirfsPart *part, gpointer info, GError *error, VirfsJob *job)
{
  gboolean begun = virfs_fake_begin ((VirfsHost *) virfs_part_root (part), job);

  if (begun && error == NULL)
    tell (part, info);
  else
    virfs_part_info_unref (info);
  if (begun)
    virfs_job_finish (job, error);
  else
    g_clear_error (&error);
}

static GError *
refuse_pool (const VirfsPoolInfo *pool)
{
  if (g_strcmp0 (pool->path, "/nowhere") != 0)
    return NULL;
  return g_error_new (VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no /nowhere");
}

void
virfs_fake_pool_verb (VirfsPart *pool, VirfsPoolVerb verb, VirfsJob *job)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (pool);
  VirfsPoolInfo *info = virfs_part_info_copy (known);

  if (verb == VIRFS_POOL_DEFINE || verb == VIRFS_POOL_STOP)
    info->state = "inactive";
  if (verb == VIRFS_POOL_START) {
    info->state = "running";
    info->capacity = info->available = MOST_BYTES;
  }
  info->part.draft = FALSE;
  info->persistent = TRUE;
  if (info->xml == NULL)
    info->xml = virfs_blob_new ("<pool/>\n");
  if (verb == VIRFS_POOL_UNDEFINE) {
    virfs_part_info_unref (info);
    carry_out (pool, NULL, NULL, job);
  } else {
    carry_out (pool, info, verb == VIRFS_POOL_START ? refuse_pool (info) : NULL, job);
  }
}

void
virfs_fake_pool_set (VirfsPart *pool, const VirfsPoolInfo *wanted, VirfsJob *job)
{
  carry_out (pool, virfs_part_info_copy (wanted), NULL, job);
}

void
virfs_fake_pool_define (VirfsPart *pool, const char *xml, VirfsJob *job)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (pool);
  VirfsPoolInfo *info = virfs_part_info_copy (known);
  GError *error = NULL;

  if (!g_str_has_prefix (xml, "<pool"))
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_INVALID, "this is no pool");
  info->part.draft = FALSE;
  info->state = "inactive";
  virfs_blob_unref (info->xml);
  info->xml = virfs_blob_new (xml);
  carry_out (pool, info, error, job);
}

static GError *
refuse_bytes (guint64 bytes)
{
  if (bytes <= MOST_BYTES)
    return NULL;
  return g_error_new (VIRFS_ERROR, VIRFS_ERROR_NO_SPACE, "there is no space for %" G_GUINT64_FORMAT,
                      bytes);
}

void
virfs_fake_volume_create (VirfsPart *volume, const VirfsVolumeInfo *wanted, VirfsPart *source,
                          VirfsJob *job)
{
  VirfsVolumeInfo *info = virfs_part_info_copy (wanted);
  g_autofree char *path = g_strconcat ("/images/", volume->name, NULL);

  info->part.draft = FALSE;
  info->type = "file";
  virfs_ref_string_set (&info->path, path);
  carry_out (volume, info, refuse_bytes (info->size), job);
}

void
virfs_fake_volume_resize (VirfsPart *volume, guint64 bytes, VirfsJob *job)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (volume);
  VirfsVolumeInfo *info = virfs_part_info_copy (known);

  info->size = bytes;
  carry_out (volume, info, refuse_bytes (bytes), job);
}

void
virfs_fake_volume_verb (VirfsPart *volume, VirfsVolumeVerb verb, VirfsJob *job)
{
  carry_out (volume, verb == VIRFS_VOLUME_DELETE ? NULL : virfs_part_info (volume), NULL, job);
}
