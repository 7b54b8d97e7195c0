/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Moving a guest to another host: while it runs, with its memory; or its definition alone.  Either
 * way what both hosts do not share of its disks is copied, and stays where it was, too.
 */
#include "claim.h"
#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "migrate_manner.h"
#include "migrate_snapshots.h"
#include "operate.h"
#include "plan.h"
#include "uri.h"
#include "watch.h"
#include "xml.h"

#include <stdlib.h>

#define LIVE_FLAGS       (VIR_MIGRATE_LIVE | VIR_MIGRATE_ABORT_ON_ERROR | VIR_MIGRATE_AUTO_CONVERGE)
#define PERSISTENT_FLAGS (VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE)
/* What every driver that migrates knows. */
#define PLAIN_FLAGS (VIR_MIGRATE_LIVE | VIR_MIGRATE_PAUSED | PERSISTENT_FLAGS)

static const char *
target_name (LvTask *task)
{
  return task->target->connection->name;
}

static gboolean
fail_move (LvTask *task, GError **error)
{
  return lv_fail (error, "cannot move %s to %s", task->name, target_name (task));
}

static gboolean
check_cancelled (LvTask *task, GError **error)
{
  if (!lv_task_is_cancelled (task))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "cancelled: %s stays on %s", task->name,
               task->link->connection->name);
  return FALSE;
}

/* The call. */

typedef struct {
  LvTask *task;
  virDomainPtr domain;
  LvParams params;
  guint flags;
  gboolean only; /* so, and in no other way */
  gboolean begun, peer_to_peer;
  gboolean post_copy; /* has begun */
  virDomainPtr moved; /* owned; NULL: it has not, or could not be looked up */
} Move;

static gboolean
migrate_directly (Move *move)
{
  move->begun = TRUE;
  move->moved = LV (virDomainMigrate3 (move->domain, move->task->there.conn, move->params.items,
                                       move->params.n, move->flags));
  return move->moved != NULL;
}

/* The hosts do it among themselves; for drivers that know no other way.  What has moved has moved, also
 * if it is not found then. */
static gboolean
migrate_peer_to_peer (Move *move)
{
  LvTask *task = move->task;
  g_autoptr (LvUri) uri = lv_uri_parse (task->target->connection->uri, NULL);

  move->begun = move->peer_to_peer = TRUE;
  if (LV (virDomainMigrateToURI3 (move->domain, uri->plain, move->params.items, move->params.n,
                                  move->flags | VIR_MIGRATE_PEER2PEER))
      < 0)
    return FALSE;
  move->moved = LV (virDomainLookupByUUIDString (task->there.conn, task->uuid));
  return TRUE;
}

static gboolean
may_be_peer_to_peer (LvTask *task)
{
  g_autoptr (LvUri) uri = NULL;
  int code = lv_last_code ();

  if (code != VIR_ERR_NO_SUPPORT && code != VIR_ERR_OPERATION_UNSUPPORTED
      && code != VIR_ERR_ARGUMENT_UNSUPPORTED)
    return FALSE;
  uri = lv_uri_parse (task->target->connection->uri, NULL);
  return uri != NULL && !uri->local;
}

static gboolean
migrate (Move *move)
{
  gboolean moved
    = move->flags & VIR_MIGRATE_PEER2PEER ? migrate_peer_to_peer (move) : migrate_directly (move);

  if (move->only)
    return moved;
  if (!moved && lv_last_refused_flags () && (move->flags & VIR_MIGRATE_LIVE)
      && !(move->flags & VIR_MIGRATE_NON_SHARED_DISK)) {
    move->flags &= PLAIN_FLAGS;
    moved = migrate_directly (move);
  }
  if (!moved && may_be_peer_to_peer (move->task))
    moved = migrate_peer_to_peer (move);
  return moved;
}

/* libvirt does not carry it over.  The guest has moved; this is no reason to say it had not. */
static void
keep_autostart (LvTask *task, virDomainPtr moved, const LvFacts *facts)
{
  if (facts->autostart && (moved == NULL || LV (virDomainSetAutostart (moved, 1)) < 0))
    lv_gate_tell_event (task->target, task->uuid, "autostart-lost", NULL);
}

/* Whether the target has not got the guest, and will not get it: else what was copied there may be all
 * that it has. */
static gboolean
is_not_there (LvTask *task)
{
  g_autoptr (virDomain) there = LV (virDomainLookupByUUIDString (task->there.conn, task->uuid));

  return there == NULL && lv_last_code () == VIR_ERR_NO_DOMAIN;
}

static void
end_plan (LvPlan *plan, gboolean moved, gboolean stayed)
{
  LvTask *task = plan->task;

  if (moved)
    lv_plan_remove_nvram (plan);
  if (stayed)
    lv_plan_undo (plan);
  else
    lv_plan_tell_left (plan, moved ? task->link : task->target);
}

/* A guest that runs. */

static guint
live_flags (const LvPlan *plan, const LvFacts *facts)
{
  guint flags = LIVE_FLAGS;

  if (facts->persistent)
    flags |= PERSISTENT_FLAGS;
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

static gboolean
migrate_watched (Move *move, const LvPlan *plan, const LvFacts *facts, GError **error)
{
  LvTask *task = move->task;
  LvManner manner;
  g_autoptr (LvWatch) watch = NULL;
  gboolean moved;

  lv_manner_init (&manner, task);
  move->flags = lv_manner_flags (&manner, live_flags (plan, facts));
  move->only = lv_manner_is_chosen (&manner);
  add_copied_disks (&move->params, plan);
  lv_manner_add_params (&manner, &move->params);
  lv_manner_prepare (&manner, move->domain);
  watch = lv_watch_new (task, lv_manner_follow, &manner);
  moved = migrate (move);
  if (moved) {
    keep_autostart (task, move->moved, facts);
  } else {
    lv_link_note (task->link, LV_CALL_MIGRATE);
    fail_move (task, error);
  }
  g_clear_pointer (&watch, lv_watch_free); /* it sets what comes */
  move->post_copy = manner.post_copy;
  g_clear_pointer (&move->moved, virDomainFree);
  lv_params_clear (&move->params);
  return moved;
}

static gboolean
migrate_with_snapshots (Move *move, const LvMoving *moving, const LvPlan *plan,
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
has_stayed (const Move *move)
{
  if (!move->begun)
    return TRUE;
  return !move->post_copy && (!move->peer_to_peer || lv_link_is_alive (move->task->link))
         && is_not_there (move->task);
}

static gboolean
move_running (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  g_autoptr (LvMoving) moving = NULL;
  g_autoptr (LvPlan) plan = NULL;
  Move move = { .task = task, .domain = domain };
  LvManner manner;
  char *xml;
  gboolean ok;

  if (!lv_operate_check (task, LV_CALL_MIGRATE, "migrate", error))
    return FALSE;
  xml = LV (virDomainGetXMLDesc (domain, 0));
  if (xml == NULL)
    return fail_move (task, error);
  plan = lv_plan_new (task, xml, TRUE, error);
  free (xml);
  moving = plan ? lv_moving_read (task, domain, error) : NULL;
  if (moving == NULL)
    return FALSE;
  lv_manner_init (&manner, task);
  ok = lv_moving_check (moving, plan, error) && lv_manner_check (&manner, plan, error)
       && lv_plan_make (plan, domain, error) && check_cancelled (task, error)
       && migrate_with_snapshots (&move, moving, plan, facts, error);
  end_plan (plan, ok, !ok && has_stayed (&move));
  return ok;
}

/* A guest that is shut off. */

/* What would be left behind or lost, and is found out before anything is copied. */
static gboolean
check_movable (LvTask *task, const char *xml, const LvFacts *facts, GError **error)
{
  g_autoptr (virDomain) twin = LV (virDomainLookupByUUIDString (task->there.conn, task->uuid));

  if (twin != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s has a guest with the UUID %s already",
                 target_name (task), task->uuid);
  else if (facts->saved)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "%s has saved memory, which cannot move: start it, or write discard to ctl",
                 task->name);
  else if (lv_xml_has_tpm_state (xml))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s has a TPM, whose contents cannot move while it is shut off: start it first",
                 task->name);
  else
    return TRUE;
  return FALSE;
}

/* FALSE without ERROR: the driver does not migrate. */
static gboolean
migrate_offline (LvTask *task, virDomainPtr domain, virDomainPtr *moved, GError **error)
{
  Move move = { .task = task, .domain = domain, .flags = VIR_MIGRATE_OFFLINE | PERSISTENT_FLAGS };
  gboolean ok;

  if (lv_link_lacks (task->link, LV_CALL_MIGRATE))
    return FALSE;
  ok = migrate (&move);
  *moved = move.moved;
  if (!ok && (lv_last_missing () || lv_last_code () == VIR_ERR_ARGUMENT_UNSUPPORTED))
    lv_link_note (task->link, LV_CALL_MIGRATE);
  else if (!ok)
    fail_move (task, error);
  return ok;
}

static gboolean
undefine (virDomainPtr domain, const char *xml, const LvMoving *moving)
{
  g_autoptr (LvDisk) nvram = lv_xml_read_nvram (xml);
  guint flags = nvram ? VIR_DOMAIN_UNDEFINE_KEEP_NVRAM : 0;

  if (moving->snapshots->len > 0)
    flags |= VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA;
  if (moving->checkpoints->len > 0)
    flags |= VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;
  return LV (virDomainUndefineFlags (domain, flags)) == 0;
}

static gboolean
define_there (LvTask *task, virDomainPtr domain, const char *xml, const LvMoving *moving,
              virDomainPtr *moved, GError **error)
{
  *moved = LV (virDomainDefineXML (task->there.conn, xml));
  if (*moved == NULL)
    return fail_move (task, error);
  if (lv_moving_put_on (moving, *moved, error)) {
    if (undefine (domain, xml, moving))
      return TRUE;
    fail_move (task, error);
  }
  undefine (*moved, xml, moving);
  g_clear_pointer (moved, virDomainFree);
  return FALSE;
}

/* Copying takes its time. */
static gboolean
check_still_off (LvTask *task, virDomainPtr domain, GError **error)
{
  LvFacts facts;

  if (!lv_domain_ask_facts (domain, &facts))
    return fail_move (task, error);
  if (facts.state == VIRFS_VM_SHUTOFF)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s was started while its disks were copied",
               task->name);
  return FALSE;
}

static gboolean
move_with_plan (LvTask *task, virDomainPtr domain, const char *xml, const LvFacts *facts,
                LvPlan *plan, GError **error)
{
  g_autoptr (LvMoving) moving = NULL;
  g_autoptr (virDomain) moved = NULL;
  GError *failure = NULL;

  if (!lv_plan_copy (plan, error) || !check_still_off (task, domain, error)
      || !check_cancelled (task, error))
    return FALSE;
  lv_task_allow_cancel (task, FALSE);
  moving = lv_moving_read (task, domain, error);
  if (moving == NULL)
    return FALSE;
  /* libvirt leaves snapshots behind: the source keeps them until the target has them */
  if (!lv_moving_is_empty (moving) || !migrate_offline (task, domain, &moved, &failure)) {
    if (failure != NULL) {
      g_propagate_error (error, failure);
      return FALSE;
    }
    if (!define_there (task, domain, xml, moving, &moved, error))
      return FALSE;
  }
  keep_autostart (task, moved, facts);
  return TRUE;
}

static gboolean
move_definition (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  char *text = LV (virDomainGetXMLDesc (domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE));
  g_autofree char *xml = g_strdup (text);
  g_autoptr (LvPlan) plan = NULL;
  gboolean ok;

  free (text);
  if (xml == NULL)
    return fail_move (task, error);
  if (!check_movable (task, xml, facts, error))
    return FALSE;
  plan = lv_plan_new (task, xml, FALSE, error);
  if (plan == NULL)
    return FALSE;
  ok = move_with_plan (task, domain, xml, facts, plan, error);
  end_plan (plan, ok, !ok && is_not_there (task));
  return ok;
}

/* Both. */

static const struct {
  VirfsVmState state;
  gboolean (*move) (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error);
} ways[] = {
  { VIRFS_VM_RUNNING, move_running },     { VIRFS_VM_PAUSED, move_running },
  { VIRFS_VM_PMSUSPENDED, move_running }, { VIRFS_VM_UNKNOWN, move_running },
  { VIRFS_VM_SHUTOFF, move_definition },
};

static gboolean
move_guest (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++)
    if (ways[i].state == facts->state)
      return ways[i].move (task, domain, facts, error);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "cannot move %s: it is %s", task->name,
               virfs_vm_state_name (facts->state));
  return FALSE;
}

static LvOutcome
migrate_claimed (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);
  GError *failure = NULL;

  if (domain == NULL || !lv_task_reach_target (task, error))
    return LV_FAILED;
  lv_task_allow_cancel (task, TRUE);
  lv_gate_move (task->link, task->target, task->vm, TRUE);
  move_guest (task, domain, &facts, &failure);
  lv_task_allow_cancel (task, FALSE);
  /* where it is first, so that it is somewhere all the time */
  lv_domain_refresh (task->target, task->there.conn, task->uuid, 0);
  lv_task_refresh (task);
  lv_gate_move (task->link, task->target, task->vm, FALSE);
  if (failure == NULL)
    return LV_DONE;
  if (check_cancelled (task, error))
    g_propagate_error (error, failure);
  else
    g_error_free (failure);
  return LV_FAILED;
}

static LvOutcome
run_migrate (LvTask *task, GError **error)
{
  LvOutcome outcome;

  if (task->link->connection == task->target->connection) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s is on %s already", task->name,
                 target_name (task));
    return LV_FAILED;
  }
  if (!virfs_claim_begin (task->vm, VIRFS_CLAIM_MIGRATE, task->job, error))
    return LV_FAILED;
  outcome = migrate_claimed (task, error);
  virfs_claim_end (task->vm, task->job);
  return outcome;
}

void
lv_vm_migrate (VirfsVm *vm, VirfsHost *target, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_LONG, run_migrate);

  if (task == NULL)
    return;
  if (lv_task_set_target (task, target))
    lv_task_submit (task);
  else
    lv_task_unref (task);
}
