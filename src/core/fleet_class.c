/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of a network or pool of the fleet. */
#include "fleet_private.h"

#include <string.h>

#define NETWORK(member, type) VIRFS_MEMBER (VirfsFleetNetworkInfo, network.member, type, CONFIG)
#define POOL(member, type)    VIRFS_MEMBER (VirfsFleetPoolInfo, pool.member, type, CONFIG)

static const VirfsMember network_members[] = {
  NETWORK (autostart, BOOL),
  NETWORK (forward, WORD),
  NETWORK (dev, TEXT),
  NETWORK (bridge, TEXT),
  NETWORK (domain, TEXT),
  NETWORK (mtu, NUMBER),
  NETWORK (address, TEXT),
  NETWORK (dhcp, TEXT),
  NETWORK (hosts, TEXT),
  NETWORK (dns, TEXT),
  NETWORK (vlan, TEXT),
  NETWORK (portgroups, TEXT),
  NETWORK (rx_max, NUMBER),
  NETWORK (rx_peak, NUMBER),
  NETWORK (rx_burst, NUMBER),
  NETWORK (tx_max, NUMBER),
  NETWORK (tx_peak, NUMBER),
  NETWORK (tx_burst, NUMBER),
  VIRFS_MEMBER (VirfsFleetNetworkInfo, network.xml, BLOB, XML),
  VIRFS_MEMBER (VirfsFleetNetworkInfo, fleet.state, WORD, STATE),
  VIRFS_MEMBER (VirfsFleetNetworkInfo, fleet.wanted, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsFleetNetworkInfo, fleet.present, TEXT, USE),
  VIRFS_MEMBER (VirfsFleetNetworkInfo, fleet.drift, TEXT, USE),
};

const VirfsPartClass virfs_fleet_network_class = {
  .kind = VIRFS_KIND_FLEET_NETWORK,
  .directory = "networks",
  .size = sizeof (VirfsFleetNetworkInfo),
  .members = network_members,
  .n_members = G_N_ELEMENTS (network_members),
};

static const VirfsMember pool_members[] = {
  POOL (autostart, BOOL),
  POOL (type, WORD),
  POOL (path, TEXT),
  POOL (source, TEXT),
  VIRFS_MEMBER (VirfsFleetPoolInfo, pool.xml, BLOB, XML),
  VIRFS_MEMBER (VirfsFleetPoolInfo, fleet.state, WORD, STATE),
  VIRFS_MEMBER (VirfsFleetPoolInfo, fleet.wanted, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsFleetPoolInfo, fleet.present, TEXT, USE),
  VIRFS_MEMBER (VirfsFleetPoolInfo, fleet.drift, TEXT, USE),
};

const VirfsPartClass virfs_fleet_pool_class = {
  .kind = VIRFS_KIND_FLEET_POOL,
  .directory = "pools",
  .size = sizeof (VirfsFleetPoolInfo),
  .members = pool_members,
  .n_members = G_N_ELEMENTS (pool_members),
};

const VirfsPartClass *
virfs_fleet_class (VirfsDefined kind)
{
  return kind == VIRFS_DEFINED_NETWORK ? &virfs_fleet_network_class : &virfs_fleet_pool_class;
}

VirfsDefined
virfs_fleet_kind (const VirfsPartClass *class)
{
  return class == &virfs_fleet_network_class ? VIRFS_DEFINED_NETWORK : VIRFS_DEFINED_POOL;
}

VirfsFleetFacts *
virfs_fleet_facts_of (gpointer info)
{
  return ((VirfsPartInfo *) info)->class == &virfs_fleet_network_class
           ? &((VirfsFleetNetworkInfo *) info)->fleet
           : &((VirfsFleetPoolInfo *) info)->fleet;
}

const VirfsFleetFacts *
virfs_fleet_facts (gconstpointer info)
{
  return virfs_fleet_facts_of ((gpointer) info);
}

static VirfsBlob **
xml_of (gpointer info)
{
  return ((VirfsPartInfo *) info)->class == &virfs_fleet_network_class
           ? &((VirfsNetworkInfo *) info)->xml
           : &((VirfsPoolInfo *) info)->xml;
}

VirfsBlob *
virfs_fleet_xml (gconstpointer info)
{
  return *xml_of ((gpointer) info);
}

/* What its XML tells; the rest is said beside that. */
gboolean
virfs_fleet_info_take (VirfsInfra *infra, gpointer info, const char *xml)
{
  const VirfsPartClass *class = ((VirfsPartInfo *) info)->class;
  VirfsDefined kind = virfs_fleet_kind (class);
  g_autoptr (VirfsPartInfo) read = infra->backend->definition_read (kind, xml);

  for (guint i = 0; read && i < class->n_members; i++) {
    const VirfsMember *member = &class->members[i];

    if (member->offset >= read->class->size)
      continue;
    if (member->type == VIRFS_MEMBER_NUMBER)
      virfs_part_info_set (info, member->offset, G_STRUCT_MEMBER (guint64, read, member->offset),
                           NULL);
    else if (member->type == VIRFS_MEMBER_TEXT || member->type == VIRFS_MEMBER_WORD)
      virfs_part_info_set (info, member->offset, 0,
                           G_STRUCT_MEMBER (const char *, read, member->offset));
  }
  if (read == NULL)
    return FALSE;
  virfs_blob_unref (*xml_of (info));
  *xml_of (info) = virfs_blob_new (xml);
  return TRUE;
}

/* Entries. */

static GHashTable *
new_names (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
unref_blob (gpointer blob)
{
  virfs_blob_unref (blob);
}

VirfsFleetEntry *
virfs_fleet_entry_new (VirfsFleet *self, VirfsDefined kind, const char *name, gpointer info)
{
  VirfsFleetEntry *entry = g_new0 (VirfsFleetEntry, 1);

  entry->kind = kind;
  entry->name = g_ref_string_new (name);
  entry->info = info;
  entry->applied = new_names ();
  entry->pending = new_names ();
  entry->own = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, unref_blob);
  entry->failed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  entry->looks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, virfs_fleet_look_free);
  g_ptr_array_add (self->entries, entry);
  return entry;
}

void
virfs_fleet_entry_free (gpointer data)
{
  VirfsFleetEntry *entry = data;

  g_ref_string_release (entry->name);
  virfs_part_info_unref (entry->info);
  virfs_blob_unref (entry->made);
  g_hash_table_unref (entry->own);
  g_hash_table_unref (entry->applied);
  g_hash_table_unref (entry->pending);
  g_hash_table_unref (entry->failed);
  g_hash_table_unref (entry->looks);
  g_free (entry->repair);
  g_free (entry);
}

VirfsFleetEntry *
virfs_fleet_entry_find (VirfsFleet *self, VirfsDefined kind, const char *name)
{
  for (guint i = 0; i < self->entries->len; i++) {
    VirfsFleetEntry *entry = self->entries->pdata[i];

    if (entry->kind == kind && strcmp (entry->name, name) == 0)
      return entry;
  }
  return NULL;
}

gboolean
virfs_fleet_entry_is_defined (const VirfsFleetEntry *entry)
{
  return g_strcmp0 (virfs_fleet_facts (entry->info)->state, VIRFS_FLEET_DEFINED) == 0;
}

gboolean
virfs_fleet_entry_wants (const VirfsFleetEntry *entry, const char *host)
{
  const char *wanted = virfs_fleet_facts (entry->info)->wanted;
  g_auto (GStrv) names = wanted ? g_strsplit (wanted, " ", -1) : NULL;

  return names == NULL || g_strv_contains ((const char *const *) names, host);
}

/* What hosts have. */

GPtrArray *
virfs_fleet_parts_of (const VirfsHostInfo *host, VirfsDefined kind)
{
  return host->parts[kind == VIRFS_DEFINED_NETWORK ? VIRFS_HOST_NETWORKS : VIRFS_HOST_POOLS];
}

gpointer
virfs_fleet_part_of (const VirfsHostInfo *host, VirfsDefined kind, const char *name)
{
  VirfsPartInfo *part = virfs_part_list_find (virfs_fleet_parts_of (host, kind), name);

  return part && !part->draft ? part : NULL;
}

gboolean
virfs_fleet_part_is_active (VirfsDefined kind, gconstpointer part)
{
  return kind == VIRFS_DEFINED_NETWORK ? ((const VirfsNetworkInfo *) part)->active
                                       : virfs_pool_is_active (part);
}
