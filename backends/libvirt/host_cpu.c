/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs: each that some guest of the fleet has is compared once with each host, when the host is polled. */
#include "host_cpu.h"

#include "connection.h"
#include "cpu.h"
#include "fail.h"
#include "gate.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

/* The kind of guests that the host is there for, as in `kvm x86_64`; NULL: others than we know. */
static const char *
kind_of (const VirfsHostInfo *info)
{
  static const char *const types[] = { "kvm", "qemu" };

  for (guint i = 0; info->guest_types && info->arch && i < G_N_ELEMENTS (types); i++) {
    g_autofree char *kind = g_strdup_printf ("%s %s", types[i], info->arch);
    guint index;

    if (g_ptr_array_find_with_equal_func (info->guest_types, kind, g_str_equal, &index))
      return info->guest_types->pdata[index];
  }
  return NULL;
}

/* The host's own. */

typedef struct {
  const char *kind, *cpu;
} Own;

static void
take_own (VirfsHostInfo *info, gpointer data)
{
  const Own *own = data;

  virfs_ref_string_set (&info->cpu_kind, own->kind);
  virfs_ref_string_set (&info->cpu, own->cpu);
}

/* Once for each link: a host that comes back may have got another. */
static void
read_own (LvLink *link, virConnectPtr conn, const VirfsHostInfo *info)
{
  const char *kind = kind_of (info);
  g_autofree char *type = kind ? g_strndup (kind, strcspn (kind, " ")) : NULL;
  char *capabilities;
  g_autofree char *cpu = NULL;

  if (kind == NULL || !g_atomic_int_compare_and_exchange (&link->cpu_read, FALSE, TRUE))
    return;
  capabilities = LV (virConnectGetDomainCapabilities (conn, NULL, info->arch, NULL, type, 0));
  cpu = capabilities ? lv_xml_read_host_cpu (capabilities) : NULL;
  free (capabilities);
  if (cpu != NULL)
    lv_gate_edit_host (link->connection, link, take_own, &(Own){ kind, cpu }, NULL);
}

/* Those of guests. */

typedef struct {
  const char *cpu, *reason;
} Verdict;

static void
take_verdict (VirfsHostInfo *info, gpointer data)
{
  const Verdict *verdict = data;
  GHashTable *old = info->cpu_verdicts;

  info->cpu_verdicts = virfs_cpu_verdicts_with (old, verdict->cpu, verdict->reason);
  g_clear_pointer (&old, g_hash_table_unref);
}

static void
take_verdicts (VirfsHostInfo *info, gpointer verdicts)
{
  g_clear_pointer (&info->cpu_verdicts, g_hash_table_unref);
  info->cpu_verdicts = g_hash_table_ref (verdicts);
}

/* CPU is `TYPE`, a newline and a <cpu>.  What the host cannot tell is left to the attempt. */
static void
compare (LvLink *link, virConnectPtr conn, const VirfsHostInfo *info, const char *cpu)
{
  const char *xml = strchr (cpu, '\n') + 1;
  g_autofree char *type = g_strndup (cpu, strcspn (cpu, "\n"));
  int result = LV (virConnectCompareHypervisorCPU (conn, NULL, info->arch, NULL, type, xml,
                                                   VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE));
  g_autoptr (GError) error = NULL;
  Verdict verdict = { cpu, "" };

  if (result == VIR_CPU_COMPARE_INCOMPATIBLE) {
    verdict.reason = "its CPU lacks what the guest's has";
  } else if (result < 0 && lv_last_code () == VIR_ERR_CPU_INCOMPATIBLE) {
    lv_fail (&error, "its CPU is not enough for the guest's");
    verdict.reason = error->message;
  }
  lv_gate_edit_host (link->connection, link, take_verdict, &verdict, NULL);
}

/* All. */

static void
find_baseline (VirfsInfra *infra, virConnectPtr conn, const VirfsHostInfo *info)
{
  g_autoptr (VirfsCpuGroup) group = virfs_cpu_group (infra, info->cpu_kind);
  g_autofree char *type = g_strndup (info->cpu_kind, strcspn (info->cpu_kind, " "));
  char *text;

  if (group->cpus->len == 0 || virfs_cpu_has_baseline (infra, info->cpu_kind, group))
    return;
  text = LV (virConnectBaselineHypervisorCPU (conn, NULL, info->arch, NULL, type,
                                              (const char **) group->cpus->pdata, group->cpus->len,
                                              VIR_CONNECT_BASELINE_CPU_MIGRATABLE));
  virfs_cpu_set_baseline (infra, info->cpu_kind, group, text ? text : "");
  free (text);
}

void
lv_cpu_poll (LvLink *link, virConnectPtr conn)
{
  g_autoptr (VirfsHostInfo) info = lv_gate_copy_host (link->connection);
  VirfsHost *host = info ? lv_gate_enter (link->connection) : NULL;
  VirfsInfra *infra = host ? host->object.infra : NULL;
  g_autoptr (GPtrArray) unknown = NULL;
  g_autoptr (GHashTable) wanted = NULL;

  if (host == NULL)
    return;
  unknown = virfs_cpu_unknown (infra, info);
  wanted = virfs_cpu_verdicts_wanted (infra, info->cpu_verdicts);
  lv_gate_leave (link->connection);
  if (wanted != NULL)
    lv_gate_edit_host (link->connection, link, take_verdicts, wanted, NULL);
  read_own (link, conn, info);
  for (guint i = 0; kind_of (info) != NULL && i < unknown->len; i++)
    compare (link, conn, info, unknown->pdata[i]);
  g_clear_pointer (&info, virfs_host_info_unref);
  info = lv_gate_copy_host (link->connection);
  if (info != NULL && info->cpu != NULL)
    find_baseline (infra, conn, info);
}
