/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The call that moves a guest, and what comes with it either way. */
#include "migrate_work.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "uri.h"

/* What every driver that migrates knows. */
#define PLAIN_FLAGS (VIR_MIGRATE_LIVE | VIR_MIGRATE_PAUSED | LV_MIGRATE_PERSISTENT)

gboolean
lv_migration_fail (LvTask *task, GError **error)
{
  return lv_fail (error, "cannot move %s to %s", task->name, task->target->connection->name);
}

gboolean
lv_migration_check_cancelled (LvTask *task, GError **error)
{
  if (!lv_task_is_cancelled (task))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "cancelled: %s stays on %s", task->name,
               task->link->connection->name);
  return FALSE;
}

static gboolean
migrate_directly (LvMigration *move)
{
  move->begun = TRUE;
  move->moved = LV (virDomainMigrate3 (move->domain, move->task->there.conn, move->params.items,
                                       move->params.n, move->flags));
  return move->moved != NULL;
}

/* The hosts do it among themselves; for drivers that know no other way.  What has moved has moved, also
 * if it is not found then. */
static gboolean
migrate_peer_to_peer (LvMigration *move)
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

gboolean
lv_migration_call (LvMigration *move)
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

gboolean
lv_migration_is_half_way (virDomainPtr domain)
{
  LvFacts facts;

  return lv_domain_ask_facts (domain, &facts) && facts.state == VIRFS_VM_PAUSED && facts.reason
         && g_str_has_prefix (facts.reason, VIRFS_VM_POST_COPY);
}

/* libvirt does not carry it over.  The guest has moved; this is no reason to say it had not. */
void
lv_migration_keep_autostart (LvTask *task, virDomainPtr moved, const LvFacts *facts)
{
  if (facts->autostart && (moved == NULL || LV (virDomainSetAutostart (moved, 1)) < 0))
    lv_gate_tell_event (task->target, task->uuid, "autostart-lost", NULL);
}

/* Whether the target has not got the guest, and will not get it: else what was copied there may be all
 * that it has. */
gboolean
lv_migration_is_not_there (LvTask *task)
{
  g_autoptr (virDomain) there = LV (virDomainLookupByUUIDString (task->there.conn, task->uuid));

  return there == NULL && lv_last_code () == VIR_ERR_NO_DOMAIN;
}

void
lv_migration_end_plan (LvPlan *plan, gboolean moved, gboolean stayed)
{
  LvTask *task = plan->task;

  if (moved)
    lv_plan_remove_nvram (plan);
  if (stayed)
    lv_plan_undo (plan);
  else
    lv_plan_tell_left (plan, moved ? task->link : task->target);
  /* whether the guest can go there again depends on it */
  lv_plan_show (plan);
}
