/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The indexes of the registry.  Whoever publishes a guest's info gives what was known before and what
 * is now; what differs enters and leaves.  All static functions run under the registry's lock unless
 * they say otherwise.
 */
#include "index.h"

#include "device.h"
#include "error.h"
#include "registry.h"
#include "tags.h"
#include "text.h"

#include <arpa/inet.h>
#include <string.h>

static const char *const key_names[] = {
  [VIRFS_INDEX_TAG] = "tag",
  [VIRFS_INDEX_OWNER] = "owner",
  [VIRFS_INDEX_IMAGE] = "image",
};

const char *
virfs_index_key_name (VirfsIndexKey key)
{
  return key_names[key];
}

/* What a guest is found by. */

static GStrv
one (const char *value)
{
  const char *const values[] = { value, NULL };

  return g_strdupv ((char **) values);
}

/* The file's name, and where it is a guest its path. */
static GStrv
image_name (const char *image)
{
  g_autofree char *base
    = g_str_has_prefix (image, "vms/") ? g_strdup (image) : g_path_get_basename (image);
  g_autofree char *name = virfs_name_encode (base);

  return one (name);
}

static gboolean
is_address (const char *text)
{
  unsigned char bytes[sizeof (struct in6_addr)];

  return inet_pton (AF_INET, text, bytes) == 1 || inet_pton (AF_INET6, text, bytes) == 1;
}

static void
add_addresses (GStrvBuilder *builder, const VirfsNicInfo *nic)
{
  g_auto (GStrv) lines = g_strsplit (nic->addresses ? nic->addresses : "", "\n", -1);

  for (char **line = lines; *line; line++)
    if (is_address (*line))
      g_strv_builder_add (builder, *line);
}

GStrv
virfs_vm_addresses (const VirfsVmInfo *info)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];

  for (guint i = 0; nics && i < nics->len; i++)
    add_addresses (builder, nics->pdata[i]);
  return g_strv_builder_end (builder);
}

static GStrv
values_of (VirfsIndexKey key, const VirfsVmInfo *info)
{
  if (key == VIRFS_INDEX_OWNER)
    return one (virfs_user_name (info->owner.uid));
  if (key == VIRFS_INDEX_TAG && info->tags != NULL)
    return g_strsplit (info->tags, "\n", -1);
  if (key == VIRFS_INDEX_IMAGE && info->image != NULL)
    return image_name (info->image);
  return NULL;
}

/* Indexes. */

static VirfsRootField
root_field (VirfsIndexKey key)
{
  return VIRFS_ROOT_INDEXES + key;
}

static void
free_index (gpointer object)
{
  VirfsIndex *index = object;

  g_hash_table_unref (index->vms);
  g_free (index->value);
  g_free (index);
}

static VirfsIndex *
add_index (VirfsInfra *infra, VirfsIndexKey key, const char *value)
{
  VirfsIndex *index = g_new0 (VirfsIndex, 1);
  g_autofree char *path = g_strconcat (key_names[key], "/", value, NULL);

  index->key = key;
  index->value = g_strdup (value);
  index->vms = g_hash_table_new (NULL, NULL);
  index->changed = g_get_real_time ();
  virfs_registry_add (infra, index, VIRFS_KIND_INDEX, virfs_object_hash_id (VIRFS_KIND_INDEX, path),
                      free_index);
  g_hash_table_insert (infra->indexes[key], index->value, index);
  virfs_registry_emit (infra, VIRFS_ADDED, index, 0, NULL, NULL);
  virfs_registry_touch (infra, VIRFS_BIT (root_field (key)));
  return index;
}

static void
remove_index (VirfsIndex *index)
{
  VirfsInfra *infra = index->object.infra;
  VirfsIndexKey key = index->key;

  g_hash_table_remove (infra->indexes[key], index->value);
  virfs_registry_emit (infra, VIRFS_REMOVED, index, 0, NULL, NULL);
  virfs_registry_remove (infra, index);
  virfs_registry_touch (infra, VIRFS_BIT (root_field (key)));
}

static void
touch (VirfsIndex *index, const VirfsVmInfo *left)
{
  index->changed = g_get_real_time ();
  virfs_registry_emit (index->object.infra, VIRFS_CHANGED, index, 1, left, NULL);
}

static void
enter (VirfsVm *vm, VirfsIndexKey key, const char *value)
{
  VirfsInfra *infra = vm->object.infra;
  VirfsIndex *index = g_hash_table_lookup (infra->indexes[key], value);

  if (index == NULL)
    index = add_index (infra, key, value);
  g_hash_table_add (index->vms, vm);
  touch (index, NULL);
}

static void
leave (VirfsVm *vm, VirfsIndexKey key, const char *value, const VirfsVmInfo *before)
{
  VirfsIndex *index = g_hash_table_lookup (vm->object.infra->indexes[key], value);

  if (index == NULL)
    return;
  g_hash_table_remove (index->vms, vm);
  touch (index, before);
  if (g_hash_table_size (index->vms) == 0 && !index->kept)
    remove_index (index);
}

static gboolean
has (GStrv values, const char *value)
{
  return values && g_strv_contains ((const char *const *) values, value);
}

/* BEFORE and AFTER: NULL where the guest is not shown.  One that has a new name leaves under the old
 * one. */
static void
follow (VirfsVm *vm, VirfsIndexKey key, const VirfsVmInfo *before, const VirfsVmInfo *after)
{
  g_auto (GStrv) old = before ? values_of (key, before) : NULL;
  g_auto (GStrv) new = after ? values_of (key, after) : NULL;
  gboolean renamed = before && after && strcmp (before->label, after->label) != 0;

  for (char **value = new; value &&*value; value++)
    if (!has (old, *value))
      enter (vm, key, *value);
    else if (renamed)
      touch (g_hash_table_lookup (vm->object.infra->indexes[key], *value), before);
  for (char **value = old; value && *value; value++)
    if (!has (new, *value))
      leave (vm, key, *value, before);
}

/* Addresses. */

static void
set_holders (VirfsInfra *infra, const char *address, GSList *vms)
{
  if (vms != NULL)
    g_hash_table_insert (infra->addresses, g_strdup (address), vms);
  else
    g_hash_table_remove (infra->addresses, address);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_ADDRESSES));
}

static void
follow_addresses (VirfsVm *vm, const VirfsVmInfo *before, const VirfsVmInfo *after)
{
  VirfsInfra *infra = vm->object.infra;
  g_auto (GStrv) old = NULL;
  g_auto (GStrv) new = NULL;

  if (before && after && before->parts[VIRFS_VM_NICS] == after->parts[VIRFS_VM_NICS])
    return;
  old = before ? virfs_vm_addresses (before) : NULL;
  new = after ? virfs_vm_addresses (after) : NULL;
  for (char **address = old; address && *address; address++)
    if (!has (new, *address))
      set_holders (infra, *address,
                   g_slist_remove (g_hash_table_lookup (infra->addresses, *address), vm));
  for (char **address = new; address &&*address; address++) {
    GSList *vms = g_hash_table_lookup (infra->addresses, *address);

    if (g_slist_find (vms, vm) == NULL)
      set_holders (infra, *address, g_slist_append (vms, vm));
  }
}

/* For the registry. */

static const VirfsVmInfo *
if_shown (const VirfsVmInfo *info)
{
  return info && info->label ? info : NULL;
}

void
virfs_registry_index_vm (VirfsVm *vm, const VirfsVmInfo *before, const VirfsVmInfo *after,
                         guint64 fields)
{
  static const VirfsVmField shown_by[] = {
    [VIRFS_INDEX_TAG] = VIRFS_VM_TAGS,
    [VIRFS_INDEX_OWNER] = VIRFS_VM_OWNER,
    [VIRFS_INDEX_IMAGE] = VIRFS_VM_IMAGE,
  };
  const VirfsVmInfo *was = if_shown (before), *is = if_shown (after);

  for (guint i = 0; i < VIRFS_N_INDEXES; i++)
    if (fields & (VIRFS_BIT (VIRFS_VM_NAME) | VIRFS_BIT (shown_by[i])))
      follow (vm, i, was, is);
  if (fields & (VIRFS_BIT (VIRFS_VM_NAME) | VIRFS_BIT (VIRFS_VM_PARTS)))
    follow_addresses (vm, was, is);
}

void
virfs_registry_open_indexes (VirfsInfra *infra)
{
  for (guint i = 0; i < VIRFS_N_INDEXES; i++)
    infra->indexes[i] = g_hash_table_new (g_str_hash, g_str_equal);
  infra->addresses = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
virfs_registry_close_indexes (VirfsInfra *infra)
{
  for (guint i = 0; i < VIRFS_N_INDEXES; i++)
    g_hash_table_unref (infra->indexes[i]);
  g_hash_table_unref (infra->addresses);
}

/* For the tree: these take the lock. */

VirfsIndex *
virfs_infra_index (VirfsInfra *infra, VirfsIndexKey key, const char *value)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsIndex *index = g_hash_table_lookup (infra->indexes[key], value);

  return index ? virfs_object_ref (index) : NULL;
}

gboolean
virfs_index_has (VirfsIndex *index, VirfsVm *vm)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&index->object.infra->lock);

  return g_hash_table_contains (index->vms, vm);
}

gint64
virfs_index_changed (VirfsIndex *index)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&index->object.infra->lock);

  return index->changed;
}

void
virfs_infra_foreach_index (VirfsInfra *infra, VirfsIndexKey key, VirfsIndexFunc func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GHashTableIter iter;
  gpointer index;

  g_hash_table_iter_init (&iter, infra->indexes[key]);
  while (g_hash_table_iter_next (&iter, NULL, &index))
    func (index, data);
}

void
virfs_index_foreach_vm (VirfsIndex *index, VirfsVmFunc func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&index->object.infra->lock);
  GHashTableIter iter;
  gpointer vm;

  g_hash_table_iter_init (&iter, index->vms);
  while (g_hash_table_iter_next (&iter, &vm, NULL))
    func (vm, ((VirfsVm *) vm)->info, data);
}

gboolean
virfs_infra_make_tag (VirfsInfra *infra, const char *tag, GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (!virfs_tag_check (tag, error))
    return FALSE;
  locker = g_mutex_locker_new (&infra->lock);
  if (g_hash_table_contains (infra->indexes[VIRFS_INDEX_TAG], tag)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "there is a tag %s already", tag);
    return FALSE;
  }
  add_index (infra, VIRFS_INDEX_TAG, tag)->kept = TRUE;
  return TRUE;
}

gboolean
virfs_infra_remove_tag (VirfsInfra *infra, const char *tag, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsIndex *index = g_hash_table_lookup (infra->indexes[VIRFS_INDEX_TAG], tag);

  if (index == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no tag %s", tag);
    return FALSE;
  }
  if (g_hash_table_size (index->vms) > 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_EMPTY,
                 "%u guests have the tag %s: remove their links first",
                 g_hash_table_size (index->vms), tag);
    return FALSE;
  }
  remove_index (index);
  return TRUE;
}

VirfsVm *
virfs_infra_vm_by_address (VirfsInfra *infra, const char *address)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GSList *vms = g_hash_table_lookup (infra->addresses, address);

  return vms ? virfs_object_ref (vms->data) : NULL;
}

void
virfs_infra_foreach_address (VirfsInfra *infra, VirfsAddressFunc func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GHashTableIter iter;
  gpointer address, vms;

  g_hash_table_iter_init (&iter, infra->addresses);
  while (g_hash_table_iter_next (&iter, &address, &vms))
    func (((GSList *) vms)->data, address, data);
}
