/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving a guest while it runs, with its memory. */
#include "migrate_work.h"

#include "connection.h"
#include "fail.h"
#include "migrate_manner.h"
#include "migrate_snapshots.h"
#include "operate.h"
#include "watch.h"

#include <stdlib.h>

#define LIVE_FLAGS (VIR_MIGRATE_LIVE | VIR_MIGRATE_ABORT_ON_ERROR | VIR_MIGRATE_AUTO_CONVERGE)

static guint
live_flags (const LvPlan *plan, const LvFacts *facts)
{
  guint flags = LIVE_FLAGS;

  if (facts->persistent)
    flags |= LV_MIGRATE_PERSISTENT;
  if (facts->state == VIRFS_VM_PAUSED)
    flags |= VIR_MIGRATE_PAUSED;
  if (plan->copies->len > 0)
    flags |= VIR_MIGRATE_NON_SHARED_DISK;
  /* libvirt takes a disk with a host's page cache for unsafe unless it knows the file system to be
   * a cluster's.  We have seen both hosts look at the same file, and QEMU writes all out at the
   * source and drops what the target has cached before the guest goes on there. */
  if (plan->certain)
    flags |= VIR_MIGRATE_UNSAFE;
  return flags;
}

static void
add_copied_disks (LvParams *params, const LvPlan *plan)
{
  for (guint i = 0; i < plan->copies->len; i++)
    virTypedParamsAddString (&params->items, &params->n, &params->allocated,
                             VIR_MIGRATE_PARAM_MIGRATE_DISKS,
                             ((LvCopy *) plan->copies->pdata[i])->disk);
}

/* What nobody can tell now may be. */
static gboolean
may_be_half_way (const LvMigration *move)
{
  return !lv_link_is_alive (move->task->link) || lv_migration_is_half_way (move->domain);
}

static gboolean
migrate_watched (LvMigration *move, const LvPlan *plan, const LvFacts *facts, GError **error)
{
  LvTask *task = move->task;
  LvManner *manner = &move->manner;
  g_autoptr (LvWatch) watch = NULL;
  gboolean moved;

  move->flags = lv_manner_flags (manner, live_flags (plan, facts));
  move->only = lv_manner_is_chosen (manner);
  add_copied_disks (&move->params, plan);
  lv_manner_add_params (manner, &move->params);
  lv_manner_prepare (manner, move->domain);
  lv_task_allow_cancel (task, TRUE);
  watch = lv_watch_new (task, lv_manner_follow, manner);
  moved = lv_migration_call (move);
  if (moved) {
    lv_migration_keep_autostart (task, move->moved, facts);
  } else {
    lv_link_note (task->link, LV_CALL_MIGRATE);
    lv_migration_fail (task, error);
  }
  g_clear_pointer (&watch, lv_watch_free); /* it sets what comes */
  move->post_copy = manner->post_copy && !moved && may_be_half_way (move);
  g_clear_pointer (&move->moved, virDomainFree);
  lv_params_clear (&move->params);
  return moved;
}

static gboolean
migrate_with_snapshots (LvMigration *move, const LvMoving *moving, const LvPlan *plan,
                        const LvFacts *facts, GError **error)
{
  gboolean moved;

  if (!lv_moving_take_off (moving, move->task, move->domain, error))
    return FALSE;
  moved = migrate_watched (move, plan, facts, error);
  lv_moving_settle (moving, move->task, moved);
  return moved;
}

/* A guest in post-copy is in both places, and hosts that do it among themselves go on without us. */
static gboolean
has_stayed (const LvMigration *move)
{
  if (!move->begun)
    return TRUE;
  return !move->post_copy && (!move->peer_to_peer || lv_link_is_alive (move->task->link))
         && lv_migration_is_not_there (move->task);
}

/* It runs there as long as it does not miss what is still here. */
static void
explain_post_copy (LvTask *task, GError **error)
{
  if (error != NULL && *error != NULL)
    g_prefix_error (
      error,
      "%s is on both hosts in post-copy; when %s and %s answer write %s to migrate once more: ",
      task->name, task->link->connection->name, task->target->connection->name,
      task->target->connection->name);
}

gboolean
lv_migrate_resume (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  LvMigration move = { .task = task, .domain = domain, .only = TRUE };
  guint flags = VIR_MIGRATE_LIVE | (facts->persistent ? LV_MIGRATE_PERSISTENT : 0);
  LvManner *manner = &move.manner;
  g_autoptr (LvWatch) watch = NULL;
  gboolean moved;

  lv_manner_init (manner, task);
  lv_manner_go_on (manner);
  if (!virfs_migration_check (&manner->plan, VIRFS_MIGRATION_N_OPTIONS, error))
    return FALSE;
  move.flags = lv_manner_flags (manner, flags) | VIR_MIGRATE_POSTCOPY_RESUME;
  watch = lv_watch_new (task, lv_manner_follow, manner);
  moved = lv_migration_call (&move);
  if (moved)
    lv_migration_keep_autostart (task, move.moved, facts);
  else
    lv_migration_fail (task, error);
  g_clear_pointer (&move.moved, virDomainFree);
  return moved;
}

gboolean
lv_migrate_running (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  g_autoptr (LvMoving) moving = NULL;
  g_autoptr (LvPlan) plan = NULL;
  LvMigration move = { .task = task, .domain = domain };
  char *xml;
  gboolean ok;

  if (!lv_operate_check (task, LV_CALL_MIGRATE, "migrate", error))
    return FALSE;
  xml = LV (virDomainGetXMLDesc (domain, 0));
  if (xml == NULL)
    return lv_migration_fail (task, error);
  plan = lv_plan_new (task, xml, TRUE, error);
  free (xml);
  moving = plan ? lv_moving_read (task, domain, error) : NULL;
  if (moving == NULL)
    return FALSE;
  lv_manner_init (&move.manner, task);
  ok = lv_moving_check (moving, plan, error) && lv_manner_check (&move.manner, plan, error)
       && lv_plan_make (plan, domain, error) && lv_migration_check_cancelled (task, error)
       && migrate_with_snapshots (&move, moving, plan, facts, error);
  if (!ok && move.post_copy)
    explain_post_copy (task, error);
  lv_migration_end_plan (plan, ok, !ok && has_stayed (&move));
  return ok;
}
