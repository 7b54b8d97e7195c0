/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is kept of hosts: a record for each that there is something to keep of. */
#include "upkeep.h"

#include "error.h"
#include "registry.h"

#include <string.h>

#define GROUP "host"

static const struct {
  const char *key;
  gsize offset;
} numbers[] = {
  { "maintenance", G_STRUCT_OFFSET (VirfsUpkeep, maintenance) },
  { "return", G_STRUCT_OFFSET (VirfsUpkeep, comes_back) },
  { "parallel", G_STRUCT_OFFSET (VirfsUpkeep, parallel) },
  { "work", G_STRUCT_OFFSET (VirfsUpkeep, work) },
  { "uid", G_STRUCT_OFFSET (VirfsUpkeep, uid) },
};

static guint *
number_of (const VirfsUpkeep *upkeep, guint i)
{
  return (guint *) ((char *) upkeep + numbers[i].offset);
}

/* With what KNOWN (NULL: nothing) says. */
static VirfsUpkeep *
new_upkeep (const VirfsUpkeep *known)
{
  VirfsUpkeep *upkeep = g_new0 (VirfsUpkeep, 1);

  g_atomic_ref_count_init (&upkeep->refs);
  for (guint i = 0; known && i < G_N_ELEMENTS (numbers); i++)
    *number_of (upkeep, i) = *number_of (known, i);
  virfs_ref_string_set (&upkeep->moved, known ? known->moved : NULL);
  upkeep->migration = known ? virfs_migration_copy (known->migration) : NULL;
  return upkeep;
}

VirfsUpkeep *
virfs_upkeep_ref (VirfsUpkeep *upkeep)
{
  g_atomic_ref_count_inc (&upkeep->refs);
  return upkeep;
}

void
virfs_upkeep_unref (VirfsUpkeep *upkeep)
{
  if (upkeep == NULL || !g_atomic_ref_count_dec (&upkeep->refs))
    return;
  g_clear_pointer (&upkeep->moved, g_ref_string_release);
  virfs_migration_free (upkeep->migration);
  g_free (upkeep);
}

gboolean
virfs_upkeep_check (const char *host, const VirfsHostInfo *info, GError **error)
{
  if (info->upkeep == NULL || !info->upkeep->maintenance)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s is in maintenance: write 0 to hosts/%s/maintenance first", host, host);
  return FALSE;
}

/* What was moved away. */

void
virfs_upkeep_remove_moved (VirfsUpkeep *upkeep, const char *uuid)
{
  g_auto (GStrv) uuids = g_strsplit (upkeep->moved ? upkeep->moved : "", "\n", -1);
  g_autoptr (GString) left = g_string_new (NULL);

  for (char **p = uuids; *p; p++)
    if (**p && !g_str_equal (*p, uuid))
      g_string_append_printf (left, "%s%s", left->len ? "\n" : "", *p);
  virfs_ref_string_set (&upkeep->moved, left->str);
}

void
virfs_upkeep_add_moved (VirfsUpkeep *upkeep, const char *uuid)
{
  g_autofree char *all = NULL;

  virfs_upkeep_remove_moved (upkeep, uuid);
  all = g_strconcat (upkeep->moved ? upkeep->moved : "", upkeep->moved ? "\n" : "", uuid, NULL);
  virfs_ref_string_set (&upkeep->moved, all);
}

/* Records. */

/* NULL: there is nothing to keep. */
static char *
print (const VirfsUpkeep *upkeep)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  gboolean any = upkeep->moved != NULL || upkeep->migration != NULL;

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (*number_of (upkeep, i) != 0) {
      g_key_file_set_uint64 (file, GROUP, numbers[i].key, *number_of (upkeep, i));
      any = TRUE;
    }
  if (upkeep->moved != NULL)
    g_key_file_set_string (file, GROUP, "moved", upkeep->moved);
  virfs_migration_save (upkeep->migration, file);
  return any ? g_key_file_to_data (file, NULL, NULL) : NULL;
}

static VirfsUpkeep *
parse (const char *text)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *moved = NULL;
  VirfsUpkeep *upkeep;

  if (!g_key_file_load_from_data (file, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
    return NULL;
  upkeep = new_upkeep (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    *number_of (upkeep, i) = (guint) g_key_file_get_uint64 (file, GROUP, numbers[i].key, NULL);
  moved = g_key_file_get_string (file, GROUP, "moved", NULL);
  virfs_ref_string_set (&upkeep->moved, moved);
  upkeep->migration = virfs_migration_load (file);
  return upkeep;
}

/* The registry. */

static VirfsUpkeep *
copy_known (VirfsHost *host)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&host->object.infra->lock);

  return new_upkeep (host->info->upkeep);
}

/* Takes UPKEEP, NULL for nothing. */
static void
set_known (VirfsHost *host, VirfsUpkeep *upkeep)
{
  VirfsInfra *infra = host->object.infra;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  if (upkeep != NULL)
    g_hash_table_insert (infra->upkeeps, g_strdup (host->name), upkeep);
  else
    g_hash_table_remove (infra->upkeeps, host->name);
  if (!host->removed)
    virfs_registry_publish_host (host, virfs_host_info_copy (host->info));
}

gboolean
virfs_infra_change_upkeep (VirfsHost *host, VirfsUpkeepEdit edit, gpointer data, GError **error)
{
  VirfsInfra *infra = host->object.infra;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->drafting);
  g_autoptr (VirfsUpkeep) upkeep = copy_known (host);
  g_autofree char *text = NULL;

  edit (upkeep, data);
  text = print (upkeep);
  if (text == NULL ? !virfs_infra_forget (infra, VIRFS_RECORD_UPKEEP, host->name, error)
                   : !virfs_infra_keep (infra, VIRFS_RECORD_UPKEEP, host->name, text, error))
    return FALSE;
  set_known (host, text ? g_steal_pointer (&upkeep) : NULL);
  return TRUE;
}

void
virfs_infra_forget_upkeep (VirfsInfra *infra, const char *host)
{
  g_autoptr (GError) error = NULL;

  if (!virfs_infra_forget (infra, VIRFS_RECORD_UPKEEP, host, &error))
    g_warning ("what was kept of the host %s stays in the store: %s", host, error->message);
  g_mutex_lock (&infra->lock);
  g_hash_table_remove (infra->upkeeps, host);
  g_mutex_unlock (&infra->lock);
}

static void
restore (const char *host, const char *text, gpointer data)
{
  VirfsInfra *infra = data;
  VirfsUpkeep *upkeep = parse (text);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  if (upkeep != NULL)
    g_hash_table_insert (infra->upkeeps, g_strdup (host), upkeep);
  else
    g_warning ("what was kept of the host %s is broken", host);
}

void
virfs_infra_restore_upkeep (VirfsInfra *infra)
{
  virfs_infra_recall (infra, VIRFS_RECORD_UPKEEP, restore, infra);
}
