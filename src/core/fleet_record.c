/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What outlives the program: a record for each network or pool that somebody has drafted or defined. */
#include "fleet_private.h"

#include <string.h>

#define GROUP "definition"
/* What hosts make of it that make something else of it than others; keys: their names, escaped. */
#define OWN   "made"

static char *
key_of (const VirfsFleetEntry *entry)
{
  return g_strdup_printf ("%s/%s", virfs_defined_name (entry->kind), entry->name);
}

static void
save_own (const VirfsFleetEntry *entry, GKeyFile *file)
{
  GHashTableIter iter;
  gpointer host, made;

  g_hash_table_iter_init (&iter, entry->own);
  while (g_hash_table_iter_next (&iter, &host, &made)) {
    g_autofree char *text = virfs_blob_text (made);
    g_autofree char *name = g_uri_escape_string (host, NULL, TRUE);

    if (text != NULL)
      g_key_file_set_string (file, OWN, name, text);
  }
}

static void
load_own (VirfsFleetEntry *entry, GKeyFile *file)
{
  g_auto (GStrv) hosts = g_key_file_get_keys (file, OWN, NULL, NULL);

  for (char **host = hosts; host && *host; host++) {
    g_autofree char *text = g_key_file_get_string (file, OWN, *host, NULL);
    g_autofree char *name = g_uri_unescape_string (*host, NULL);

    if (text != NULL && name != NULL)
      g_hash_table_insert (entry->own, g_steal_pointer (&name), virfs_blob_new (text));
  }
}

gboolean
virfs_fleet_keep (VirfsFleet *self, VirfsFleetEntry *entry, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree gpointer *hosts = g_hash_table_get_keys_as_array (entry->applied, NULL);
  g_autofree char *key = key_of (entry), *made = NULL, *text = NULL;

  virfs_part_info_save (entry->info, file, GROUP);
  g_key_file_set_string_list (file, "fleet", "applied", (const char *const *) hosts,
                              g_hash_table_size (entry->applied));
  made = virfs_blob_text (entry->made);
  if (made != NULL) {
    g_key_file_set_string (file, "fleet", "made", made);
    save_own (entry, file);
  }
  text = g_key_file_to_data (file, NULL, NULL);
  return virfs_infra_keep (self->infra, VIRFS_RECORD_FLEET, key, text, error);
}

gboolean
virfs_fleet_drop (VirfsFleet *self, VirfsFleetEntry *entry, GError **error)
{
  g_autofree char *key = key_of (entry);

  if (!virfs_infra_forget (self->infra, VIRFS_RECORD_FLEET, key, error))
    return FALSE;
  g_ptr_array_remove (self->entries, entry);
  return TRUE;
}

static void
restore (const char *key, const char *text, gpointer data)
{
  VirfsFleet *self = data;
  const char *name = strchr (key, '/') ? strchr (key, '/') + 1 : "";
  VirfsDefined kind
    = g_str_has_prefix (key, "networks/") ? VIRFS_DEFINED_NETWORK : VIRFS_DEFINED_POOL;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) hosts = NULL;
  g_autofree char *made = NULL;
  VirfsFleetEntry *entry;
  gpointer info;

  if (!g_key_file_load_from_data (file, text, strlen (text), G_KEY_FILE_NONE, &error)) {
    g_warning ("the definition of %s is not known any more: %s", key, error->message);
    return;
  }
  info = virfs_part_info_new (virfs_fleet_class (kind), name);
  virfs_part_info_load (info, file, GROUP);
  entry = virfs_fleet_entry_new (self, kind, name, info);
  made = g_key_file_get_string (file, "fleet", "made", NULL);
  entry->made = made ? virfs_blob_new (made) : NULL;
  load_own (entry, file);
  hosts = g_key_file_get_string_list (file, "fleet", "applied", NULL, NULL);
  for (char **host = hosts; host && *host; host++)
    g_hash_table_add (entry->applied, g_strdup (*host));
}

void
virfs_fleet_restore (VirfsFleet *self)
{
  virfs_infra_recall (self->infra, VIRFS_RECORD_FLEET, restore, self);
}
