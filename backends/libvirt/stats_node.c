/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs and memory of the host itself. */
#include "stats.h"

#include "fail.h"
#include "node.h"

#include <string.h>

typedef struct {
  const char *field;
  VirfsHostMetric metric;
} Field;

static const Field cpu_fields[] = {
  { VIR_NODE_CPU_STATS_USER, VIRFS_HOST_METRIC_CPU_USER },
  { VIR_NODE_CPU_STATS_KERNEL, VIRFS_HOST_METRIC_CPU_SYSTEM },
  { VIR_NODE_CPU_STATS_INTR, VIRFS_HOST_METRIC_CPU_SYSTEM },
  { VIR_NODE_CPU_STATS_IDLE, VIRFS_HOST_METRIC_CPU_IDLE },
  { VIR_NODE_CPU_STATS_IOWAIT, VIRFS_HOST_METRIC_CPU_IOWAIT },
};

static const Field memory_fields[] = {
  { VIR_NODE_MEMORY_STATS_TOTAL, VIRFS_HOST_METRIC_MEMORY_TOTAL },
  { VIR_NODE_MEMORY_STATS_FREE, VIRFS_HOST_METRIC_MEMORY_FREE },
  { VIR_NODE_MEMORY_STATS_CACHED, VIRFS_HOST_METRIC_MEMORY_CACHED },
  { VIR_NODE_MEMORY_STATS_BUFFERS, VIRFS_HOST_METRIC_MEMORY_BUFFERS },
};

static void
take (const Field *fields, guint n, const char *field, guint64 value, VirfsSample *sample)
{
  for (guint i = 0; i < n; i++)
    if (strcmp (fields[i].field, field) == 0) {
      guint64 *to = &sample->values[fields[i].metric];

      *to = (*to == VIRFS_ABSENT ? 0 : *to) + value;
    }
}

/* Drivers insist on being given room for just as many as they tell. */
virNodeCPUStatsPtr
lv_node_cpu_stats (LvLink *link, virConnectPtr conn, int *n)
{
  g_autofree virNodeCPUStatsPtr stats = NULL;

  *n = 0;
  if (lv_link_lacks (link, LV_CALL_CPU_STATS))
    return NULL;
  if (LV (virNodeGetCPUStats (conn, VIR_NODE_CPU_STATS_ALL_CPUS, NULL, n, 0)) == 0) {
    stats = g_new0 (virNodeCPUStats, *n + 1);
    if (LV (virNodeGetCPUStats (conn, VIR_NODE_CPU_STATS_ALL_CPUS, stats, n, 0)) == 0)
      return g_steal_pointer (&stats);
  }
  lv_link_note (link, LV_CALL_CPU_STATS);
  *n = 0;
  return NULL;
}

virNodeMemoryStatsPtr
lv_node_memory_stats (LvLink *link, virConnectPtr conn, int *n)
{
  g_autofree virNodeMemoryStatsPtr stats = NULL;

  *n = 0;
  if (lv_link_lacks (link, LV_CALL_MEMORY_STATS))
    return NULL;
  if (LV (virNodeGetMemoryStats (conn, VIR_NODE_MEMORY_STATS_ALL_CELLS, NULL, n, 0)) == 0) {
    stats = g_new0 (virNodeMemoryStats, *n + 1);
    if (LV (virNodeGetMemoryStats (conn, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats, n, 0)) == 0)
      return g_steal_pointer (&stats);
  }
  lv_link_note (link, LV_CALL_MEMORY_STATS);
  *n = 0;
  return NULL;
}

static void
read_cpus (LvLink *link, virConnectPtr conn, VirfsSample *sample)
{
  int n;
  g_autofree virNodeCPUStatsPtr stats = lv_node_cpu_stats (link, conn, &n);

  for (int i = 0; i < n; i++)
    take (cpu_fields, G_N_ELEMENTS (cpu_fields), stats[i].field, stats[i].value, sample);
}

static void
read_memory (LvLink *link, virConnectPtr conn, VirfsSample *sample)
{
  int n;
  g_autofree virNodeMemoryStatsPtr stats = lv_node_memory_stats (link, conn, &n);

  for (int i = 0; i < n; i++)
    take (memory_fields, G_N_ELEMENTS (memory_fields), stats[i].field, stats[i].value * 1024,
          sample);
  if (sample->values[VIRFS_HOST_METRIC_MEMORY_TOTAL] == VIRFS_ABSENT) {
    virNodeInfo node;
    guint64 unused = LV (virNodeGetFreeMemory (conn));

    if (LV (virNodeGetInfo (conn, &node)) == 0)
      sample->values[VIRFS_HOST_METRIC_MEMORY_TOTAL] = (guint64) node.memory * 1024;
    if (unused != 0)
      sample->values[VIRFS_HOST_METRIC_MEMORY_FREE] = unused;
  }
}

VirfsSample *
lv_stats_node (LvLink *link, virConnectPtr conn)
{
  VirfsSample *sample = virfs_sample_new (0);

  read_cpus (link, conn, sample);
  read_memory (link, conn, sample);
  return sample;
}
