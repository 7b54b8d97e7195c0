/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what with the objects of the registry.  A guest bears its owner itself; what cannot is in
 * a table by its path, and with the keeper.
 */
#include "alarm.h"
#include "draft.h"
#include "error.h"
#include "image.h"
#include "registry.h"
#include "upload.h"

#include <string.h>

/* Under the lock, as the static functions that do not say otherwise. */
static gboolean
look_up (VirfsInfra *infra, const char *path, VirfsOwner *owner)
{
  const VirfsOwner *given = g_hash_table_lookup (infra->owners, path);

  if (given == NULL)
    return FALSE;
  *owner = *given;
  return TRUE;
}

static gboolean
look_up_object (VirfsObject *object, VirfsOwner *owner)
{
  g_autofree char *path = virfs_registry_path (object);

  return look_up (object->infra, path, owner);
}

static void
part_owner (VirfsPart *part, VirfsOwner *owner)
{
  if (part->class->kind == VIRFS_KIND_DRAFT) {
    virfs_draft_owner ((const VirfsDraftInfo *) part->info, owner);
  } else if (part->owner->kind == VIRFS_KIND_ROOT) {
    look_up (part->object.infra, part->class->directory, owner);
  } else if (part->class->kind != VIRFS_KIND_POOL || !look_up_object (&part->object, owner)) {
    virfs_registry_owner (part->owner, owner);
  }
}

/* What nobody was given is his whose pool it is. */
static void
image_owner (VirfsImage *image, VirfsOwner *owner)
{
  if (image->info->volumes->len == 0 && image->upload != NULL)
    virfs_upload_get_owner (image->upload, owner);
  else if (!look_up_object (&image->object, owner) && image->info->volumes->len > 0)
    virfs_registry_owner (image->info->volumes->pdata[0], owner);
}

void
virfs_registry_owner (gpointer object, VirfsOwner *owner)
{
  VirfsObject *self = object;

  *owner = self->infra->owner;
  if (self->kind == VIRFS_KIND_VM)
    *owner = ((VirfsVm *) object)->info->owner;
  else if (self->kind == VIRFS_KIND_JOB)
    virfs_job_owner (object, owner);
  else if (self->kind == VIRFS_KIND_HOST)
    look_up_object (object, owner);
  else if (self->kind == VIRFS_KIND_IMAGE)
    image_owner (object, owner);
  else if (self->kind == VIRFS_KIND_ALARM)
    look_up (self->infra, "alarms", owner);
  else if (virfs_object_is_part (object))
    part_owner (object, owner);
}

void
virfs_object_owner (gpointer object, VirfsOwner *owner)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&((VirfsObject *) object)->infra->lock);

  virfs_registry_owner (object, owner);
}

gboolean
virfs_infra_owner_at (VirfsInfra *infra, const char *path, VirfsOwner *owner)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  return look_up (infra, path, owner);
}

void
virfs_infra_default_owner (VirfsInfra *infra, VirfsOwner *owner)
{
  *owner = infra->owner;
}

/* Without the lock. */
static gboolean
keep (VirfsInfra *infra, const char *path, const VirfsOwner *owner, GError **error)
{
  g_autofree char *text = virfs_owner_print (owner);

  return virfs_infra_keep (infra, VIRFS_RECORD_OWNER, path, text, error);
}

/* They are whose the directory is that they are in. */
static void
tell_alarms (VirfsInfra *infra)
{
  GHashTableIter iter;
  gpointer alarm;

  g_hash_table_iter_init (&iter, infra->alarm_names);
  while (g_hash_table_iter_next (&iter, NULL, &alarm))
    virfs_registry_emit (infra, VIRFS_CHANGED, alarm, VIRFS_BIT (VIRFS_ALARM_OWNER),
                         ((VirfsAlarm *) alarm)->info, ((VirfsAlarm *) alarm)->info);
}

static void
tell (VirfsInfra *infra, VirfsObject *object)
{
  if (object == NULL) {
    virfs_registry_emit (infra, VIRFS_CHANGED, &infra->root, VIRFS_BIT (VIRFS_ROOT_OWNER), NULL,
                         NULL);
    tell_alarms (infra);
    virfs_registry_parts_turned (&infra->root, infra->fleet_networks, VIRFS_PART_OWNER);
    virfs_registry_parts_turned (&infra->root, infra->fleet_pools, VIRFS_PART_OWNER);
  } else if (object->kind == VIRFS_KIND_HOST) {
    VirfsHost *host = (VirfsHost *) object;

    virfs_registry_emit (infra, VIRFS_CHANGED, host, VIRFS_BIT (VIRFS_HOST_OWNER), host->info,
                         host->info);
    for (guint i = 0; i < VIRFS_HOST_N_PARTS; i++)
      virfs_registry_parts_turned (object, host->info->parts[i], VIRFS_PART_OWNER);
  } else if (object->kind == VIRFS_KIND_IMAGE) {
    virfs_registry_emit (infra, VIRFS_CHANGED, object, VIRFS_BIT (VIRFS_IMAGE_OWNER), NULL, NULL);
  } else {
    VirfsPart *part = (VirfsPart *) object;

    virfs_registry_emit (infra, VIRFS_CHANGED, part, VIRFS_BIT (VIRFS_PART_OWNER), part->info,
                         part->info);
    virfs_registry_parts_turned (object, part->info->parts, VIRFS_PART_OWNER);
  }
}

static void
set (VirfsInfra *infra, const char *path, const VirfsOwner *owner)
{
  g_hash_table_insert (infra->owners, g_strdup (path), g_memdup2 (owner, sizeof *owner));
}

gboolean
virfs_infra_give (VirfsInfra *infra, gpointer object, const char *path, const VirfsOwner *owner,
                  GError **error)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (!keep (infra, path, owner, error))
    return FALSE;
  locker = g_mutex_locker_new (&infra->lock);
  set (infra, path, owner);
  tell (infra, object);
  return TRUE;
}

void
virfs_infra_restore_owner (VirfsInfra *infra, const char *path, const char *text)
{
  g_autoptr (GMutexLocker) locker = NULL;
  g_autoptr (GError) error = NULL;
  VirfsOwner owner;

  if (!virfs_owner_parse (text, &owner, &error)) {
    g_message ("the owner of %s is not known any more: %s", path, error->message);
    return;
  }
  locker = g_mutex_locker_new (&infra->lock);
  set (infra, path, &owner);
}

static gboolean
is_below (const char *path, const char *top)
{
  gsize length = strlen (top);

  return strncmp (path, top, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

/* Takes it: the paths at TOP and below it that are known no more (of char*). */
static GPtrArray *
drop (VirfsInfra *infra, const char *top)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GPtrArray *dropped = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  gpointer path;

  g_hash_table_iter_init (&iter, infra->owners);
  while (g_hash_table_iter_next (&iter, &path, NULL))
    if (is_below (path, top)) {
      g_ptr_array_add (dropped, g_strdup (path));
      g_hash_table_iter_remove (&iter);
    }
  return dropped;
}

void
virfs_infra_disown (VirfsInfra *infra, const char *path)
{
  g_autoptr (GPtrArray) dropped = drop (infra, path);

  for (guint i = 0; i < dropped->len; i++) {
    g_autoptr (GError) error = NULL;

    if (!virfs_infra_forget (infra, VIRFS_RECORD_OWNER, dropped->pdata[i], &error))
      g_message ("%s may come back with its old owner: %s", (char *) dropped->pdata[i],
                 error->message);
  }
}
