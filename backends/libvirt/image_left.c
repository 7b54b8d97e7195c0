/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notes of volumes that are being written, whose key is HOST/POOL/VOLUME. */
#include "image_open.h"

#include "connection.h"
#include "fail.h"
#include "gate.h"

#include <string.h>

/* What somebody writes now, which a host that has come back must not take for something left. */
static GMutex lock;
static GHashTable *alive; /* under lock: set of keys */

static char *
key_of (const char *host, const char *pool, const char *name)
{
  return g_strdup_printf ("%s/%s/%s", host, pool, name);
}

static void
set_alive (const char *key, gboolean is_alive)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  if (alive == NULL)
    alive = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (is_alive)
    g_hash_table_add (alive, g_strdup (key));
  else
    g_hash_table_remove (alive, key);
}

static gboolean
is_alive (const char *key)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return alive != NULL && g_hash_table_contains (alive, key);
}

gboolean
lv_image_is_written (LvLink *link, const char *pool, const char *name)
{
  g_autofree char *key = key_of (link->connection->name, pool, name);

  return g_str_has_prefix (name, LV_IMAGE_HIDDEN) || is_alive (key);
}

gboolean
lv_image_note (VirfsHost *host, const char *pool, const char *name, GError **error)
{
  g_autofree char *key = key_of (host->name, pool, name);

  set_alive (key, TRUE);
  if (virfs_infra_keep (host->object.infra, VIRFS_RECORD_UPLOAD, key, "", error))
    return TRUE;
  set_alive (key, FALSE);
  return FALSE;
}

static void
forget (VirfsInfra *infra, const char *key)
{
  g_autoptr (GError) error = NULL;

  if (!virfs_infra_forget (infra, VIRFS_RECORD_UPLOAD, key, &error))
    g_warning ("what is no upload any more may be removed: %s", error->message);
  set_alive (key, FALSE);
}

void
lv_image_forget (VirfsHost *host, const char *pool, const char *name)
{
  g_autofree char *key = key_of (host->name, pool, name);

  forget (host->object.infra, key);
}

void
lv_image_abandon (VirfsHost *host, const char *pool, const char *name)
{
  g_autofree char *key = key_of (host->name, pool, name);

  set_alive (key, FALSE);
}

/* Recovering. */

typedef struct {
  const char *host;
  GPtrArray *keys; /* of char* */
} Search;

static void
add_key (const char *key, const char *text, gpointer data)
{
  Search *search = data;
  gsize length = strlen (search->host);

  if (strncmp (key, search->host, length) == 0 && key[length] == '/' && !is_alive (key))
    g_ptr_array_add (search->keys, g_strdup (key));
}

/* Whether nothing is left of it. */
static gboolean
remove_left (virConnectPtr conn, const char *pool_name, const char *name)
{
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByName (conn, pool_name));
  g_autoptr (virStorageVol) volume = NULL;

  if (pool == NULL)
    return lv_last_code () == VIR_ERR_NO_STORAGE_POOL;
  if (LV (virStoragePoolRefresh (pool, 0)) < 0)
    return FALSE;
  volume = LV (virStorageVolLookupByName (pool, name));
  if (volume == NULL)
    return lv_last_code () == VIR_ERR_NO_STORAGE_VOL;
  return LV (virStorageVolDelete (volume, 0)) == 0;
}

static void
remove_key (VirfsInfra *infra, virConnectPtr conn, const char *key)
{
  g_auto (GStrv) words = g_strsplit (key, "/", 3);

  if (g_strv_length (words) == 3 && remove_left (conn, words[1], words[2]))
    forget (infra, key);
}

void
lv_image_recover (LvLink *link, virConnectPtr conn)
{
  Search search = { link->connection->name, NULL };
  VirfsHost *host = lv_gate_enter (link->connection);
  VirfsInfra *infra = host ? host->object.infra : NULL;

  if (host == NULL)
    return;
  search.keys = g_ptr_array_new_with_free_func (g_free);
  virfs_infra_recall (infra, VIRFS_RECORD_UPLOAD, add_key, &search);
  lv_gate_leave (link->connection);
  for (guint i = 0; i < search.keys->len; i++)
    remove_key (infra, conn, search.keys->pdata[i]);
  g_ptr_array_unref (search.keys);
}
