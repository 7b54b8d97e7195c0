/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs: one row each. */
#include "verb.h"

#include "agent.h"
#include "error.h"
#include "operate.h"
#include "watch.h"

static int
call_start (virDomainPtr domain)
{
  return LV (virDomainCreate (domain));
}

static int
call_shutdown (virDomainPtr domain)
{
  return LV (virDomainShutdown (domain));
}

static int
press_power (virDomainPtr domain)
{
  return LV (virDomainShutdownFlags (domain, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN));
}

static int
call_destroy (virDomainPtr domain)
{
  return LV (virDomainDestroy (domain));
}

static int
call_reboot (virDomainPtr domain)
{
  return LV (virDomainReboot (domain, 0));
}

static int
press_power_to_reboot (virDomainPtr domain)
{
  return LV (virDomainReboot (domain, VIR_DOMAIN_REBOOT_ACPI_POWER_BTN));
}

static int
call_reset (virDomainPtr domain)
{
  return LV (virDomainReset (domain, 0));
}

static int
call_suspend (virDomainPtr domain)
{
  return LV (virDomainSuspend (domain));
}

static int
call_resume (virDomainPtr domain)
{
  return LV (virDomainResume (domain));
}

static int
call_save (virDomainPtr domain)
{
  return LV (virDomainManagedSave (domain, 0));
}

static int
call_discard (virDomainPtr domain)
{
  return LV (virDomainManagedSaveRemove (domain, 0));
}

static int
call_nmi (virDomainPtr domain)
{
  return LV (virDomainInjectNMI (domain, 0));
}

static int
call_pmsuspend (virDomainPtr domain)
{
  return LV (virDomainPMSuspendForDuration (domain, VIR_NODE_SUSPEND_TARGET_MEM, 0, 0));
}

static int
call_wakeup (virDomainPtr domain)
{
  return LV (virDomainPMWakeup (domain, 0));
}

#define IN(state) (1u << VIRFS_VM_##state)
#define ACTIVE    (IN (RUNNING) | IN (PAUSED) | IN (SHUTDOWN) | IN (PMSUSPENDED) | IN (UNKNOWN))

static const struct {
  const char *what;
  int (*call) (virDomainPtr domain);
  guint from;           /* states in which it can be done */
  guint already;        /* states in which it has been done */
  gboolean takes_saved; /* only for what was saved */
  LvLane lane;
  /* the same without the agent in it, which CALL asks; NULL: it does not */
  int (*press) (virDomainPtr domain);
} verbs[] = {
  [VIRFS_VERB_START] = { "start", call_start, IN (SHUTOFF), IN (RUNNING) },
  [VIRFS_VERB_SHUTDOWN] = { "shut down", call_shutdown, IN (RUNNING) | IN (UNKNOWN),
                            IN (SHUTOFF) | IN (SHUTDOWN), .press = press_power },
  [VIRFS_VERB_DESTROY] = { "destroy", call_destroy, ACTIVE | IN (CRASHED), IN (SHUTOFF) },
  [VIRFS_VERB_REBOOT]
  = { "reboot", call_reboot, IN (RUNNING) | IN (UNKNOWN), .press = press_power_to_reboot },
  [VIRFS_VERB_RESET] = { "reset", call_reset, IN (RUNNING) | IN (PAUSED) | IN (UNKNOWN) },
  [VIRFS_VERB_SUSPEND] = { "pause", call_suspend, IN (RUNNING) | IN (UNKNOWN), IN (PAUSED) },
  [VIRFS_VERB_RESUME] = { "resume", call_resume, IN (PAUSED), IN (RUNNING) },
  [VIRFS_VERB_SAVE]
  = { "save", call_save, IN (RUNNING) | IN (PAUSED) | IN (UNKNOWN), .lane = LV_LANE_LONG },
  [VIRFS_VERB_RESTORE]
  = { "restore", call_start, IN (SHUTOFF), .takes_saved = TRUE, .lane = LV_LANE_LONG },
  [VIRFS_VERB_DISCARD]
  = { "discard what was saved of", call_discard, IN (SHUTOFF), .takes_saved = TRUE },
  [VIRFS_VERB_NMI] = { "send an NMI to", call_nmi, IN (RUNNING) | IN (PAUSED) | IN (UNKNOWN) },
  [VIRFS_VERB_PMSUSPEND] = { "suspend", call_pmsuspend, IN (RUNNING), IN (PMSUSPENDED) },
  [VIRFS_VERB_WAKEUP] = { "wake up", call_wakeup, IN (PMSUSPENDED), IN (RUNNING) },
};

G_STATIC_ASSERT (G_N_ELEMENTS (verbs) == VIRFS_VM_N_VERBS);

LvLane
lv_verb_lane (const VirfsVmInfo *info, VirfsVmVerb verb)
{
  gboolean asks = verbs[verb].press && g_strcmp0 (info->agent, VIRFS_AGENT_CONNECTED) == 0;

  return asks ? LV_LANE_AGENT : verbs[verb].lane;
}

/* An agent that does not answer would be waited for. */
static int
call (LvTask *task, virDomainPtr domain, VirfsVmVerb verb)
{
  if (verbs[verb].press == NULL)
    return verbs[verb].call (domain);
  if (task->lane == LV_LANE_AGENT)
    lv_agent_call (task->link, domain, NULL);
  return lv_agent_is_silent (task->link, domain) ? verbs[verb].press (domain)
                                                 : verbs[verb].call (domain);
}

LvOutcome
lv_verb_call (LvTask *task, virDomainPtr domain, VirfsVmVerb verb, GError **error)
{
  LvCall number = LV_CALL_VERB + verb;

  if (!lv_operate_check (task, number, verbs[verb].what, error))
    return LV_FAILED;
  return lv_operate_end (task, call (task, domain, verb), number, verbs[verb].what, error);
}

/* Whether there is anything to be done; if not, ERROR may be set. */
static gboolean
is_wanted (LvTask *task, const LvFacts *facts, GError **error)
{
  const char *what = verbs[task->verb].what;

  if (verbs[task->verb].already & (1u << facts->state))
    return FALSE;
  if (task->verb == VIRFS_VERB_SAVE && facts->saved)
    return FALSE;
  if (!(verbs[task->verb].from & (1u << facts->state))) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "cannot %s %s: it is %s", what, task->name,
                 virfs_vm_state_name (facts->state));
    return FALSE;
  }
  if (verbs[task->verb].takes_saved && !facts->saved) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "cannot %s %s: nothing was saved of it",
                 what, task->name);
    return FALSE;
  }
  return TRUE;
}

static LvOutcome
run_verb (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  g_autoptr (LvWatch) watch = NULL;
  GError *refusal = NULL;

  if (domain == NULL)
    return LV_FAILED;
  if (!is_wanted (task, &facts, &refusal)) {
    lv_task_refresh (task);
    if (refusal != NULL)
      g_propagate_error (error, refusal);
    return refusal ? LV_FAILED : LV_DONE;
  }
  /* the only one that takes long and can be stopped */
  if (task->verb == VIRFS_VERB_SAVE) {
    lv_task_allow_cancel (task, TRUE);
    watch = lv_watch_new (task, NULL, NULL);
  }
  return lv_verb_call (task, domain, task->verb, error);
}

void
lv_vm_verb (VirfsVm *vm, VirfsVmVerb verb, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  /* to start what was saved is to restore it */
  gboolean restores = verb == VIRFS_VERB_START && info->saved;
  LvTask *task
    = lv_task_new (vm, job, restores ? LV_LANE_LONG : lv_verb_lane (info, verb), run_verb);

  if (task == NULL)
    return;
  task->without_agent = TRUE;
  task->verb = verb;
  lv_task_submit (task);
}
