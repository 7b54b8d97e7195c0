/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who uses what.  Whoever walks over ten thousand volumes asks ten thousand times, so there is an index
 * for each host, from paths to users.  A change of any disk or volume only counts up a stamp; the next
 * who asks makes the index of his host anew.
 */
#include "use.h"

#include "device.h"
#include "error.h"
#include "registry.h"

#include <string.h>

typedef struct {
  gint stamp;        /* what it tells of */
  GHashTable *users; /* path -> GPtrArray of VirfsUser* */
} Index;

struct VirfsUses {
  gint stamp;     /* atomic: counts changes */
  gint64 changed; /* atomic: when that was, microseconds since the epoch */
  GMutex lock;
  GHashTable *hosts; /* under lock: number of the host -> Index* */
};

static void
free_index (gpointer data)
{
  Index *index = data;

  g_hash_table_unref (index->users);
  g_free (index);
}

VirfsUses *
virfs_uses_new (void)
{
  VirfsUses *uses = g_new0 (VirfsUses, 1);

  g_mutex_init (&uses->lock);
  uses->hosts = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, free_index);
  return uses;
}

void
virfs_uses_free (VirfsUses *uses)
{
  g_hash_table_unref (uses->hosts);
  g_mutex_clear (&uses->lock);
  g_free (uses);
}

static gboolean
matters (const VirfsChange *change)
{
  switch (change->object->kind) {
  case VIRFS_KIND_VM:
    return change->kind != VIRFS_CHANGED
           || change->fields & (VIRFS_BIT (VIRFS_VM_NAME) | VIRFS_BIT (VIRFS_VM_HOST));
  case VIRFS_KIND_DISK:
  case VIRFS_KIND_VOLUME:
  case VIRFS_KIND_POOL:
  case VIRFS_KIND_NIC:     /* of networks */
  case VIRFS_KIND_HOSTDEV: /* of devices */
    return change->kind != VIRFS_CHANGED || change->fields & VIRFS_BIT (VIRFS_PART_CONFIG);
  default:
    return FALSE;
  }
}

void
virfs_uses_note (VirfsUses *uses, const VirfsChange *change)
{
  if (!matters (change))
    return;
  g_atomic_int_inc (&uses->stamp);
  __atomic_store_n (&uses->changed, g_get_real_time (), __ATOMIC_RELEASE);
}

gint64
virfs_infra_uses_changed (VirfsInfra *infra)
{
  return __atomic_load_n (&infra->uses->changed, __ATOMIC_ACQUIRE);
}

/* Making the index of a host. */

static void
free_user (gpointer data)
{
  VirfsUser *user = data;

  g_free (user->path);
  g_free (user->target);
  g_free (user);
}

static GPtrArray *
new_users (void)
{
  return g_ptr_array_new_with_free_func (free_user);
}

/* Takes PATH. */
static VirfsUser *
new_user (char *path, const char *target)
{
  VirfsUser *user = g_new (VirfsUser, 1);

  *user = (VirfsUser){ .path = path, .target = g_strdup (target) };
  return user;
}

/* Takes USER. */
static void
add_user (GHashTable *index, const char *volume, VirfsUser *user)
{
  GPtrArray *users = g_hash_table_lookup (index, volume);

  if (users == NULL) {
    users = new_users ();
    g_hash_table_insert (index, g_strdup (volume), users);
  }
  g_ptr_array_add (users, user);
}

/* The path of POOL/VOLUME; borrowed. */
static const char *
path_of (GPtrArray *pools, const char *source)
{
  const char *slash = source ? strchr (source, '/') : NULL;
  g_autofree char *name = slash ? g_strndup (source, (gsize) (slash - source)) : NULL;
  VirfsPoolInfo *pool = name ? virfs_part_list_find (pools, name) : NULL;
  VirfsVolumeInfo *volume = pool ? virfs_part_list_find (pool->part.parts, slash + 1) : NULL;

  return volume ? volume->path : NULL;
}

typedef struct {
  GHashTable *index;
  GPtrArray *pools;
} Build;

/* Under the registry's lock. */
static void
add_guest (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  const Build *build = data;
  GPtrArray *disks = info->parts[VIRFS_VM_DISKS];

  for (guint i = 0; disks && i < disks->len; i++) {
    const VirfsDiskInfo *disk = disks->pdata[i];
    gboolean named = g_strcmp0 (disk->type, "volume") == 0;
    const char *path = named ? path_of (build->pools, disk->source) : disk->source;

    if (path != NULL && !disk->part.draft)
      add_user (build->index, path,
                new_user (g_strdup_printf ("vms/%s", info->label), disk->part.name));
  }
}

static void
add_volumes (Build *build, const VirfsHost *host, const VirfsPoolInfo *pool)
{
  g_autofree char *pool_label = virfs_part_label (&virfs_pool_class, pool->part.name);

  for (guint i = 0; pool->part.parts && i < pool->part.parts->len; i++) {
    const VirfsVolumeInfo *volume = pool->part.parts->pdata[i];
    g_autofree char *label = NULL;

    if (volume->backing == NULL || volume->part.draft)
      continue;
    label = virfs_part_label (&virfs_volume_class, volume->part.name);
    add_user (
      build->index, volume->backing,
      new_user (g_strdup_printf ("hosts/%s/pools/%s/volumes/%s", host->name, pool_label, label),
                NULL));
  }
}

static GPtrArray *
pools_of (VirfsHost *host)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];

  return pools ? g_ptr_array_ref (pools) : virfs_part_list_new ();
}

static GHashTable *
build_index (VirfsHost *host)
{
  g_autoptr (GPtrArray) pools = pools_of (host);
  Build build = { .pools = pools };

  build.index
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  virfs_infra_foreach_vm (host->object.infra, host, add_guest, &build);
  for (guint i = 0; i < pools->len; i++)
    add_volumes (&build, host, pools->pdata[i]);
  return build.index;
}

/* Under the lock of USES. */
static GHashTable *
index_of (VirfsUses *uses, VirfsHost *host)
{
  gint stamp = g_atomic_int_get (&uses->stamp);
  Index *index = g_hash_table_lookup (uses->hosts, &host->object.id);

  if (index == NULL || index->stamp != stamp) {
    index = g_new0 (Index, 1);
    index->stamp = stamp;
    index->users = build_index (host);
    g_hash_table_replace (uses->hosts, g_memdup2 (&host->object.id, sizeof host->object.id), index);
  }
  return index->users;
}

/* Asking it. */

static gint
compare_users (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(VirfsUser *const *) a)->path, (*(VirfsUser *const *) b)->path);
}

static void
copy_users (GPtrArray *users, GPtrArray *found)
{
  for (guint i = 0; found && i < found->len; i++) {
    const VirfsUser *user = found->pdata[i];

    g_ptr_array_add (users, new_user (g_strdup (user->path), user->target));
  }
}

static void
append_users (GPtrArray *users, VirfsHost *host, const char *path)
{
  VirfsUses *uses = host->object.infra->uses;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&uses->lock);

  copy_users (users, g_hash_table_lookup (index_of (uses, host), path));
}

GPtrArray *
virfs_path_users (VirfsHost *host, gboolean (*is_it) (const char *path, gpointer data),
                  gpointer data)
{
  VirfsUses *uses = host->object.infra->uses;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&uses->lock);
  GPtrArray *users = new_users ();
  GHashTableIter iter;
  gpointer path, found;

  g_hash_table_iter_init (&iter, index_of (uses, host));
  while (g_hash_table_iter_next (&iter, &path, &found))
    if (is_it (path, data))
      copy_users (users, found);
  g_ptr_array_sort (users, compare_users);
  return users;
}

/* Where that pool has VOLUME, of which its host need not have heard; the caller owns it. */
static char *
path_in (const VirfsPoolInfo *pool, const char *volume)
{
  const VirfsVolumeInfo *same = virfs_part_list_find (pool->part.parts, volume);

  if (same != NULL && same->path != NULL)
    return g_strdup (same->path);
  return pool->path ? g_build_filename (pool->path, volume, NULL) : NULL;
}

/* The same volume as another host has it. */
static void
append_users_there (GPtrArray *users, VirfsHost *host, const VirfsPoolInfo *pool,
                    const VirfsVolumeInfo *volume)
{
  g_autoptr (GPtrArray) pools = pools_of (host);

  for (guint i = 0; i < pools->len; i++) {
    const VirfsPoolInfo *other = pools->pdata[i];
    g_autofree char *path
      = virfs_pool_is_same (pool, other) ? path_in (other, volume->part.name) : NULL;

    if (path != NULL)
      append_users (users, host, path);
  }
}

GPtrArray *
virfs_volume_users (VirfsPart *volume)
{
  VirfsHost *host = (VirfsHost *) virfs_part_root (volume);
  g_autoptr (VirfsPartInfo) info = virfs_part_info (volume);
  g_autoptr (VirfsPartInfo) owner = virfs_part_info ((VirfsPart *) volume->owner);
  g_autoptr (GPtrArray) hosts = NULL;
  const VirfsVolumeInfo *known = (const VirfsVolumeInfo *) info;
  const VirfsPoolInfo *pool = (const VirfsPoolInfo *) owner;
  GPtrArray *users = new_users ();

  if (known->path == NULL)
    return users;
  append_users (users, host, known->path);
  hosts = virfs_infra_hosts (volume->object.infra);
  for (guint i = 0; i < hosts->len; i++)
    if (hosts->pdata[i] != host)
      append_users_there (users, hosts->pdata[i], pool, known);
  g_ptr_array_sort (users, compare_users);
  return users;
}

/* Places of a path. */

static const VirfsPoolInfo *
pool_at (GPtrArray *pools, const char *directory)
{
  for (guint i = 0; i < pools->len; i++) {
    const VirfsPoolInfo *pool = pools->pdata[i];

    if (virfs_pool_is_active (pool) && g_strcmp0 (pool->path, directory) == 0)
      return pool;
  }
  return NULL;
}

static void
visit (VirfsHost *host, const VirfsPoolInfo *pool, const char *volume, VirfsPlaceFunc func,
       gpointer data)
{
  g_autoptr (GPtrArray) pools = pools_of (host);

  for (guint i = 0; i < pools->len; i++) {
    const VirfsPoolInfo *other = pools->pdata[i];
    g_autofree char *path = virfs_pool_is_same (pool, other) ? path_in (other, volume) : NULL;
    g_autofree char *name = g_strdup_printf ("%s/%s", other->part.name, volume);

    if (path != NULL)
      func (host, path, name, data);
  }
}

void
virfs_path_places (VirfsHost *host, const char *path, VirfsPlaceFunc func, gpointer data)
{
  g_autofree char *directory = g_path_get_dirname (path), *volume = g_path_get_basename (path);
  g_autoptr (GPtrArray) pools = pools_of (host);
  g_autoptr (GPtrArray) hosts = NULL;
  const VirfsPoolInfo *pool = pool_at (pools, directory);
  g_autofree char *name = pool ? g_strdup_printf ("%s/%s", pool->part.name, volume) : NULL;

  func (host, path, name, data);
  if (pool == NULL)
    return;
  hosts = virfs_infra_hosts (host->object.infra);
  for (guint i = 0; i < hosts->len; i++)
    if (hosts->pdata[i] != host)
      visit (hosts->pdata[i], pool, volume, func, data);
}

const VirfsUser *
virfs_users_active (VirfsInfra *infra, GPtrArray *users)
{
  for (guint i = 0; i < users->len; i++) {
    const VirfsUser *user = users->pdata[i];
    g_autoptr (VirfsVm) vm
      = user->target ? virfs_infra_vm (infra, user->path + strlen ("vms/")) : NULL;
    g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

    if (info != NULL && virfs_vm_state_active (info->state))
      return user;
  }
  return NULL;
}

/* Finding. */

static VirfsPart *
find_in (VirfsHost *host, const char *pool, const char *label)
{
  VirfsInfra *infra = host->object.infra;
  g_autoptr (VirfsPart) owner = virfs_infra_part (infra, host, &virfs_pool_class, pool);

  return owner ? virfs_infra_part (infra, owner, &virfs_volume_class, label) : NULL;
}

/* The first volume in POOLS whose text at MEMBER is VALUE, and *POOL that it is in; NULL: none. */
static const VirfsVolumeInfo *
first_with (GPtrArray *pools, gsize member, const char *value, const VirfsPoolInfo **pool)
{
  for (guint i = 0; i < pools->len; i++) {
    GPtrArray *volumes = ((VirfsPartInfo *) pools->pdata[i])->parts;

    *pool = pools->pdata[i];
    for (guint j = 0; volumes && j < volumes->len; j++)
      if (g_strcmp0 (G_STRUCT_MEMBER (const char *, volumes->pdata[j], member), value) == 0)
        return volumes->pdata[j];
  }
  return NULL;
}

static VirfsPart *
find_path (VirfsHost *host, const char *path)
{
  g_autoptr (GPtrArray) pools = pools_of (host);
  const VirfsPoolInfo *pool = NULL;
  const VirfsVolumeInfo *volume
    = first_with (pools, G_STRUCT_OFFSET (VirfsVolumeInfo, path), path, &pool);
  g_autofree char *owner = NULL, *label = NULL;

  if (volume == NULL)
    return NULL;
  owner = virfs_part_label (&virfs_pool_class, pool->part.name);
  label = virfs_part_label (&virfs_volume_class, volume->part.name);
  return find_in (host, owner, label);
}

VirfsPart *
virfs_volume_find (VirfsHost *host, VirfsPart *pool, const char *text, GError **error)
{
  const char *slash = strchr (text, '/');
  VirfsPart *found = NULL;

  if (slash == text) {
    found = find_path (host, text);
  } else if (slash != NULL) {
    g_autofree char *owner = g_strndup (text, (gsize) (slash - text));

    found = find_in (host, owner, slash + 1);
  } else if (pool != NULL) {
    found = virfs_infra_part (host->object.infra, pool, &virfs_volume_class, text);
  }
  if (found == NULL)
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND,
      "\"%s\" is not a volume of %s: write its name in this pool, POOL/VOLUME or its path", text,
      host->name);
  return found;
}

/* What is based on a volume. */

static char *
find_overlay (VirfsHost *host, const char *backing)
{
  g_autoptr (GPtrArray) pools = pools_of (host);
  const VirfsPoolInfo *pool = NULL;
  const VirfsVolumeInfo *volume
    = first_with (pools, G_STRUCT_OFFSET (VirfsVolumeInfo, backing), backing, &pool);

  return volume ? g_strdup_printf ("hosts/%s/pools/%s/volumes/%s", host->name, pool->part.name,
                                   volume->part.name)
                : NULL;
}

static char *
find_overlay_there (VirfsHost *host, const VirfsPoolInfo *pool, const VirfsVolumeInfo *volume)
{
  g_autoptr (GPtrArray) pools = pools_of (host);
  char *found = NULL;

  for (guint i = 0; i < pools->len && found == NULL; i++) {
    g_autofree char *path = virfs_pool_is_same (pool, pools->pdata[i])
                              ? path_in (pools->pdata[i], volume->part.name)
                              : NULL;

    found = path ? find_overlay (host, path) : NULL;
  }
  return found;
}

char *
virfs_volume_overlay (VirfsPart *volume)
{
  VirfsHost *host = (VirfsHost *) virfs_part_root (volume);
  g_autoptr (VirfsPartInfo) info = virfs_part_info (volume);
  g_autoptr (VirfsPartInfo) owner = virfs_part_info ((VirfsPart *) volume->owner);
  g_autoptr (GPtrArray) hosts = NULL;
  const VirfsVolumeInfo *known = (const VirfsVolumeInfo *) info;
  char *found = known->path ? find_overlay (host, known->path) : NULL;

  hosts = virfs_infra_hosts (volume->object.infra);
  for (guint i = 0; i < hosts->len && known->path && found == NULL; i++)
    if (hosts->pdata[i] != host)
      found = find_overlay_there (hosts->pdata[i], (const VirfsPoolInfo *) owner, known);
  return found;
}
