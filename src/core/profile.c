/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a host has now, and what that makes of its profile. */
#include "profile.h"

#include "error.h"
#include "fleet_private.h"

#include <string.h>

/* From the first change to its being looked at: guests change often, and many at once. */
#define DELAY G_TIME_SPAN_SECOND

/* What it has now. */

typedef struct {
  GPtrArray *kept;   /* its profile, sorted */
  GPtrArray *list;   /* what it has */
  GPtrArray *unread; /* what of that is not known, and is as it was kept */
} Reading;

static void
add (Reading *self, VirfsDefined kind, const VirfsPartInfo *part, VirfsBlob *xml,
     gboolean autostart, gboolean active)
{
  VirfsDefinition *definition;

  if (part->draft || xml == NULL)
    return;
  definition = virfs_definition_new (kind, part->name, part->name, xml);
  definition->autostart = autostart;
  definition->active = active;
  g_ptr_array_add (self->list, definition);
}

static void
carry_over (Reading *self, VirfsDefinition *kept)
{
  g_ptr_array_add (self->list, virfs_definition_ref (kept));
  g_ptr_array_add (self->unread, virfs_definition_ref (kept));
}

static void
carry_one_over (Reading *self, VirfsDefined kind, const char *key)
{
  VirfsDefinition *kept = virfs_definitions_find (self->kept, kind, key);

  if (kept != NULL)
    carry_over (self, kept);
}

/* If LIST could not be read. */
static void
carry_kind_over (Reading *self, VirfsDefined kind, GPtrArray *list)
{
  for (guint i = 0; list == NULL && i < self->kept->len; i++)
    if (((VirfsDefinition *) self->kept->pdata[i])->kind == kind)
      carry_over (self, self->kept->pdata[i]);
}

static void
add_networks (Reading *self, GPtrArray *networks)
{
  carry_kind_over (self, VIRFS_DEFINED_NETWORK, networks);
  for (guint i = 0; networks && i < networks->len; i++) {
    const VirfsNetworkInfo *network = networks->pdata[i];

    if (network->persistent && network->definition == NULL)
      carry_one_over (self, VIRFS_DEFINED_NETWORK, network->part.name);
    add (self, VIRFS_DEFINED_NETWORK, &network->part, network->definition, network->autostart,
         network->active);
  }
}

static void
add_pools (Reading *self, GPtrArray *pools)
{
  carry_kind_over (self, VIRFS_DEFINED_POOL, pools);
  for (guint i = 0; pools && i < pools->len; i++) {
    const VirfsPoolInfo *pool = pools->pdata[i];

    if (pool->persistent && pool->definition == NULL)
      carry_one_over (self, VIRFS_DEFINED_POOL, pool->part.name);
    add (self, VIRFS_DEFINED_POOL, &pool->part, pool->definition, pool->autostart,
         virfs_pool_is_active (pool));
  }
}

static void
add_others (Reading *self, const VirfsHostInfo *info)
{
  GPtrArray *filters = info->parts[VIRFS_HOST_FILTERS];

  carry_kind_over (self, VIRFS_DEFINED_FILTER, filters);
  for (guint i = 0; filters && i < filters->len; i++) {
    const VirfsFilterInfo *filter = filters->pdata[i];

    if (!filter->part.draft && filter->xml == NULL)
      carry_one_over (self, VIRFS_DEFINED_FILTER, filter->part.name);
    add (self, VIRFS_DEFINED_FILTER, &filter->part, filter->xml, FALSE, FALSE);
  }
  carry_kind_over (self, VIRFS_DEFINED_SECRET, info->secrets);
  for (guint i = 0; info->secrets && i < info->secrets->len; i++)
    g_ptr_array_add (self->list, virfs_definition_ref (info->secrets->pdata[i]));
}

static void
add_guest (Reading *self, const VirfsVmInfo *info)
{
  VirfsDefinition *definition;

  if (!info->persistent)
    return;
  if (info->xml_inactive == NULL) {
    carry_one_over (self, VIRFS_DEFINED_GUEST, info->uuid);
    return;
  }
  definition
    = virfs_definition_new (VIRFS_DEFINED_GUEST, info->uuid, info->name, info->xml_inactive);
  definition->autostart = info->autostart;
  g_ptr_array_add (self->list, definition);
}

/* Under the registry's lock. */
static void
read_host (Reading *self, VirfsHost *host)
{
  GHashTableIter iter;
  gpointer vm;

  add_networks (self, host->info->parts[VIRFS_HOST_NETWORKS]);
  add_pools (self, host->info->parts[VIRFS_HOST_POOLS]);
  add_others (self, host->info);
  g_hash_table_iter_init (&iter, host->vms);
  while (g_hash_table_iter_next (&iter, NULL, &vm))
    add_guest (self, ((VirfsVm *) vm)->info);
  virfs_definitions_sort (self->list);
}

/* What could not be read is as in KEPT, and is added to UNREAD.  NULL: it is not up. */
static GPtrArray *
read_up (VirfsHost *host, GPtrArray *kept, GPtrArray *unread)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->object.infra->lock);
  Reading reading = { kept, NULL, unread };

  if (host->info->state != VIRFS_HOST_UP || host->removed)
    return NULL;
  reading.list = virfs_definitions_new ();
  read_host (&reading, host);
  return reading.list;
}

/* Emptiness. */

VirfsHost *
virfs_profile_elsewhere (VirfsHost *host, const char *uuid)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (host->object.infra, uuid);
  g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

  return info != NULL && info->host != NULL && info->host != host ? virfs_object_ref (info->host)
                                                                  : NULL;
}

/* Of KEPT, what is still HOST's: a guest that another host has by now has not been lost. */
static GPtrArray *
still_its (VirfsHost *host, GPtrArray *kept)
{
  GPtrArray *list = virfs_definitions_new ();

  for (guint i = 0; kept && i < kept->len; i++) {
    VirfsDefinition *definition = kept->pdata[i];
    g_autoptr (VirfsHost) other = definition->kind == VIRFS_DEFINED_GUEST
                                    ? virfs_profile_elsewhere (host, definition->key)
                                    : NULL;

    if (other == NULL)
      g_ptr_array_add (list, virfs_definition_ref (definition));
  }
  return list;
}

static gboolean
counts (const VirfsDefinition *definition)
{
  return definition->kind != VIRFS_DEFINED_FILTER
         && !(definition->kind == VIRFS_DEFINED_NETWORK
              && strcmp (definition->name, "default") == 0);
}

/* Of KEPT, what NOW has not; of VirfsDefinition*, borrowed by a list of its own. */
static GPtrArray *
missing (GPtrArray *kept, GPtrArray *now)
{
  GPtrArray *list = virfs_definitions_new ();

  for (guint i = 0; kept && i < kept->len; i++) {
    VirfsDefinition *definition = kept->pdata[i];

    if (virfs_definitions_find (now, definition->kind, definition->key) == NULL)
      g_ptr_array_add (list, virfs_definition_ref (definition));
  }
  return list;
}

static guint
count (GPtrArray *list)
{
  guint n = 0;

  for (guint i = 0; list && i < list->len; i++)
    n += counts (list->pdata[i]);
  return n;
}

/* Of what was KEPT nothing is there that counts, as far as it could be read. */
static gboolean
looks_empty (GPtrArray *kept, GPtrArray *lost, GPtrArray *unread)
{
  return count (kept) > 0 && count (lost) + count (unread) == count (kept);
}

/* Looking, by the thread. */

/* A definition is to be applied there once more. */
static void
forget_applied (VirfsFleet *self, const char *host)
{
  for (guint i = 0; i < self->entries->len; i++)
    g_hash_table_remove (((VirfsFleetEntry *) self->entries->pdata[i])->applied, host);
}

static void
publish (VirfsHost *host, GPtrArray *profile, gboolean emptied)
{
  VirfsInfra *infra = host->object.infra;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsHostInfo *info;

  if (host->removed || (host->info->profile == profile && host->info->emptied == emptied))
    return;
  if (emptied && !host->info->emptied)
    virfs_registry_event (infra, host, "emptied", NULL);
  info = virfs_host_info_copy (host->info);
  g_clear_pointer (&info->profile, g_ptr_array_unref);
  info->profile = g_ptr_array_ref (profile);
  info->emptied = emptied;
  virfs_registry_publish_host (host, info);
}

static void
take (VirfsFleet *self, VirfsHost *host, GPtrArray *now)
{
  GPtrArray *kept = g_hash_table_lookup (self->profiles, host->name);
  g_autoptr (GError) error = NULL;

  if (!virfs_definitions_equal (kept, now)
      && !virfs_profile_keep (self->infra, host->name, kept, now, &error))
    g_message ("the profile of %s is not kept: %s", host->name, error->message);
  publish (host, now, FALSE);
  g_hash_table_insert (self->profiles, g_strdup (host->name), g_ptr_array_ref (now));
}

/* Fleet definitions are applied meanwhile, so that it does not look empty any more when virfs is restarted. */
static void
set_emptied (VirfsFleet *self, const char *name, gboolean emptied)
{
  g_autoptr (GError) error = NULL;

  if (g_hash_table_contains (self->emptied, name) == emptied)
    return;
  if (emptied)
    g_hash_table_add (self->emptied, g_strdup (name));
  else
    g_hash_table_remove (self->emptied, name);
  if (emptied ? !virfs_infra_keep (self->infra, VIRFS_RECORD_EMPTIED, name, "", &error)
              : !virfs_infra_forget (self->infra, VIRFS_RECORD_EMPTIED, name, &error))
    g_message ("that %s came back empty is not kept: %s", name, error->message);
}

/* What has arrived and looks empty is not judged before all of it could be read. */
static void
judge (VirfsFleet *self, VirfsHost *host, GPtrArray *now, GPtrArray *lost, gboolean unread)
{
  GPtrArray *kept = g_hash_table_lookup (self->profiles, host->name);
  gboolean emptied = g_hash_table_contains (self->emptied, host->name);
  gboolean empty = g_hash_table_contains (self->suspects, host->name);

  if (empty && !unread) {
    g_hash_table_remove (self->suspects, host->name);
    g_message ("%s has come back empty; its restore file says what it had", host->name);
    forget_applied (self, host->name);
    set_emptied (self, host->name, TRUE);
    publish (host, kept, TRUE);
  } else if (empty || (emptied && kept != NULL && (lost->len > 0 || unread))) {
    publish (host, kept, emptied);
  } else {
    set_emptied (self, host->name, FALSE);
    take (self, host, now);
  }
}

static void
look_at (VirfsFleet *self, const char *name, gboolean arrived)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (self->infra, name);
  g_autoptr (GPtrArray) its
    = host ? still_its (host, g_hash_table_lookup (self->profiles, name)) : NULL;
  g_autoptr (GPtrArray) unread = virfs_definitions_new ();
  g_autoptr (GPtrArray) now = host ? read_up (host, its, unread) : NULL;
  g_autoptr (GPtrArray) lost = NULL;

  if (now == NULL)
    return;
  lost = missing (its, now);
  arrived |= g_hash_table_contains (self->suspects, name);
  if (arrived && looks_empty (its, lost, unread))
    g_hash_table_add (self->suspects, g_strdup (name));
  else
    g_hash_table_remove (self->suspects, name);
  judge (self, host, now, lost, count (unread) > 0);
}

static void
look_at_all (VirfsFleet *self, GHashTable *names, gboolean arrived)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    look_at (self, name, arrived);
}

void
virfs_profile_look (VirfsFleet *self, const VirfsProfileNews *news)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, news->departed);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    g_autoptr (GError) error = NULL;
    GPtrArray *kept = g_hash_table_lookup (self->profiles, name);

    if (kept != NULL && !virfs_profile_keep (self->infra, name, kept, NULL, &error))
      g_message ("the profile of %s stays in the store: %s", (char *) name, error->message);
    g_hash_table_remove (self->profiles, name);
    g_hash_table_remove (self->suspects, name);
    set_emptied (self, name, FALSE);
    forget_applied (self, name);
  }
  g_hash_table_iter_init (&iter, news->accepted);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    set_emptied (self, name, FALSE);
  look_at_all (self, news->accepted, FALSE);
  look_at_all (self, news->arrived, TRUE);
  look_at_all (self, news->altered, FALSE);
}

/* Taking note, under the lock of the fleet's definitions. */

#define VM_FIELDS                                                                                  \
  (VIRFS_BIT (VIRFS_VM_NAME) | VIRFS_BIT (VIRFS_VM_HOST) | VIRFS_BIT (VIRFS_VM_AUTOSTART)          \
   | VIRFS_BIT (VIRFS_VM_PERSISTENT) | VIRFS_BIT (VIRFS_VM_XML_INACTIVE))
#define HOST_FIELDS (VIRFS_BIT (VIRFS_HOST_PARTS) | VIRFS_BIT (VIRFS_HOST_SECRETS))

static void
note_altered (VirfsFleet *self, const char *host)
{
  if (!g_hash_table_contains (self->news.altered, host))
    g_hash_table_add (self->news.altered, g_strdup (host));
  if (self->due == 0)
    self->due = g_get_monotonic_time () + DELAY;
  g_cond_signal (&self->wake);
}

static void
note_host (VirfsFleet *self, const VirfsChange *change)
{
  const VirfsHost *host = (VirfsHost *) change->object;
  const VirfsHostInfo *before = change->before, *after = change->after;

  if (change->kind != VIRFS_CHANGED)
    return;
  if (after->state == VIRFS_HOST_UP && before->state != VIRFS_HOST_UP) {
    g_hash_table_add (self->news.arrived, g_strdup (host->name));
    g_cond_signal (&self->wake);
  } else if (after->state == VIRFS_HOST_UP && change->fields & HOST_FIELDS) {
    note_altered (self, host->name);
  }
}

void
virfs_profile_note (VirfsFleet *self, const VirfsChange *change)
{
  const VirfsVmInfo *before = change->before, *after = change->after;

  if (change->object->kind == VIRFS_KIND_HOST)
    note_host (self, change);
  if (change->object->kind != VIRFS_KIND_VM
      || (change->kind == VIRFS_CHANGED && !(change->fields & VM_FIELDS)))
    return;
  if (before != NULL && before->host != NULL)
    note_altered (self, before->host->name);
  if (after != NULL && after->host != NULL && (before == NULL || after->host != before->host))
    note_altered (self, after->host->name);
}

void
virfs_fleet_forget_host (VirfsInfra *infra, const char *name)
{
  VirfsFleet *self = infra->fleet;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_hash_table_add (self->news.departed, g_strdup (name));
  g_cond_signal (&self->wake);
}

/* For others. */

GPtrArray *
virfs_profile_missing (VirfsHost *host, const char *text, GError **error)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  g_autoptr (GPtrArray) its = still_its (host, info->profile);
  g_autoptr (GPtrArray) unread = virfs_definitions_new ();
  g_autoptr (GPtrArray) now = info->emptied ? read_up (host, its, unread) : NULL;
  g_autoptr (GPtrArray) lost = now ? missing (its, now) : virfs_definitions_new ();
  g_autoptr (GPtrArray) wanted = NULL;

  if (strcmp (text, "all") == 0)
    return g_steal_pointer (&lost);
  wanted = virfs_definitions_new ();
  for (guint i = 0; i < lost->len; i++) {
    VirfsDefinition *definition = lost->pdata[i];
    g_autofree char *path
      = g_strdup_printf ("%s/%s", virfs_defined_name (definition->kind), definition->name);

    if (strcmp (path, text) == 0)
      g_ptr_array_add (wanted, virfs_definition_ref (definition));
  }
  if (wanted->len > 0)
    return g_steal_pointer (&wanted);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND,
               "there is no %s to restore; write all, none, or one line of what restore reads",
               text);
  return NULL;
}

void
virfs_profile_accept (VirfsHost *host)
{
  VirfsFleet *self = host->object.infra->fleet;
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

  if (!info->emptied)
    return;
  publish (host, info->profile, FALSE);
  g_mutex_lock (&self->lock);
  g_hash_table_add (self->news.accepted, g_strdup (host->name));
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
}
