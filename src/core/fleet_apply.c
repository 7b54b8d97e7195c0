/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs that make hosts have what the fleet defines, or have it no more. */
#include "fleet_private.h"

#include "error.h"

void
virfs_fleet_apply_free (VirfsFleetApply *apply)
{
  g_free (apply->name);
  g_free (apply->host);
  g_clear_error (&apply->error);
  g_free (apply);
}

/* From any thread. */
static void
on_end (VirfsJob *job, const GError *error, gpointer data)
{
  VirfsFleetApply *apply = data;
  VirfsFleet *self = apply->self;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  apply->error = error ? g_error_copy (error) : NULL;
  g_queue_push_tail (&self->ended, apply);
  g_cond_signal (&self->wake);
}

/* What a host that has come back empty had is given back with what was its own: UUID, bridge, MAC. */
static VirfsBlob *
find_xml (VirfsFleet *self, const VirfsFleetEntry *entry, const char *host)
{
  const VirfsDefinition *known
    = virfs_definitions_find (g_hash_table_lookup (self->profiles, host), entry->kind, entry->name);
  g_autofree char *own = known ? virfs_blob_text (known->xml) : NULL;
  g_autofree char *wanted = virfs_blob_text (virfs_fleet_xml (entry->info));
  g_autofree char *differ
    = own && wanted ? self->infra->backend->definition_differ (wanted, own) : NULL;

  return own && wanted && differ == NULL ? known->xml : virfs_fleet_xml (entry->info);
}

static GPtrArray *
definitions_of (VirfsFleet *self, const VirfsFleetEntry *entry, const char *host)
{
  GPtrArray *list = virfs_definitions_new ();
  VirfsDefinition *definition
    = virfs_definition_new (entry->kind, entry->name, entry->name, find_xml (self, entry, host));
  gboolean start = entry->kind == VIRFS_DEFINED_NETWORK
                     ? ((VirfsNetworkInfo *) entry->info)->autostart
                     : ((VirfsPoolInfo *) entry->info)->autostart;

  definition->autostart = definition->active = start;
  definition->remove = entry->removing;
  g_ptr_array_add (list, definition);
  return list;
}

void
virfs_fleet_apply (VirfsFleet *self, VirfsFleetEntry *entry, VirfsHost *host)
{
  VirfsFleetApply *apply = g_new0 (VirfsFleetApply, 1);
  g_autoptr (GPtrArray) definitions = definitions_of (self, entry, host->name);
  g_autofree char *operation = g_strdup_printf ("%s %s/%s", entry->removing ? "remove" : "apply",
                                                virfs_defined_name (entry->kind), entry->name);
  VirfsJobSpec spec = { .operation = operation,
                        .object = &host->object,
                        .host = &host->object,
                        .uid = entry->wait ? entry->wait->uid : self->infra->owner.uid,
                        .done = on_end,
                        .data = apply };
  g_autoptr (VirfsJob) job = NULL;

  apply->self = self;
  apply->kind = entry->kind;
  apply->name = g_strdup (entry->name);
  apply->host = g_strdup (host->name);
  apply->wait = entry->wait;
  if (entry->wait != NULL)
    entry->wait->left++;
  g_hash_table_add (entry->pending, g_strdup (host->name));
  g_hash_table_remove (entry->failed, host->name);
  job = virfs_job_new (self->infra, &spec);
  self->infra->backend->host_apply (host, definitions, job);
}

/* It is gone from all hosts, or stays defined. */
static void
end_removing (VirfsFleet *self, VirfsFleetEntry *entry, VirfsFleetWait *wait)
{
  entry->removing = FALSE;
  if (wait->error == NULL)
    virfs_fleet_drop (self, entry, &wait->error);
}

/* What somebody waits for is told to him; the rest is drift. */
void
virfs_fleet_take_end (VirfsFleet *self, VirfsFleetApply *apply)
{
  VirfsFleetEntry *entry = virfs_fleet_entry_find (self, apply->kind, apply->name);
  VirfsFleetWait *wait = apply->wait;

  if (entry != NULL)
    g_hash_table_remove (entry->pending, apply->host);
  if (entry != NULL && apply->error == NULL && !entry->removing)
    virfs_fleet_learn (self, entry, apply->host);
  if (entry != NULL && apply->error != NULL && !entry->removing)
    g_hash_table_insert (entry->failed, g_strdup (apply->host), g_strdup (apply->error->message));
  if (wait != NULL && apply->error != NULL && wait->error == NULL) {
    wait->error = g_error_copy (apply->error);
    g_prefix_error (&wait->error, "%s: ", apply->host);
  }
  if (wait != NULL)
    wait->left--;
  if (entry != NULL && entry->removing && g_hash_table_size (entry->pending) == 0)
    end_removing (self, entry, wait);
}

void
virfs_fleet_wait_settle (VirfsFleetWait *wait)
{
  if (wait->left > 0)
    return;
  wait->done (wait->error, wait->data);
  g_clear_error (&wait->error);
  g_free (wait);
}
