/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host itself: its hardware, its load, its networks. */
#include "node.h"

#include "fail.h"
#include "interface.h"
#include "network_list.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

/* virConnectGetVersion() tells a version as one number. */
static void
read_hypervisor (LvLink *link, virConnectPtr conn, VirfsHostInfo *info)
{
  unsigned long version = 0;
  g_autofree char *text = NULL;

  if (LV (virConnectGetVersion (conn, &version)) < 0 || version == 0)
    text = g_strdup (link->type);
  else
    text = g_strdup_printf ("%s %lu.%lu.%lu", link->type, version / 1000000, version / 1000 % 1000,
                            version % 1000);
  virfs_ref_string_set (&info->hypervisor, text);
}

static void
read_hostname (virConnectPtr conn, VirfsHostInfo *info)
{
  char *name = LV (virConnectGetHostname (conn));

  if (name != NULL)
    virfs_ref_string_set (&info->hostname, name);
  free (name);
}

static void
take_blob (VirfsBlob **field, char *text)
{
  if (text == NULL)
    return;
  virfs_blob_unref (*field);
  *field = virfs_blob_new (text);
  free (text);
}

static void
read_documents (LvLink *link, virConnectPtr conn, VirfsHostInfo *info)
{
  char *capabilities = LV (virConnectGetCapabilities (conn));

  if (capabilities != NULL)
    lv_xml_read_capabilities (capabilities, info);
  take_blob (&info->capabilities, capabilities);
  if (!lv_link_lacks (link, LV_CALL_SYSINFO)) {
    take_blob (&info->sysinfo, LV (virConnectGetSysinfo (conn, 0)));
    lv_link_note (link, LV_CALL_SYSINFO);
  }
}

static void
read_hardware (LvLink *link, virConnectPtr conn, VirfsHostInfo *info)
{
  virNodeInfo node;
  unsigned int online = 0;

  if (LV (virNodeGetInfo (conn, &node)) == 0) {
    info->memory = (guint64) node.memory * 1024;
    info->cpus = node.cpus;
    if (info->arch == NULL)
      virfs_ref_string_set (&info->arch, node.model);
  }
  /* which of them are online */
  if (!lv_link_lacks (link, LV_CALL_CPU_MAP)) {
    if (LV (virNodeGetCPUMap (conn, NULL, &online, 0)) > 0 && online > 0)
      info->cpus = online;
    else
      lv_link_note (link, LV_CALL_CPU_MAP);
  }
}

/* Those that are offline have numbers, too. */
guint
lv_node_cpus (LvLink *link, virConnectPtr conn)
{
  gint n = g_atomic_int_get (&link->cpus);
  virNodeInfo node;

  if (n == 0 && !lv_link_lacks (link, LV_CALL_CPU_MAP))
    n = LV (virNodeGetCPUMap (conn, NULL, NULL, 0));
  if (n <= 0)
    n = LV (virNodeGetInfo (conn, &node)) == 0 ? (gint) VIR_NODEINFO_MAXCPUS (node) : 1;
  g_atomic_int_set (&link->cpus, n);
  return (guint) n;
}

void
lv_node_read (LvLink *link, virConnectPtr conn, VirfsHostInfo *info)
{
  read_hostname (conn, info);
  read_hypervisor (link, conn, info);
  read_documents (link, conn, info);
  read_hardware (link, conn, info);
}

/* Memory and processors. */

/* What guests could have: the page cache gives way to them. */
static gboolean
read_memory_stats (LvLink *link, virConnectPtr conn, VirfsHostInfo *info)
{
  static const char *const fields[]
    = { VIR_NODE_MEMORY_STATS_FREE, VIR_NODE_MEMORY_STATS_BUFFERS, VIR_NODE_MEMORY_STATS_CACHED };
  int n;
  g_autofree virNodeMemoryStatsPtr stats = lv_node_memory_stats (link, conn, &n);
  guint64 sum = 0;

  if (stats == NULL)
    return FALSE;
  for (int i = 0; i < n; i++) {
    for (guint j = 0; j < G_N_ELEMENTS (fields); j++)
      if (strcmp (stats[i].field, fields[j]) == 0)
        sum += stats[i].value;
    /* what virNodeGetInfo() tells may be one NUMA node's */
    if (strcmp (stats[i].field, VIR_NODE_MEMORY_STATS_TOTAL) == 0)
      info->memory = MAX (info->memory, (guint64) stats[i].value * 1024);
  }
  info->memory_free = sum * 1024;
  return TRUE;
}

static gboolean
read_cpu_times (LvLink *link, virConnectPtr conn, LvLoad *load)
{
  int n;
  g_autofree virNodeCPUStatsPtr stats = lv_node_cpu_stats (link, conn, &n);

  *load = (LvLoad){ 0 };
  if (stats == NULL)
    return FALSE;
  for (int i = 0; i < n; i++) {
    gboolean idle = strcmp (stats[i].field, VIR_NODE_CPU_STATS_IDLE) == 0
                    || strcmp (stats[i].field, VIR_NODE_CPU_STATS_IOWAIT) == 0;

    load->total += stats[i].value;
    load->busy += idle ? 0 : stats[i].value;
  }
  return TRUE;
}

void
lv_node_read_load (LvLink *link, virConnectPtr conn, LvLoad *last, VirfsHostInfo *info)
{
  LvLoad now;

  if (!read_memory_stats (link, conn, info)) {
    guint64 bytes = LV (virNodeGetFreeMemory (conn));

    if (bytes != 0)
      info->memory_free = bytes;
  }
  info->cpu_load = -1;
  if (!read_cpu_times (link, conn, &now))
    return;
  /* counters begin again with the host */
  if (last->total != 0 && now.total > last->total && now.busy >= last->busy)
    info->cpu_load = (gint) (100 * (now.busy - last->busy) / (now.total - last->total));
  *last = now;
}

/* Networks and interfaces.  Where one cannot be listed it is not known: NULL. */

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
replace (GPtrArray **field, GPtrArray *list)
{
  if (list != NULL)
    g_ptr_array_sort (list, compare_names);
  g_clear_pointer (field, g_ptr_array_unref);
  *field = list;
}

/* A network's bridge is an interface, too. */
static void
add_once (GPtrArray *list, const char *name)
{
  if (name != NULL && *name && !g_ptr_array_find_with_equal_func (list, name, g_str_equal, NULL))
    g_ptr_array_add (list, g_strdup (name));
}

/* FALSE: they cannot be listed. */
static gboolean
read_networks (LvLink *link, virConnectPtr conn, VirfsHostInfo *info, GPtrArray *bridges)
{
  GPtrArray *networks = lv_networks_read (link, conn), *names;

  if (networks == NULL)
    return FALSE;
  names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < networks->len; i++) {
    const VirfsNetworkInfo *network = networks->pdata[i];

    if (!network->active)
      continue;
    g_ptr_array_add (names, g_strdup (network->part.name));
    add_once (bridges, network->bridge);
  }
  replace (&info->networks, names);
  virfs_part_lists_set (info->parts, VIRFS_HOST_NETWORKS, networks);
  return TRUE;
}

/* FALSE: they cannot be listed. */
static gboolean
read_interfaces (LvLink *link, virConnectPtr conn, VirfsHostInfo *info, GPtrArray *bridges)
{
  g_autoptr (GPtrArray) active = g_ptr_array_new_with_free_func (g_free);
  GPtrArray *interfaces = lv_interfaces_read (link, conn, active);

  if (interfaces == NULL)
    return FALSE;
  for (guint i = 0; i < active->len; i++)
    add_once (bridges, active->pdata[i]);
  virfs_part_lists_set (info->parts, VIRFS_HOST_INTERFACES, interfaces);
  return TRUE;
}

gboolean
lv_node_read_resources (LvLink *link, virConnectPtr conn, VirfsHostInfo *info)
{
  GPtrArray *bridges = g_ptr_array_new_with_free_func (g_free);
  gboolean networks = read_networks (link, conn, info, bridges);

  if (read_interfaces (link, conn, info, bridges)) {
    replace (&info->bridges, bridges);
  } else {
    replace (&info->bridges, NULL);
    g_ptr_array_unref (bridges);
  }
  return networks;
}
