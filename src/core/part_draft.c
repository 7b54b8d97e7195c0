/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeping drafts of parts.  The key of a record is where the draft is, by what never changes: as in
 * vm/UUID/disks/vdb or host/h1/pools/fast/volumes/data.
 */
#include "part_draft.h"

#include "device.h"
#include "error.h"
#include "filter.h"
#include "network.h"
#include "node_device.h"
#include "pool.h"
#include "registry.h"

#include <string.h>

#define GROUP "draft"

static const VirfsPartClass *const classes[]
  = { &virfs_disk_class,    &virfs_nic_class,    &virfs_pool_class,       &virfs_volume_class,
      &virfs_network_class, &virfs_filter_class, &virfs_node_device_class };

static char *
owner_key (VirfsObject *owner)
{
  VirfsPart *part = (VirfsPart *) owner;
  g_autofree char *above = NULL;

  if (owner->kind == VIRFS_KIND_VM)
    return g_strconcat ("vm/", ((VirfsVm *) owner)->uuid, NULL);
  if (owner->kind == VIRFS_KIND_HOST)
    return g_strconcat ("host/", ((VirfsHost *) owner)->name, NULL);
  above = owner_key (part->owner);
  return g_strconcat (above, "/", part->class->directory, "/", part->label, NULL);
}

char *
virfs_registry_draft_key (VirfsObject *owner, const VirfsPartClass *class, const char *name)
{
  g_autofree char *above = owner_key (owner);
  g_autofree char *label = virfs_part_label (class, name);

  return g_strconcat (above, "/", class->directory, "/", label, NULL);
}

static gboolean
keep (VirfsInfra *infra, VirfsObject *owner, const VirfsPartInfo *info, GError **error)
{
  g_autofree char *key = virfs_registry_draft_key (owner, info->class, info->name);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *text = NULL;

  g_key_file_set_string (file, GROUP, "name", info->name);
  virfs_part_info_save (info, file, GROUP);
  text = g_key_file_to_data (file, NULL, NULL);
  return virfs_infra_keep (infra, VIRFS_RECORD_PART, key, text, error);
}

gpointer
virfs_infra_make_part_draft (VirfsInfra *infra, gpointer owner, gpointer taken, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autoptr (VirfsPartInfo) info = virfs_part_info_ref (taken);
  VirfsPart *draft = virfs_infra_add_draft (infra, owner, taken, error);

  if (draft == NULL || keep (infra, owner, info, error))
    return draft;
  virfs_infra_drop_draft (infra, draft);
  virfs_object_unref (draft);
  return NULL;
}

gboolean
virfs_infra_change_part_draft (VirfsInfra *infra, VirfsPart *part, VirfsPartEdit edit,
                               gpointer data, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autoptr (VirfsPartInfo) known = virfs_part_info (part);
  g_autoptr (VirfsPartInfo) changed = virfs_part_info_copy (known);

  edit (changed, data);
  if (!keep (infra, part->owner, changed, error))
    return FALSE;
  if (virfs_infra_edit_part (infra, part, edit, data))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "the draft is gone");
  return FALSE;
}

static void
forget (VirfsInfra *infra, const char *key)
{
  g_autoptr (GError) error = NULL;

  if (!virfs_infra_forget (infra, VIRFS_RECORD_PART, key, &error))
    g_warning ("the draft %s stays in the store: %s", key, error->message);
}

gboolean
virfs_infra_remove_part_draft (VirfsInfra *infra, VirfsPart *part)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autofree char *key = virfs_registry_draft_key (part->owner, part->class, part->name);

  if (!virfs_infra_drop_draft (infra, part))
    return FALSE;
  forget (infra, key);
  return TRUE;
}

/* Coming back. */

static VirfsObject *
find_owner (VirfsInfra *infra, char **words, guint n)
{
  g_autoptr (VirfsHost) host = NULL;

  if (n == 4 && g_str_equal (words[0], "vm"))
    return (VirfsObject *) virfs_infra_vm_by_uuid (infra, words[1]);
  if (!g_str_equal (words[0], "host"))
    return NULL;
  host = virfs_infra_host (infra, words[1]);
  if (host == NULL || n == 4)
    return (VirfsObject *) g_steal_pointer (&host);
  return virfs_infra_part (infra, host, &virfs_pool_class, words[3]);
}

static const VirfsPartClass *
find_class (const char *directory)
{
  for (guint i = 0; i < G_N_ELEMENTS (classes); i++)
    if (g_str_equal (classes[i]->directory, directory))
      return classes[i];
  return NULL;
}

static VirfsPartInfo *
parse (const VirfsPartClass *class, const char *text)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *name = NULL;
  VirfsPartInfo *info;

  if (class == NULL || !g_key_file_load_from_data (file, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
    return NULL;
  name = g_key_file_get_string (file, GROUP, "name", NULL);
  if (name == NULL)
    return NULL;
  info = virfs_part_info_new (class, name);
  virfs_part_info_load (info, file, GROUP);
  return info;
}

/* FALSE: its owner is not there yet. */
static gboolean
adopt (VirfsInfra *infra, const char *key, const char *text)
{
  g_auto (GStrv) words = g_strsplit (key, "/", -1);
  guint n = g_strv_length (words);
  g_autoptr (VirfsPart) draft = NULL;
  VirfsObject *owner = n == 4 || n == 6 ? find_owner (infra, words, n) : NULL;
  VirfsPartInfo *info;

  if (owner == NULL)
    return n != 4 && n != 6;
  info = parse (find_class (words[n - 2]), text);
  if (info != NULL)
    draft = virfs_infra_add_draft (infra, owner, info, NULL);
  /* it has become something while nobody was looking */
  if (draft == NULL)
    forget (infra, key);
  virfs_object_unref (owner);
  return TRUE;
}

void
virfs_registry_adopt_drafts (VirfsInfra *infra)
{
  g_autoptr (GHashTable) pending = NULL;
  GHashTableIter iter;
  gpointer key, text;

  g_mutex_lock (&infra->lock);
  if (g_hash_table_size (infra->orphans) > 0) {
    pending = infra->orphans;
    infra->orphans = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  }
  g_mutex_unlock (&infra->lock);
  if (pending == NULL)
    return;
  g_hash_table_iter_init (&iter, pending);
  while (g_hash_table_iter_next (&iter, &key, &text))
    virfs_infra_restore_part_draft (infra, key, text);
}

void
virfs_infra_restore_part_draft (VirfsInfra *infra, const char *key, const char *text)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (adopt (infra, key, text))
    return;
  locker = g_mutex_locker_new (&infra->lock);
  g_hash_table_insert (infra->orphans, g_strdup (key), g_strdup (text));
}

/* Under the lock: it is something now. */
void
virfs_registry_dissolve_part (VirfsPart *part)
{
  g_ptr_array_add (part->object.infra->dissolved_parts,
                   virfs_registry_draft_key (part->owner, part->class, part->name));
}

void
virfs_registry_forget_dissolved_parts (VirfsInfra *infra)
{
  g_autoptr (GPtrArray) keys = NULL;

  g_mutex_lock (&infra->lock);
  if (infra->dissolved_parts->len > 0) {
    keys = infra->dissolved_parts;
    infra->dissolved_parts = g_ptr_array_new_with_free_func (g_free);
  }
  g_mutex_unlock (&infra->lock);
  for (guint i = 0; keys && i < keys->len; i++)
    forget (infra, keys->pdata[i]);
}
