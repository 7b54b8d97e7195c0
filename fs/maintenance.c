/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Maintenance of hosts: `maintenance` and what belongs to it in hosts/<host>/. */
#include "maintenance_files.h"

#include "maintenance.h"
#include "drain_plan.h"
#include "upkeep.h"

static const VirfsUpkeep *
upkeep_of (const VirfsNode *node)
{
  return ((const VirfsHostInfo *) node->snapshot)->upkeep;
}

static void
show_bool (GString *out, gboolean value)
{
  g_string_append (out, value ? "1\n" : "0\n");
}

/* maintenance */

void
virfs_host_show_maintenance (const VirfsNode *node, GString *out)
{
  show_bool (out, upkeep_of (node) && upkeep_of (node)->maintenance);
}

void
virfs_host_store_maintenance (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  const VirfsUpkeep *upkeep = upkeep_of (node);
  gboolean rests
    = upkeep == NULL
      || (!upkeep->maintenance && upkeep->work == VIRFS_UPKEEP_REST && upkeep->moved == NULL);
  VirfsHost *host = node->object;
  guint uid = virfs_call_uid (call);
  g_autoptr (VirfsJob) job = NULL;

  if (!value && rests) {
    virfs_call_finish (call, NULL);
    return;
  }
  job = virfs_call_job (call, value ? "drain" : "end maintenance", host, host, NULL);
  if (value)
    virfs_maintenance_begin (host, uid, job);
  else
    virfs_maintenance_end (host, uid, job);
}

/* return, drain_parallel */

static void
change (VirfsCall *call, const VirfsNode *node, VirfsUpkeepEdit edit, guint value)
{
  g_autoptr (GError) error = NULL;

  virfs_infra_change_upkeep (node->object, edit, GUINT_TO_POINTER (value), &error);
  virfs_call_finish (call, error);
}

void
virfs_host_show_return (const VirfsNode *node, GString *out)
{
  show_bool (out, upkeep_of (node) && upkeep_of (node)->comes_back);
}

static void
set_return (VirfsUpkeep *upkeep, gpointer value)
{
  upkeep->comes_back = GPOINTER_TO_UINT (value) != 0;
}

void
virfs_host_store_return (VirfsCall *call, const VirfsNode *node, gboolean value)
{
  change (call, node, set_return, (guint) value);
}

void
virfs_host_show_parallel (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "%u\n", virfs_maintenance_parallel (node->object, node->snapshot));
}

static void
set_parallel (VirfsUpkeep *upkeep, gpointer value)
{
  upkeep->parallel = GPOINTER_TO_UINT (value);
}

void
virfs_host_store_parallel (VirfsCall *call, const VirfsNode *node, const char *text)
{
  guint64 value = 0;

  if (*text != '\0'
      && !g_ascii_string_to_unsigned (text, 10, 1, VIRFS_DRAIN_PARALLEL_MOST, &value, NULL))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a number of guests is wanted, 1 to %u, or an empty line for what is"
                     " configured",
                     VIRFS_DRAIN_PARALLEL_MOST);
  else
    change (call, node, set_parallel, (guint) value);
}

/* drain_plan, drained */

void
virfs_host_show_plan (const VirfsNode *node, GString *out)
{
  g_autoptr (GPtrArray) plan = virfs_drain_plan (node->object, NULL);

  virfs_drain_plan_print (plan, out);
}

void
virfs_host_show_drained (const VirfsNode *node, GString *out)
{
  const VirfsUpkeep *upkeep = upkeep_of (node);
  g_auto (GStrv) uuids = g_strsplit (upkeep && upkeep->moved ? upkeep->moved : "", "\n", -1);

  for (char **p = uuids; *p; p++) {
    g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (virfs_node_infra (node), *p);
    g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

    if (info != NULL && info->label != NULL && info->host != node->object)
      g_string_append_printf (out, "%s\t%s\n", info->label, info->host->name);
  }
}
