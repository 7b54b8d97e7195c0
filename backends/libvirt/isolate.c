/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Isolating guests and NICs: their links go down.  What they were is noted with the guest before, and
 * forgotten when they are again, so that whatever breaks off can be done once more.
 */
#include "operate.h"

#include "error.h"
#include "isolation.h"
#include "plug.h"

/* Memory that was saved has the links in it. */
static gboolean
check_saved (LvTask *task, const LvFacts *facts, GError **error)
{
  if (!facts->saved)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s was saved, and its NICs come back as they were then: write restore or discard"
               " to its ctl first",
               task->name);
  return FALSE;
}

static LvOutcome
note (LvTask *task, virDomainPtr domain, const LvFacts *facts, const char *isolation,
      GError **error)
{
  g_free (task->text);
  task->text = g_strdup (isolation);
  task->note = (VirfsVmNote){ .field = VIRFS_VM_ISOLATION, .text = task->text };
  return lv_vm_note_now (task, domain, facts, error);
}

/* What the link of NIC is to be when WANTED is kept of the guest; as it is, if it is not meant. */
static gboolean
is_to_be_down (const VirfsVmInfo *info, const VirfsNicInfo *nic, const char *wanted)
{
  gboolean down = nic->link_down;

  if (virfs_isolation_has (wanted, nic->mac, NULL))
    return TRUE;
  virfs_isolation_has (info->isolation, nic->mac, &down);
  return down;
}

/* All that can be, *SET; ERROR: the first that cannot. */
static gboolean
set_links (LvTask *task, virDomainPtr domain, const LvFacts *facts, const VirfsVmInfo *info,
           const char *wanted, guint *set, GError **error)
{
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];
  gboolean done = TRUE;

  *set = 0;
  for (guint i = 0; nics && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];
    gboolean meant = virfs_isolation_has (wanted, nic->mac, NULL)
                     || virfs_isolation_has (info->isolation, nic->mac, NULL);

    if (nic->part.draft || !meant)
      continue;
    if (lv_plug_set_link (task, domain, facts, nic, is_to_be_down (info, nic, wanted),
                          done ? error : NULL))
      ++*set;
    else
      done = FALSE;
  }
  return done;
}

/* What could not be done at all is as it was. */
static LvOutcome
isolate (LvTask *task, virDomainPtr domain, const LvFacts *facts, const VirfsVmInfo *info,
         const char *wanted, GError **error)
{
  guint set;

  if (note (task, domain, facts, wanted, error) != LV_DONE)
    return LV_FAILED;
  if (set_links (task, domain, facts, info, wanted, &set, error))
    return LV_DONE;
  if (set > 0)
    g_prefix_error (error, "(%u NICs are isolated) ", set);
  else
    note (task, domain, facts, info->isolation ? info->isolation : "", NULL);
  return LV_FAILED;
}

static LvOutcome
lift (LvTask *task, virDomainPtr domain, const LvFacts *facts, const VirfsVmInfo *info,
      const char *wanted, GError **error)
{
  guint set;

  if (set_links (task, domain, facts, info, wanted, &set, error))
    return note (task, domain, facts, wanted, error);
  if (set > 0)
    g_prefix_error (error, "(%u NICs are connected) ", set);
  return LV_FAILED;
}

static LvOutcome
change (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (task->vm);
  const char *nic = task->plug ? task->plug->text : NULL;
  gboolean is_to_be = task->number != 0;
  g_autofree char *wanted = virfs_isolation_change (info, nic, is_to_be);

  if (!check_saved (task, facts, error))
    return LV_FAILED;
  return (is_to_be ? isolate : lift) (task, domain, facts, info, wanted, error);
}

static LvOutcome
run_isolate (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  LvOutcome outcome;

  if (domain == NULL)
    return LV_FAILED;
  lv_operate_take_turn (task->uuid);
  lv_task_refresh (task);
  outcome = change (task, domain, &facts, error);
  lv_operate_end_turn (task->uuid);
  lv_task_refresh (task);
  return outcome;
}

void
lv_vm_isolate (VirfsVm *vm, const char *nic, gboolean isolate, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run_isolate);

  if (task == NULL)
    return;
  task->number = isolate ? 1 : 0;
  if (nic != NULL) {
    task->plug = g_new0 (LvPlug, 1);
    task->plug->text = g_strdup (nic);
  }
  lv_task_submit (task);
}

gboolean
lv_isolate_newcomer (LvTask *task, virDomainPtr domain, const LvFacts *facts, VirfsNicInfo *nic,
                     GError **error)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (task->vm);
  g_autofree char *wanted = NULL;

  if (!virfs_isolation_is_quarantine (info->isolation))
    return TRUE;
  wanted = virfs_isolation_join (info, nic->mac, nic->link_down);
  nic->link_down = TRUE;
  return note (task, domain, facts, wanted, error) == LV_DONE;
}
