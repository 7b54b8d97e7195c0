/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How what a host has differs from what the fleet defines. */
#include "fleet_private.h"

#include "text.h"

#include <string.h>

void
virfs_fleet_look_free (gpointer data)
{
  VirfsFleetLook *look = data;

  virfs_blob_unref (look->wanted);
  virfs_blob_unref (look->definition);
  virfs_blob_unref (look->live);
  g_free (look->differ);
  g_free (look->running);
  g_free (look);
}

static char *
differ_from (VirfsFleet *self, VirfsBlob *wanted, const char *is)
{
  g_autofree char *text = virfs_blob_text (wanted);

  return text ? self->infra->backend->definition_differ (text, is) : NULL;
}

/* Hosts add defaults, and drop what they do not know: what HOST has made of it before is as good. */
static char *
differ (VirfsFleet *self, VirfsFleetEntry *entry, const char *host, VirfsBlob *is)
{
  VirfsBlob *own = g_hash_table_lookup (entry->own, host);
  VirfsBlob *made = own ? own : entry->made;
  g_autofree char *text = virfs_blob_text (is);
  g_autofree char *differ = text ? differ_from (self, virfs_fleet_xml (entry->info), text) : NULL;

  return differ && made ? differ_from (self, made, text) : g_steal_pointer (&differ);
}

/* Pools run with sizes and rights that are nobody's definition. */
static VirfsBlob *
live_xml (VirfsDefined kind, gconstpointer part)
{
  const VirfsNetworkInfo *network = part;

  return kind == VIRFS_DEFINED_NETWORK && network->active ? network->xml : NULL;
}

static VirfsBlob *
stored_xml (VirfsDefined kind, gconstpointer part)
{
  return kind == VIRFS_DEFINED_NETWORK ? ((const VirfsNetworkInfo *) part)->definition
                                       : ((const VirfsPoolInfo *) part)->definition;
}

/* FALSE: that is known. */
static gboolean
take_made (VirfsFleetEntry *entry, const char *host, const char *text)
{
  g_autoptr (VirfsBlob) made = virfs_blob_new (text);
  VirfsBlob *own = g_hash_table_lookup (entry->own, host);

  if (virfs_blob_equal (made, own ? own : entry->made))
    return FALSE;
  if (entry->made == NULL)
    entry->made = g_steal_pointer (&made);
  else if (virfs_blob_equal (made, entry->made))
    g_hash_table_remove (entry->own, host);
  else
    g_hash_table_insert (entry->own, g_strdup (host), g_steal_pointer (&made));
  return TRUE;
}

void
virfs_fleet_learn (VirfsFleet *self, VirfsFleetEntry *entry, const char *name)
{
  g_autoptr (VirfsHost) host = virfs_infra_host (self->infra, name);
  g_autoptr (VirfsHostInfo) info = host ? virfs_host_info (host) : NULL;
  gpointer part = info ? virfs_fleet_part_of (info, entry->kind, entry->name) : NULL;
  g_autofree char *is = part ? virfs_blob_text (stored_xml (entry->kind, part)) : NULL;
  g_autofree char *wanted = virfs_blob_text (virfs_fleet_xml (entry->info));
  g_autofree char *made = is && wanted ? self->infra->backend->definition_made (wanted, is) : NULL;
  g_autoptr (GError) error = NULL;

  if (made == NULL || !take_made (entry, name, made))
    return;
  g_hash_table_remove_all (entry->looks);
  if (!virfs_fleet_keep (self, entry, &error))
    g_message ("what hosts make of %s is not kept: %s", entry->name, error->message);
}

/* What was compared already is not compared again. */
static const VirfsFleetLook *
compare (VirfsFleet *self, VirfsFleetEntry *entry, const char *host, gconstpointer part)
{
  VirfsBlob *wanted = virfs_fleet_xml (entry->info);
  VirfsBlob *definition = stored_xml (entry->kind, part), *live = live_xml (entry->kind, part);
  VirfsFleetLook *look = g_hash_table_lookup (entry->looks, host);

  if (look != NULL && virfs_blob_equal (look->wanted, wanted)
      && virfs_blob_equal (look->definition, definition) && virfs_blob_equal (look->live, live))
    return look;
  look = g_new0 (VirfsFleetLook, 1);
  look->wanted = wanted ? virfs_blob_ref (wanted) : NULL;
  look->definition = definition ? virfs_blob_ref (definition) : NULL;
  look->live = live ? virfs_blob_ref (live) : NULL;
  look->differ = differ (self, entry, host, definition);
  look->running = look->differ ? NULL : differ (self, entry, host, live);
  g_hash_table_insert (entry->looks, g_strdup (host), look);
  return look;
}

static void
add_lines (GString *drift, const char *host, const char *before, const char *text)
{
  g_auto (GStrv) lines = text ? g_strsplit (text, "\n", -1) : NULL;

  for (char **line = lines; line && *line; line++) {
    g_string_append_printf (drift, "%s %s", host, before);
    virfs_text_escape (drift, *line);
    g_string_append_c (drift, '\n');
  }
}

static void
differ_missing (VirfsFleetEntry *entry, const char *host, GString *drift)
{
  const char *reason = g_hash_table_lookup (entry->failed, host);

  add_lines (drift, host, reason ? "missing: " : "", reason ? reason : "missing");
}

static gboolean
is_persistent (VirfsDefined kind, gconstpointer part)
{
  return kind == VIRFS_DEFINED_NETWORK ? ((const VirfsNetworkInfo *) part)->persistent
                                       : ((const VirfsPoolInfo *) part)->persistent;
}

static gboolean
starts (VirfsDefined kind, gconstpointer part)
{
  return kind == VIRFS_DEFINED_NETWORK ? ((const VirfsNetworkInfo *) part)->autostart
                                       : ((const VirfsPoolInfo *) part)->autostart;
}

void
virfs_fleet_differ (VirfsFleet *self, VirfsFleetEntry *entry, VirfsHost *host,
                    const VirfsHostInfo *info, GString *drift)
{
  gpointer part = virfs_fleet_part_of (info, entry->kind, entry->name);
  gboolean start = starts (entry->kind, entry->info);
  const VirfsFleetLook *look;

  if (info->state != VIRFS_HOST_UP || virfs_fleet_parts_of (info, entry->kind) == NULL)
    return;
  if (part == NULL) {
    differ_missing (entry, host->name, drift);
    return;
  }
  if (!is_persistent (entry->kind, part))
    add_lines (drift, host->name, "", "is not persistent");
  look = compare (self, entry, host->name, part);
  add_lines (drift, host->name, "", look->differ);
  add_lines (drift, host->name, "running: ", look->running);
  if (starts (entry->kind, part) != start)
    add_lines (drift, host->name, "", start ? "autostart is 0, not 1" : "autostart is 1, not 0");
  if (start && !virfs_fleet_part_is_active (entry->kind, part))
    add_lines (drift, host->name, "", "inactive");
}
