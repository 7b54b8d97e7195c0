/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * energy.tsv and cost.tsv, from watts and prices that somebody has set.  What a host takes now is shared
 * among its guests by the CPU time that they use.
 */
#include "report.h"

#include <math.h>

#define HOURS_OF_DAY   24.0
#define HOURS_OF_MONTH 730.0
#define GIB            ((double) (1 << 30))

/* CPUs of HOST that its guests use in sum. */
static double
cpus_used (const VirfsReportFleet *fleet, const VirfsReportHost *host)
{
  double sum = 0;

  for (guint i = 0; i < fleet->vms->len; i++) {
    const VirfsReportVm *vm = fleet->vms->pdata[i];

    if (vm->host == host && !isnan (virfs_report_vm_cpus (vm)))
      sum += virfs_report_vm_cpus (vm);
  }
  return sum;
}

/* NAN: not known. */
static double
host_watts (const VirfsReportFleet *fleet, const VirfsReportHost *host)
{
  const VirfsPower *power
    = virfs_tariff_power (virfs_infra_tariff (fleet->infra), host->host->name);

  return power ? virfs_power_at (power, virfs_report_host_cpu (host)) : NAN;
}

/* Of each guest, in their order; NAN: not known.  The caller owns it. */
static double *
vm_watts (const VirfsReportFleet *fleet)
{
  double *watts = g_new (double, fleet->vms->len + 1);
  g_autoptr (GHashTable) factors = g_hash_table_new_full (NULL, NULL, NULL, g_free);

  for (guint i = 0; i < fleet->hosts->len; i++) {
    double *factor = g_new (double, 1);
    double used = cpus_used (fleet, fleet->hosts->pdata[i]);

    *factor = used > 0 ? host_watts (fleet, fleet->hosts->pdata[i]) / used : NAN;
    g_hash_table_insert (factors, fleet->hosts->pdata[i], factor);
  }
  for (guint i = 0; i < fleet->vms->len; i++) {
    const VirfsReportVm *vm = fleet->vms->pdata[i];

    watts[i] = virfs_report_vm_cpus (vm) * *(double *) g_hash_table_lookup (factors, vm->host);
  }
  return watts;
}

static void
add_power (VirfsTable *table, const VirfsTariff *tariff, const char *kind, gpointer object,
           double cpu, double watts)
{
  g_autofree char *path = virfs_object_path (object);
  double kwh = watts * HOURS_OF_DAY / 1000;

  virfs_table_add_text (table, kind);
  virfs_table_add_text (table, path);
  virfs_table_add_real (table, cpu, 1);
  virfs_table_add_real (table, watts, 1);
  virfs_table_add_real (table, kwh, 3);
  virfs_table_add_real (table, tariff->kwh > 0 ? kwh * tariff->kwh : NAN, 4);
  virfs_table_add_text (table, tariff->currency);
}

GString *
virfs_report_energy (const VirfsReportFleet *fleet, VirfsTableNotation notation)
{
  static const char *const columns[]
    = { "kind", "object", "cpu_percent", "watts", "kwh_day", "cost_day", "currency", NULL };
  const VirfsTariff *tariff = virfs_infra_tariff (fleet->infra);
  g_autofree double *watts = vm_watts (fleet);
  VirfsTable *table = virfs_table_new (notation, columns);

  for (guint i = 0; i < fleet->hosts->len; i++) {
    const VirfsReportHost *host = fleet->hosts->pdata[i];

    if (virfs_tariff_power (tariff, host->host->name) != NULL)
      add_power (table, tariff, "host", host->host, virfs_report_host_cpu (host),
                 host_watts (fleet, host));
  }
  for (guint i = 0; i < fleet->vms->len; i++) {
    const VirfsReportVm *vm = fleet->vms->pdata[i];

    if (virfs_tariff_power (tariff, vm->host->host->name) != NULL
        && virfs_vm_state_active (vm->info->state))
      add_power (table, tariff, "guest", vm->vm, virfs_report_vm_cpu (vm), watts[i]);
  }
  return virfs_table_end (table);
}

/* A part of the price, and what it adds to SUM; 0: nobody has set it. */
static void
add_price (VirfsTable *table, double price, double amount, double *sum)
{
  double cost = price > 0 ? price * amount : NAN;

  virfs_table_add_real (table, cost, 2);
  *sum += isnan (cost) ? 0 : cost;
}

static void
add_cost (VirfsTable *table, const VirfsTariff *tariff, const VirfsReportVm *vm, double watts)
{
  gboolean active = virfs_vm_state_active (vm->info->state);
  double hours = active ? HOURS_OF_MONTH : 0;
  guint64 storage = virfs_report_vm_storage (vm);
  double sum = 0;

  virfs_table_add_text (table, vm->info->label);
  virfs_table_add_text (table, vm->host->host->name);
  virfs_table_add_text (table, virfs_vm_state_name (vm->info->state));
  virfs_table_add_text (table, virfs_user_name (vm->info->owner.uid));
  virfs_table_add_number (table, vm->info->vcpus);
  virfs_table_add_number (table, vm->info->memory);
  virfs_table_add_number (table, storage);
  add_price (table, tariff->vcpu_hour, vm->info->vcpus * hours, &sum);
  add_price (table, tariff->gib_hour, (double) vm->info->memory / GIB * hours, &sum);
  add_price (table, tariff->gib_month, (double) storage / GIB, &sum);
  add_price (table, tariff->kwh, active ? watts / 1000 * HOURS_OF_MONTH : 0, &sum);
  virfs_table_add_real (table, sum, 2);
  virfs_table_add_text (table, tariff->currency);
}

GString *
virfs_report_cost (const VirfsReportFleet *fleet, VirfsTableNotation notation)
{
  static const char *const columns[]
    = { "guest",    "host",       "state",        "owner",         "vcpus",        "memory",
        "storage",  "vcpu_month", "memory_month", "storage_month", "energy_month", "month",
        "currency", NULL };
  const VirfsTariff *tariff = virfs_infra_tariff (fleet->infra);
  gboolean priced = tariff->kwh + tariff->vcpu_hour + tariff->gib_hour + tariff->gib_month > 0;
  g_autofree double *watts = vm_watts (fleet);
  VirfsTable *table = virfs_table_new (notation, columns);

  for (guint i = 0; priced && i < fleet->vms->len; i++)
    add_cost (table, tariff, fleet->vms->pdata[i], watts[i]);
  return virfs_table_end (table);
}
