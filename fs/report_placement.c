/* SPDX-License-Identifier: GPL-2.0-or-later */
/* placement.tsv: what hosts have and have promised, and which would get the next guest. */
#include "report.h"

#include "placement.h"

#include <math.h>
#include <string.h>

/* What is asked for: the least that a guest wants, so that only what hosts are decides. */
#define NEXT_MEMORY (1u << 30)
#define NEXT_VCPUS  1

static const VirfsReportHost *
find (const VirfsReportFleet *fleet, const VirfsHost *host)
{
  for (guint i = 0; i < fleet->hosts->len; i++) {
    const VirfsReportHost *found = fleet->hosts->pdata[i];

    if (found->host == host)
      return found;
  }
  return NULL;
}

static char *
reason (const VirfsPlace *place, guint rank)
{
  if (place->refusal != NULL)
    return g_strdup (place->refusal->message);
  return g_strdup_printf ("%s: %.0f points, %.0f %% of its memory would be promised",
                          rank == 0 ? "would be chosen next" : "would do", place->score,
                          place->promised * 100);
}

static void
add_place (VirfsTable *table, const VirfsReportHost *host, const VirfsPlace *place, guint rank)
{
  g_autofree char *why = reason (place, rank);
  const VirfsHostInfo *info = host->info;
  double ratio = info->cpus ? (double) host->promised.vcpus / info->cpus : NAN;

  virfs_table_add_text (table, host->host->name);
  virfs_table_add_text (table, virfs_host_state_name (info->state));
  virfs_table_add_number (table, host->guests);
  virfs_table_add_number (table, (guint64) host->promised.guests);
  virfs_table_add_number (table, (guint64) host->promised.vcpus);
  virfs_table_add_known (table, info->cpus);
  virfs_table_add_real (table, ratio, 2);
  virfs_table_add_real (table, virfs_report_host_cpu (host), 1);
  virfs_table_add_number (table, (guint64) host->promised.memory);
  virfs_table_add_known (table, info->memory);
  virfs_table_add_known (table, info->memory_free);
  if (place->refusal == NULL)
    virfs_table_add_number (table, rank + 1);
  else
    virfs_table_add_digits (table, NULL);
  virfs_table_add_text (table, why);
}

GString *
virfs_report_placement (const VirfsReportFleet *fleet, VirfsTableNotation notation)
{
  static const char *const columns[]
    = { "host",       "state",       "guests",          "active", "vcpus_promised", "cpus",
        "vcpu_ratio", "cpu_percent", "memory_promised", "memory", "memory_free",    "rank",
        "why",        NULL };
  VirfsWish wish = { .memory = NEXT_MEMORY, .vcpus = NEXT_VCPUS };
  g_autoptr (GPtrArray) places = virfs_placement_rank (fleet->infra, &wish);
  VirfsTable *table = virfs_table_new (notation, columns);

  for (guint i = 0; i < places->len; i++) {
    const VirfsPlace *place = places->pdata[i];
    const VirfsReportHost *host = find (fleet, place->host);

    if (host != NULL)
      add_place (table, host, place, i);
  }
  return virfs_table_end (table);
}
