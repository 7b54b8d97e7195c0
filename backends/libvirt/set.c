/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes of a guest: one row each. */
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "resource.h"
#include "wait.h"

#include <string.h>

/* Seconds; those for vCPUs come after the five that libvirt itself waits. */
#define MEMORY_TIMEOUT 30
#define VCPUS_TIMEOUT  15

#define MIB (G_GUINT64_CONSTANT (1) << 20)

static int
set_title (virDomainPtr domain, LvTask *task, guint flags)
{
  const char *text = *task->text ? task->text : NULL;

  return LV (virDomainSetMetadata (domain, VIR_DOMAIN_METADATA_TITLE, text, NULL, NULL, flags));
}

static int
set_description (virDomainPtr domain, LvTask *task, guint flags)
{
  const char *text = *task->text ? task->text : NULL;

  return LV (
    virDomainSetMetadata (domain, VIR_DOMAIN_METADATA_DESCRIPTION, text, NULL, NULL, flags));
}

static int
set_autostart (virDomainPtr domain, LvTask *task, guint flags)
{
  return LV (virDomainSetAutostart (domain, task->number != 0));
}

/* What a guest starts with can be taken from it later if its definition says so. */
static int
set_vcpus (virDomainPtr domain, LvTask *task, guint flags)
{
  guint plug = lv_resource_plugs_vcpus (task) ? VIR_DOMAIN_VCPU_HOTPLUGGABLE : 0;
  int result = LV (virDomainSetVcpusFlags (domain, task->number, flags | plug));

  if (result < 0 && plug != 0 && lv_last_refused_flags ())
    result = LV (virDomainSetVcpusFlags (domain, task->number, flags));
  return result;
}

static int
set_vcpus_max (virDomainPtr domain, LvTask *task, guint flags)
{
  return LV (virDomainSetVcpusFlags (domain, task->number, flags | VIR_DOMAIN_VCPU_MAXIMUM));
}

static unsigned long
kib (guint64 bytes)
{
  return bytes / 1024 + (bytes % 1024 != 0);
}

static int
set_memory (virDomainPtr domain, LvTask *task, guint flags)
{
  return LV (virDomainSetMemoryFlags (domain, kib (task->number), flags));
}

static int
set_memory_max (virDomainPtr domain, LvTask *task, guint flags)
{
  return LV (virDomainSetMemoryFlags (domain, kib (task->number), flags | VIR_DOMAIN_MEM_MAXIMUM));
}

/* 0: the hypervisor's choice; libvirt would keep that, too. */
static int
set_schedule (virDomainPtr domain, LvTask *task, guint flags, const char *name)
{
  g_auto (LvParams) params = { 0 };

  if (task->number == 0)
    return lv_resource_set (domain, task, flags);
  if (task->field == VIRFS_VM_CPU_QUOTA)
    virTypedParamsAddLLong (&params.items, &params.n, &params.allocated, name,
                            (gint64) task->number);
  else
    virTypedParamsAddULLong (&params.items, &params.n, &params.allocated, name, task->number);
  return LV (virDomainSetSchedulerParametersFlags (domain, params.items, params.n, flags));
}

static int
set_cpu_shares (virDomainPtr domain, LvTask *task, guint flags)
{
  return set_schedule (domain, task, flags, VIR_DOMAIN_SCHEDULER_CPU_SHARES);
}

static int
set_cpu_quota (virDomainPtr domain, LvTask *task, guint flags)
{
  return set_schedule (domain, task, flags, VIR_DOMAIN_SCHEDULER_VCPU_QUOTA);
}

static int
set_cpu_period (virDomainPtr domain, LvTask *task, guint flags)
{
  return set_schedule (domain, task, flags, VIR_DOMAIN_SCHEDULER_VCPU_PERIOD);
}

static const struct {
  VirfsVmField field;
  const char *what;
  int (*call) (virDomainPtr domain, LvTask *task, guint flags);
  gboolean offline;    /* only while it is shut off: nothing else would show what was written */
  gboolean definition; /* only where there is one */
} attributes[] = {
  { VIRFS_VM_TITLE, "set the title of", set_title },
  { VIRFS_VM_DESCRIPTION, "set the description of", set_description },
  { VIRFS_VM_AUTOSTART, "set autostart of", set_autostart, .definition = TRUE },
  { VIRFS_VM_VCPUS, "set the vCPUs of", set_vcpus },
  { VIRFS_VM_VCPUS_MAX, "set the most vCPUs of", set_vcpus_max, .offline = TRUE },
  { VIRFS_VM_MEMORY, "set the memory of", set_memory },
  { VIRFS_VM_MEMORY_MAX, "set the most memory of", set_memory_max, .offline = TRUE },
  { VIRFS_VM_CPU_SHARES, "set cpu_shares of", set_cpu_shares },
  { VIRFS_VM_CPU_QUOTA, "set cpu_quota of", set_cpu_quota },
  { VIRFS_VM_CPU_PERIOD, "set cpu_period of", set_cpu_period },
  { VIRFS_VM_VCPU_PINS, "pin the vCPUs of", lv_resource_set },
  { VIRFS_VM_EMULATOR_CPUSET, "pin the emulator of", lv_resource_set },
  { VIRFS_VM_NUMA_NODESET, "set the NUMA nodes of", lv_resource_set },
  { VIRFS_VM_NUMA_MODE, "set numa_mode of", lv_resource_set, .offline = TRUE },
  { VIRFS_VM_BOOT, "set the boot order of", lv_resource_set, .definition = TRUE },
  { VIRFS_VM_FIRMWARE, "set the firmware of", lv_resource_set, .offline = TRUE },
  { VIRFS_VM_MACHINE, "set the machine type of", lv_resource_set, .offline = TRUE },
};

static guint
find_row (VirfsVmField field)
{
  guint i = 0;

  while (i < G_N_ELEMENTS (attributes) - 1 && attributes[i].field != field)
    i++;
  return i;
}

/* A unit that was forgotten is not to kill a guest that runs: no system that was started with so much lives with
 * less. */
static guint64
least_memory (const VirfsVmInfo *known)
{
  guint64 least = virfs_vm_state_active (known->state) ? MAX (known->memory_max / 16, MIB) : MIB;

  return MIN (least, known->memory_max);
}

static gboolean
check_limit (const LvTask *task, const VirfsVmInfo *known, GError **error)
{
  if (task->field == VIRFS_VM_VCPUS && (task->number == 0 || task->number > known->vcpus_max))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%s can have 1 to %u vCPUs (vcpus_max), not %" G_GUINT64_FORMAT, task->name,
                 known->vcpus_max, task->number);
  else if (task->field == VIRFS_VM_MEMORY
           && (task->number < least_memory (known) || task->number > known->memory_max))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%s can have %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                 " bytes of memory (memory_max), not %" G_GUINT64_FORMAT,
                 task->name, least_memory (known), known->memory_max, task->number);
  else if (task->number > G_MAXUINT && (task->field == VIRFS_VM_VCPUS_MAX))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "%s cannot have that many vCPUs",
                 task->name);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check (LvTask *task, guint row, virDomainPtr domain, const LvFacts *facts, const VirfsVmInfo *known,
       GError **error)
{
  const char *what = attributes[row].what;

  if (attributes[row].offline && facts->state != VIRFS_VM_SHUTOFF) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "cannot %s %s: only while it is shut off, it is %s", what, task->name,
                 virfs_vm_state_name (facts->state));
    return FALSE;
  }
  if (attributes[row].definition && !facts->persistent) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "cannot %s %s: it has no definition that outlives it", what, task->name);
    return FALSE;
  }
  return check_limit (task, known, error)
         && lv_operate_check (task, LV_CALL_SET + task->field, what, error)
         && lv_resource_check (task, domain, facts, known, error);
}

/* Libvirt changes the running guest and its definition one after the other. */
static void
tell_half_done (LvTask *task, const VirfsVmInfo *before, GError **error)
{
  g_autoptr (VirfsVmInfo) after = lv_gate_known_vm (task->link, task->uuid);
  guint64 own = VIRFS_BIT (task->field), stored = VIRFS_BIT (VIRFS_VM_XML_INACTIVE);
  guint64 changed = after ? virfs_vm_info_diff (before, after) : 0;
  const char *half = changed & own ? "running guest" : changed & stored ? "definition" : NULL;
  g_autofree char *text = half ? g_strdup_printf (" (the %s was changed)", half) : NULL;

  if (text != NULL)
    lv_fail_add (error, text);
}

/* What libvirt says here is of no help. */
static void
tell_advice (const LvTask *task, const VirfsVmInfo *before, GError **error)
{
  if (task->field == VIRFS_VM_VCPUS && task->number < before->vcpus
      && g_error_matches (*error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED))
    lv_fail_add (error, "; those that it was made with can be taken away while it is shut off");
}

/* Some drivers change one of the running guest and its definition at a time. */
static int
call (LvTask *task, guint row, virDomainPtr domain, guint flags)
{
  int result = attributes[row].call (domain, task, flags);

  if (result < 0 && flags == (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)
      && lv_last_refused_flags ()) {
    result = attributes[row].call (domain, task, VIR_DOMAIN_AFFECT_LIVE);
    if (result >= 0)
      result = attributes[row].call (domain, task, VIR_DOMAIN_AFFECT_CONFIG);
  }
  return result;
}

/* A running guest gives memory back, or takes it, by and by. */
static LvOutcome
wait_for_memory (LvTask *task)
{
  LvWish wish = { .memory = kib (task->number) * 1024, .seconds = MEMORY_TIMEOUT };

  wish.what = "come to the memory it was set to";
  wish.hint = "it needs a balloon driver for that; the setting stays";
  return lv_wait_add (task, &wish);
}

static gboolean
has_vcpus (const LvTask *task, const VirfsVmInfo *info)
{
  return info != NULL && info->vcpus == task->number;
}

/* Neither does it give back vCPUs at once; what is set for its next start comes after that. */
static LvOutcome
wait_for_vcpus (LvTask *task)
{
  LvWish wish = { .is_done = has_vcpus, .seconds = VCPUS_TIMEOUT, .again = TRUE };

  wish.what = "give vCPUs back";
  wish.hint = "it may still do so; nothing is set for its next start";
  return lv_wait_add (task, &wish);
}

static gboolean
is_waited_for (const LvTask *task, int result)
{
  return result < 0 && task->field == VIRFS_VM_VCPUS && lv_last_code () == VIR_ERR_OPERATION_TIMEOUT
         && strstr (lv_last_error ()->message, "unplug") != NULL;
}

static LvOutcome
run_set (LvTask *task, GError **error)
{
  guint row = find_row (task->field), flags = 0;
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  g_autoptr (VirfsVmInfo) before = NULL;
  LvOutcome outcome;
  int result;

  if (domain == NULL)
    return LV_FAILED;
  lv_task_refresh (task);
  before = virfs_vm_info (task->vm);
  if (!check (task, row, domain, &facts, before, error))
    return LV_FAILED;
  if (virfs_vm_state_active (facts.state))
    flags |= VIR_DOMAIN_AFFECT_LIVE;
  if (facts.persistent)
    flags |= VIR_DOMAIN_AFFECT_CONFIG;
  /* else who edits the definition meanwhile would undo it */
  lv_operate_take_turn (task->uuid);
  result = call (task, row, domain, flags);
  lv_operate_end_turn (task->uuid);
  if (is_waited_for (task, result))
    return wait_for_vcpus (task);
  outcome = lv_operate_end (task, result, LV_CALL_SET + task->field, attributes[row].what, error);
  if (outcome != LV_FAILED)
    return task->field == VIRFS_VM_MEMORY && facts.state == VIRFS_VM_RUNNING
             ? wait_for_memory (task)
             : outcome;
  tell_advice (task, before, error);
  tell_half_done (task, before, error);
  return outcome;
}

void
lv_vm_set (VirfsVm *vm, const VirfsVmSetting *setting, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run_set);

  if (task == NULL)
    return;
  task->field = setting->field;
  task->number = setting->number;
  task->text = g_strdup (setting->text ? setting->text : "");
  lv_task_submit (task);
}
