/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One look at all hosts: who has what, in which it differs, and who is to be given something. */
#include "fleet_private.h"

#include "error.h"

#include <string.h>

typedef struct {
  VirfsFleet *self;
  GPtrArray *hosts; /* of VirfsHost*, sorted */
  GPtrArray *infos; /* of VirfsHostInfo*: of each of them */
  gboolean draining;
} Look;

static void
unref_host_info (gpointer info)
{
  virfs_host_info_unref (info);
}

/* Who has it. */

static void
append_present (Look *look, VirfsDefined kind, const char *name, GString *out)
{
  for (guint i = 0; i < look->hosts->len; i++) {
    const VirfsHost *host = look->hosts->pdata[i];
    const VirfsHostInfo *info = look->infos->pdata[i];
    gpointer part = virfs_fleet_part_of (info, kind, name);
    gboolean active = part && virfs_fleet_part_is_active (kind, part);

    if (part != NULL)
      g_string_append_printf (out, "%s %s\n", host->name,
                              info->state != VIRFS_HOST_UP ? "unreachable"
                              : active                     ? "active"
                                                           : "inactive");
  }
  g_string_truncate (out, out->len > 0 ? out->len - 1 : 0);
}

/* Giving and taking. */

static void
note_down (VirfsFleetEntry *entry, const VirfsHost *host)
{
  if (entry->wait != NULL && entry->wait->error == NULL)
    g_set_error (&entry->wait->error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is not reachable",
                 host->name);
}

/* Whether a definition is to be applied of itself; *UNSAVED: that it has been is news. */
static gboolean
is_due (VirfsFleetEntry *entry, const VirfsHost *host, const VirfsHostInfo *info, gboolean *unsaved)
{
  if (g_hash_table_contains (entry->applied, host->name))
    return FALSE;
  if (virfs_fleet_part_of (info, entry->kind, entry->name) == NULL)
    return !g_hash_table_contains (entry->failed, host->name);
  g_hash_table_add (entry->applied, g_strdup (host->name));
  *unsaved = TRUE;
  return FALSE;
}

static gboolean
is_to_repair (const VirfsFleetEntry *entry, const char *host)
{
  return entry->repair != NULL && (*entry->repair == '\0' || strcmp (entry->repair, host) == 0);
}

static void
consider (Look *look, VirfsFleetEntry *entry, guint i, gboolean drifts, gboolean *unsaved)
{
  VirfsHost *host = look->hosts->pdata[i];
  const VirfsHostInfo *info = look->infos->pdata[i];
  gboolean repair = is_to_repair (entry, host->name);

  if (info->state != VIRFS_HOST_UP || virfs_fleet_parts_of (info, entry->kind) == NULL) {
    g_hash_table_remove (entry->failed, host->name);
    if (repair)
      note_down (entry, host);
    return;
  }
  if ((is_due (entry, host, info, unsaved) || (repair && drifts)) && !look->draining
      && !g_hash_table_contains (entry->pending, host->name))
    virfs_fleet_apply (look->self, entry, host);
}

/* What hosts have got rid of by themselves meanwhile is not waited for. */
static void
take_away (Look *look, VirfsFleetEntry *entry)
{
  for (guint i = 0; entry->wait != NULL && i < look->hosts->len; i++)
    if (virfs_fleet_part_of (look->infos->pdata[i], entry->kind, entry->name) != NULL)
      virfs_fleet_apply (look->self, entry, look->hosts->pdata[i]);
  if (entry->wait == NULL || g_hash_table_size (entry->pending) > 0)
    return;
  entry->removing = FALSE;
  g_set_error (&entry->wait->error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "no host has %s any more, as of now; remove it again", entry->name);
}

static void
append_drift (Look *look, VirfsFleetEntry *entry, GString *out, gboolean *unsaved)
{
  for (guint i = 0; i < look->hosts->len; i++) {
    VirfsHost *host = look->hosts->pdata[i];
    gsize before = out->len;

    if (!virfs_fleet_entry_wants (entry, host->name))
      continue;
    virfs_fleet_differ (look->self, entry, host, look->infos->pdata[i], out);
    consider (look, entry, i, out->len > before, unsaved);
  }
  g_string_truncate (out, out->len > 0 ? out->len - 1 : 0);
}

/* One entry as it is to be shown; its waiter waits for the jobs that were begun, and is told at once if there
 * are none. */
static gpointer
look_at (Look *look, VirfsFleetEntry *entry)
{
  VirfsPartInfo *info = virfs_part_info_copy (entry->info);
  VirfsFleetFacts *facts = virfs_fleet_facts_of (info);
  g_autoptr (GString) present = g_string_new (NULL), drift = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  gboolean unsaved = FALSE;

  append_present (look, entry->kind, entry->name, present);
  virfs_ref_string_set (&facts->present, present->str);
  if (entry->removing)
    take_away (look, entry);
  else if (virfs_fleet_entry_is_defined (entry))
    append_drift (look, entry, drift, &unsaved);
  virfs_ref_string_set (&facts->drift, drift->str);
  g_clear_pointer (&entry->repair, g_free);
  if (unsaved && !virfs_fleet_keep (look->self, entry, &error))
    g_message ("who has %s is not kept: %s", entry->name, error->message);
  return info;
}

/* What nobody has defined. */

static void
add_seen (Look *look, VirfsDefined kind, GPtrArray *list)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < list->len; i++)
    g_hash_table_add (names, ((VirfsPartInfo *) list->pdata[i])->name);
  for (guint i = 0; i < look->infos->len; i++) {
    GPtrArray *parts = virfs_fleet_parts_of (look->infos->pdata[i], kind);

    for (guint j = 0; parts && j < parts->len; j++) {
      const VirfsPartInfo *part = parts->pdata[j];
      g_autoptr (GString) present = NULL;
      VirfsFleetFacts *facts;
      gpointer info;

      if (part->draft || !g_hash_table_add (names, part->name))
        continue;
      present = g_string_new (NULL);
      info = virfs_part_info_new (virfs_fleet_class (kind), part->name);
      facts = virfs_fleet_facts_of (info);
      facts->state = VIRFS_FLEET_SEEN;
      append_present (look, kind, part->name, present);
      virfs_ref_string_set (&facts->present, present->str);
      g_ptr_array_add (list, info);
    }
  }
}

static void
look_at_kind (Look *look, VirfsDefined kind)
{
  GPtrArray *list = virfs_part_list_new ();

  for (guint i = 0; i < look->self->entries->len; i++) {
    VirfsFleetEntry *entry = look->self->entries->pdata[i];

    if (entry->kind == kind)
      g_ptr_array_add (list, look_at (look, entry));
  }
  add_seen (look, kind, list);
  virfs_part_list_sort (list);
  virfs_registry_publish_fleet (look->self->infra, virfs_fleet_class (kind), list);
}

static void
settle_waits (VirfsFleet *self)
{
  for (guint i = 0; i < self->entries->len; i++) {
    VirfsFleetEntry *entry = self->entries->pdata[i];
    VirfsFleetWait *wait = g_steal_pointer (&entry->wait);

    if (wait != NULL)
      virfs_fleet_wait_settle (wait);
  }
}

void
virfs_fleet_look (VirfsFleet *self)
{
  g_autoptr (GPtrArray) hosts = virfs_infra_hosts (self->infra);
  g_autoptr (GPtrArray) infos = g_ptr_array_new_with_free_func (unref_host_info);
  Look look = { self, hosts, infos, FALSE };

  g_mutex_lock (&self->lock);
  look.draining = self->draining;
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < hosts->len; i++)
    g_ptr_array_add (infos, virfs_host_info (hosts->pdata[i]));
  look_at_kind (&look, VIRFS_DEFINED_NETWORK);
  look_at_kind (&look, VIRFS_DEFINED_POOL);
  settle_waits (self);
}
