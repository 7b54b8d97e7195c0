/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of lent pools, and their notes, whose key is HOST/NAME. */
#include "lent.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "storage.h"

#include <string.h>

static const char *
prefix (void)
{
  static char *own;
  static gsize once;

  if (g_once_init_enter (&once)) {
    own = g_strdup_printf ("virfs-%08x-", g_random_int ());
    g_once_init_leave (&once, 1);
  }
  return own;
}

gboolean
lv_lent_is_own (const char *name)
{
  return g_str_has_prefix (name, prefix ());
}

static char *
key_of (LvLink *link, const char *name)
{
  return g_strdup_printf ("%s/%s", link->connection->name, name);
}

char *
lv_lent_name (LvLink *link, GError **error)
{
  g_autofree char *name = g_strdup_printf ("%s%08x", prefix (), g_random_int ());
  g_autofree char *key = key_of (link, name);
  VirfsHost *host = lv_gate_enter (link->connection);
  gboolean noted;

  if (host == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s was closed",
                 link->connection->name);
    return NULL;
  }
  noted = virfs_infra_keep (host->object.infra, VIRFS_RECORD_LENT, key, "", error);
  lv_gate_leave (link->connection);
  return noted ? g_steal_pointer (&name) : NULL;
}

void
lv_lent_forget (LvLink *link, const char *name)
{
  g_autofree char *key = key_of (link, name);
  VirfsHost *host = lv_gate_enter (link->connection);
  g_autoptr (GError) error = NULL;

  if (host == NULL)
    return;
  if (!virfs_infra_forget (host->object.infra, VIRFS_RECORD_LENT, key, &error))
    g_warning ("a pool that is gone is kept on: %s", error->message);
  lv_gate_leave (link->connection);
}

/* Recovering. */

typedef struct {
  const char *host;
  GPtrArray *names; /* of char* */
} Search;

static void
add_name (const char *key, const char *text, gpointer data)
{
  Search *search = data;
  const char *slash = strrchr (key, '/');

  if (slash != NULL && strlen (search->host) == (gsize) (slash - key)
      && g_str_has_prefix (key, search->host))
    g_ptr_array_add (search->names, g_strdup (slash + 1));
}

static GPtrArray *
list_names (LvLink *link)
{
  Search search = { link->connection->name, g_ptr_array_new_with_free_func (g_free) };
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host != NULL) {
    virfs_infra_recall (host->object.infra, VIRFS_RECORD_LENT, add_name, &search);
    lv_gate_leave (link->connection);
  }
  return search.names;
}

static void
end (LvLink *link, virConnectPtr conn, const char *name)
{
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByName (conn, name));
  gboolean gone
    = pool ? LV (virStoragePoolDestroy (pool)) == 0 : lv_last_code () == VIR_ERR_NO_STORAGE_POOL;

  if (gone)
    lv_lent_forget (link, name);
}

void
lv_lent_recover (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->storage);
  g_autoptr (GPtrArray) names = list_names (link);

  for (guint i = 0; i < names->len; i++)
    if (!lv_storage_lends (link, names->pdata[i]))
      end (link, conn, names->pdata[i]);
}
