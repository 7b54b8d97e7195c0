/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bringing a guest to a state: a table of steps, each the way from one state to, or towards, the
 * one that is wanted.
 */
#include "error.h"
#include "fail.h"
#include "operate.h"
#include "verb.h"
#include "wait.h"

/* Seconds that a guest has to wake up. */
#define WAKEUP_TIMEOUT 60
/* Steps on the way are two at most; another client may be pulling the other way. */
#define STEPS 4

typedef struct {
  VirfsVmState wanted, from;
  VirfsVmVerb verb;         /* N_VERBS: nothing to be done */
  gboolean paused;          /* start it paused */
  VirfsVmState comes_later; /* what the guest then comes to by itself; UNKNOWN: does not apply */
  gboolean on_the_way;      /* another step follows */
} Step;

static const Step steps[] = {
  { VIRFS_VM_RUNNING, VIRFS_VM_SHUTOFF, VIRFS_VERB_START },
  { VIRFS_VM_RUNNING, VIRFS_VM_CRASHED, VIRFS_VERB_DESTROY, .on_the_way = TRUE },
  { VIRFS_VM_RUNNING, VIRFS_VM_PAUSED, VIRFS_VERB_RESUME },
  { VIRFS_VM_RUNNING, VIRFS_VM_PMSUSPENDED, VIRFS_VERB_WAKEUP, .comes_later = VIRFS_VM_RUNNING },

  { VIRFS_VM_PAUSED, VIRFS_VM_SHUTOFF, VIRFS_VERB_START, .paused = TRUE, .on_the_way = TRUE },
  { VIRFS_VM_PAUSED, VIRFS_VM_CRASHED, VIRFS_VERB_DESTROY, .on_the_way = TRUE },
  { VIRFS_VM_PAUSED, VIRFS_VM_RUNNING, VIRFS_VERB_SUSPEND },
  { VIRFS_VM_PAUSED, VIRFS_VM_PMSUSPENDED, VIRFS_VERB_WAKEUP, .comes_later = VIRFS_VM_RUNNING,
    .on_the_way = TRUE },

  { VIRFS_VM_SHUTOFF, VIRFS_VM_RUNNING, VIRFS_VERB_SHUTDOWN, .comes_later = VIRFS_VM_SHUTOFF },
  { VIRFS_VM_SHUTOFF, VIRFS_VM_UNKNOWN, VIRFS_VERB_SHUTDOWN, .comes_later = VIRFS_VM_SHUTOFF },
  { VIRFS_VM_SHUTOFF, VIRFS_VM_SHUTDOWN, VIRFS_VM_N_VERBS, .comes_later = VIRFS_VM_SHUTOFF },
  /* it cannot hear while it is paused */
  { VIRFS_VM_SHUTOFF, VIRFS_VM_PAUSED, VIRFS_VERB_RESUME, .on_the_way = TRUE },
  { VIRFS_VM_SHUTOFF, VIRFS_VM_PMSUSPENDED, VIRFS_VERB_WAKEUP, .comes_later = VIRFS_VM_RUNNING,
    .on_the_way = TRUE },
  { VIRFS_VM_SHUTOFF, VIRFS_VM_CRASHED, VIRFS_VERB_DESTROY },
};

static const Step *
find_step (VirfsVmState wanted, VirfsVmState from)
{
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (steps[i].wanted == wanted && steps[i].from == from)
      return &steps[i];
  return NULL;
}

/* Where that cannot be, it is started and the next step pauses it. */
static LvOutcome
start_paused (LvTask *task, virDomainPtr domain, GError **error)
{
  int result = LV (virDomainCreateWithFlags (domain, VIR_DOMAIN_START_PAUSED));

  if (result < 0 && (lv_last_refused_flags () || lv_last_missing ()))
    return lv_verb_call (task, domain, VIRFS_VERB_START, error);
  return lv_operate_end (task, result, LV_CALL_VERB + VIRFS_VERB_START, "start", error);
}

static LvOutcome
do_step (LvTask *task, virDomainPtr domain, const Step *step, GError **error)
{
  if (step->verb == VIRFS_VM_N_VERBS)
    return LV_DONE;
  if (step->paused)
    return start_paused (task, domain, error);
  return lv_verb_call (task, domain, step->verb, error);
}

static LvOutcome
wait_for (LvTask *task, const Step *step)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (task->vm);
  LvWish wish = { .state = step->comes_later, .again = step->on_the_way };

  if (step->comes_later == VIRFS_VM_SHUTOFF) {
    wish.seconds = info->shutdown_timeout;
    wish.what = "shut down";
    wish.hint = "`echo destroy > ctl` pulls the plug";
  } else {
    wish.seconds = WAKEUP_TIMEOUT;
    wish.what = "wake up";
  }
  return lv_wait_add (task, &wish);
}

static LvOutcome
fail_busy (LvTask *task, VirfsVmState from, GError **error)
{
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s is %s and cannot be brought to %s now",
               task->name, virfs_vm_state_name (from), virfs_vm_state_name (task->state));
  lv_task_refresh (task);
  return LV_FAILED;
}

/* Somebody else has brought it elsewhere meanwhile: what was refused does not matter. */
static gboolean
has_turned (virDomainPtr domain, VirfsVmState from)
{
  LvFacts facts = { 0 };

  return lv_domain_ask_facts (domain, &facts) && facts.state != from;
}

static LvOutcome
run_bring (LvTask *task, GError **error)
{
  LvFacts facts = { 0 };

  for (int i = 0; i < STEPS; i++) {
    g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
    const Step *step = domain ? find_step (task->state, facts.state) : NULL;

    if (domain == NULL)
      return LV_FAILED;
    if (facts.state == task->state) {
      lv_task_refresh (task);
      return LV_DONE;
    }
    if (step == NULL)
      break;
    if (do_step (task, domain, step, error) == LV_FAILED) {
      if (!has_turned (domain, facts.state))
        return LV_FAILED;
      g_clear_error (error);
      continue;
    }
    if (step->comes_later != VIRFS_VM_UNKNOWN)
      return wait_for (task, step);
    if (!step->on_the_way)
      return LV_DONE;
  }
  return fail_busy (task, facts.state, error);
}

void
lv_vm_bring (VirfsVm *vm, VirfsVmState state, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  LvLane lane = state == VIRFS_VM_SHUTOFF ? lv_verb_lane (info, VIRFS_VERB_SHUTDOWN) : LV_LANE_SHORT;
  /* what was saved takes its time to be read */
  LvTask *task = lv_task_new (vm, job, info->saved ? LV_LANE_LONG : lane, run_bring);

  if (task == NULL)
    return;
  task->without_agent = TRUE;
  task->state = state;
  lv_task_submit (task);
}
