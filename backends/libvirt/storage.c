/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools, and what two of them have in common.
 *
 * A wrong guess here costs a disk, so there is none: a directory is shared if a file that is made
 * in it on one host is seen on the other.  That answer holds as long as both links do.
 */
#include "storage.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "lent.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

/* A pool made for us and how many tasks use it. */
typedef struct {
  char *name;
  guint users;
} Made;

static void
free_made (gpointer data)
{
  Made *made = data;

  g_free (made->name);
  g_free (made);
}

void
lv_storage_open (LvLink *link)
{
  link->shared = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  link->pools = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_made);
}

void
lv_storage_close (LvLink *link)
{
  g_hash_table_unref (link->shared);
  g_clear_pointer (&link->stale, g_hash_table_unref);
  g_hash_table_unref (link->pools);
}

/* Takes POOL. */
static LvPool *
wrap (LvLink *link, virStoragePoolPtr pool, const char *made)
{
  LvPool *self = g_new0 (LvPool, 1);

  self->link = lv_link_ref (link);
  self->pool = pool;
  self->name = g_strdup (virStoragePoolGetName (pool));
  self->made = g_strdup (made);
  return self;
}

LvPool *
lv_pool_by_name (LvSeat *seat, const char *name, GError **error)
{
  LvLink *link = seat->link;
  virStoragePoolPtr pool = LV (virStoragePoolLookupByName (seat->conn, name));

  if (pool != NULL)
    return wrap (link, pool, NULL);
  lv_fail (error, "cannot find the pool %s on %s", name, link->connection->name);
  return NULL;
}

LvPool *
lv_pool_by_path (LvSeat *seat, const char *path, GError **error)
{
  LvLink *link = seat->link;
  g_autoptr (virStorageVol) volume = LV (virStorageVolLookupByPath (seat->conn, path));
  virStoragePoolPtr pool = volume ? LV (virStoragePoolLookupByVolume (volume)) : NULL;

  if (pool != NULL)
    return wrap (link, pool, NULL);
  lv_fail (error, "%s is in no pool of %s", path, link->connection->name);
  return NULL;
}

gboolean
lv_storage_lends (LvLink *link, const char *name)
{
  GHashTableIter iter;
  gpointer made;

  g_hash_table_iter_init (&iter, link->pools);
  while (g_hash_table_iter_next (&iter, NULL, &made))
    if (g_str_equal (((Made *) made)->name, name))
      return TRUE;
  return FALSE;
}

/* Under the storage lock. */
static LvPool *
make_pool (LvSeat *seat, const char *directory, gboolean build, GError **error)
{
  LvLink *link = seat->link;
  g_autofree char *name = lv_lent_name (link, error);
  g_autofree char *xml = name ? lv_xml_make_pool (name, directory) : NULL;
  guint flags = build ? VIR_STORAGE_POOL_CREATE_WITH_BUILD : 0;
  virStoragePoolPtr pool;
  Made *made;

  if (name == NULL)
    return NULL;
  pool = LV (virStoragePoolCreateXML (seat->conn, xml, flags));
  if (pool == NULL) {
    lv_fail (error, "cannot reach %s on %s", directory, link->connection->name);
    lv_lent_forget (link, name);
    return NULL;
  }
  made = g_new0 (Made, 1);
  made->name = g_steal_pointer (&name);
  made->users = 1;
  g_hash_table_insert (link->pools, g_strdup (directory), made);
  return wrap (link, pool, directory);
}

static gboolean
has_path (virStoragePoolPtr pool, const char *directory)
{
  char *xml = LV (virStoragePoolGetXMLDesc (pool, 0));
  VirfsPoolInfo *read = xml ? lv_xml_read_pool (xml) : NULL;
  gboolean same = read != NULL && g_strcmp0 (read->path, directory) == 0;

  virfs_part_info_unref (read);
  free (xml);
  return same;
}

/* For drivers that cannot look up a path. */
static virStoragePoolPtr
search_pool (virConnectPtr conn, const char *directory)
{
  virStoragePoolPtr *items = NULL;
  int n = LV (virConnectListAllStoragePools (conn, &items, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE));
  g_autoptr (GPtrArray) pools = lv_take_pools (items, n);

  for (guint i = 0; pools && i < pools->len; i++)
    if (has_path (pools->pdata[i], directory)) {
      virStoragePoolRef (pools->pdata[i]);
      return pools->pdata[i];
    }
  return NULL;
}

LvPool *
lv_pool_by_directory (LvSeat *seat, const char *directory, gboolean build, GError **error)
{
  LvLink *link = seat->link;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->storage);
  Made *made = g_hash_table_lookup (link->pools, directory);
  virStoragePoolPtr pool;

  pool = LV (virStoragePoolLookupByTargetPath (seat->conn, directory));
  if (pool == NULL && lv_last_missing ())
    pool = search_pool (seat->conn, directory);
  if (pool == NULL)
    return make_pool (seat, directory, build, error);
  if (made != NULL)
    made->users++;
  return wrap (link, pool, made ? directory : NULL);
}

/* The last user of a pool that was made for us ends it; what is in its directory stays. */
static void
release (LvPool *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->link->storage);
  Made *made = g_hash_table_lookup (self->link->pools, self->made);

  if (made == NULL || --made->users > 0)
    return;
  if (LV (virStoragePoolDestroy (self->pool)) == 0)
    lv_lent_forget (self->link, self->name);
  g_hash_table_remove (self->link->pools, self->made);
}

void
lv_pool_free (LvPool *self)
{
  if (self == NULL)
    return;
  if (self->made != NULL)
    release (self);
  virStoragePoolFree (self->pool);
  lv_link_unref (self->link);
  g_free (self->name);
  g_free (self->made);
  g_free (self);
}

virStorageVolPtr
lv_pool_fresh_volume (LvPool *self, const char *name)
{
  /* a pool remembers what is gone, and what an image was like once; what it knows is better than
   * nothing if it cannot look now */
  LV (virStoragePoolRefresh (self->pool, 0));
  return LV (virStorageVolLookupByName (self->pool, name));
}

virStorageVolPtr
lv_pool_find_path (LvSeat *seat, const char *path, LvPool **pool)
{
  virStorageVolPtr volume = LV (virStorageVolLookupByPath (seat->conn, path));
  g_autofree char *directory = g_path_get_dirname (path), *name = g_path_get_basename (path);

  if (volume != NULL)
    return volume;
  *pool = lv_pool_by_directory (seat, directory, FALSE, NULL);
  return *pool ? lv_pool_fresh_volume (*pool, name) : NULL;
}

/* Comparing. */

/* Makes a file in one and looks for it in the other. */
static gboolean
probe (LvPool *a, LvPool *b, gboolean *shared, GError **error)
{
  g_autofree char *name
    = g_strdup_printf (".virfs-probe-%08x%08x", g_random_int (), g_random_int ());
  g_autofree char *xml = lv_xml_make_volume (name, "raw", 0);
  g_autoptr (virStorageVol) made = LV (virStorageVolCreateXML (a->pool, xml, 0));
  g_autoptr (virStorageVol) seen = NULL;
  gboolean looked;

  if (made == NULL)
    return lv_fail (error, "cannot find out whether %s and %s share %s", a->link->connection->name,
                    b->link->connection->name, a->name);
  looked = LV (virStoragePoolRefresh (b->pool, 0)) == 0;
  if (!looked)
    lv_fail (error, "cannot look into %s of %s", b->name, b->link->connection->name);
  else
    seen = LV (virStorageVolLookupByName (b->pool, name));
  *shared = seen != NULL;
  LV (virStorageVolDelete (made, 0));
  /* so that it does not stay in the other's list */
  if (*shared)
    LV (virStoragePoolRefresh (b->pool, 0));
  return looked;
}

static char *
cache_key (const char *uuid_a, const char *uuid_b, const LvLink *link_b)
{
  return g_strdup_printf ("%s %s %" G_GUINT64_FORMAT, uuid_a, uuid_b, link_b->serial);
}

static char *
pool_key (LvPool *a, LvPool *b)
{
  char uuid_a[VIR_UUID_STRING_BUFLEN] = "", uuid_b[VIR_UUID_STRING_BUFLEN] = "";

  virStoragePoolGetUUIDString (a->pool, uuid_a);
  virStoragePoolGetUUIDString (b->pool, uuid_b);
  return cache_key (uuid_a, uuid_b, b->link);
}

/* FALSE: nobody has compared them yet. */
static gboolean
recall (LvLink *link, const char *key, gboolean *shared)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->lock);
  gpointer known = NULL;
  gboolean found = g_hash_table_lookup_extended (link->shared, key, NULL, &known);

  *shared = GPOINTER_TO_INT (known);
  return found;
}

static gboolean
compare_directories (LvPool *a, LvPool *b, gboolean *shared, GError **error)
{
  g_autofree char *key = pool_key (a, b);

  if (recall (a->link, key, shared))
    return TRUE;
  if (!probe (a, b, shared, error))
    return FALSE;
  g_mutex_lock (&a->link->lock);
  g_hash_table_insert (a->link->shared, g_steal_pointer (&key), GINT_TO_POINTER (*shared));
  g_mutex_unlock (&a->link->lock);
  return TRUE;
}

static gboolean
were_apart (LvLink *a, const VirfsPoolInfo *pool_a, const LvLink *b, const VirfsPoolInfo *pool_b)
{
  g_autofree char *key = cache_key (pool_a->uuid, pool_b->uuid, b);
  gboolean shared;

  return recall (a, key, &shared) && !shared;
}

/* Whichever of them was compared with the other. */
gboolean
lv_pools_apart (VirfsHost *a, const VirfsPoolInfo *pool_a, VirfsHost *b,
                const VirfsPoolInfo *pool_b)
{
  g_autoptr (LvLink) link_a = lv_host_link (a, NULL);
  g_autoptr (LvLink) link_b = lv_host_link (b, NULL);

  return link_a && link_b && pool_a->uuid && pool_b->uuid
         && (were_apart (link_a, pool_a, link_b, pool_b)
             || were_apart (link_b, pool_b, link_a, pool_a));
}

static gboolean
is_one_of (const char *type, const char *const *types)
{
  return type != NULL && g_strv_contains (types, type);
}

static char *
read_type (LvPool *self, char **source)
{
  char *xml = LV (virStoragePoolGetXMLDesc (self->pool, 0));
  VirfsPoolInfo *pool = xml ? lv_xml_read_pool (xml) : NULL;
  char *type = pool ? g_strdup (pool->type) : NULL;

  *source = xml ? lv_xml_pool_source (xml) : NULL;
  virfs_part_info_unref (pool);
  free (xml);
  return type;
}

gboolean
lv_pool_compare (LvPool *a, LvPool *b, gboolean *shared, GError **error)
{
  static const char *const directories[] = { "dir", "fs", "netfs", "vstorage", NULL };
  /* what their source names is one thing wherever it is named */
  static const char *const servers[]
    = { "iscsi", "iscsi-direct", "rbd", "gluster", "sheepdog", NULL };
  g_autofree char *source_a = NULL, *source_b = NULL;
  g_autofree char *type_a = read_type (a, &source_a), *type_b = read_type (b, &source_b);

  if (is_one_of (type_a, directories) && is_one_of (type_b, directories))
    return compare_directories (a, b, shared, error);
  *shared = is_one_of (type_a, servers) && g_strcmp0 (source_a, source_b) == 0;
  if (*shared)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "cannot tell whether %s and %s share the pool %s: it is of the type %s",
               a->link->connection->name, b->link->connection->name, a->name,
               type_a ? type_a : "unknown");
  return FALSE;
}

char *
lv_pool_free_name (LvPool *pool, const char *guest, const char *what, const char *suffix)
{
  for (guint i = 1;; i++) {
    g_autofree char *number = i > 1 ? g_strdup_printf ("-%u", i) : g_strdup ("");
    char *name = g_strdup_printf ("%s-%s%s%s", guest, what, number, suffix);
    g_autoptr (virStorageVol) there = LV (virStorageVolLookupByName (pool->pool, name));

    if (there == NULL)
      return name;
    g_free (name);
  }
}
