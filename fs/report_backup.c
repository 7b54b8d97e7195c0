/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backup.tsv: when each guest was backed up last, and what the next backup would be. */
#include "report.h"

#include "backup.h"
#include "kept.h"
#include "snapshot.h"

#include <string.h>

/* The newest of a guest's checkpoints, which are what its backups have left; NULL: none. */
static const VirfsCheckpointInfo *
newest_checkpoint (const VirfsVmInfo *info)
{
  GPtrArray *checkpoints = info->parts[VIRFS_VM_CHECKPOINTS];
  const VirfsCheckpointInfo *newest = NULL;

  for (guint i = 0; checkpoints && i < checkpoints->len; i++) {
    const VirfsCheckpointInfo *checkpoint = checkpoints->pdata[i];
    gboolean child = newest && checkpoint->created == newest->created
                     && g_strcmp0 (checkpoint->parent, newest->part.name) == 0;

    if (!checkpoint->part.draft
        && (newest == NULL || checkpoint->created > newest->created || child))
      newest = checkpoint;
  }
  return newest;
}

/* The one that is open; NULL: none. */
static const VirfsBackupInfo *
open_backup (const VirfsVmInfo *info)
{
  GPtrArray *backups = info->parts[VIRFS_VM_BACKUPS];

  for (guint i = 0; backups && i < backups->len; i++)
    if (!((VirfsPartInfo *) backups->pdata[i])->draft)
      return backups->pdata[i];
  return NULL;
}

static const char *
next_base (const VirfsVmInfo *info, const VirfsCheckpointInfo *newest)
{
  const char *base = info->kept ? info->kept->backup_base : NULL;

  if (base != NULL)
    return virfs_part_list_find (info->parts[VIRFS_VM_CHECKPOINTS], base) ? base : "none";
  return newest ? newest->part.name : "none";
}

static void
add_last (VirfsTable *table, const char *name, gint64 created, const char *kind,
          const char *consistency)
{
  virfs_table_add_text (table, name);
  virfs_table_add_time (table, created);
  virfs_table_add_text (table, kind);
  virfs_table_add_text (table, consistency);
}

static void
add_vm (VirfsTable *table, const VirfsVmInfo *info)
{
  const VirfsCheckpointInfo *newest = newest_checkpoint (info);
  const VirfsBackupInfo *backup = open_backup (info);

  virfs_table_add_text (table, info->label);
  virfs_table_add_text (table, info->host->name);
  virfs_table_add_text (table, virfs_vm_state_name (info->state));
  if (backup != NULL)
    add_last (table, backup->part.name, (gint64) backup->created,
              backup->parent ? "incremental" : "full", backup->consistency);
  else if (newest != NULL)
    add_last (table, newest->part.name, (gint64) newest->created,
              newest->parent ? "incremental" : "full", NULL);
  else
    add_last (table, NULL, 0, "none", NULL);
  virfs_table_add_text (table, backup ? "open" : newest ? "closed" : "");
  virfs_table_add_text (table, next_base (info, newest));
}

GString *
virfs_report_backup (const VirfsReportFleet *fleet, VirfsTableNotation notation)
{
  static const char *const columns[] = { "guest", "host",        "state",  "last",      "time",
                                         "kind",  "consistency", "backup", "next_base", NULL };
  VirfsTable *table = virfs_table_new (notation, columns);

  for (guint i = 0; i < fleet->vms->len; i++)
    add_vm (table, ((const VirfsReportVm *) fleet->vms->pdata[i])->info);
  return virfs_table_end (table);
}
