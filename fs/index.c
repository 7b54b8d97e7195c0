/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * by/tag/, by/owner/, by/image/ and by/ip/: guests by what the registry has indexes of (index.h).  The
 * first three have a directory for each value, with links to the guests; an address is a link itself.
 */
#include "index.h"

#include "access.h"
#include "tags.h"

#include <string.h>

#define ADDRESS_LINK "/by/ip/<address>"

static const struct {
  VirfsClass *class;
  const char *link; /* row of the guest's class */
} indexes[] = {
  [VIRFS_INDEX_TAG] = { &virfs_tag_class, "/by/tag/<tag>/<vm>" },
  [VIRFS_INDEX_OWNER] = { &virfs_owner_class, "/by/owner/<user>/<vm>" },
  [VIRFS_INDEX_IMAGE] = { &virfs_image_class, "/by/image/<image>/<vm>" },
};

const VirfsClass *
virfs_index_class (const VirfsIndex *index)
{
  return indexes[index->key].class;
}

/* The directories of indexes; a row's offset is the key. */

static void
add_index (VirfsIndex *index, gpointer listing)
{
  virfs_listing_add (listing, index->value, virfs_inode_at (virfs_index_class (index), index, ""),
                     S_IFDIR);
}

static void
list_indexes (const VirfsNode *dir, VirfsListing *listing)
{
  virfs_infra_foreach_index (virfs_node_infra (dir), dir->row->offset, add_index, listing);
}

static guint64
find_index (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsIndex) index = virfs_infra_index (virfs_node_infra (dir), dir->row->offset, name);

  return index ? virfs_inode_at (virfs_index_class (index), index, "") : 0;
}

static void
make_tag (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (GError) error = NULL;

  virfs_infra_make_tag (virfs_node_infra (dir), name, &error);
  virfs_call_finish (call, error);
}

static void
remove_tag (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (GError) error = NULL;

  virfs_infra_remove_tag (virfs_node_infra (dir), name, &error);
  virfs_call_finish (call, error);
}

const VirfsDir virfs_by_index_dir = { .list = list_indexes, .find = find_index };
const VirfsDir virfs_by_tag_dir
  = { .list = list_indexes, .find = find_index, .make = make_tag, .remove = remove_tag };

/* by/ip/ */

static void
add_address (VirfsVm *vm, const char *address, gpointer listing)
{
  virfs_listing_add (listing, address, virfs_inode_at (&virfs_vm_class, vm, ADDRESS_LINK), S_IFLNK);
}

static void
list_addresses (const VirfsNode *dir, VirfsListing *listing)
{
  virfs_infra_foreach_address (virfs_node_infra (dir), add_address, listing);
}

static guint64
find_address (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_address (virfs_node_infra (dir), name);

  return vm ? virfs_inode_at (&virfs_vm_class, vm, ADDRESS_LINK) : 0;
}

const VirfsDir virfs_by_ip_dir = { .list = list_addresses, .find = find_address };

/* One index. */

static guint64
link_of (const VirfsIndex *index, VirfsVm *vm)
{
  return virfs_inode_at (&virfs_vm_class, vm, indexes[index->key].link);
}

typedef struct {
  VirfsListing *listing;
  const VirfsIndex *index;
} Listed;

static void
add_vm (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Listed *listed = data;

  virfs_listing_add (listed->listing, info->label, link_of (listed->index, vm), S_IFLNK);
}

static void
list_vms (const VirfsNode *dir, VirfsListing *listing)
{
  Listed listed = { listing, dir->object };

  virfs_index_foreach_vm (dir->object, add_vm, &listed);
}

/* The guest NAME if it is in DIR; a new reference. */
static VirfsVm *
get_vm (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);

  return vm && virfs_index_has (dir->object, vm) ? g_steal_pointer (&vm) : NULL;
}

static guint64
find_vm (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsVm) vm = get_vm (dir, name);

  return vm ? link_of (dir->object, vm) : 0;
}

/* Tags by links. */

static void
tag (VirfsCall *call, const VirfsNode *dir, VirfsVm *vm, gboolean add)
{
  const VirfsIndex *index = dir->object;
  VirfsVmNote note = { .field = VIRFS_VM_TAGS,
                       .how = add ? VIRFS_NOTE_ADD : VIRFS_NOTE_REMOVE,
                       .text = index->value };
  g_autoptr (GError) error = NULL;

  if (virfs_access_check (call, vm, VIRFS_MAY_WRITE, &error))
    virfs_vm_note (call, vm, add ? "add a tag" : "remove a tag", &note);
  else
    virfs_call_finish (call, error);
}

/* Whether TARGET is a path to the guest NAME, from wherever. */
static gboolean
leads_to (const char *target, const char *name)
{
  g_autofree char *end = g_strconcat ("vms/", name, NULL);
  const char *before = target + strlen (target) - strlen (end);

  return g_str_has_suffix (target, end) && (before == target || before[-1] == '/');
}

static void
add_link (VirfsCall *call, const VirfsNode *dir, const char *name, const char *target)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);

  if (!leads_to (target, name))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a link here has the name of a guest and leads to it, as in ../../../vms/%s",
                     name);
  else if (vm == NULL)
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no guest %s", name);
  else
    tag (call, dir, vm, TRUE);
}

static void
remove_link (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsVm) vm = get_vm (dir, name);

  if (vm == NULL)
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "no guest %s has this tag", name);
  else
    tag (call, dir, vm, FALSE);
}

static const VirfsDir index_dir = { .list = list_vms, .find = find_vm };
static const VirfsDir tag_dir
  = { .list = list_vms, .find = find_vm, .link = add_link, .unlink = remove_link };

/* The classes.  Any field is that guests come and go. */

static gconstpointer
snapshot (gpointer object)
{
  return object;
}

static gint64
changed (const VirfsNode *node, guint64 fields)
{
  return virfs_index_changed (node->object);
}

static guint64
parent (const VirfsNode *node)
{
  const VirfsIndex *index = node->object;
  g_autofree char *path = g_strconcat ("by/", virfs_index_key_name (index->key), NULL);

  return virfs_inode_at (&virfs_root_class, NULL, path);
}

#define INDEX_CLASS                                                                                \
  .n_rows = 1, .parent = parent, .unref = virfs_object_unref, .snapshot = snapshot,                \
  .release = virfs_release_none, .changed = changed

/* Whoever may change a guest may tag it. */
static const VirfsRow tag_rows[] = {
  { "", S_IFDIR | 0777, .fields = 1, .dir = &tag_dir,
    .help
    = "links to the guests with this tag; ln -s of a guest sets it, rm of a link removes it" },
};
static const VirfsRow owner_rows[] = {
  { "", S_IFDIR | 0555, .fields = 1, .dir = &index_dir,
    .help = "links to the guests that belong to this user" },
};
static const VirfsRow image_rows[] = {
  { "", S_IFDIR | 0555, .fields = 1, .dir = &index_dir,
    .help = "links to the guests that were made from this image" },
};

VirfsClass virfs_tag_class = { .path = "by/tag/<tag>", .rows = tag_rows, INDEX_CLASS };
VirfsClass virfs_owner_class = { .path = "by/owner/<user>", .rows = owner_rows, INDEX_CLASS };
VirfsClass virfs_image_class = { .path = "by/image/<image>", .rows = image_rows, INDEX_CLASS };
