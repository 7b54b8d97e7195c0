/* SPDX-License-Identifier: GPL-2.0-or-later */
/* migration/ of guests and hosts. */
#include "migration_files.h"

#include "kept.h"
#include "upkeep.h"

typedef struct {
  VirfsMigrationOption option;
  const char *value;
} Change;

static void
show (const VirfsNode *node, const VirfsMigration *migration, GString *out)
{
  const char *value = migration ? migration->values[node->row->offset] : NULL;

  if (value != NULL)
    g_string_append_printf (out, "%s\n", value);
}

static void
replace (VirfsMigration **migration, const Change *change)
{
  VirfsMigration *old = *migration;

  *migration = virfs_migration_with (old, change->option, change->value);
  virfs_migration_free (old);
}

/* Whether what WRITTEN would be goes with the rest; of what the other side says only as long as that does not
 * change. */
static gboolean
check (const VirfsMigration *guest, const VirfsMigration *host, VirfsMigrationOption written,
       GError **error)
{
  VirfsMigrationPlan plan;

  virfs_migration_plan (guest, host, &plan);
  return virfs_migration_check (&plan, written, error);
}

/* Of a guest. */

void
virfs_vm_show_migration (const VirfsNode *node, GString *out)
{
  const VirfsKept *kept = ((const VirfsVmInfo *) node->snapshot)->kept;

  show (node, kept ? kept->migration : NULL, out);
}

static gboolean
check_vm (const VirfsVmInfo *vm, const Change *change, GError **error)
{
  g_autoptr (VirfsHostInfo) host = virfs_host_info (vm->host);
  const VirfsMigration *old = vm->kept ? vm->kept->migration : NULL;
  g_autoptr (VirfsMigration) wanted = virfs_migration_with (old, change->option, change->value);

  return check (wanted, host->upkeep ? host->upkeep->migration : NULL, change->option, error);
}

static void
set_kept (VirfsKept *kept, gpointer change)
{
  replace (&kept->migration, change);
}

void
virfs_vm_store_migration (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsVm *vm = node->object;
  g_autoptr (GError) error = NULL;
  g_autofree char *value = virfs_migration_parse (node->row->offset, text, &error);
  Change change = { node->row->offset, value };

  if (value != NULL && check_vm (node->snapshot, &change, &error))
    virfs_infra_change_kept (vm->object.infra, vm->uuid, set_kept, &change, &error);
  virfs_call_finish (call, error);
}

/* Of a host. */

void
virfs_host_show_migration (const VirfsNode *node, GString *out)
{
  const VirfsUpkeep *upkeep = ((const VirfsHostInfo *) node->snapshot)->upkeep;

  show (node, upkeep ? upkeep->migration : NULL, out);
}

static gboolean
check_host (const VirfsHostInfo *host, const Change *change, GError **error)
{
  const VirfsMigration *old = host->upkeep ? host->upkeep->migration : NULL;
  g_autoptr (VirfsMigration) wanted = virfs_migration_with (old, change->option, change->value);

  return check (NULL, wanted, change->option, error);
}

static void
set_upkeep (VirfsUpkeep *upkeep, gpointer change)
{
  replace (&upkeep->migration, change);
}

void
virfs_host_store_migration (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *value = virfs_migration_parse (node->row->offset, text, &error);
  Change change = { node->row->offset, value };

  if (value != NULL && check_host (node->snapshot, &change, &error))
    virfs_infra_change_upkeep (node->object, set_upkeep, &change, &error);
  virfs_call_finish (call, error);
}
