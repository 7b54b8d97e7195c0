/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody wants of the fleet's networks and pools: made by whoever asks, carried out by the thread. */
#include "fleet_task.h"

#include "error.h"

#include <string.h>

static void
free_task (VirfsFleetTask *task)
{
  g_free (task->name);
  g_free (task->text);
  g_free (task);
}

static void
end_wait (VirfsFleetWait *wait, GError *error)
{
  wait->error = error;
  wait->left = 0;
  virfs_fleet_wait_settle (wait);
}

/* What was done is shown when somebody is told of it: by the entry's next look, where there is one. */
void
virfs_fleet_task_run (VirfsFleet *self, VirfsFleetTask *task)
{
  GError *error = NULL;

  task->run (self, task, &error);
  if (task->wait != NULL) {
    if (error == NULL)
      virfs_fleet_look (self);
    end_wait (task->wait, error);
  }
  free_task (task);
}

void
virfs_fleet_task_refuse (VirfsFleetTask *task)
{
  end_wait (task->wait, g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "virfs ends"));
  free_task (task);
}

static void
ask (VirfsInfra *infra, const VirfsFleetWish *wish,
     void (*run) (VirfsFleet *self, VirfsFleetTask *task, GError **error))
{
  VirfsFleet *self = infra->fleet;
  VirfsFleetTask *task = g_new0 (VirfsFleetTask, 1);
  gboolean running;

  task->run = run;
  task->kind = virfs_fleet_kind (wish->class);
  task->name = g_strdup (wish->name);
  task->text = g_strdup (wish->text);
  task->member = wish->member;
  task->number = wish->number;
  task->wait = g_new0 (VirfsFleetWait, 1);
  task->wait->uid = wish->uid;
  task->wait->done = wish->done;
  task->wait->data = wish->data;
  g_mutex_lock (&self->lock);
  running = self->running;
  if (running)
    g_queue_push_tail (&self->tasks, task);
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
  if (!running)
    virfs_fleet_task_refuse (task);
}

/* Entries. */

VirfsFleetEntry *
virfs_fleet_task_find (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  VirfsFleetEntry *entry = virfs_fleet_entry_find (self, task->kind, task->name);

  if (entry == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "the fleet does not define %s, hosts have it; write adopt to its ctl first",
                 task->name);
  return entry;
}

VirfsFleetEntry *
virfs_fleet_task_find_idle (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  VirfsFleetEntry *entry = virfs_fleet_task_find (self, task, error);

  if (entry == NULL || (!entry->removing && g_hash_table_size (entry->pending) == 0))
    return entry;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "hosts are being given %s, or rid of it, now",
               task->name);
  return NULL;
}

static gboolean
has_any (VirfsFleet *self, VirfsDefined kind, const char *name)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (self->infra);

  for (guint i = 0; i < hosts->len; i++) {
    g_autoptr (VirfsHostInfo) info = virfs_host_info (hosts->pdata[i]);

    if (virfs_fleet_part_of (info, kind, name) != NULL)
      return TRUE;
  }
  return FALSE;
}

gpointer
virfs_fleet_new_info (VirfsDefined kind, const char *name, const char *state)
{
  gpointer info = virfs_part_info_new (virfs_fleet_class (kind), name);

  virfs_fleet_facts_of (info)->state = state;
  if (kind == VIRFS_DEFINED_NETWORK) {
    ((VirfsNetworkInfo *) info)->autostart = TRUE;
    ((VirfsNetworkInfo *) info)->forward = "isolated";
  } else {
    ((VirfsPoolInfo *) info)->autostart = TRUE;
    ((VirfsPoolInfo *) info)->type = "dir";
  }
  return info;
}

static void
make (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  VirfsFleetEntry *entry;

  if (virfs_fleet_entry_find (self, task->kind, task->name) != NULL
      || has_any (self, task->kind, task->name)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "there is a %s already", task->name);
    return;
  }
  entry = virfs_fleet_entry_new (self, task->kind, task->name,
                                 virfs_fleet_new_info (task->kind, task->name, VIRFS_FLEET_DRAFT));
  if (!virfs_fleet_keep (self, entry, error))
    g_ptr_array_remove (self->entries, entry);
}

/* Settings. */

static gboolean
rewrite (VirfsFleet *self, VirfsFleetEntry *entry, gpointer wanted, gsize member, GError **error)
{
  g_autofree char *xml = virfs_blob_text (virfs_fleet_xml (entry->info));
  g_autofree char *written
    = virfs_fleet_check (entry->kind, wanted, error)
        ? self->infra->backend->definition_write (entry->kind, wanted, xml, member, error)
        : NULL;

  return written != NULL && virfs_fleet_info_take (self->infra, wanted, written);
}

static gboolean
is_autostart (const VirfsFleetTask *task)
{
  return task->member
         == (task->kind == VIRFS_DEFINED_NETWORK ? G_STRUCT_OFFSET (VirfsNetworkInfo, autostart)
                                                 : G_STRUCT_OFFSET (VirfsPoolInfo, autostart));
}

static void
set (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  VirfsFleetEntry *entry = virfs_fleet_task_find_idle (self, task, error);
  VirfsPartInfo *wanted = entry ? virfs_part_info_copy (entry->info) : NULL;

  if (wanted == NULL)
    return;
  virfs_part_info_set (wanted, task->member, task->number, task->text);
  if (!virfs_fleet_entry_is_defined (entry) || is_autostart (task)
      || rewrite (self, entry, wanted, task->member, error))
    virfs_fleet_set_info (self, entry, wanted, error);
  else
    virfs_part_info_unref (wanted);
}

static void
set_hosts (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  VirfsFleetEntry *entry = virfs_fleet_task_find_idle (self, task, error);
  VirfsPartInfo *wanted = entry ? virfs_part_info_copy (entry->info) : NULL;

  if (wanted == NULL)
    return;
  virfs_ref_string_set (&virfs_fleet_facts_of (wanted)->wanted, task->text);
  if (virfs_fleet_set_info (self, entry, wanted, error))
    entry->wait = g_steal_pointer (&task->wait);
  if (entry->wait != NULL)
    virfs_fleet_look (self);
}

/* Ending. */

static void
forget (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  VirfsFleetEntry *entry = virfs_fleet_task_find_idle (self, task, error);

  if (entry != NULL)
    virfs_fleet_drop (self, entry, error);
}

/* Those that are not to have it keep what they have under its name, which stays. */
static gboolean
check_hosts (VirfsFleet *self, VirfsFleetEntry *entry, GError **error)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (self->infra);

  for (guint i = 0; i < hosts->len; i++) {
    VirfsHost *host = hosts->pdata[i];
    g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

    if (virfs_fleet_part_of (info, entry->kind, entry->name) == NULL)
      continue;
    if (info->state == VIRFS_HOST_UP && virfs_fleet_entry_wants (entry, host->name))
      continue;
    g_set_error (
      error, VIRFS_ERROR, info->state == VIRFS_HOST_UP ? VIRFS_ERROR_BUSY : VIRFS_ERROR_HOST_DOWN,
      "%s has %s and %s; write forget to its ctl, and hosts keep what they have", host->name,
      entry->name, info->state == VIRFS_HOST_UP ? "is none of its hosts" : "is not reachable");
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_unused (VirfsFleet *self, VirfsFleetEntry *entry, GError **error)
{
  const VirfsPartClass *class = virfs_fleet_class (entry->kind);
  g_autoptr (GPtrArray) users = virfs_fleet_users (self->infra, class, entry->name);
  g_autofree char *path = users->len > 0 ? virfs_object_path (users->pdata[0]) : NULL;

  if (path == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s uses %s; %s/%s/used_by lists all that do",
               path, entry->name, class->directory, entry->name);
  return FALSE;
}

static void
remove_it (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  VirfsFleetEntry *entry = virfs_fleet_task_find_idle (self, task, error);

  if (entry == NULL)
    return;
  if (!check_unused (self, entry, error))
    return;
  if (!virfs_fleet_entry_is_defined (entry) || !has_any (self, entry->kind, entry->name)) {
    virfs_fleet_drop (self, entry, error);
  } else if (check_hosts (self, entry, error)) {
    entry->removing = TRUE;
    entry->wait = g_steal_pointer (&task->wait);
    virfs_fleet_look (self);
  }
}

static void
repair (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  VirfsFleetEntry *entry = virfs_fleet_task_find_idle (self, task, error);
  g_autoptr (VirfsHost) host
    = task->text && *task->text ? virfs_infra_host (self->infra, task->text) : NULL;

  if (entry == NULL)
    return;
  if (!virfs_fleet_entry_is_defined (entry)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "%s is a draft; write define to its ctl, or its xml", task->name);
  } else if (*task->text != '\0'
             && (host == NULL || !virfs_fleet_entry_wants (entry, task->text))) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s is no host that is to have %s",
                 task->text, task->name);
  } else {
    entry->repair = g_strdup (task->text);
    entry->wait = g_steal_pointer (&task->wait);
    virfs_fleet_look (self);
  }
}

/* For others. */

void
virfs_fleet_make (VirfsInfra *infra, const VirfsFleetWish *wish)
{
  ask (infra, wish, make);
}

void
virfs_fleet_remove (VirfsInfra *infra, const VirfsFleetWish *wish)
{
  ask (infra, wish, remove_it);
}

void
virfs_fleet_define (VirfsInfra *infra, const VirfsFleetWish *wish)
{
  ask (infra, wish, virfs_fleet_do_define);
}

void
virfs_fleet_adopt (VirfsInfra *infra, const VirfsFleetWish *wish)
{
  ask (infra, wish, virfs_fleet_do_adopt);
}

void
virfs_fleet_forget (VirfsInfra *infra, const VirfsFleetWish *wish)
{
  ask (infra, wish, forget);
}

void
virfs_fleet_repair (VirfsInfra *infra, const VirfsFleetWish *wish)
{
  ask (infra, wish, repair);
}

void
virfs_fleet_set (VirfsInfra *infra, const VirfsFleetWish *wish)
{
  ask (infra, wish, set);
}

void
virfs_fleet_set_hosts (VirfsInfra *infra, const VirfsFleetWish *wish)
{
  ask (infra, wish, set_hosts);
}
