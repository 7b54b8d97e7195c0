/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the registry calls its objects, and what it tells of them: events and failures. */
#include "alarm.h"
#include "error.h"
#include "image.h"
#include "index.h"
#include "registry.h"
#include "text.h"

#include <string.h>

char *
virfs_registry_path (gpointer object)
{
  VirfsObject *self = object;

  switch (self->kind) {
  case VIRFS_KIND_HOST:
    return g_strdup_printf ("hosts/%s", ((VirfsHost *) object)->name);
  case VIRFS_KIND_VM: {
    const VirfsVmInfo *info = ((VirfsVm *) object)->info;

    /* a twin that is not shown goes by the name of the guest */
    return g_strdup_printf ("vms/%s", info->label ? info->label
                                                  : virfs_registry_primary (object)->info->label);
  }
  case VIRFS_KIND_JOB:
    return g_strdup_printf ("jobs/%u", virfs_job_number (object));
  case VIRFS_KIND_ROOT:
    return g_strdup ("fleet");
  case VIRFS_KIND_IMAGE:
    return g_strdup_printf ("images/%s", ((VirfsImage *) object)->label);
  case VIRFS_KIND_ALARM:
    return g_strdup_printf ("alarms/%s", ((VirfsAlarm *) object)->info->name);
  case VIRFS_KIND_INDEX:
    return g_strdup_printf ("by/%s/%s", virfs_index_key_name (((VirfsIndex *) object)->key),
                            ((VirfsIndex *) object)->value);
  default: {
    VirfsPart *part = object;
    g_autofree char *owner = NULL;

    if (part->owner->kind == VIRFS_KIND_ROOT)
      return g_strdup_printf ("%s/%s", part->class->directory, part->label);
    owner = virfs_registry_path (part->owner);
    return g_strdup_printf ("%s/%s/%s", owner, part->class->directory, part->label);
  }
  }
}

char *
virfs_object_path (gpointer object)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&((VirfsObject *) object)->infra->lock);

  return virfs_registry_path (object);
}

/* The lines of OBJECT (a host or guest) are others now. */
static void
touch_events (gpointer object)
{
  VirfsObject *self = object;

  if (self->kind == VIRFS_KIND_VM)
    virfs_registry_emit (self->infra, VIRFS_CHANGED, self, VIRFS_BIT (VIRFS_VM_EVENTS),
                         ((VirfsVm *) object)->info, ((VirfsVm *) object)->info);
  else
    virfs_registry_emit (self->infra, VIRFS_CHANGED, self, VIRFS_BIT (VIRFS_HOST_EVENTS),
                         ((VirfsHost *) object)->info, ((VirfsHost *) object)->info);
}

static void
touch_all_events (GHashTable *objects)
{
  GHashTableIter iter;
  gpointer object;

  g_hash_table_iter_init (&iter, objects);
  while (g_hash_table_iter_next (&iter, NULL, &object))
    touch_events (object);
}

/* The host or guest that PATH is, or is in; NULL if it is none. */
static gpointer
object_at (VirfsInfra *infra, const char *path)
{
  const char *name = strchr (path, '/');
  g_autofree char *key = name ? g_strndup (name + 1, strcspn (name + 1, "/")) : NULL;

  if (key != NULL && g_str_has_prefix (path, "vms/"))
    return g_hash_table_lookup (infra->labels, key);
  if (key != NULL && g_str_has_prefix (path, "hosts/"))
    return g_hash_table_lookup (infra->hosts, key);
  return NULL;
}

void
virfs_registry_log (VirfsInfra *infra, const char *path, const char *kind, const char *details)
{
  gboolean cut = virfs_event_log_add (infra->events, path, kind, details);
  gpointer object = object_at (infra, path);

  if (object != NULL)
    touch_events (object);
  if (cut) {
    touch_all_events (infra->labels);
    touch_all_events (infra->hosts);
  }
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_EVENTS));
}

void
virfs_infra_log (VirfsInfra *infra, const char *path, const char *kind, const char *details)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  virfs_registry_log (infra, path, kind, details);
}

void
virfs_registry_event (VirfsInfra *infra, gpointer object, const char *kind, const char *details)
{
  g_autofree char *path = virfs_registry_path (object ? object : &infra->root);

  virfs_registry_log (infra, path, kind, details);
}

void
virfs_infra_event (VirfsInfra *infra, gpointer object, const char *kind, const char *details)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  virfs_registry_event (infra, object, kind, details);
}

static void
set_object_error (gpointer object, const char *line)
{
  VirfsObject *self = object;

  /* a part has no `error` of its own */
  if (self->kind == VIRFS_KIND_DRAFT)
    virfs_registry_set_draft_error (object, line);
  else if (virfs_object_is_part (object))
    self = object = virfs_part_root (object);
  if (self->kind == VIRFS_KIND_VM && !((VirfsVm *) object)->removed) {
    VirfsVmInfo *info = virfs_vm_info_copy (((VirfsVm *) object)->info);

    virfs_ref_string_set (&info->error, line);
    virfs_registry_publish_vm (object, info);
  } else if (self->kind == VIRFS_KIND_HOST && !((VirfsHost *) object)->removed) {
    VirfsHostInfo *info = virfs_host_info_copy (((VirfsHost *) object)->info);

    virfs_ref_string_set (&info->error, line);
    virfs_registry_publish_host (object, info);
  }
}

void
virfs_infra_report (VirfsInfra *infra, gpointer object, const char *file, guint uid,
                    const GError *error)
{
  g_autoptr (GMutexLocker) locker = NULL;
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GString) safe = g_string_new (NULL);

  virfs_text_append_time (line, g_get_real_time ());
  g_string_append_printf (line, " %s uid=%u: %s", file, uid, error->message);
  virfs_text_escape (safe, error->message);
  g_message ("%s: %s (uid %u)", file, safe->str, uid);

  locker = g_mutex_locker_new (&infra->lock);
  virfs_ref_string_set (&infra->error, line->str);
  if (object != NULL)
    set_object_error (object, line->str);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_ERROR));
}

void
virfs_infra_append_error (VirfsInfra *infra, GString *out)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  if (infra->error == NULL)
    return;
  virfs_text_escape (out, infra->error);
  g_string_append_c (out, '\n');
}

void
virfs_infra_set_log_head (VirfsInfra *infra, guint64 position, const char *hash)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  g_free (infra->log_head);
  infra->log_head = g_strdup_printf ("%" G_GUINT64_FORMAT " %s", position, hash);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_HEAD));
}

void
virfs_infra_append_log_head (VirfsInfra *infra, GString *out)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  if (infra->log_head != NULL)
    g_string_append_printf (out, "%s\n", infra->log_head);
}
