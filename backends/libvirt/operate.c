/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What operations have in common. */
#include "operate.h"

#include "connection.h"
#include "error.h"
#include "fail.h"

virDomainPtr
lv_operate_on (LvTask *task, LvFacts *facts, GError **error)
{
  g_autoptr (virDomain) domain = lv_task_domain (task, error);

  if (domain == NULL)
    return NULL;
  if (lv_domain_ask_facts (domain, facts))
    return g_steal_pointer (&domain);
  lv_fail (error, "cannot tell the state of %s", task->name);
  return NULL;
}

gboolean
lv_operate_check (LvTask *task, LvCall call, const char *what, GError **error)
{
  if (!lv_link_lacks (task->link, call))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "cannot %s %s: the driver of %s (%s) cannot do this", what, task->name,
               task->link->connection->name, task->link->type);
  return FALSE;
}

LvOutcome
lv_operate_end (LvTask *task, int result, LvCall call, const char *what, GError **error)
{
  if (result < 0) {
    lv_link_note (task->link, call);
    lv_fail (error, "cannot %s %s", what, task->name);
  }
  lv_task_refresh (task);
  return result < 0 ? LV_FAILED : LV_DONE;
}
