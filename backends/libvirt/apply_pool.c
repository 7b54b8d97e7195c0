/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pools that a host is to have. */
#include "apply.h"

#include "error.h"
#include "inventory.h"
#include "xml.h"

#include <stdlib.h>

LV_DEFINABLE_FUNCTIONS (virStoragePool, pool)

static gpointer
pool_define (virConnectPtr conn, const char *xml)
{
  return LV (virStoragePoolDefineXML (conn, xml, 0));
}

static gpointer
pool_create (virConnectPtr conn, const char *xml)
{
  return LV (virStoragePoolCreateXML (conn, xml, VIR_STORAGE_POOL_CREATE_NORMAL));
}

static char *
pool_describe (gpointer pool, gboolean stored)
{
  return stored ? lv_pool_definition (pool) : LV (virStoragePoolGetXMLDesc (pool, 0));
}

/* The directory that its volumes are in, or that it is mounted on, is made; what would have to be
 * formatted is not. */
static int
pool_start (gpointer pool)
{
  char *xml = pool_describe (pool, TRUE);
  g_autoptr (VirfsPartInfo) info = xml ? (VirfsPartInfo *) lv_xml_read_pool (xml) : NULL;
  gboolean build = info != NULL && virfs_pool_has_files ((VirfsPoolInfo *) info);

  free (xml);
  if (build && LV (virStoragePoolCreate (pool, VIR_STORAGE_POOL_CREATE_WITH_BUILD)) == 0)
    return 0;
  return LV (virStoragePoolCreate (pool, VIR_STORAGE_POOL_CREATE_NORMAL));
}

/* A directory is let go of without harm to those who have files in it open; a mount is not. */
static gboolean
check_restart (const char *live, const VirfsDefinition *wanted, GError **error)
{
  g_autoptr (VirfsPartInfo) info = (VirfsPartInfo *) lv_xml_read_pool (live);

  if (info == NULL || g_strcmp0 (((VirfsPoolInfo *) info)->type, "dir") == 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "the pool %s is defined as it is to be, but runs: it is so when it is stopped and"
               " started",
               wanted->name);
  return FALSE;
}

const LvDefinable lv_definable_pool = {
  LV_DEFINABLE_MEMBERS (pool),
  .check_restart = check_restart,
};
