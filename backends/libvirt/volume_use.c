/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "volume_use.h"

#include "connection.h"
#include "domain.h"
#include "fail.h"
#include "gate.h"
#include "inventory.h"
#include "lent.h"
#include "pool.h"
#include "use.h"

#include <string.h>

/* While the host makes a volume in a pool it does not look at it, and there is no event for the end of that. */
#define FIRST_PAUSE (G_TIME_SPAN_SECOND / 10)
#define LAST_PAUSE  (2 * G_TIME_SPAN_SECOND)

static gboolean
is_occupied (void)
{
  const virError *error = lv_last_error ();

  return error != NULL && error->code == VIR_ERR_INTERNAL_ERROR && error->message != NULL
         && strstr (error->message, "asynchronous jobs") != NULL;
}

/* One that was not active any more has nothing.  One that is stopped because it cannot be looked at is another
 * matter: it has been active until then, and somebody may have what is in it. */
static gboolean
refresh_pool (LvLink *link, virStoragePoolPtr pool)
{
  for (gint64 pause = FIRST_PAUSE; LV (virStoragePoolRefresh (pool, 0)) < 0; pause *= 2) {
    int code = lv_last_code ();

    if (code == VIR_ERR_NO_STORAGE_POOL || code == VIR_ERR_OPERATION_INVALID)
      return TRUE;
    if (!is_occupied () || pause > LAST_PAUSE || !lv_link_is_alive (link))
      return FALSE;
    g_usleep ((gulong) pause);
  }
  return TRUE;
}

static gboolean
look_at_pool (LvLink *link, virConnectPtr conn, virStoragePoolPtr pool)
{
  const char *name = virStoragePoolGetName (pool);
  gboolean looked;

  /* nobody is shown what is in it, and it may end at any time */
  if (lv_lent_is_own (name))
    return TRUE;
  looked = refresh_pool (link, pool);
  lv_inventory_refresh_all (link, conn, name);
  return looked;
}

/* What was defined a moment ago the events have not brought yet. */
static gboolean
look_at_guests (LvLink *link, virConnectPtr conn)
{
  virDomainPtr *items = NULL;
  int n = LV (virConnectListAllDomains (conn, &items, 0));
  g_autoptr (GPtrArray) domains = lv_take_domains (items, n);

  for (guint i = 0; domains && i < domains->len; i++) {
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    g_autoptr (VirfsVmInfo) known = NULL;

    virDomainGetUUIDString (domains->pdata[i], uuid);
    known = lv_gate_known_vm (link, uuid);
    if (known != NULL)
      lv_domain_check (link, conn, domains->pdata[i]);
    else
      lv_domain_refresh (link, conn, uuid, 0);
  }
  return domains != NULL;
}

/* Not in the name of who asks, who need not be shown what others have. */
gboolean
lv_volumes_look (LvLink *link, virConnectPtr seat)
{
  g_autoptr (virConnect) events = link->as_caller ? lv_link_events (link) : NULL;
  virConnectPtr conn = events ? events : seat;
  virStoragePoolPtr *items = NULL;
  int n = LV (virConnectListAllStoragePools (conn, &items, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE));
  g_autoptr (GPtrArray) pools = lv_take_pools (items, n);
  gboolean all = pools != NULL;

  for (guint i = 0; pools && i < pools->len; i++)
    all = look_at_pool (link, conn, pools->pdata[i]) && all;
  return look_at_guests (link, conn) && all;
}

static VirfsPart *
find_part (VirfsHost *host, const char *pool, const char *volume)
{
  VirfsInfra *infra = host->object.infra;
  g_autofree char *pool_label = virfs_part_label (&virfs_pool_class, pool);
  g_autofree char *label = virfs_part_label (&virfs_volume_class, volume);
  g_autoptr (VirfsPart) owner = virfs_infra_part (infra, host, &virfs_pool_class, pool_label);

  return owner ? virfs_infra_part (infra, owner, &virfs_volume_class, label) : NULL;
}

static char *
find_other (GPtrArray *users, const char *self)
{
  for (guint i = 0; i < users->len; i++) {
    const VirfsUser *user = users->pdata[i];

    if (g_strcmp0 (user->path, self) != 0)
      return g_strdup (user->path);
  }
  return NULL;
}

/* Whether it is known of all volumes what they are based on, as far as these are files: one that is not read
 * yet may be based on any. */
static gboolean
is_read (const VirfsPoolInfo *pool)
{
  if (!virfs_pool_is_active (pool) || !virfs_pool_has_files (pool))
    return TRUE;
  for (guint i = 0; pool->part.parts && i < pool->part.parts->len; i++) {
    const VirfsVolumeInfo *volume = pool->part.parts->pdata[i];

    if (!volume->part.draft
        && (volume->type == NULL || g_str_equal (volume->type, LV_VOLUME_UNREAD)))
      return FALSE;
  }
  return pool->part.parts != NULL;
}

static gboolean
are_read (VirfsHost *host)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];

  for (guint i = 0; pools && i < pools->len; i++) {
    const VirfsPoolInfo *pool = pools->pdata[i];

    if (!pool->part.draft && !is_read (pool))
      return FALSE;
  }
  return TRUE;
}

/* Inside the gate. */
static LvUse
ask (VirfsHost *host, const char *uuid, const char *pool, const char *volume, char **other)
{
  g_autoptr (VirfsPart) part = find_part (host, pool, volume);
  g_autoptr (VirfsVm) vm = virfs_infra_vm_on_host (host->object.infra, host, uuid);
  g_autofree char *self = vm ? virfs_object_path (vm) : NULL;
  g_autoptr (GPtrArray) users = NULL;

  if (part == NULL)
    return LV_USE_UNKNOWN;
  users = virfs_volume_users (part);
  *other = find_other (users, self);
  if (*other != NULL)
    return LV_USE_OTHER;
  return are_read (host) ? LV_USE_NONE : LV_USE_UNKNOWN;
}

LvUse
lv_volume_use (LvLink *link, const char *uuid, virStorageVolPtr volume, char **user)
{
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByVolume (volume));
  VirfsHost *host = pool ? lv_gate_enter (link->connection) : NULL;
  LvUse use;

  *user = NULL;
  if (host == NULL)
    return LV_USE_UNKNOWN;
  use = ask (host, uuid, virStoragePoolGetName (pool), virStorageVolGetName (volume), user);
  lv_gate_leave (link->connection);
  return use;
}
