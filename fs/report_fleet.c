/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reports are made of. */
#include "report.h"

#include "device.h"

#include <math.h>
#include <string.h>

static void
free_host (gpointer data)
{
  VirfsReportHost *host = data;

  virfs_object_unref (host->host);
  g_clear_pointer (&host->info, virfs_host_info_unref);
  g_clear_pointer (&host->sample, virfs_sample_unref);
  g_free (host);
}

static void
free_vm (gpointer data)
{
  VirfsReportVm *vm = data;

  virfs_object_unref (vm->vm);
  g_clear_pointer (&vm->info, virfs_vm_info_unref);
  g_clear_pointer (&vm->sample, virfs_sample_unref);
  g_free (vm);
}

/* Under the registry's lock. */
static void
add_host (VirfsHost *object, const VirfsHostInfo *info, gpointer hosts)
{
  VirfsReportHost *host = g_new0 (VirfsReportHost, 1);

  host->host = virfs_object_ref (object);
  host->promised = object->promised;
  g_ptr_array_add (hosts, host);
}

static void
add_vm (VirfsVm *object, const VirfsVmInfo *info, gpointer vms)
{
  VirfsReportVm *vm = g_new0 (VirfsReportVm, 1);

  vm->vm = virfs_object_ref (object);
  g_ptr_array_add (vms, vm);
}

static gint
compare_hosts (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(VirfsReportHost *const *) a)->host->name,
                 (*(VirfsReportHost *const *) b)->host->name);
}

static gint
compare_vms (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 ((*(VirfsReportVm *const *) a)->info->label,
                    (*(VirfsReportVm *const *) b)->info->label);
}

static VirfsReportHost *
find_host (const VirfsReportFleet *fleet, const VirfsHost *object)
{
  for (guint i = 0; i < fleet->hosts->len; i++) {
    VirfsReportHost *host = fleet->hosts->pdata[i];

    if (host->host == object)
      return host;
  }
  return NULL;
}

/* Nothing of a host that is away is known to be true. */
static void
look_at_host (const VirfsReportFleet *fleet, VirfsReportHost *host)
{
  host->info = virfs_host_info (host->host);
  if (host->info->state == VIRFS_HOST_UP)
    host->sample = virfs_metrics_sample (virfs_infra_metrics (fleet->infra), host->host);
}

static void
look_at_vm (const VirfsReportFleet *fleet, VirfsReportVm *vm)
{
  VirfsReportHost *host;

  vm->info = virfs_vm_info (vm->vm);
  vm->host = host = find_host (fleet, vm->info->host);
  if (host == NULL)
    return;
  host->guests++;
  if (host->info->state == VIRFS_HOST_UP && virfs_vm_state_active (vm->info->state))
    vm->sample = virfs_metrics_sample (virfs_infra_metrics (fleet->infra), vm->vm);
}

VirfsReportFleet *
virfs_report_fleet_new_hosts (VirfsInfra *infra)
{
  VirfsReportFleet *fleet = g_new0 (VirfsReportFleet, 1);

  fleet->infra = infra;
  fleet->now = g_get_real_time ();
  fleet->hosts = g_ptr_array_new_with_free_func (free_host);
  fleet->vms = g_ptr_array_new_with_free_func (free_vm);
  virfs_infra_foreach_host (infra, add_host, fleet->hosts);
  g_ptr_array_sort (fleet->hosts, compare_hosts);
  for (guint i = 0; i < fleet->hosts->len; i++)
    look_at_host (fleet, fleet->hosts->pdata[i]);
  return fleet;
}

VirfsReportFleet *
virfs_report_fleet_new (VirfsInfra *infra)
{
  VirfsReportFleet *fleet = virfs_report_fleet_new_hosts (infra);

  virfs_infra_foreach_vm (infra, NULL, add_vm, fleet->vms);
  for (guint i = fleet->vms->len; i-- > 0;) {
    const VirfsReportVm *vm = fleet->vms->pdata[i];

    look_at_vm (fleet, fleet->vms->pdata[i]);
    /* it has just lost its name, or its host has come after those were gathered */
    if (vm->info->label == NULL || vm->host == NULL)
      g_ptr_array_remove_index_fast (fleet->vms, i);
  }
  g_ptr_array_sort (fleet->vms, compare_vms);
  return fleet;
}

void
virfs_report_fleet_free (VirfsReportFleet *fleet)
{
  g_ptr_array_unref (fleet->vms);
  g_ptr_array_unref (fleet->hosts);
  g_free (fleet);
}

/* What follows from it. */

double
virfs_report_host_cpu (const VirfsReportHost *host)
{
  if (host->info->state != VIRFS_HOST_UP)
    return NAN;
  if (host->sample != NULL && !isnan (host->sample->rates[VIRFS_HOST_RATE_CPU_PERCENT]))
    return host->sample->rates[VIRFS_HOST_RATE_CPU_PERCENT];
  return host->info->cpu_load >= 0 ? host->info->cpu_load : NAN;
}

double
virfs_report_vm_cpu (const VirfsReportVm *vm)
{
  return vm->sample ? vm->sample->rates[VIRFS_VM_RATE_CPU_PERCENT] : NAN;
}

double
virfs_report_vm_cpus (const VirfsReportVm *vm)
{
  return virfs_report_vm_cpu (vm) * vm->info->vcpus / 100;
}

guint64
virfs_report_host_memory_used (const VirfsReportHost *host)
{
  if (host->info->memory_free == 0 || host->info->memory_free > host->info->memory)
    return VIRFS_ABSENT;
  return host->info->memory - host->info->memory_free;
}

double
virfs_report_host_fullness (const VirfsReportHost *host)
{
  guint64 used = virfs_report_host_memory_used (host);
  guint64 promised = (guint64) MAX (host->promised.memory, 0);

  if (host->info->memory == 0)
    return 0;
  return (double) (used == VIRFS_ABSENT ? promised : MAX (used, promised))
         / (double) host->info->memory;
}

guint64
virfs_report_vm_storage (const VirfsReportVm *vm)
{
  GPtrArray *disks = vm->info->parts[VIRFS_VM_DISKS];
  guint64 bytes = 0;

  for (guint i = 0; disks && i < disks->len; i++) {
    const VirfsDiskInfo *disk = disks->pdata[i];

    if (!disk->part.draft && !disk->readonly && g_strcmp0 (disk->device, "disk") == 0)
      bytes += disk->size;
  }
  return bytes;
}

static gboolean
was_seen (const VirfsReportFleet *fleet, guint hosts, const VirfsPoolInfo *pool)
{
  for (guint i = 0; i < hosts; i++) {
    const VirfsReportHost *host = fleet->hosts->pdata[i];
    GPtrArray *pools = host->info->parts[VIRFS_HOST_POOLS];

    for (guint j = 0; host->info->state == VIRFS_HOST_UP && pools && j < pools->len; j++)
      if (virfs_pool_is_same (pool, pools->pdata[j]))
        return TRUE;
  }
  return FALSE;
}

void
virfs_report_foreach_pool (const VirfsReportFleet *fleet, VirfsReportPoolFunc func, gpointer data)
{
  for (guint i = 0; i < fleet->hosts->len; i++) {
    const VirfsReportHost *host = fleet->hosts->pdata[i];
    GPtrArray *pools = host->info->parts[VIRFS_HOST_POOLS];

    for (guint j = 0; host->info->state == VIRFS_HOST_UP && pools && j < pools->len; j++) {
      const VirfsPoolInfo *pool = pools->pdata[j];

      if (!pool->part.draft && !was_seen (fleet, i, pool))
        func (host, pool, data);
    }
  }
}
