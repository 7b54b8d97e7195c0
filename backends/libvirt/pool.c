/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be done to pools.  A pool that is made is started first and defined then: should it not
 * start, nothing is left of it and its draft stays a draft.
 */
#include "operate.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "inventory.h"
#include "xml.h"

#include <stdlib.h>

static virStoragePoolPtr
find_pool (LvTask *task, GError **error)
{
  virStoragePoolPtr pool = LV (virStoragePoolLookupByName (task->here.conn, task->name));

  if (pool == NULL)
    lv_fail (error, "cannot find the pool %s on %s", task->name, task->link->connection->name);
  return pool;
}

static LvOutcome
end (LvTask *task, gboolean ok)
{
  lv_inventory_refresh (task->link, task->here.conn, task->name, NULL);
  return ok ? LV_DONE : LV_FAILED;
}

/* Making. */

/* libvirt has no code of its own for this. */
static gboolean
check_name (LvTask *task, GError **error)
{
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByName (task->here.conn, task->name));

  if (pool == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "%s has a pool %s already",
               task->link->connection->name, task->name);
  return FALSE;
}

static gboolean
define (LvTask *task, const char *xml, GError **error)
{
  const VirfsPoolInfo *wanted = (VirfsPoolInfo *) task->wanted;
  g_autoptr (virStoragePool) pool = LV (virStoragePoolDefineXML (task->here.conn, xml, 0));

  if (pool == NULL)
    return lv_fail (error, "cannot define the pool %s", task->name);
  if (wanted != NULL && wanted->autostart && LV (virStoragePoolSetAutostart (pool, TRUE)) < 0)
    return lv_fail (error, "the pool %s is made, but cannot be told to start with its host",
                    task->name);
  return TRUE;
}

/* A pool that runs without a definition gets one. */
static gboolean
keep (LvTask *task, virStoragePoolPtr pool, GError **error)
{
  char *xml = lv_pool_definition (pool);
  gboolean ok
    = xml ? define (task, xml, error) : lv_fail (error, "cannot read the new pool %s", task->name);

  free (xml);
  return ok;
}

/* The directory that its volumes are in, or that it is mounted on, is made; what would have to be
 * formatted is not. */
static virStoragePoolPtr
create (LvTask *task, const char *xml)
{
  gboolean build = virfs_pool_has_files ((VirfsPoolInfo *) task->wanted);
  guint flags = build ? VIR_STORAGE_POOL_CREATE_WITH_BUILD : VIR_STORAGE_POOL_CREATE_NORMAL;
  virStoragePoolPtr pool = LV (virStoragePoolCreateXML (task->here.conn, xml, flags));

  return pool == NULL && build && lv_last_refused_flags ()
           ? LV (virStoragePoolCreateXML (task->here.conn, xml, VIR_STORAGE_POOL_CREATE_NORMAL))
           : pool;
}

static gboolean
start_new (LvTask *task, const char *xml, GError **error)
{
  g_autoptr (virStoragePool) pool = create (task, xml);

  if (pool == NULL)
    return lv_fail (error, "cannot start the pool %s", task->name);
  return keep (task, pool, error);
}

static LvOutcome
make (LvTask *task, GError **error)
{
  g_autofree char *xml = lv_xml_describe_pool ((VirfsPoolInfo *) task->wanted, error);

  if (xml == NULL || !check_name (task, error))
    return LV_FAILED;
  return end (task, task->action == VIRFS_POOL_START ? start_new (task, xml, error)
                                                     : define (task, xml, error));
}

/* Verbs. */

static int
start (virStoragePoolPtr pool, const VirfsPoolInfo *info)
{
  return LV (virStoragePoolIsActive (pool)) > 0 ? 0 : LV (virStoragePoolCreate (pool, 0));
}

static int
stop (virStoragePoolPtr pool, const VirfsPoolInfo *info)
{
  return LV (virStoragePoolIsActive (pool)) == 0 ? 0 : LV (virStoragePoolDestroy (pool));
}

static int
refresh (virStoragePoolPtr pool, const VirfsPoolInfo *info)
{
  return LV (virStoragePoolRefresh (pool, 0));
}

/* What there is on a device is not overwritten; types without one know no such flag, or would look for
 * the device. */
static int
build (virStoragePoolPtr pool, const VirfsPoolInfo *info)
{
  gboolean plain = virfs_pool_has_files (info) && g_strcmp0 (info->type, "fs") != 0;
  guint flags = plain ? VIR_STORAGE_POOL_BUILD_NEW : VIR_STORAGE_POOL_BUILD_NO_OVERWRITE;
  int result = LV (virStoragePoolBuild (pool, flags));

  return result < 0 && lv_last_refused_flags ()
           ? LV (virStoragePoolBuild (pool, VIR_STORAGE_POOL_BUILD_NEW))
           : result;
}

static int delete (virStoragePoolPtr pool, const VirfsPoolInfo *info)
{
  return LV (virStoragePoolDelete (pool, VIR_STORAGE_POOL_DELETE_NORMAL));
}

static int
undefine (virStoragePoolPtr pool, const VirfsPoolInfo *info)
{
  return LV (virStoragePoolUndefine (pool));
}

static const struct {
  const char *word;
  int (*call) (virStoragePoolPtr pool, const VirfsPoolInfo *info);
} verbs[VIRFS_POOL_N_VERBS] = {
  [VIRFS_POOL_START] = { "start", start },       [VIRFS_POOL_STOP] = { "stop", stop },
  [VIRFS_POOL_REFRESH] = { "refresh", refresh }, [VIRFS_POOL_BUILD] = { "build", build },
  [VIRFS_POOL_DELETE] = { "delete", delete },    [VIRFS_POOL_UNDEFINE] = { "undefine", undefine },
};

static LvOutcome
run_verb (LvTask *task, GError **error)
{
  g_autoptr (virStoragePool) pool = NULL;
  gboolean ok;

  if (task->wanted->draft)
    return make (task, error);
  pool = find_pool (task, error);
  if (pool == NULL)
    return end (task, FALSE);
  ok = verbs[task->action].call (pool, (VirfsPoolInfo *) task->wanted) == 0
       || lv_fail (error, "cannot %s the pool %s", verbs[task->action].word, task->name);
  if (ok && task->action == VIRFS_POOL_REFRESH) {
    lv_inventory_refresh_all (task->link, task->here.conn, task->name);
    return LV_DONE;
  }
  return end (task, ok);
}

/* Mounting and formatting take their time. */
void
lv_pool_verb (VirfsPart *part, VirfsPoolVerb verb, VirfsJob *job)
{
  lv_task_do (part, job, LV_LANE_LONG, run_verb, &(LvPartWork){ .action = verb });
}

/* Settings. */

static gboolean
set_autostart (LvTask *task, virStoragePoolPtr pool, GError **error)
{
  const VirfsPoolInfo *wanted = (VirfsPoolInfo *) task->wanted;
  int now = 0;

  if (LV (virStoragePoolGetAutostart (pool, &now)) == 0 && (now != 0) == wanted->autostart)
    return TRUE;
  if (LV (virStoragePoolSetAutostart (pool, wanted->autostart)) == 0)
    return TRUE;
  return lv_fail (error, "cannot set autostart of the pool %s", task->name);
}

static gboolean
redefine (LvTask *task, virStoragePoolPtr pool, GError **error)
{
  const VirfsPoolInfo *wanted = (VirfsPoolInfo *) task->wanted;
  char *stored = lv_pool_definition (pool);
  g_autofree char *xml = stored ? lv_xml_edit_pool (stored, wanted, error) : NULL;
  g_autoptr (virStoragePool) defined = NULL;

  if (stored == NULL)
    lv_fail (error, "cannot read the pool %s", task->name);
  free (stored);
  if (xml == NULL)
    return FALSE;
  defined = LV (virStoragePoolDefineXML (task->here.conn, xml, 0));
  return defined != NULL || lv_fail (error, "cannot define the pool %s anew", task->name);
}

static LvOutcome
run_set (LvTask *task, GError **error)
{
  g_autoptr (virStoragePool) pool = find_pool (task, error);
  gboolean ok = pool != NULL && set_autostart (task, pool, error);

  /* of a running pool nothing else can be set */
  if (ok && LV (virStoragePoolIsActive (pool)) == 0)
    ok = redefine (task, pool, error);
  return end (task, ok);
}

void
lv_pool_set (VirfsPart *part, const VirfsPoolInfo *wanted, VirfsJob *job)
{
  lv_task_do (part, job, LV_LANE_SHORT, run_set, &(LvPartWork){ .wanted = wanted });
}

static LvOutcome
run_define (LvTask *task, GError **error)
{
  g_autoptr (virStoragePool) known = LV (virStoragePoolLookupByName (task->here.conn, task->name));
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autofree char *xml = NULL;

  if (known != NULL)
    virStoragePoolGetUUIDString (known, uuid);
  xml = lv_xml_adopt (task->text, "pool", task->name, known ? uuid : NULL, error);
  return end (task, xml != NULL && define (task, xml, error));
}

void
lv_pool_define (VirfsPart *part, const char *xml, VirfsJob *job)
{
  lv_task_do (part, job, LV_LANE_SHORT, run_define, &(LvPartWork){ .text = xml });
}
