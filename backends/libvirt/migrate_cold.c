/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving a guest that is shut off: its definition, and what of its files both hosts do not share. */
#include "migrate_work.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "migrate_snapshots.h"
#include "xml.h"

#include <stdlib.h>

/* What would be left behind or lost, and is found out before anything is copied. */
static gboolean
check_movable (LvTask *task, const char *xml, const LvFacts *facts, GError **error)
{
  g_autoptr (virDomain) twin = LV (virDomainLookupByUUIDString (task->there.conn, task->uuid));

  if (twin != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s has a guest with the UUID %s already",
                 task->target->connection->name, task->uuid);
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
  LvMigration move
    = { .task = task, .domain = domain, .flags = VIR_MIGRATE_OFFLINE | LV_MIGRATE_PERSISTENT };
  gboolean ok;

  if (lv_link_lacks (task->link, LV_CALL_MIGRATE))
    return FALSE;
  ok = lv_migration_call (&move);
  *moved = move.moved;
  if (!ok && (lv_last_missing () || lv_last_code () == VIR_ERR_ARGUMENT_UNSUPPORTED))
    lv_link_note (task->link, LV_CALL_MIGRATE);
  else if (!ok)
    lv_migration_fail (task, error);
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
    return lv_migration_fail (task, error);
  if (lv_moving_put_on (moving, *moved, error)) {
    if (undefine (domain, xml, moving))
      return TRUE;
    lv_migration_fail (task, error);
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
    return lv_migration_fail (task, error);
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
      || !lv_migration_check_cancelled (task, error))
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
  lv_migration_keep_autostart (task, moved, facts);
  return TRUE;
}

gboolean
lv_migrate_definition (LvTask *task, virDomainPtr domain, const LvFacts *facts, GError **error)
{
  char *text = LV (virDomainGetXMLDesc (domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE));
  g_autofree char *xml = g_strdup (text);
  g_autoptr (LvPlan) plan = NULL;
  gboolean ok;

  free (text);
  if (xml == NULL)
    return lv_migration_fail (task, error);
  if (!check_movable (task, xml, facts, error))
    return FALSE;
  plan = lv_plan_new (task, xml, FALSE, error);
  if (plan == NULL)
    return FALSE;
  ok = move_with_plan (task, domain, xml, facts, plan, error);
  lv_migration_end_plan (plan, ok, !ok && lv_migration_is_not_there (task));
  return ok;
}
