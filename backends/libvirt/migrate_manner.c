/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options of migrations. */
#include "migrate_manner.h"

#include "connection.h"
#include "error.h"
#include "gate.h"
#include "kept.h"
#include "uri.h"
#include "upkeep.h"

#define MIB 1048576
/* What libvirt takes for no limit. */
#define UNLIMITED (G_MAXINT64 / MIB)

/* The host that it leaves is the task's: the guest itself may be on the other already. */
static void
read_plan (LvTask *task, VirfsMigrationPlan *plan)
{
  g_autoptr (VirfsVmInfo) vm = virfs_vm_info (task->vm);
  g_autoptr (VirfsHostInfo) host = lv_gate_copy_host (task->link->connection);

  if (host == NULL) /* forgotten: what was said holds */
    return;
  virfs_migration_plan (vm->kept ? vm->kept->migration : NULL,
                        host->upkeep ? host->upkeep->migration : NULL, plan);
}

void
lv_manner_init (LvManner *manner, LvTask *task)
{
  *manner = (LvManner){ .task = task };
  read_plan (task, &manner->plan);
}

/* The other host is reached by this one, by the URI that we have. */
static gboolean
check_reachable (const LvManner *manner, GError **error)
{
  const LvConnection *target = manner->task->target->connection;
  g_autoptr (LvUri) uri = lv_uri_parse (target->uri, error);

  if (uri == NULL || !uri->local)
    return uri != NULL;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "%s cannot reach %s by a uri of this machine, as peer_to_peer and tunnelled want:"
               " write one of the network to hosts/%s/uri, or 0 to them in migration/",
               manner->task->link->connection->name, target->name, target->name);
  return FALSE;
}

gboolean
lv_manner_check (const LvManner *manner, const LvPlan *plan, GError **error)
{
  const VirfsMigrationPlan *wanted = &manner->plan;

  if (!virfs_migration_check (wanted, VIRFS_MIGRATION_N_OPTIONS, error))
    return FALSE;
  if (wanted->tunnelled && plan->copies->len > 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "tunnelled does not go with copying its disks: write 0 to migration/tunnelled");
    return FALSE;
  }
  return !wanted->peer_to_peer || check_reachable (manner, error);
}

guint
lv_manner_flags (const LvManner *manner, guint flags)
{
  const VirfsMigrationPlan *plan = &manner->plan;

  if (!plan->auto_converge)
    flags &= ~VIR_MIGRATE_AUTO_CONVERGE;
  flags |= plan->may_post_copy ? VIR_MIGRATE_POSTCOPY : 0;
  flags |= plan->parallel ? VIR_MIGRATE_PARALLEL : 0;
  flags |= *plan->compression ? VIR_MIGRATE_COMPRESSED : 0;
  flags |= plan->tls ? VIR_MIGRATE_TLS : 0;
  flags |= plan->peer_to_peer ? VIR_MIGRATE_PEER2PEER : 0;
  flags |= plan->tunnelled ? VIR_MIGRATE_TUNNELLED : 0;
  return flags;
}

void
lv_manner_add_params (const LvManner *manner, LvParams *params)
{
  const VirfsMigrationPlan *plan = &manner->plan;

  if (plan->bandwidth != 0)
    virTypedParamsAddULLong (&params->items, &params->n, &params->allocated,
                             VIR_MIGRATE_PARAM_BANDWIDTH, plan->bandwidth / MIB);
  if (plan->bandwidth != 0 && plan->may_post_copy)
    virTypedParamsAddULLong (&params->items, &params->n, &params->allocated,
                             VIR_MIGRATE_PARAM_BANDWIDTH_POSTCOPY, plan->bandwidth / MIB);
  if (plan->parallel != 0)
    virTypedParamsAddInt (&params->items, &params->n, &params->allocated,
                          VIR_MIGRATE_PARAM_PARALLEL_CONNECTIONS, (int) plan->parallel);
  if (*plan->compression)
    virTypedParamsAddString (&params->items, &params->n, &params->allocated,
                             VIR_MIGRATE_PARAM_COMPRESSION, plan->compression);
}

gboolean
lv_manner_is_chosen (const LvManner *manner)
{
  const VirfsMigrationPlan *plan = &manner->plan;

  return plan->may_post_copy || plan->parallel || *plan->compression || plan->tls
         || plan->peer_to_peer;
}

/* While it runs. */

static void
set_downtime (LvManner *manner, virDomainPtr domain)
{
  if (manner->plan.downtime != 0 && manner->plan.downtime != manner->downtime
      && LV (virDomainMigrateSetMaxDowntime (domain, manner->plan.downtime, 0)) == 0)
    manner->downtime = manner->plan.downtime;
}

static void
set_bandwidth (LvManner *manner, virDomainPtr domain)
{
  guint64 wanted = manner->plan.bandwidth ? manner->plan.bandwidth / MIB : UNLIMITED;

  if (manner->plan.bandwidth == manner->bandwidth
      || LV (virDomainMigrateSetMaxSpeed (domain, wanted, 0)) < 0)
    return;
  manner->bandwidth = manner->plan.bandwidth;
  /* what follows in post-copy has a limit of its own */
  if (manner->plan.may_post_copy)
    LV (virDomainMigrateSetMaxSpeed (domain, wanted, VIR_DOMAIN_MIGRATE_MAX_SPEED_POSTCOPY));
}

/* When all of its memory was sent once, or at once if it was told to meanwhile.  From then on it cannot be
 * stopped: a guest is in both places. */
static void
begin_post_copy (LvManner *manner, virDomainPtr domain, const LvParams *job)
{
  unsigned long long iteration = 0;

  virTypedParamsGetULLong (job->items, job->n, VIR_DOMAIN_JOB_MEMORY_ITERATION, &iteration);
  if (manner->post_copy || (iteration < 2 && !manner->told))
    return;
  lv_task_allow_cancel (manner->task, FALSE);
  if (lv_task_is_cancelled (manner->task))
    return;
  manner->post_copy = LV (virDomainMigrateStartPostCopy (domain, 0)) == 0;
  if (!manner->post_copy)
    lv_task_allow_cancel (manner->task, TRUE);
}

void
lv_manner_prepare (LvManner *manner, virDomainPtr domain)
{
  manner->bandwidth = manner->plan.bandwidth; /* a parameter of the call */
  set_downtime (manner, domain);
}

void
lv_manner_go_on (LvManner *manner)
{
  manner->plan.may_post_copy = manner->post_copy = TRUE;
  manner->bandwidth = G_MAXUINT64; /* what holds is not known */
}

void
lv_manner_follow (virDomainPtr domain, const LvParams *job, gpointer data)
{
  LvManner *manner = data;
  gboolean may_post_copy = manner->plan.may_post_copy; /* it was begun with or without */
  gboolean wanted = manner->plan.post_copy;

  read_plan (manner->task, &manner->plan);
  manner->plan.may_post_copy = may_post_copy;
  manner->told = manner->told || (manner->plan.post_copy && !wanted);
  set_bandwidth (manner, domain);
  set_downtime (manner, domain);
  if (may_post_copy && manner->plan.post_copy)
    begin_post_copy (manner, domain, job);
}
