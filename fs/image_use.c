/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images/<file>.d/used_by/, and who may do what with an image. */
#include "access.h"
#include "image.h"
#include "image_files.h"
#include "pool.h"
#include "upload.h"
#include "use.h"

#include <string.h>

static const VirfsImageInfo *
info_of (const VirfsNode *node)
{
  return node->snapshot;
}

/* used_by/ */

static void add_users (GHashTable *vms, VirfsInfra *infra, GPtrArray *users, guint depth);

/* PATH is that of a volume that is based on the image: its guests are the image's, too. */
static void
add_overlay (GHashTable *vms, VirfsInfra *infra, const char *path, guint depth)
{
  g_auto (GStrv) words = g_strsplit (path, "/", 6); /* hosts HOST pools POOL volumes VOLUME */
  g_autoptr (VirfsHost) host = NULL;
  g_autoptr (VirfsPart) pool = NULL;
  g_autoptr (VirfsPart) volume = NULL;
  g_autoptr (GPtrArray) users = NULL;

  if (g_strv_length (words) != 6 || depth == 0)
    return;
  host = virfs_infra_host (infra, words[1]);
  pool = host ? virfs_infra_part (infra, host, &virfs_pool_class, words[3]) : NULL;
  volume = pool ? virfs_infra_part (infra, pool, &virfs_volume_class, words[5]) : NULL;
  users = volume ? virfs_volume_users (volume) : NULL;
  if (users != NULL)
    add_users (vms, infra, users, depth - 1);
}

static void
add_users (GHashTable *vms, VirfsInfra *infra, GPtrArray *users, guint depth)
{
  for (guint i = 0; i < users->len; i++) {
    const VirfsUser *user = users->pdata[i];

    if (user->target != NULL)
      g_hash_table_add (vms, g_strdup (user->path + strlen ("vms/")));
    else
      add_overlay (vms, infra, user->path, depth);
  }
}

/* Labels of the guests that use the image of DIR. */
static GHashTable *
find_users (const VirfsNode *dir)
{
  enum { DEEPEST = 64 };
  g_autoptr (GPtrArray) users = virfs_image_users (dir->object);
  GHashTable *vms = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  add_users (vms, virfs_node_infra (dir), users, DEEPEST);
  return vms;
}

static guint64
link_to (const VirfsNode *dir, const char *label)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), label);

  return vm ? virfs_inode_at (&virfs_vm_class, vm, "/images/<file>.d/used_by/<vm>") : 0;
}

static void
list_users (const VirfsNode *dir, VirfsListing *listing)
{
  g_autoptr (GHashTable) vms = find_users (dir);
  GHashTableIter iter;
  gpointer label;

  g_hash_table_iter_init (&iter, vms);
  while (g_hash_table_iter_next (&iter, &label, NULL)) {
    guint64 ino = link_to (dir, label);

    if (ino != 0)
      virfs_listing_add (listing, label, ino, S_IFLNK);
  }
}

static guint64
find_user (const VirfsNode *dir, const char *name)
{
  g_autoptr (GHashTable) vms = find_users (dir);

  return g_hash_table_contains (vms, name) ? link_to (dir, name) : 0;
}

const VirfsDir virfs_image_users_dir = { .list = list_users, .find = find_user };

/* Owners. */

static gboolean
is_unpublished (const VirfsNode *node)
{
  return info_of (node)->volumes->len == 0;
}

/* What is a disk of a guest is nobody else's to look into, unless somebody has said so. */
static gboolean
is_private (const VirfsNode *node)
{
  g_autofree char *path = virfs_object_path (node->object);
  g_autoptr (GPtrArray) users = NULL;
  VirfsOwner given;

  if (virfs_infra_owner_at (virfs_node_infra (node), path, &given))
    return FALSE;
  users = virfs_image_users (node->object);
  for (guint i = 0; i < users->len; i++)
    if (((VirfsUser *) users->pdata[i])->target != NULL)
      return TRUE;
  return FALSE;
}

void
virfs_image_get_owner (const VirfsNode *node, VirfsOwner *owner)
{
  g_autoptr (VirfsUpload) upload = is_unpublished (node) ? virfs_image_upload (node->object) : NULL;

  if (upload != NULL) {
    virfs_upload_get_owner (upload, owner);
    return;
  }
  virfs_object_owner (node->object, owner);
  if (is_private (node))
    owner->mode &= 0700;
}

/* Who can read the file can look into the directory beside it. */
static void
widen (const VirfsNode *node, VirfsOwner *owner)
{
  if (S_ISREG (node->row->mode))
    owner->mode = (owner->mode & 0666) | (owner->mode & 0444) >> 2;
}

void
virfs_image_set_owner (VirfsCall *call, const VirfsNode *node, const VirfsOwner *wanted)
{
  g_autoptr (VirfsUpload) upload = is_unpublished (node) ? virfs_image_upload (node->object) : NULL;
  g_autofree char *path = virfs_object_path (node->object);
  g_autoptr (GError) error = NULL;
  VirfsOwner is, owner = *wanted;

  virfs_image_get_owner (node, &is);
  widen (node, &owner);
  if (*node->row->path != '\0' && !(node->row->flags & VIRFS_ROW_OWNED))
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_PERMITTED,
                 "this belongs to whom %s belongs: chown and chmod that", path);
  else if (!virfs_access_check_give (call, &is, &owner, &error))
    ;
  else if (upload != NULL)
    virfs_upload_set_owner (upload, &owner);
  else
    virfs_infra_give (virfs_node_infra (node), node->object, path, &owner, &error);
  virfs_call_finish (call, error);
}
