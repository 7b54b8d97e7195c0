/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libvirt has no call for that changes a definition, or one that cannot take it back: pins and NUMA
 * nodes are changed by libvirt in the running guest, and by us in the definition; the others only there.
 */
#include "resource.h"

#include "connection.h"
#include "cpuset.h"
#include "define.h"
#include "error.h"
#include "fail.h"
#include "node.h"
#include "pins.h"
#include "xml_resource.h"

#include <stdlib.h>
#include <string.h>

/* In a message of what there is. */
#define MOST_NAMES 20

/* The running guest. */

/* One that is not pinned may use all. */
static GByteArray *
bits_of (LvTask *task, virConnectPtr conn, const char *cpuset)
{
  return cpuset && *cpuset ? virfs_cpuset_parse (cpuset, NULL)
                           : virfs_cpuset_first (lv_node_cpus (task->link, conn));
}

/* Some drivers know one way to pin, that of vCPUs which a running guest has. */
static int
pin_vcpu (virDomainPtr domain, guint vcpu, const VirfsVmInfo *known, GByteArray *bits)
{
  int result = LV (
    virDomainPinVcpuFlags (domain, vcpu, bits->data, (int) bits->len, VIR_DOMAIN_AFFECT_LIVE));

  if (result < 0 && lv_last_refused_flags ())
    result
      = vcpu < known->vcpus ? LV (virDomainPinVcpu (domain, vcpu, bits->data, (int) bits->len)) : 0;
  return result;
}

static int
pin_vcpus (virDomainPtr domain, LvTask *task, const VirfsVmInfo *known)
{
  g_autoptr (GPtrArray) now = virfs_pins_split (known->vcpu_pins, known->vcpus_max);
  g_autoptr (GPtrArray) each = virfs_pins_split (task->text, known->vcpus_max);

  for (guint i = 0; i < each->len; i++) {
    g_autoptr (GByteArray) bits = NULL;

    if (g_strcmp0 (now->pdata[i], each->pdata[i]) == 0)
      continue;
    bits = bits_of (task, virDomainGetConnect (domain), each->pdata[i]);
    if (pin_vcpu (domain, i, known, bits) < 0)
      return -1;
  }
  return 0;
}

static int
pin_emulator (virDomainPtr domain, LvTask *task, const VirfsVmInfo *known)
{
  g_autoptr (GByteArray) bits = bits_of (task, virDomainGetConnect (domain), task->text);

  return LV (virDomainPinEmulator (domain, bits->data, (int) bits->len, VIR_DOMAIN_AFFECT_LIVE));
}

static int
move_memory (virDomainPtr domain, LvTask *task, const VirfsVmInfo *known)
{
  g_auto (LvParams) params = { 0 };

  virTypedParamsAddString (&params.items, &params.n, &params.allocated, VIR_DOMAIN_NUMA_NODESET,
                           task->text);
  return LV (virDomainSetNumaParameters (domain, params.items, params.n, VIR_DOMAIN_AFFECT_LIVE));
}

/* What the host has. */

static gboolean
check_numbers (LvTask *task, const char *what, const GByteArray *offered, const char *wanted,
               GError **error)
{
  g_autoptr (GByteArray) set = virfs_cpuset_parse (wanted ? wanted : "", NULL);
  g_autofree char *all = virfs_cpuset_print (offered);

  if (virfs_cpuset_covers (offered, set))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "%s has the %s %s, not all of %s",
               task->link->connection->name, what, all, wanted);
  return FALSE;
}

static gboolean
check_pins (LvTask *task, virDomainPtr domain, const LvFacts *facts, const VirfsVmInfo *known,
            GError **error)
{
  guint n = lv_node_cpus (task->link, virDomainGetConnect (domain));
  g_autoptr (GByteArray) cpus = virfs_cpuset_first (n);
  g_autoptr (GPtrArray) each = virfs_pins_split (task->text, known->vcpus_max);

  for (guint i = 0; i < each->len; i++)
    if (!check_numbers (task, "CPUs", cpus, each->pdata[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
check_emulator (LvTask *task, virDomainPtr domain, const LvFacts *facts, const VirfsVmInfo *known,
                GError **error)
{
  guint n = lv_node_cpus (task->link, virDomainGetConnect (domain));
  g_autoptr (GByteArray) cpus = virfs_cpuset_first (n);

  return check_numbers (task, "CPUs", cpus, task->text, error);
}

/* Of a driver that does not tell nothing is known. */
static char *
read_capabilities (virConnectPtr conn)
{
  char *text = LV (virConnectGetCapabilities (conn));
  char *copy = g_strdup (text);

  free (text);
  return copy;
}

static gboolean
check_nodes (LvTask *task, virDomainPtr domain, const LvFacts *facts, const VirfsVmInfo *known,
             GError **error)
{
  g_autofree char *capabilities = read_capabilities (virDomainGetConnect (domain));
  g_autoptr (GByteArray) nodes = capabilities ? lv_xml_offered_nodes (capabilities) : NULL;

  if (*task->text == '\0' && virfs_vm_state_active (facts->state)) {
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
      "the memory of %s can be moved to other nodes but not set free while it is %s: shut"
      " it off first",
      task->name, virfs_vm_state_name (facts->state));
    return FALSE;
  }
  return nodes == NULL || check_numbers (task, "NUMA nodes", nodes, task->text, error);
}

static gboolean
check_schedule (LvTask *task, virDomainPtr domain, const LvFacts *facts, const VirfsVmInfo *known,
                GError **error)
{
  if (task->number != 0 || !virfs_vm_state_active (facts->state))
    return TRUE;
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
    "this cannot be left to the hypervisor of %s again: only while it is shut off, it is %s",
    task->name, virfs_vm_state_name (facts->state));
  return FALSE;
}

static char *
join_some (GPtrArray *names)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < names->len && i < MOST_NAMES; i++)
    g_string_append_printf (text, "%s%s", i ? ", " : "", (char *) names->pdata[i]);
  if (names->len > MOST_NAMES)
    g_string_append (text, " …");
  return g_string_free (text, FALSE);
}

static void
read_platform (const VirfsVmInfo *known, LvPlatform *platform)
{
  g_autofree char *xml = virfs_blob_text (known->xml_inactive ? known->xml_inactive : known->xml);

  if (xml != NULL)
    lv_xml_read_platform (xml, platform);
}

/* libvirt takes names without a version for the newest: so it does here, for its definition has to say
 * whether the machine is of another family. */
gboolean
lv_resource_find_machine (LvTask *task, virConnectPtr conn, const LvPlatform *platform,
                          const char *name, char **canonical, GError **error)
{
  g_autofree char *capabilities = read_capabilities (conn), *some = NULL;
  g_autoptr (GPtrArray) names
    = capabilities ? lv_xml_offered_machines (capabilities, platform) : g_ptr_array_new ();

  if (names->len > 0 && !g_ptr_array_find_with_equal_func (names, name, g_str_equal, NULL)) {
    some = join_some (names);
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%s has no machine type \"%s\" for %s guests; there are: %s",
                 task->link->connection->name, name, platform->type, some);
    return FALSE;
  }
  *canonical
    = capabilities ? lv_xml_canonical_machine (capabilities, platform, name) : g_strdup (name);
  return TRUE;
}

static gboolean
check_machine (LvTask *task, virDomainPtr domain, const LvFacts *facts, const VirfsVmInfo *known,
               GError **error)
{
  g_auto (LvPlatform) platform = { 0 };
  char *canonical;

  read_platform (known, &platform);
  if (!lv_resource_find_machine (task, virDomainGetConnect (domain), &platform, task->text,
                                 &canonical, error))
    return FALSE;
  g_free (task->text);
  task->text = canonical;
  return TRUE;
}

gboolean
lv_resource_find_firmware (LvTask *task, virConnectPtr conn, const LvPlatform *platform,
                           const char *name, GError **error)
{
  char *capabilities;
  gboolean offered;

  /* what a machine has by itself needs no file on the host */
  if (strcmp (name, "bios") == 0)
    return TRUE;
  capabilities = LV (virConnectGetDomainCapabilities (conn, platform->emulator, platform->arch,
                                                      platform->machine, platform->type, 0));
  offered = capabilities == NULL || lv_xml_offers_firmware (capabilities, name);
  free (capabilities);
  if (!offered)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%s has no firmware %s for %s guests, only bios; install it there (ovmf)",
                 task->link->connection->name, name,
                 platform->machine ? platform->machine : "these");
  return offered;
}

static gboolean
check_firmware (LvTask *task, virDomainPtr domain, const LvFacts *facts, const VirfsVmInfo *known,
                GError **error)
{
  g_auto (LvPlatform) platform = { 0 };

  read_platform (known, &platform);
  return lv_resource_find_firmware (task, virDomainGetConnect (domain), &platform, task->text,
                                    error);
}

gboolean
lv_resource_plugs_vcpus (const LvTask *task)
{
  static const char *const arches[] = { "x86_64", "i686", "ppc64le", "ppc64", "s390x", NULL };
  g_autoptr (VirfsVmInfo) known = virfs_vm_info (task->vm);
  g_auto (LvPlatform) platform = { 0 };

  read_platform (known, &platform);
  return platform.arch != NULL && g_strv_contains (arches, platform.arch);
}

/* The table. */

static const struct {
  VirfsVmField field;
  gboolean (*check) (LvTask *task, virDomainPtr domain, const LvFacts *facts,
                     const VirfsVmInfo *known, GError **error);
  int (*live) (virDomainPtr domain, LvTask *task, const VirfsVmInfo *known);
} rows[] = {
  { VIRFS_VM_CPU_SHARES, check_schedule },
  { VIRFS_VM_CPU_QUOTA, check_schedule },
  { VIRFS_VM_CPU_PERIOD, check_schedule },
  { VIRFS_VM_VCPU_PINS, check_pins, pin_vcpus },
  { VIRFS_VM_EMULATOR_CPUSET, check_emulator, pin_emulator },
  { VIRFS_VM_NUMA_NODESET, check_nodes, move_memory },
  { VIRFS_VM_MACHINE, check_machine },
  { VIRFS_VM_FIRMWARE, check_firmware },
};

gboolean
lv_resource_check (LvTask *task, virDomainPtr domain, const LvFacts *facts,
                   const VirfsVmInfo *known, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].field == task->field)
      return rows[i].check (task, domain, facts, known, error);
  return TRUE;
}

static int
set_live (virDomainPtr domain, LvTask *task, const VirfsVmInfo *known)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].field == task->field && rows[i].live != NULL)
      return rows[i].live (domain, task, known);
  return 0;
}

typedef struct {
  LvTask *task;
  const VirfsVmInfo *known;
} Edit;

static char *
edit (const char *xml, gconstpointer data)
{
  const Edit *edit = data;

  return lv_xml_edit_resource (xml, edit->known, edit->task->field, edit->task->text);
}

int
lv_resource_set (virDomainPtr domain, LvTask *task, guint flags)
{
  g_autoptr (VirfsVmInfo) known = virfs_vm_info (task->vm);
  int result = flags & VIR_DOMAIN_AFFECT_LIVE ? set_live (domain, task, known) : 0;

  if (result >= 0 && flags & VIR_DOMAIN_AFFECT_CONFIG)
    result = lv_redefine (task, domain, edit, &(Edit){ task, known });
  return result;
}
