/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a network or pool of the fleet comes to be defined: by XML, by what a draft says, by what a host has. */
#include "fleet_task.h"

#include "error.h"

#include <string.h>

gboolean
virfs_fleet_set_info (VirfsFleet *self, VirfsFleetEntry *entry, gpointer info, GError **error)
{
  VirfsPartInfo *before = entry->info;
  VirfsBlob *made = entry->made;

  entry->info = info;
  if (!virfs_blob_equal (virfs_fleet_xml (before), virfs_fleet_xml (info)))
    entry->made = NULL;
  if (virfs_fleet_keep (self, entry, error)) {
    virfs_part_info_unref (before);
    if (entry->made == NULL) {
      g_hash_table_remove_all (entry->own);
      virfs_blob_unref (made);
    }
    return TRUE;
  }
  entry->info = before;
  entry->made = made;
  virfs_part_info_unref (info);
  return FALSE;
}

/* The entry of what the task names, a new one for what hosts have; NULL: BUSY. */
static VirfsFleetEntry *
need (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  if (virfs_fleet_entry_find (self, task->kind, task->name) != NULL)
    return virfs_fleet_task_find_idle (self, task, error);
  return virfs_fleet_entry_new (self, task->kind, task->name,
                                virfs_fleet_new_info (task->kind, task->name, VIRFS_FLEET_SEEN));
}

gboolean
virfs_fleet_check (VirfsDefined kind, gconstpointer info, GError **error)
{
  return kind == VIRFS_DEFINED_NETWORK ? virfs_network_check (info, error)
                                       : virfs_pool_check_draft (info, error);
}

static char *
describe (VirfsFleet *self, VirfsFleetEntry *entry, GError **error)
{
  if (virfs_fleet_entry_is_defined (entry))
    return virfs_blob_text (virfs_fleet_xml (entry->info));
  if (!virfs_fleet_check (entry->kind, entry->info, error))
    return NULL;
  return self->infra->backend->definition_write (entry->kind, entry->info, NULL, 0, error);
}

/* By XML (taken, may be NULL: ERROR is set).  The entry has the wait then, for what its look begins. */
static void
define_as (VirfsFleet *self, VirfsFleetTask *task, VirfsFleetEntry *entry, char *text,
           gboolean shared, GError **error)
{
  g_autofree char *written = text;
  const VirfsBackend *backend = self->infra->backend;
  g_autofree char *xml
    = text ? backend->definition_check (task->kind, task->name, text, shared, error) : NULL;
  gboolean is_new = g_strcmp0 (virfs_fleet_facts (entry->info)->state, VIRFS_FLEET_SEEN) == 0;
  VirfsPartInfo *info = xml ? virfs_part_info_copy (entry->info) : NULL;

  if (info != NULL && !virfs_fleet_info_take (self->infra, info, xml)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "this is no definition of a %s",
                 task->kind == VIRFS_DEFINED_NETWORK ? "network" : "pool");
    virfs_part_info_unref (g_steal_pointer (&info));
  }
  if (info != NULL)
    virfs_fleet_facts_of (info)->state = VIRFS_FLEET_DEFINED;
  if (info != NULL && virfs_fleet_set_info (self, entry, info, error)) {
    entry->wait = g_steal_pointer (&task->wait);
    g_hash_table_remove_all (entry->failed);
    virfs_fleet_look (self);
  } else if (is_new) {
    g_ptr_array_remove (self->entries, entry);
  }
}

void
virfs_fleet_do_define (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  VirfsFleetEntry *entry
    = task->text ? need (self, task, error) : virfs_fleet_task_find_idle (self, task, error);

  if (entry != NULL)
    define_as (self, task, entry,
               task->text ? g_strdup (task->text) : describe (self, entry, error), TRUE, error);
}

/* What the host TEXT, or the first, has; the caller owns it. */
static char *
find_definition (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (self->infra);

  for (guint i = 0; i < hosts->len; i++) {
    VirfsHost *host = hosts->pdata[i];
    g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
    gpointer part = virfs_fleet_part_of (info, task->kind, task->name);
    VirfsBlob *xml = NULL;

    if (part != NULL && (*task->text == '\0' || strcmp (task->text, host->name) == 0))
      xml = task->kind == VIRFS_DEFINED_NETWORK ? ((VirfsNetworkInfo *) part)->definition
                                                : ((VirfsPoolInfo *) part)->definition;
    if (xml != NULL)
      return virfs_blob_text (xml);
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s%s has no definition of %s",
               *task->text ? "the host " : "no host", task->text, task->name);
  return NULL;
}

/* Whether several hosts have it as one storage. */
static gboolean
is_shared (VirfsFleet *self, const VirfsFleetTask *task)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (self->infra);
  g_autofree char *uuid = NULL;
  guint n = 0;

  for (guint i = 0; task->kind == VIRFS_DEFINED_POOL && i < hosts->len; i++) {
    g_autoptr (VirfsHostInfo) info = virfs_host_info (hosts->pdata[i]);
    const VirfsPoolInfo *pool = virfs_fleet_part_of (info, task->kind, task->name);

    if (pool == NULL)
      continue;
    if (n++ == 0)
      uuid = g_strdup (pool->uuid);
    else if (g_strcmp0 (uuid, pool->uuid) != 0)
      return FALSE;
  }
  return n > 1;
}

void
virfs_fleet_do_adopt (VirfsFleet *self, VirfsFleetTask *task, GError **error)
{
  char *xml = find_definition (self, task, error);
  VirfsFleetEntry *entry = xml ? need (self, task, error) : NULL;

  if (entry != NULL)
    define_as (self, task, entry, xml, is_shared (self, task), error);
  else
    g_free (xml);
}
