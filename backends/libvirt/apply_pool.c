/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools that a host is to have. */
#include "apply.h"

#include "error.h"
#include "fail.h"
#include "xml.h"
#include "xml_definition.h"

#include <stdlib.h>

/* What is to go. */

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

/* What there is. */

static gboolean
read_stood (virStoragePoolPtr pool, LvStood *stood, GError **error)
{
  int autostart = 0;
  char *xml;

  stood->persistent = LV (virStoragePoolIsPersistent (pool)) > 0;
  stood->active = LV (virStoragePoolIsActive (pool)) > 0;
  LV (virStoragePoolGetAutostart (pool, &autostart));
  stood->autostart = autostart != 0;
  xml = LV (virStoragePoolGetXMLDesc (pool, stood->persistent ? VIR_STORAGE_XML_INACTIVE : 0));
  stood->xml = g_strdup (xml);
  free (xml);
  return stood->xml != NULL || lv_fail (error, "cannot read what is there now");
}

static gboolean
put_back_transient (virConnectPtr conn, virStoragePoolPtr pool, const LvStood *stood,
                    GError **error)
{
  g_autoptr (virStoragePool) back = NULL;
  gboolean runs = LV (virStoragePoolIsActive (pool)) > 0;

  if (LV (virStoragePoolUndefine (pool)) < 0)
    return lv_fail (error, "its definition cannot be removed");
  back = runs ? NULL : LV (virStoragePoolCreateXML (conn, stood->xml, 0));
  return runs || back != NULL || lv_fail (error, "it does not start again");
}

static gboolean
put_back (virConnectPtr conn, virStoragePoolPtr pool, const LvStood *stood, GError **error)
{
  g_autoptr (virStoragePool) back = NULL;

  if (!stood->persistent)
    return put_back_transient (conn, pool, stood, error);
  back = LV (virStoragePoolDefineXML (conn, stood->xml, 0));
  if (back == NULL)
    return lv_fail (error, "it cannot be defined again");
  LV (virStoragePoolSetAutostart (back, stood->autostart));
  return !stood->active || LV (virStoragePoolIsActive (back)) > 0
         || LV (virStoragePoolCreate (back, VIR_STORAGE_POOL_CREATE_NORMAL)) == 0
         || lv_fail (error, "it does not start again");
}

/* What is wanted. */

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

/* *START: it does not run, or not any more, because it was not as it is to be.  A directory is let go of without
 * harm to those who have files in it open; a mount is not. */
static gboolean
make_way (virStoragePoolPtr pool, const VirfsDefinition *wanted, const char *xml, gboolean *start,
          GError **error)
{
  char *live = NULL, *stored = NULL;
  g_autofree char *made = NULL, *differ = NULL;
  g_autoptr (VirfsPartInfo) info = NULL;

  *start = wanted->active;
  if (!wanted->active || LV (virStoragePoolIsActive (pool)) <= 0)
    return TRUE;
  live = LV (virStoragePoolGetXMLDesc (pool, 0));
  stored = LV (virStoragePoolGetXMLDesc (pool, VIR_STORAGE_XML_INACTIVE));
  made = stored ? lv_xml_definition_made (xml, stored) : NULL;
  differ = made && live ? lv_xml_differ (made, live) : NULL;
  info = live ? (VirfsPartInfo *) lv_xml_read_pool (live) : NULL;
  free (live);
  free (stored);
  *start = differ != NULL;
  if (!*start)
    return TRUE;
  if (info == NULL || g_strcmp0 (((VirfsPoolInfo *) info)->type, "dir") == 0) {
    LV (virStoragePoolDestroy (pool));
    return TRUE;
  }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "the pool %s is defined as it is to be, but runs: it is so when it is stopped and"
               " started",
               wanted->name);
  return FALSE;
}

static virStoragePoolPtr
define (LvTask *task, virStoragePoolPtr known, const char *text)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autofree char *xml = NULL;

  if (known != NULL)
    virStoragePoolGetUUIDString (known, uuid);
  xml = lv_xml_identify (text, known ? uuid : NULL);
  return LV (virStoragePoolDefineXML (task->here.conn, xml, 0));
}

gboolean
lv_apply_pool (LvTask *task, const VirfsDefinition *wanted, const char *text, GError **error)
{
  g_autoptr (virStoragePool) known
    = LV (virStoragePoolLookupByName (task->here.conn, wanted->name));
  g_autoptr (virStoragePool) pool = NULL;
  g_auto (LvStood) stood = { 0 };
  GError *failure = NULL;
  gboolean start;

  if (wanted->remove)
    return remove_pool (known, wanted, error);
  if (known != NULL && !read_stood (known, &stood, error))
    return FALSE;
  pool = define (task, known, text);
  if (pool == NULL)
    return lv_fail (error, "cannot define the pool %s", wanted->name);
  if (LV (virStoragePoolSetAutostart (pool, wanted->autostart)) < 0)
    lv_fail (error, "cannot set autostart of the pool %s", wanted->name);
  else if (!make_way (pool, wanted, text, &start, error))
    return FALSE;
  else if (!start || start_pool (pool, wanted, text, error))
    return TRUE;
  if (stood.xml != NULL)
    put_back (task->here.conn, pool, &stood, &failure);
  lv_stood_tell (task, wanted, &stood, failure, error);
  return FALSE;
}
