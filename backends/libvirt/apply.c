/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Definitions that a host is to have, one after the other: what is there keeps its UUID and is defined
 * anew, and runs as it is defined then, if nothing that it serves is cut off by that.  One that fails does
 * not keep the others.
 */
#include "operate.h"

#include "connection.h"
#include "define.h"
#include "gate.h"
#include "error.h"
#include "fail.h"
#include "filter.h"
#include "inventory.h"
#include "network_list.h"
#include "poll.h"
#include "profile.h"
#include "xml.h"
#include "xml_definition.h"
#include "xml_network.h"

#include <stdlib.h>

LV_DEFINE_AUTOPTR (virSecret, virSecretFree)
LV_DEFINE_AUTOPTR (virNWFilter, virNWFilterFree)

/* Networks. */

/* Whether the network that runs is as it is to be. */
static gboolean
runs_as_wanted (virNetworkPtr network, const char *wanted, guint *connections)
{
  char *xml = LV (virNetworkGetXMLDesc (network, 0));
  g_autofree char *differ = xml ? lv_xml_differ (wanted, xml) : NULL;

  *connections = xml ? lv_xml_network_connections (xml) : 0;
  free (xml);
  return differ == NULL;
}

static void
update_list (virNetworkPtr network, const VirfsNetworkInfo *wanted, gsize member)
{
  char *xml = LV (virNetworkGetXMLDesc (network, 0));
  g_autoptr (GPtrArray) steps = xml ? lv_xml_network_steps (xml, wanted, member, NULL) : NULL;

  free (xml);
  if (steps != NULL)
    lv_network_take_steps (network, steps, member, VIR_NETWORK_UPDATE_AFFECT_LIVE, NULL);
}

/* What can be changed while guests are in it is. */
static void
update_running (virNetworkPtr network, const char *xml)
{
  static const gsize lists[]
    = { G_STRUCT_OFFSET (VirfsNetworkInfo, dhcp), G_STRUCT_OFFSET (VirfsNetworkInfo, hosts),
        G_STRUCT_OFFSET (VirfsNetworkInfo, dns), G_STRUCT_OFFSET (VirfsNetworkInfo, portgroups) };
  g_autoptr (VirfsPartInfo) wanted = (VirfsPartInfo *) lv_xml_read_network (xml);

  for (guint i = 0; wanted && i < G_N_ELEMENTS (lists); i++)
    update_list (network, (const VirfsNetworkInfo *) wanted, lists[i]);
}

static gboolean
bring_network (virNetworkPtr network, const VirfsDefinition *wanted, const char *xml,
               GError **error)
{
  guint connections;

  if (!wanted->active)
    return TRUE;
  if (LV (virNetworkIsActive (network)) > 0) {
    if (runs_as_wanted (network, xml, &connections))
      return TRUE;
    update_running (network, xml);
    if (runs_as_wanted (network, xml, &connections))
      return TRUE;
    if (connections > 0) {
      g_set_error (
        error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
        "the network %s is defined as it is to be, but %u NICs are in it: it runs so when"
        " it is stopped and started",
        wanted->name, connections);
      return FALSE;
    }
    LV (virNetworkDestroy (network));
  }
  return LV (virNetworkCreate (network)) == 0
         || lv_fail (error, "cannot start the network %s", wanted->name);
}

/* A guest may have come into it since it was said that it is to go. */
static gboolean
check_unused (virNetworkPtr network, const VirfsDefinition *wanted, GError **error)
{
  char *xml = LV (virNetworkGetXMLDesc (network, 0));
  guint connections = xml ? lv_xml_network_connections (xml) : 0;

  free (xml);
  if (connections > 0)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%u NICs are in the network %s", connections,
                 wanted->name);
  return connections == 0;
}

static gboolean
remove_network (virNetworkPtr network, const VirfsDefinition *wanted, GError **error)
{
  gboolean persistent = network && LV (virNetworkIsPersistent (network)) > 0;

  if (network == NULL)
    return TRUE;
  if (!check_unused (network, wanted, error))
    return FALSE;
  if (LV (virNetworkIsActive (network)) > 0 && LV (virNetworkDestroy (network)) < 0)
    return lv_fail (error, "cannot stop the network %s", wanted->name);
  return !persistent || LV (virNetworkUndefine (network)) == 0
         || lv_fail (error, "cannot undefine the network %s", wanted->name);
}

static gboolean
apply_network (LvTask *task, const VirfsDefinition *wanted, const char *text, GError **error)
{
  g_autoptr (virNetwork) known = LV (virNetworkLookupByName (task->here.conn, wanted->name));
  g_autoptr (virNetwork) network = NULL;
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autofree char *xml = NULL;

  if (wanted->remove)
    return remove_network (known, wanted, error);
  if (known != NULL)
    virNetworkGetUUIDString (known, uuid);
  xml = lv_xml_identify (text, known ? uuid : NULL);
  network = LV (virNetworkDefineXML (task->here.conn, xml));
  if (network == NULL)
    return lv_fail (error, "cannot define the network %s", wanted->name);
  if (LV (virNetworkSetAutostart (network, wanted->autostart)) < 0)
    return lv_fail (error, "cannot set autostart of the network %s", wanted->name);
  return bring_network (network, wanted, text, error);
}

/* Pools. */

/* The directory that its volumes are in, or that it is mounted on, is made; what would have to be
 * formatted is not. */
static gboolean
start_pool (virStoragePoolPtr pool, const VirfsDefinition *wanted, const char *xml, GError **error)
{
  g_autoptr (VirfsPartInfo) info = (VirfsPartInfo *) lv_xml_read_pool (xml);
  gboolean build = info != NULL && virfs_pool_has_files ((VirfsPoolInfo *) info);
  int result = build ? LV (virStoragePoolCreate (pool, VIR_STORAGE_POOL_CREATE_WITH_BUILD)) : -1;

  if (result < 0)
    result = LV (virStoragePoolCreate (pool, VIR_STORAGE_POOL_CREATE_NORMAL));
  return result == 0 || lv_fail (error, "cannot start the pool %s", wanted->name);
}

/* A directory is let go of without harm to those who have files in it open; a mount is not. */
static gboolean
restart_pool (virStoragePoolPtr pool, const VirfsDefinition *wanted, const char *xml,
              GError **error)
{
  char *live = LV (virStoragePoolGetXMLDesc (pool, 0));
  g_autofree char *differ = live ? lv_xml_differ (xml, live) : NULL;
  g_autoptr (VirfsPartInfo) info = live ? (VirfsPartInfo *) lv_xml_read_pool (live) : NULL;

  free (live);
  if (differ == NULL)
    return TRUE;
  if (info != NULL && g_strcmp0 (((VirfsPoolInfo *) info)->type, "dir") != 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "the pool %s is defined as it is to be, but runs: it is so when it is stopped and"
                 " started",
                 wanted->name);
    return FALSE;
  }
  LV (virStoragePoolDestroy (pool));
  return start_pool (pool, wanted, xml, error);
}

static gboolean
remove_pool (virStoragePoolPtr pool, const VirfsDefinition *wanted, GError **error)
{
  gboolean persistent = pool && LV (virStoragePoolIsPersistent (pool)) > 0;

  if (pool == NULL)
    return TRUE;
  if (LV (virStoragePoolIsActive (pool)) > 0 && LV (virStoragePoolDestroy (pool)) < 0)
    return lv_fail (error, "cannot stop the pool %s", wanted->name);
  return !persistent || LV (virStoragePoolUndefine (pool)) == 0
         || lv_fail (error, "cannot undefine the pool %s", wanted->name);
}

static gboolean
apply_pool (LvTask *task, const VirfsDefinition *wanted, const char *text, GError **error)
{
  g_autoptr (virStoragePool) known
    = LV (virStoragePoolLookupByName (task->here.conn, wanted->name));
  g_autoptr (virStoragePool) pool = NULL;
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autofree char *xml = NULL;

  if (wanted->remove)
    return remove_pool (known, wanted, error);
  if (known != NULL)
    virStoragePoolGetUUIDString (known, uuid);
  xml = lv_xml_identify (text, known ? uuid : NULL);
  pool = LV (virStoragePoolDefineXML (task->here.conn, xml, 0));
  if (pool == NULL)
    return lv_fail (error, "cannot define the pool %s", wanted->name);
  if (LV (virStoragePoolSetAutostart (pool, wanted->autostart)) < 0)
    return lv_fail (error, "cannot set autostart of the pool %s", wanted->name);
  if (!wanted->active)
    return TRUE;
  return LV (virStoragePoolIsActive (pool)) > 0 ? restart_pool (pool, wanted, text, error)
                                                : start_pool (pool, wanted, text, error);
}

/* The others, which are only defined. */

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

static void
tell (LvTask *task, const gboolean *touched)
{
  virConnectPtr conn = task->here.conn;

  if (touched[VIRFS_DEFINED_SECRET] || touched[VIRFS_DEFINED_FILTER])
    lv_filters_poll (task->link, conn);
  if (touched[VIRFS_DEFINED_NETWORK])
    lv_poll_resources (task->link, conn);
  if (touched[VIRFS_DEFINED_POOL]) {
    lv_inventory_read_pools (task->link, conn);
    lv_inventory_poll (task->link);
  }
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
  tell (task, touched);
  if (lv_task_is_cancelled (task))
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
