/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts of the registry.
 *
 * Parts are published with their owner: whoever publishes an owner's info gives the lists that it had
 * before and has now, and the part objects follow.  An info that tells nothing new is replaced by the
 * one that is known, so that it keeps its times and its memory.  Drafts are the registry's own: they
 * stay in their list until something of their name is told, or somebody removes them.
 *
 * All static functions run under the registry's lock.
 */
#include "registry.h"

#include "draft.h"
#include "error.h"
#include "fleetwide.h"
#include "text.h"

#include <string.h>

guint
virfs_registry_part_hash (gconstpointer data)
{
  const VirfsPart *part = data;

  return g_str_hash (part->label) ^ (guint) part->owner->id ^ (part->class->kind << 24);
}

gboolean
virfs_registry_part_equal (gconstpointer a, gconstpointer b)
{
  const VirfsPart *p = a, *q = b;

  return p->owner == q->owner && p->class == q->class && strcmp (p->label, q->label) == 0;
}

gpointer
virfs_part_info (VirfsPart *part)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&part->object.infra->lock);

  return virfs_part_info_ref (part->info);
}

VirfsObject *
virfs_part_root (VirfsPart *part)
{
  VirfsObject *owner = part->owner;

  while (virfs_object_is_part (owner))
    owner = ((VirfsPart *) owner)->owner;
  return owner;
}

static VirfsPart *
find (VirfsObject *owner, const VirfsPartClass *class, const char *label)
{
  VirfsPart key = { .owner = owner, .class = class, .label = (GRefString *) label };

  return g_hash_table_lookup (owner->infra->parts, &key);
}

static VirfsPart *
find_of_info (VirfsObject *owner, const VirfsPartInfo *info)
{
  g_autofree char *label = virfs_part_label (info->class, info->name);

  return find (owner, info->class, label);
}

VirfsPart *
virfs_registry_part_of (VirfsObject *owner, const VirfsPartInfo *info)
{
  return find_of_info (owner, info);
}

static void
free_part (gpointer object)
{
  VirfsPart *part = object;

  virfs_part_info_unref (part->info);
  virfs_object_unref (part->owner);
  g_ref_string_release (part->name);
  g_ref_string_release (part->label);
  g_free (part);
}

/* Coming and going. */

static void
stamp (VirfsPartInfo *info, guint64 fields)
{
  gint64 now = g_get_real_time ();

  for (guint i = 0; i < VIRFS_PART_N_FIELDS; i++)
    if (fields & VIRFS_BIT (i))
      info->changed[i] = now;
}

static guint64
wished_id (VirfsPart *part)
{
  g_autofree char *key
    = g_strdup_printf ("%" G_GINT64_MODIFIER "x/%s", part->owner->id, part->label);

  return virfs_object_hash_id (part->class->kind, key);
}

static void
add (VirfsObject *owner, VirfsPartInfo *info)
{
  VirfsInfra *infra = owner->infra;
  VirfsPart *part = g_new0 (VirfsPart, 1);
  g_autofree char *label = virfs_part_label (info->class, info->name);

  part->class = info->class;
  part->owner = virfs_object_ref (owner);
  part->name = g_ref_string_acquire (info->name);
  part->label = strcmp (label, info->name) == 0 ? g_ref_string_acquire (info->name)
                                                : g_ref_string_new (label);
  virfs_registry_add (infra, part, info->class->kind, wished_id (part), free_part);
  g_hash_table_add (infra->parts, part);
  stamp (info, ~G_GUINT64_CONSTANT (0));
  virfs_registry_sync_parts (&part->object, NULL, &info->parts);
  part->info = virfs_part_info_ref (info);
  virfs_registry_emit (infra, VIRFS_ADDED, part, 0, NULL, info);
}

static void
remove_part (VirfsPart *part)
{
  VirfsInfra *infra = part->object.infra;

  virfs_registry_remove_parts (&part->object, part->info->parts);
  part->removed = TRUE;
  g_hash_table_remove (infra->parts, part);
  virfs_registry_emit (infra, VIRFS_REMOVED, part, 0, part->info, NULL);
  virfs_registry_remove (infra, part);
}

void
virfs_registry_remove_parts (VirfsObject *owner, GPtrArray *list)
{
  for (guint i = 0; list && i < list->len; i++) {
    VirfsPart *part = find_of_info (owner, list->pdata[i]);

    if (part != NULL)
      remove_part (part);
  }
}

/* Takes over INFO, which is new to PART. */
static void
change (VirfsPart *part, VirfsPartInfo *info, guint64 fields)
{
  g_autoptr (VirfsPartInfo) before = part->info;

  memcpy (info->changed, before->changed, sizeof info->changed);
  stamp (info, fields);
  virfs_registry_sync_parts (&part->object, before->parts, &info->parts);
  part->info = virfs_part_info_ref (info);
  virfs_registry_emit (part->object.infra, VIRFS_CHANGED, part, fields, before, info);
}

/* What is to be in the list in place of INFO (borrowed); a new reference.  NULL: nothing, for a draft
 * that somebody has removed since INFO was copied. */
static gpointer
take (VirfsObject *owner, VirfsPartInfo *info)
{
  VirfsPart *part = find_of_info (owner, info);
  guint64 fields;

  if (part == NULL && info->draft)
    return NULL;
  if (part == NULL) {
    add (owner, info);
    return virfs_part_info_ref (info);
  }
  fields = virfs_part_info_diff (part->info, info);
  if (part->info->draft && !info->draft)
    virfs_registry_dissolve_part (part);
  if (fields != 0)
    change (part, info, fields);
  return virfs_part_info_ref (part->info);
}

/* Those that nobody has dropped. */
static void
keep_drafts (VirfsObject *owner, GPtrArray *before, GPtrArray *told, GPtrArray *list)
{
  for (guint i = 0; before && i < before->len; i++) {
    VirfsPartInfo *info = before->pdata[i];

    if (info->draft && virfs_part_list_find (told, info->name) == NULL
        && find_of_info (owner, info) != NULL)
      g_ptr_array_add (list, virfs_part_info_ref (info));
  }
}

static void
remove_missing (VirfsObject *owner, GPtrArray *before, GPtrArray *list)
{
  for (guint i = 0; before && i < before->len; i++) {
    VirfsPartInfo *info = before->pdata[i];
    VirfsPart *part
      = virfs_part_list_find (list, info->name) == NULL ? find_of_info (owner, info) : NULL;

    if (part != NULL)
      remove_part (part);
  }
}

void
virfs_registry_sync_parts (VirfsObject *owner, GPtrArray *before, GPtrArray **list)
{
  g_autoptr (GPtrArray) told = *list;
  GPtrArray *merged;

  if (told == before) {
    g_steal_pointer (&told);
    return;
  }
  if (told == NULL) {
    *list = before ? g_ptr_array_ref (before) : NULL;
    return;
  }
  merged = virfs_part_list_new ();
  for (guint i = 0; i < told->len; i++) {
    gpointer taken = take (owner, told->pdata[i]);

    if (taken != NULL)
      g_ptr_array_add (merged, taken);
  }
  keep_drafts (owner, before, told, merged);
  virfs_part_list_sort (merged);
  remove_missing (owner, before, merged);
  *list = merged;
}

void
virfs_registry_parts_turned (VirfsObject *owner, GPtrArray *list, VirfsPartField field)
{
  for (guint i = 0; list && i < list->len; i++) {
    VirfsPart *part = find_of_info (owner, list->pdata[i]);

    if (part == NULL)
      continue;
    virfs_registry_emit (owner->infra, VIRFS_CHANGED, part, VIRFS_BIT (field), part->info,
                         part->info);
    virfs_registry_parts_turned (&part->object, part->info->parts, field);
  }
}

/* Replacing one list of an owner, or one info in it. */

static void replace_list (VirfsObject *owner, const VirfsPartClass *class, GPtrArray *list);

/* What belongs to the fleet itself. */
static GPtrArray **
root_list (VirfsInfra *infra, const VirfsPartClass *class)
{
  if (class == &virfs_fleet_network_class)
    return &infra->fleet_networks;
  return class == &virfs_fleet_pool_class ? &infra->fleet_pools : &infra->drafts;
}

static VirfsRootField
root_field (const VirfsPartClass *class)
{
  if (class == &virfs_fleet_network_class)
    return VIRFS_ROOT_NETWORKS;
  return class == &virfs_fleet_pool_class ? VIRFS_ROOT_POOLS : VIRFS_ROOT_VMS;
}

GPtrArray *
virfs_infra_fleet (VirfsInfra *infra, const VirfsPartClass *class)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GPtrArray *list = *root_list (infra, class);

  return list ? g_ptr_array_ref (list) : NULL;
}

static GPtrArray *
list_of (VirfsObject *owner, const VirfsPartClass *class)
{
  switch (owner->kind) {
  case VIRFS_KIND_HOST:
    return ((VirfsHost *) owner)->info->parts[virfs_host_part (class)];
  case VIRFS_KIND_ROOT:
    return *root_list (owner->infra, class);
  case VIRFS_KIND_VM:
    return ((VirfsVm *) owner)->info->parts[virfs_vm_part (class)];
  default:
    return ((VirfsPart *) owner)->info->parts;
  }
}

/* A copy of LIST without what has the name of INFO, and with INFO (taken) unless that is NULL. */
static GPtrArray *
edit_list (GPtrArray *list, const char *name, VirfsPartInfo *info)
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

static void
replace_root (VirfsInfra *infra, const VirfsPartClass *class, GPtrArray *list)
{
  GPtrArray **own = root_list (infra, class);
  g_autoptr (GPtrArray) before = *own;
  gboolean differ = virfs_part_lists_differ (before, list);

  virfs_registry_sync_parts (&infra->root, before, &list);
  *own = list;
  if (differ)
    virfs_registry_touch (infra, VIRFS_BIT (root_field (class)));
}

void
virfs_registry_publish_fleet (VirfsInfra *infra, const VirfsPartClass *class, GPtrArray *list)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  replace_root (infra, class, list);
}

/* LIST is taken. */
static void
replace_list (VirfsObject *owner, const VirfsPartClass *class, GPtrArray *list)
{
  gpointer info;

  switch (owner->kind) {
  case VIRFS_KIND_ROOT:
    replace_root (owner->infra, class, list);
    break;
  case VIRFS_KIND_HOST:
    info = virfs_host_info_copy (((VirfsHost *) owner)->info);
    virfs_part_lists_set (((VirfsHostInfo *) info)->parts, virfs_host_part (class), list);
    virfs_registry_publish_host ((VirfsHost *) owner, info);
    break;
  case VIRFS_KIND_VM:
    info = virfs_vm_info_copy (((VirfsVm *) owner)->info);
    virfs_part_lists_set (((VirfsVmInfo *) info)->parts, virfs_vm_part (class), list);
    virfs_registry_publish_vm ((VirfsVm *) owner, info);
    break;
  default: {
    VirfsPart *part = (VirfsPart *) owner;

    info = virfs_part_info_copy (part->info);
    virfs_part_lists_set (&((VirfsPartInfo *) info)->parts, 0, list);
    replace_list (part->owner, part->class,
                  edit_list (list_of (part->owner, part->class), part->name, info));
  }
  }
}

/* Drafts and edits. */

gpointer
virfs_infra_part (VirfsInfra *infra, gpointer owner, const VirfsPartClass *class, const char *label)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsPart *part = find (owner, class, label);

  return part ? virfs_object_ref (part) : NULL;
}

gpointer
virfs_infra_add_draft (VirfsInfra *infra, gpointer owner, gpointer taken, GError **error)
{
  g_autoptr (VirfsPartInfo) info = taken;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsPart *part = find_of_info (owner, info);

  if (part != NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s is there already", part->label);
    return NULL;
  }
  info->draft = TRUE;
  add (owner, info);
  replace_list (owner, info->class,
                edit_list (list_of (owner, info->class), info->name, virfs_part_info_ref (info)));
  return virfs_object_ref (find_of_info (owner, info));
}

static gboolean
edit_part (VirfsPart *part, VirfsPartEdit edit, gpointer data)
{
  VirfsPartInfo *info;

  if (part->removed)
    return FALSE;
  info = virfs_part_info_copy (part->info);
  edit (info, data);
  replace_list (part->owner, part->class,
                edit_list (list_of (part->owner, part->class), part->name, info));
  return TRUE;
}

gboolean
virfs_infra_edit_part (VirfsInfra *infra, VirfsPart *part, VirfsPartEdit edit, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  return edit_part (part, edit, data);
}

static void
set_error (gpointer info, gpointer line)
{
  virfs_ref_string_set (&((VirfsDraftInfo *) info)->error, line);
}

void
virfs_registry_set_draft_error (VirfsPart *draft, const char *line)
{
  edit_part (draft, set_error, (gpointer) line);
}

void
virfs_registry_drop_draft (VirfsPart *part)
{
  GPtrArray *list = edit_list (list_of (part->owner, part->class), part->name, NULL);
  g_autoptr (VirfsPart) kept = virfs_object_ref (part);

  /* else it would be kept */
  remove_part (part);
  replace_list (part->owner, part->class, list);
}

gboolean
virfs_infra_drop_draft (VirfsInfra *infra, VirfsPart *part)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  if (part->removed || !part->info->draft)
    return FALSE;
  virfs_registry_drop_draft (part);
  return TRUE;
}

VirfsPart *
virfs_registry_draft (VirfsInfra *infra, const char *label)
{
  return find (&infra->root, &virfs_draft_class, label);
}

VirfsPart *
virfs_registry_draft_by_uuid (VirfsInfra *infra, const char *uuid)
{
  for (guint i = 0; infra->drafts && i < infra->drafts->len; i++) {
    VirfsDraftInfo *info = infra->drafts->pdata[i];

    if (g_str_equal (info->uuid, uuid))
      return find_of_info (&infra->root, &info->part);
  }
  return NULL;
}
