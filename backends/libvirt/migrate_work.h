/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What moving a guest consists of. */
#pragma once

#include "domain.h"
#include "migrate_manner.h"
#include "plan.h"

/* A real move: the guest is defined there, and not here any more. */
#define LV_MIGRATE_PERSISTENT (VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE)

/* The call. */
typedef struct {
  LvTask *task;
  virDomainPtr domain;
  LvManner manner;
  LvParams params;
  guint flags;
  gboolean only; /* so, and in no other way */
  gboolean begun, peer_to_peer;
  gboolean post_copy; /* has begun, and may go on */
  virDomainPtr moved; /* owned; NULL: it has not, or could not be looked up */
} LvMigration;

/* FALSE: libvirt's last error says why. */
gboolean lv_migration_call (LvMigration *move);

gboolean lv_migration_fail (LvTask *task, GError **error);
/* FALSE with CANCELLED if the task is. */
gboolean lv_migration_check_cancelled (LvTask *task, GError **error);
/* Whether DOMAIN, at the source, waits for what is in post-copy. */
gboolean lv_migration_is_half_way (virDomainPtr domain);
/* MOVED, NULL if it was not found, starts with its host there if it did here. */
void lv_migration_keep_autostart (LvTask *task, virDomainPtr moved, const LvFacts *facts);
/* Whether the target has not got the guest, and will not get it: else what was copied there may be all
 * that it has. */
gboolean lv_migration_is_not_there (LvTask *task);
/* What was copied goes if the guest has STAYED; else what is left is told. */
void lv_migration_end_plan (LvPlan *plan, gboolean moved, gboolean stayed);

/* By the guest's state: live, or its definition. */
gboolean lv_migrate_running (LvTask *task, virDomainPtr domain, const LvFacts *facts,
                             GError **error);
/* Goes on with what failed in post-copy. */
gboolean lv_migrate_resume (LvTask *task, virDomainPtr domain, const LvFacts *facts,
                            GError **error);
gboolean lv_migrate_definition (LvTask *task, virDomainPtr domain, const LvFacts *facts,
                                GError **error);
