/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of pools and volumes, and what drafts of them must say. */
#include "pool.h"

#include "error.h"

#include <string.h>

static const VirfsMember pool_members[] = {
  VIRFS_MEMBER (VirfsPoolInfo, uuid, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, state, WORD, STATE),
  VIRFS_MEMBER (VirfsPoolInfo, type, WORD, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, path, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, source, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, capacity, NUMBER, SIZE),
  VIRFS_MEMBER (VirfsPoolInfo, allocation, NUMBER, USE),
  VIRFS_MEMBER (VirfsPoolInfo, available, NUMBER, USE),
  VIRFS_MEMBER (VirfsPoolInfo, autostart, BOOL, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, persistent, BOOL, CONFIG),
  VIRFS_MEMBER (VirfsPoolInfo, xml, BLOB, XML),
  VIRFS_MEMBER (VirfsPoolInfo, definition, BLOB, XML),
};

const VirfsPartClass virfs_pool_class = {
  .kind = VIRFS_KIND_POOL,
  .directory = "pools",
  .size = sizeof (VirfsPoolInfo),
  .members = pool_members,
  .n_members = G_N_ELEMENTS (pool_members),
};

static const VirfsMember volume_members[] = {
  VIRFS_MEMBER (VirfsVolumeInfo, type, WORD, CONFIG),
  VIRFS_MEMBER (VirfsVolumeInfo, format, WORD, CONFIG),
  VIRFS_MEMBER (VirfsVolumeInfo, path, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsVolumeInfo, backing, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsVolumeInfo, size, NUMBER, SIZE),
  VIRFS_MEMBER (VirfsVolumeInfo, allocation, NUMBER, USE),
  VIRFS_MEMBER (VirfsVolumeInfo, length, NUMBER, USE),
  VIRFS_MEMBER (VirfsVolumeInfo, modified, TEXT, USE),
  VIRFS_MEMBER (VirfsVolumeInfo, born, TEXT, USE),
  VIRFS_MEMBER (VirfsVolumeInfo, touched, TEXT, USE),
  VIRFS_MEMBER (VirfsVolumeInfo, xml, BLOB, XML),
};

const VirfsPartClass virfs_volume_class = {
  .kind = VIRFS_KIND_VOLUME,
  .directory = "volumes",
  .size = sizeof (VirfsVolumeInfo),
  .members = volume_members,
  .n_members = G_N_ELEMENTS (volume_members),
};

gboolean
virfs_pool_is_active (const VirfsPoolInfo *pool)
{
  return g_strcmp0 (pool->state, "running") == 0 || g_strcmp0 (pool->state, "degraded") == 0;
}

/* Types of pools, as far as something depends on them. */
static const struct {
  const char *type;
  gboolean draft;     /* can be made of attributes */
  gboolean files;     /* its volumes are files in a directory */
  gboolean shared;    /* other hosts may have the same */
  gboolean path;      /* a draft needs a path */
  const char *source; /* a draft needs one: what it is.  NULL: none */
} types[] = {
  { "dir", TRUE, TRUE, FALSE, TRUE, NULL },
  { "fs", TRUE, TRUE, FALSE, TRUE, "the device, as in /dev/sdb1" },
  { "netfs", TRUE, TRUE, TRUE, TRUE, "HOST:DIRECTORY" },
  { "logical", TRUE, FALSE, FALSE, FALSE, NULL },
  { "disk", TRUE, FALSE, FALSE, FALSE, "the device, as in /dev/sdb" },
  { "iscsi", TRUE, FALSE, TRUE, FALSE, "HOST:TARGET, as in san1:iqn.2026-01.example:fast" },
  { "vstorage", FALSE, TRUE, TRUE, FALSE, NULL },
  { "gluster", FALSE, TRUE, TRUE, FALSE, NULL },
  { "rbd", FALSE, FALSE, TRUE, FALSE, NULL },
  { "sheepdog", FALSE, FALSE, TRUE, FALSE, NULL },
  { "iscsi-direct", FALSE, FALSE, TRUE, FALSE, NULL },
};

/* G_N_ELEMENTS (types) for one that is not there. */
static guint
find_type (const char *type)
{
  guint i = 0;

  while (i < G_N_ELEMENTS (types) && g_strcmp0 (types[i].type, type) != 0)
    i++;
  return i;
}

gboolean
virfs_pool_has_files (const VirfsPoolInfo *pool)
{
  guint i = find_type (pool->type);

  return i < G_N_ELEMENTS (types) && types[i].files;
}

gboolean
virfs_pool_is_shared (const VirfsPoolInfo *pool)
{
  guint i = find_type (pool->type);

  return i < G_N_ELEMENTS (types) && types[i].shared;
}

gboolean
virfs_pool_is_same (const VirfsPoolInfo *a, const VirfsPoolInfo *b)
{
  if (a->uuid != NULL && g_strcmp0 (a->uuid, b->uuid) == 0)
    return TRUE;
  return virfs_pool_is_shared (a) && a->source != NULL && g_strcmp0 (a->type, b->type) == 0
         && g_strcmp0 (a->source, b->source) == 0;
}

gboolean
virfs_pool_check_type (const char *type, GError **error)
{
  guint i = find_type (type);

  if (i < G_N_ELEMENTS (types) && types[i].draft)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "\"%s\" is not a type of pool that attributes can describe: write dir, fs, netfs,"
               " logical, disk or iscsi, or a whole document to xml",
               type);
  return FALSE;
}

static gboolean
check_path (const char *path, GError **error)
{
  if (path == NULL || *path == '/')
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "\"%s\" is not the absolute path of a directory on the host", path);
  return FALSE;
}

/* HOST may be an IPv6 address in brackets; what follows it begins with one of these. */
static const char *
find_rest (const char *source, gboolean netfs)
{
  static const char *const targets[] = { ":iqn.", ":eui.", ":naa." };
  const char *end = *source == '[' ? strchr (source, ']') : source;

  if (end == NULL)
    return NULL;
  if (netfs)
    return strstr (end, ":/");
  for (guint i = 0; i < G_N_ELEMENTS (targets); i++)
    if (strstr (end, targets[i]) != NULL)
      return strstr (end, targets[i]);
  return NULL;
}

gboolean
virfs_pool_split_source (const char *type, const char *source, char **host, char **rest,
                         GError **error)
{
  gboolean netfs = g_strcmp0 (type, "netfs") == 0;
  const char *colon;

  *host = *rest = NULL;
  if (source == NULL || (!netfs && g_strcmp0 (type, "iscsi") != 0))
    return TRUE;
  colon = find_rest (source, netfs);
  if (colon == NULL || colon == source) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "\"%s\" is no source for %s: %s is wanted", source, type,
                 types[find_type (type)].source);
    return FALSE;
  }
  *host = *source == '[' ? g_strndup (source + 1, (gsize) (colon - source) - 2)
                         : g_strndup (source, (gsize) (colon - source));
  *rest = g_strdup (colon + 1);
  return TRUE;
}

gboolean
virfs_pool_check_draft (const VirfsPoolInfo *pool, GError **error)
{
  guint i = find_type (pool->type);
  g_autofree char *host = NULL, *rest = NULL;

  if (!virfs_pool_check_type (pool->type, error) || !check_path (pool->path, error)
      || !virfs_pool_split_source (pool->type, pool->source, &host, &rest, error))
    return FALSE;
  if (types[i].path && pool->path == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a pool of type %s needs a path: write its directory on the host there first",
                 pool->type);
  else if (types[i].source != NULL && pool->source == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a pool of type %s needs a source: write %s there first", pool->type,
                 types[i].source);
  else
    return TRUE;
  return FALSE;
}

gboolean
virfs_pool_check_build (const VirfsPoolInfo *pool, GError **error)
{
  if (pool->source != NULL || g_strcmp0 (pool->type, "logical") != 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "a volume group is built of devices: write them to source first, as in /dev/sdb");
  return FALSE;
}

gboolean
virfs_volume_check_format (const char *format, GError **error)
{
  static const char *const formats[] = { "raw", "qcow2", "qed", "vmdk", "vdi", "vpc" };

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (g_str_equal (format, formats[i]))
      return TRUE;
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
    "\"%s\" is not a format to make a volume in: write raw, qcow2, qed, vmdk, vdi or vpc", format);
  return FALSE;
}
