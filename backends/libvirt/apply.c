/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Definitions that a host is to have, one after the other.  One that fails does not keep the others. */
#include "apply.h"

#include "connection.h"
#include "define.h"
#include "gate.h"
#include "error.h"
#include "fail.h"
#include "filter.h"
#include "inventory.h"
#include "poll.h"
#include "profile.h"
#include "xml.h"
#include "xml_definition.h"

#include <stdlib.h>

LV_DEFINE_AUTOPTR (virSecret, virSecretFree)
LV_DEFINE_AUTOPTR (virNWFilter, virNWFilterFree)

/* What is only defined. */

static gboolean
apply_secret (LvTask *task, const VirfsDefinition *wanted, const char *text, GError **error)
{
  g_autoptr (virSecret) secret = LV (virSecretDefineXML (task->here.conn, text, 0));

  return secret != NULL || lv_fail (error, "cannot define the secret %s", wanted->name);
}

static gboolean
apply_filter (LvTask *task, const VirfsDefinition *wanted, const char *text, GError **error)
{
  g_autoptr (virNWFilter) known = LV (virNWFilterLookupByName (task->here.conn, wanted->name));
  g_autoptr (virNWFilter) filter = NULL;
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autofree char *xml = NULL;

  if (known != NULL)
    virNWFilterGetUUIDString (known, uuid);
  xml = lv_xml_identify (text, known ? uuid : NULL);
  filter = LV (virNWFilterDefineXML (task->here.conn, xml));
  return filter != NULL || lv_fail (error, "cannot define the filter %s", wanted->name);
}

static gboolean
apply_network (LvTask *task, const VirfsDefinition *wanted, const char *text, GError **error)
{
  return lv_apply_definable (&lv_definable_network, task, wanted, text, error);
}

static gboolean
apply_pool (LvTask *task, const VirfsDefinition *wanted, const char *text, GError **error)
{
  return lv_apply_definable (&lv_definable_pool, task, wanted, text, error);
}

/* It may have been brought there since it was said what the host is to have: two of it would share its disks. */
static gboolean
check_home (LvTask *task, const VirfsDefinition *wanted, GError **error)
{
  VirfsHost *host = lv_gate_enter (task->link->connection);
  g_autoptr (VirfsHost) other = NULL;

  if (host == NULL)
    return TRUE;
  other = virfs_profile_elsewhere (host, wanted->key);
  lv_gate_leave (task->link->connection);
  if (other != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s is on %s by now", wanted->name,
                 other->name);
  return other == NULL;
}

static gboolean
apply_guest (LvTask *task, const VirfsDefinition *wanted, const char *text, GError **error)
{
  g_autoptr (virDomain) known = LV (virDomainLookupByUUIDString (task->here.conn, wanted->key));
  g_autoptr (virDomain) domain = NULL;

  if (known != NULL && LV (virDomainIsPersistent (known)) > 0)
    return TRUE;
  if (!check_home (task, wanted, error))
    return FALSE;
  domain = lv_define (task, task->here.conn, text);
  if (domain == NULL)
    return lv_fail (error, "cannot define %s", wanted->name);
  return LV (virDomainSetAutostart (domain, wanted->autostart)) == 0
         || lv_fail (error, "%s is defined, but cannot be told to start with its host",
                     wanted->name);
}

/* All. */

static gboolean (*const appliers[VIRFS_N_DEFINED]) (LvTask *task, const VirfsDefinition *wanted,
                                                    const char *text, GError **error)
  = {
      [VIRFS_DEFINED_SECRET] = apply_secret,   [VIRFS_DEFINED_FILTER] = apply_filter,
      [VIRFS_DEFINED_NETWORK] = apply_network, [VIRFS_DEFINED_POOL] = apply_pool,
      [VIRFS_DEFINED_GUEST] = apply_guest,
    };

/* FAILURE is taken; the first is told, with how many there are. */
static void
note_failure (GError **first, guint *n, GError *failure)
{
  if ((*n)++ == 0)
    *first = failure;
  else
    g_error_free (failure);
}

/* FALSE: what there is now could not be read. */
static gboolean
tell (LvTask *task, const gboolean *touched)
{
  virConnectPtr conn = task->here.conn;
  gboolean done = TRUE;

  if (touched[VIRFS_DEFINED_SECRET] || touched[VIRFS_DEFINED_FILTER])
    lv_filters_poll (task->link, conn);
  if (touched[VIRFS_DEFINED_NETWORK])
    done &= lv_poll_resources (task->link, conn);
  if (touched[VIRFS_DEFINED_POOL]) {
    done &= lv_inventory_read_pools (task->link, conn);
    lv_inventory_poll (task->link);
  }
  return done;
}

static LvOutcome
run_apply (LvTask *task, GError **error)
{
  GPtrArray *list = task->definitions;
  gboolean touched[VIRFS_N_DEFINED] = { FALSE };
  GError *first = NULL;
  guint failures = 0;

  for (guint i = 0; i < list->len && !lv_task_is_cancelled (task); i++) {
    const VirfsDefinition *wanted = list->pdata[i];
    g_autofree char *text = virfs_blob_text (wanted->xml);
    GError *failure = NULL;

    touched[wanted->kind] = TRUE;
    if (!appliers[wanted->kind](task, wanted, text, &failure))
      note_failure (&first, &failures, failure);
    if (wanted->kind == VIRFS_DEFINED_GUEST)
      lv_domain_refresh (task->link, task->here.conn, wanted->key, 0);
    lv_gate_progress_job (task->link->connection, task->job, i + 1, list->len);
  }
  if (!tell (task, touched) && first == NULL)
    g_set_error (&first, VIRFS_ERROR, VIRFS_ERROR_FAILED,
                 "it is applied, but what the host has now cannot be read; repair it again");
  else if (lv_task_is_cancelled (task))
    g_set_error (&first, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "cancelled; what was done stays");
  if (first == NULL)
    return LV_DONE;
  if (failures > 1)
    g_prefix_error (&first, "%u of %u failed, the first: ", failures, list->len);
  g_propagate_error (error, first);
  return LV_FAILED;
}

void
lv_host_apply (VirfsHost *host, GPtrArray *definitions, VirfsJob *job)
{
  LvTask *task = lv_task_new_for_host (host, job, LV_LANE_LONG, run_apply);

  if (task == NULL)
    return;
  task->name = g_strdup (host->name);
  task->definitions = g_ptr_array_ref (definitions);
  lv_task_submit (task);
}
