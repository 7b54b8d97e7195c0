/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Profiles that outlive the program: a record for each definition, by HOST/KIND/KEY: two flags and the name on the first
 * line, then the XML. */
#include "fleet_private.h"

#include "text.h"

#include <string.h>

static char *
key_of (const char *host, const VirfsDefinition *definition)
{
  return g_strdup_printf ("%s/%s/%s", host, virfs_defined_name (definition->kind), definition->key);
}

static char *
print (const VirfsDefinition *definition)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%d%d ", definition->autostart, definition->active);
  virfs_text_escape (text, definition->name);
  g_string_append_c (text, '\n');
  virfs_blob_append (definition->xml, text);
  return g_string_free (text, FALSE);
}

/* Pairs of a key and a text, NULL: to be forgotten. */
static void
add_pair (GPtrArray *pairs, const char *host, const VirfsDefinition *definition, gboolean keep)
{
  g_ptr_array_add (pairs, key_of (host, definition));
  g_ptr_array_add (pairs, keep ? print (definition) : NULL);
}

gboolean
virfs_profile_keep (VirfsInfra *infra, const char *host, GPtrArray *before, GPtrArray *now,
                    GError **error)
{
  g_autoptr (GPtrArray) pairs = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; now && i < now->len; i++) {
    const VirfsDefinition *definition = now->pdata[i];
    const VirfsDefinition *known
      = virfs_definitions_find (before, definition->kind, definition->key);

    if (known == NULL || !virfs_definition_equal (known, definition))
      add_pair (pairs, host, definition, TRUE);
  }
  for (guint i = 0; before && i < before->len; i++) {
    const VirfsDefinition *definition = before->pdata[i];

    if (virfs_definitions_find (now, definition->kind, definition->key) == NULL)
      add_pair (pairs, host, definition, FALSE);
  }
  return virfs_infra_keep_all (infra, VIRFS_RECORD_PROFILE, pairs, error);
}

static void
restore (const char *key, const char *text, gpointer data)
{
  GHashTable *profiles = data;
  g_auto (GStrv) words = g_strsplit (key, "/", 3);
  const char *end = strchr (text, '\n');
  VirfsDefined kind = g_strv_length (words) == 3 ? virfs_defined_parse (words[1]) : VIRFS_N_DEFINED;
  g_autofree char *escaped = end && end - text > 3 ? g_strndup (text + 3, end - text - 3) : NULL;
  g_autofree char *name = escaped ? virfs_text_unescape (escaped, NULL) : NULL;
  g_autoptr (VirfsBlob) xml = NULL;
  VirfsDefinition *definition;
  GPtrArray *list;

  if (name == NULL || kind == VIRFS_N_DEFINED)
    return;
  xml = virfs_blob_new (end + 1);
  definition = virfs_definition_new (kind, words[2], name, xml);
  definition->autostart = text[0] == '1';
  definition->active = text[1] == '1';
  list = g_hash_table_lookup (profiles, words[0]);
  if (list == NULL) {
    list = virfs_definitions_new ();
    g_hash_table_insert (profiles, g_strdup (words[0]), list);
  }
  g_ptr_array_add (list, definition);
}

static void
restore_emptied (const char *name, const char *text, gpointer names)
{
  g_hash_table_add (names, g_strdup (name));
}

void
virfs_profile_restore (VirfsFleet *self)
{
  GHashTableIter iter;
  gpointer list;

  virfs_infra_recall (self->infra, VIRFS_RECORD_PROFILE, restore, self->profiles);
  virfs_infra_recall (self->infra, VIRFS_RECORD_EMPTIED, restore_emptied, self->emptied);
  g_hash_table_iter_init (&iter, self->profiles);
  while (g_hash_table_iter_next (&iter, NULL, &list))
    virfs_definitions_sort (list);
}
