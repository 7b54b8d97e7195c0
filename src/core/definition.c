/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions and lists of them. */
#include "definition.h"

#include <string.h>

static const char *const names[VIRFS_N_DEFINED] = {
  [VIRFS_DEFINED_SECRET] = "secrets",   [VIRFS_DEFINED_FILTER] = "nwfilters",
  [VIRFS_DEFINED_NETWORK] = "networks", [VIRFS_DEFINED_POOL] = "pools",
  [VIRFS_DEFINED_GUEST] = "vms",
};

const char *
virfs_defined_name (VirfsDefined kind)
{
  return names[kind];
}

VirfsDefined
virfs_defined_parse (const char *name)
{
  guint i = 0;

  while (i < VIRFS_N_DEFINED && strcmp (names[i], name) != 0)
    i++;
  return i;
}

VirfsDefinition *
virfs_definition_new (VirfsDefined kind, const char *key, const char *name, VirfsBlob *xml)
{
  VirfsDefinition *definition = g_new0 (VirfsDefinition, 1);

  g_atomic_ref_count_init (&definition->refs);
  definition->kind = kind;
  definition->key = g_ref_string_new (key);
  definition->name
    = strcmp (key, name) == 0 ? g_ref_string_acquire (definition->key) : g_ref_string_new (name);
  definition->xml = virfs_blob_ref (xml);
  return definition;
}

VirfsDefinition *
virfs_definition_ref (VirfsDefinition *definition)
{
  g_atomic_ref_count_inc (&definition->refs);
  return definition;
}

void
virfs_definition_unref (VirfsDefinition *definition)
{
  if (definition == NULL || !g_atomic_ref_count_dec (&definition->refs))
    return;
  g_ref_string_release (definition->key);
  g_ref_string_release (definition->name);
  virfs_blob_unref (definition->xml);
  g_free (definition);
}

static int
compare (const VirfsDefinition *a, const VirfsDefinition *b)
{
  return a->kind != b->kind ? (int) a->kind - (int) b->kind : strcmp (a->key, b->key);
}

gboolean
virfs_definition_equal (const VirfsDefinition *a, const VirfsDefinition *b)
{
  return a == b
         || (compare (a, b) == 0 && strcmp (a->name, b->name) == 0 && a->autostart == b->autostart
             && a->active == b->active && a->remove == b->remove
             && virfs_blob_equal (a->xml, b->xml));
}

/* Lists. */

static void
unref (gpointer definition)
{
  virfs_definition_unref (definition);
}

GPtrArray *
virfs_definitions_new (void)
{
  return g_ptr_array_new_with_free_func (unref);
}

static gint
compare_items (gconstpointer a, gconstpointer b)
{
  return compare (*(VirfsDefinition *const *) a, *(VirfsDefinition *const *) b);
}

void
virfs_definitions_sort (GPtrArray *list)
{
  g_ptr_array_sort (list, compare_items);
}

gboolean
virfs_definitions_equal (GPtrArray *a, GPtrArray *b)
{
  if (a == b)
    return TRUE;
  if (a == NULL || b == NULL || a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    if (!virfs_definition_equal (a->pdata[i], b->pdata[i]))
      return FALSE;
  return TRUE;
}

VirfsDefinition *
virfs_definitions_find (GPtrArray *list, VirfsDefined kind, const char *key)
{
  VirfsDefinition wanted = { .kind = kind, .key = (GRefString *) key };
  guint first = 0, end = list ? list->len : 0;

  while (first < end) {
    guint middle = first + (end - first) / 2;
    int order = compare (list->pdata[middle], &wanted);

    if (order == 0)
      return list->pdata[middle];
    if (order < 0)
      first = middle + 1;
    else
      end = middle;
  }
  return NULL;
}
