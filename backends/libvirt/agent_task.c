/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What somebody wants of the agent in a guest: the backend's functions. */
#include "agent.h"

#include "error.h"
#include "fail.h"
#include "operate.h"

#include <string.h>

static virDomainPtr
begin (LvTask *task, GError **error)
{
  virDomainPtr domain = lv_task_domain (task, error);

  if (domain == NULL || lv_agent_call (task->link, domain, error))
    return domain;
  virDomainFree (domain);
  return NULL;
}

static LvOutcome
end (LvTask *task, int result, const char *what, GError **error)
{
  if (result < 0)
    lv_fail (error, "cannot %s %s", what, task->name);
  return result < 0 ? LV_FAILED : LV_DONE;
}

/* Verbs. */

static LvOutcome
run_verb (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = begin (task, error);
  gboolean done;

  if (domain == NULL)
    return LV_FAILED;
  switch ((VirfsAgentVerb) task->action) {
  case VIRFS_AGENT_FREEZE:
    done = lv_agent_freeze (task->link, domain, error);
    break;
  case VIRFS_AGENT_THAW:
    done = lv_agent_thaw (task->link, domain, error);
    break;
  case VIRFS_AGENT_TRIM:
    return end (task, LV (virDomainFSTrim (domain, NULL, 0, 0)), "trim the file systems of", error);
  default:
    return lv_agent_ask (task->link, domain, error) ? LV_DONE : LV_FAILED;
  }
  lv_task_refresh (task);
  return done ? LV_DONE : LV_FAILED;
}

void
lv_vm_agent_verb (VirfsVm *vm, VirfsAgentVerb verb, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_AGENT, run_verb);

  if (task == NULL)
    return;
  task->action = verb;
  lv_task_submit (task);
}

/* The clock. */

/* Without a time it would be told to look at its hardware's, which not all can. */
static LvOutcome
run_set_time (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = begin (task, error);
  gint64 time = task->number ? (gint64) task->number : g_get_real_time ();
  LvOutcome outcome;

  if (domain == NULL)
    return LV_FAILED;
  outcome = end (task,
                 LV (virDomainSetTime (domain, time / G_USEC_PER_SEC,
                                       (unsigned) (time % G_USEC_PER_SEC) * 1000, 0)),
                 "set the clock of", error);
  /* who can set it but not say what there is has done what was wanted */
  if (outcome == LV_DONE)
    lv_agent_ask (task->link, domain, NULL);
  return outcome;
}

void
lv_vm_agent_set_time (VirfsVm *vm, gint64 time, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_AGENT, run_set_time);

  if (task == NULL)
    return;
  task->number = (guint64) time;
  lv_task_submit (task);
}

/* Passwords. */

static LvOutcome
run_set_password (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = begin (task, error);
  char *password = task->text + strlen (task->text) + 1;

  if (domain == NULL)
    return LV_FAILED;
  return end (task, LV (virDomainSetUserPassword (domain, task->text, password, 0)),
              "set a password in", error);
}

/* Both in one text, each with its NUL. */
void
lv_vm_agent_set_password (VirfsVm *vm, const char *user, const char *password, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_AGENT, run_set_password);
  GString *both;

  if (task == NULL)
    return;
  both = g_string_new (user);
  g_string_append_c (both, '\0');
  g_string_append (both, password);
  task->text = g_string_free (both, FALSE);
  lv_task_submit (task);
}
