/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of guests: a record for each that there is something to keep of. */
#include "kept.h"

#include "error.h"
#include "registry.h"
#include "text.h"

#define GROUP "guest"

static const struct {
  const char *key;
  gsize offset;
} texts[] = {
  { "backup_base", G_STRUCT_OFFSET (VirfsKept, backup_base) },
  { "backup_backing", G_STRUCT_OFFSET (VirfsKept, backup_backing) },
  { "user_data", G_STRUCT_OFFSET (VirfsKept, user_data) },
  { "meta_data", G_STRUCT_OFFSET (VirfsKept, meta_data) },
  { "network_config", G_STRUCT_OFFSET (VirfsKept, network_config) },
};

static GRefString **
text_of (VirfsKept *kept, guint i)
{
  return (GRefString **) ((char *) kept + texts[i].offset);
}

static VirfsKept *
new_kept (void)
{
  VirfsKept *kept = g_new0 (VirfsKept, 1);

  g_atomic_ref_count_init (&kept->refs);
  return kept;
}

VirfsKept *
virfs_kept_ref (VirfsKept *kept)
{
  g_atomic_ref_count_inc (&kept->refs);
  return kept;
}

void
virfs_kept_unref (VirfsKept *kept)
{
  if (kept == NULL || !g_atomic_ref_count_dec (&kept->refs))
    return;
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    g_clear_pointer (text_of (kept, i), g_ref_string_release);
  virfs_migration_free (kept->migration);
  g_free (kept);
}

gboolean
virfs_vm_info_purge (const VirfsVmInfo *info)
{
  return info->kept != NULL && info->kept->purge;
}

/* Records. */

static char *
print (VirfsKept *kept)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  gboolean any = kept->purge || kept->migration != NULL;

  if (kept->purge)
    g_key_file_set_boolean (file, GROUP, "purge", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    if (*text_of (kept, i) != NULL) {
      g_key_file_set_string (file, GROUP, texts[i].key, *text_of (kept, i));
      any = TRUE;
    }
  virfs_migration_save (kept->migration, file);
  return any ? g_key_file_to_data (file, NULL, NULL) : NULL;
}

static VirfsKept *
parse (const char *text)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  VirfsKept *kept;

  if (!g_key_file_load_from_data (file, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
    return NULL;
  kept = new_kept ();
  kept->purge = g_key_file_get_boolean (file, GROUP, "purge", NULL);
  kept->migration = virfs_migration_load (file);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree char *value = g_key_file_get_string (file, GROUP, texts[i].key, NULL);

    virfs_ref_string_set (text_of (kept, i), value);
  }
  return kept;
}

/* The registry. */

static VirfsKept *
copy_known (VirfsInfra *infra, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsKept *known = g_hash_table_lookup (infra->kept, uuid);
  VirfsKept *copy = new_kept ();

  for (guint i = 0; known != NULL && i < G_N_ELEMENTS (texts); i++)
    virfs_ref_string_set (text_of (copy, i), *text_of (known, i));
  copy->purge = known != NULL && known->purge;
  copy->migration = known ? virfs_migration_copy (known->migration) : NULL;
  return copy;
}

static void
show (VirfsVm *vm, VirfsKept *kept)
{
  VirfsVmInfo *info = virfs_vm_info_copy (vm->info);

  virfs_kept_unref (info->kept);
  info->kept = kept ? virfs_kept_ref (kept) : NULL;
  virfs_registry_publish_vm (vm, info);
}

/* Takes KEPT, NULL for nothing. */
static void
set_known (VirfsInfra *infra, const char *uuid, VirfsKept *kept)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsVm *vm = g_hash_table_lookup (infra->vms, uuid);

  if (vm != NULL)
    show (vm, kept);
  for (guint i = 0; vm != NULL && vm->twins != NULL && i < vm->twins->len; i++)
    show (vm->twins->pdata[i], kept);
  if (kept != NULL)
    g_hash_table_insert (infra->kept, g_strdup (uuid), kept);
  else
    g_hash_table_remove (infra->kept, uuid);
}

gboolean
virfs_infra_change_kept (VirfsInfra *infra, const char *uuid, VirfsKeptEdit edit, gpointer data,
                         GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autoptr (VirfsKept) kept = copy_known (infra, uuid);
  g_autofree char *text = NULL;

  edit (kept, data);
  text = print (kept);
  if (text == NULL ? !virfs_infra_forget (infra, VIRFS_RECORD_GUEST, uuid, error)
                   : !virfs_infra_keep (infra, VIRFS_RECORD_GUEST, uuid, text, error))
    return FALSE;
  set_known (infra, uuid, text ? g_steal_pointer (&kept) : NULL);
  return TRUE;
}

void
virfs_infra_forget_kept (VirfsInfra *infra, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autoptr (GError) error = NULL;

  if (!virfs_infra_forget (infra, VIRFS_RECORD_GUEST, uuid, &error))
    g_warning ("what was kept of the guest %s stays in the store: %s", uuid, error->message);
  set_known (infra, uuid, NULL);
}

void
virfs_infra_restore_kept (VirfsInfra *infra, const char *uuid, const char *text)
{
  VirfsKept *kept = parse (text);

  if (kept != NULL)
    set_known (infra, uuid, kept);
  else
    g_warning ("what was kept of the guest %s is broken", uuid);
}
