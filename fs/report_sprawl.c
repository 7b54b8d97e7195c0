/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sprawl.tsv: what may be there for nothing.
 *
 * To have no owner is worth a line only where guests have owners: where one person runs them all it tells
 * nothing.
 */
#include "report.h"

#include "device.h"
#include "history.h"
#include "image.h"
#include "snapshot.h"
#include "use.h"

#include <math.h>
#include <string.h>

#define VM_CPU     (VIRFS_VM_N_METRICS + VIRFS_VM_RATE_CPU_PERCENT)
#define IDLE_BELOW 1.0 /* percent of its CPUs */

typedef struct {
  const VirfsReportFleet *fleet;
  VirfsTable *table;
  gint64 old; /* what is older */
} Sprawl;

static void
add (const Sprawl *self, const char *kind, const char *object, const char *detail, gint64 since,
     guint64 bytes)
{
  virfs_table_add_text (self->table, kind);
  virfs_table_add_text (self->table, object);
  virfs_table_add_text (self->table, detail);
  virfs_table_add_time (self->table, since);
  virfs_table_add_known (self->table, bytes);
}

/* Guests. */

static guint64
bytes_taken (const VirfsReportVm *vm)
{
  GPtrArray *disks = vm->info->parts[VIRFS_VM_DISKS];
  guint64 bytes = 0;

  for (guint i = 0; disks && i < disks->len; i++)
    bytes += ((const VirfsDiskInfo *) disks->pdata[i])->allocation;
  return bytes;
}

/* How busy its CPUs were in the last hour, if at least half of that is known; else what they are now. */
static double
cpu_of (const VirfsReportVm *vm)
{
  double minutes[VIRFS_HISTORY_MINUTES], sum = 0;
  guint n = 0;

  if (!virfs_history_recent (virfs_infra_history (vm->vm->object.infra), vm->vm, VM_CPU, minutes))
    return virfs_report_vm_cpu (vm);
  for (guint i = 0; i < VIRFS_HISTORY_MINUTES; i++)
    if (!isnan (minutes[i])) {
      sum += minutes[i];
      n++;
    }
  return n >= VIRFS_HISTORY_MINUTES / 2 ? sum / n : virfs_report_vm_cpu (vm);
}

static void
look_at_idle (const Sprawl *self, const VirfsReportVm *vm, const char *path)
{
  double cpu = cpu_of (vm);
  g_autofree char *detail = g_strdup_printf ("its CPUs are %.1f %% busy", cpu);

  if (vm->info->state == VIRFS_VM_RUNNING && cpu < IDLE_BELOW)
    add (self, "idle", path, detail, 0, vm->info->memory);
}

static void
look_at_off (const Sprawl *self, const VirfsReportVm *vm, const char *path)
{
  gint64 since = vm->info->changed[VIRFS_VM_STATE];

  if (vm->info->state == VIRFS_VM_SHUTOFF && since <= self->old)
    add (self, "off", path, "shut off", since, bytes_taken (vm));
}

static void
look_at_snapshots (const Sprawl *self, const VirfsReportVm *vm, const char *path)
{
  GPtrArray *snapshots = vm->info->parts[VIRFS_VM_SNAPSHOTS];

  for (guint i = 0; snapshots && i < snapshots->len; i++) {
    const VirfsSnapshotInfo *snapshot = snapshots->pdata[i];
    g_autofree char *label = virfs_part_label (&virfs_snapshot_class, snapshot->part.name);
    g_autofree char *object = g_strdup_printf ("%s/snapshots/%s", path, label);

    if (!snapshot->part.draft && snapshot->created > 0 && (gint64) snapshot->created <= self->old)
      add (self, "snapshot", object, snapshot->kind, (gint64) snapshot->created, 0);
  }
}

static void
look_at_vms (const Sprawl *self)
{
  gboolean owned = FALSE;

  for (guint i = 0; i < self->fleet->vms->len; i++)
    owned |= ((const VirfsReportVm *) self->fleet->vms->pdata[i])->info->owned;
  for (guint i = 0; i < self->fleet->vms->len; i++) {
    const VirfsReportVm *vm = self->fleet->vms->pdata[i];
    g_autofree char *path = g_strdup_printf ("vms/%s", vm->info->label);

    look_at_idle (self, vm, path);
    look_at_off (self, vm, path);
    if (owned && !vm->info->owned)
      add (self, "ownerless", path, "nobody was given it", 0, 0);
    look_at_snapshots (self, vm, path);
  }
}

/* Volumes. */

static void
look_at_volume (const Sprawl *self, VirfsPart *pool, const VirfsVolumeInfo *info, const char *path)
{
  g_autofree char *label = virfs_part_label (&virfs_volume_class, info->part.name);
  g_autofree char *object = g_strdup_printf ("%s/volumes/%s", path, label);
  g_autoptr (VirfsPart) volume
    = virfs_infra_part (self->fleet->infra, pool, &virfs_volume_class, label);
  g_autoptr (GPtrArray) users = volume ? virfs_volume_users (volume) : NULL;

  if (users != NULL && users->len == 0)
    add (self, "orphan", object, info->format ? info->format : info->type,
         info->modified ? (gint64) (g_ascii_strtod (info->modified, NULL) * G_USEC_PER_SEC) : 0,
         info->allocation);
}

/* What is in images/ is there to be used later, unless that is but the pool where everything is. */
static gboolean
is_repository (const VirfsReportHost *host, const VirfsPoolInfo *pool)
{
  return virfs_image_pool (host->host, host->info) == pool
         && g_strcmp0 (pool->part.name, "default") != 0;
}

static void
look_at_pool (const VirfsReportHost *host, const VirfsPoolInfo *info, gpointer data)
{
  const Sprawl *self = data;
  g_autofree char *label = virfs_part_label (&virfs_pool_class, info->part.name);
  g_autofree char *path = g_strdup_printf ("hosts/%s/pools/%s", host->host->name, label);
  g_autoptr (VirfsPart) pool
    = virfs_infra_part (self->fleet->infra, host->host, &virfs_pool_class, label);
  GPtrArray *volumes = info->part.parts;

  if (pool == NULL || !virfs_pool_is_active (info) || is_repository (host, info))
    return;
  for (guint i = 0; volumes && i < volumes->len; i++) {
    const VirfsVolumeInfo *volume = volumes->pdata[i];

    if (!volume->part.draft && g_strcmp0 (volume->type, "dir") != 0)
      look_at_volume (self, pool, volume, path);
  }
}

GString *
virfs_report_sprawl (const VirfsReportFleet *fleet, VirfsTableNotation notation)
{
  static const char *const columns[] = { "kind", "object", "detail", "since", "bytes", NULL };
  gint64 days = virfs_infra_tariff (fleet->infra)->old_days;
  Sprawl self = { fleet, virfs_table_new (notation, columns), fleet->now - days * G_TIME_SPAN_DAY };

  look_at_vms (&self);
  virfs_report_foreach_pool (fleet, look_at_pool, &self);
  return virfs_table_end (self.table);
}
