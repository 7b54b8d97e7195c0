/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The nodes of trees that are somebody else's. */
#include "foreign.h"

#include <string.h>

#define TOP_BIT (G_GUINT64_CONSTANT (1) << 63)
/* What st_ino is made of: TOP_BIT, the tree, and its own number. */
#define MOUNT_SHIFT 48
#define MOUNT_MASK  0x7fff
#define OWN_MASK    ((G_GUINT64_CONSTANT (1) << MOUNT_SHIFT) - 1)

struct VirfsForeign {
  GMutex lock;
  guint64 last_ino; /* under lock, as all below */
  guint last_mount;
  GHashTable *nodes;   /* &ino -> VirfsForeignNode */
  GHashTable *by_file; /* itself, by mount and key -> VirfsForeignNode */
};

static guint
hash_file (gconstpointer data)
{
  const VirfsForeignNode *node = data;

  return node->mount->number * 31 + g_int64_hash (&node->key[0]) * 7 + g_int64_hash (&node->key[1]);
}

static gboolean
equal_file (gconstpointer a, gconstpointer b)
{
  const VirfsForeignNode *p = a, *q = b;

  return p->mount == q->mount && memcmp (p->key, q->key, sizeof p->key) == 0;
}

VirfsForeign *
virfs_foreign_new (void)
{
  VirfsForeign *self = g_new0 (VirfsForeign, 1);

  g_mutex_init (&self->lock);
  self->nodes = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL,
                                       (GDestroyNotify) virfs_foreign_node_unref);
  self->by_file = g_hash_table_new (hash_file, equal_file);
  return self;
}

void
virfs_foreign_free (VirfsForeign *self)
{
  g_hash_table_unref (self->by_file);
  g_hash_table_unref (self->nodes);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Nodes. */

static void
mount_unref (VirfsForeignMount *mount)
{
  if (!g_atomic_ref_count_dec (&mount->refs))
    return;
  virfs_files_unref (mount->files);
  g_free (mount);
}

void
virfs_foreign_node_unref (VirfsForeignNode *node)
{
  if (!g_atomic_ref_count_dec (&node->refs))
    return;
  mount_unref (node->mount);
  g_clear_pointer (&node->directory, g_ref_string_release);
  g_free (node->name);
  g_free (node->target);
  g_free (node);
}

char *
virfs_foreign_path (const VirfsForeignNode *node)
{
  return node->directory ? virfs_files_path (node->directory, node->name) : g_strdup ("/");
}

/* Numbers above 2^48 are rare (file systems of petabytes, NFS): their upper bits are mixed in. */
static guint64
visible (guint mount, guint64 device, guint64 ino)
{
  guint64 own = ino ^ (ino >> MOUNT_SHIFT) ^ device << 40;

  return TOP_BIT | (guint64) (mount & MOUNT_MASK) << MOUNT_SHIFT | (own & OWN_MASK);
}

guint64
virfs_foreign_visible (const VirfsForeignNode *dir, guint64 ino)
{
  return visible (dir->mount->number, dir->key[0], ino);
}

static VirfsForeignNode *
node_new (VirfsForeignMount *mount, const VirfsFilesInfo *info)
{
  VirfsForeignNode *node = g_new0 (VirfsForeignNode, 1);

  g_atomic_ref_count_init (&node->refs);
  g_atomic_ref_count_inc (&mount->refs);
  node->mount = mount;
  node->st = info->st;
  node->key[0] = info->st.st_dev;
  node->key[1] = info->st.st_ino;
  node->st.st_ino = visible (mount->number, info->st.st_dev, info->st.st_ino);
  node->target = g_strdup (info->target);
  if (S_ISLNK (node->st.st_mode))
    node->st.st_size = strlen (node->target ? node->target : "");
  return node;
}

/* Under the lock; the table has the reference. */
static void
add_node (VirfsForeign *self, VirfsForeignNode *node)
{
  node->ino = TOP_BIT | ++self->last_ino;
  g_hash_table_insert (self->nodes, &node->ino, node);
  g_hash_table_insert (self->by_file, node, node);
}

/* Under the lock. */
static void
remove_node (VirfsForeign *self, VirfsForeignNode *node)
{
  if (g_hash_table_lookup (self->by_file, node) == node)
    g_hash_table_remove (self->by_file, node);
  g_hash_table_remove (self->nodes, &node->ino);
}

VirfsForeignNode *
virfs_foreign_get (VirfsForeign *self, guint64 ino)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  VirfsForeignNode *node = g_hash_table_lookup (self->nodes, &ino);

  if (node == NULL || g_atomic_int_get (&node->mount->detached))
    return NULL;
  g_atomic_ref_count_inc (&node->refs);
  return node;
}

/* What was looked up by another name, or before, stays as it is: nothing of it changes. */
VirfsForeignNode *
virfs_foreign_look_up (VirfsForeignNode *dir, const char *name, const VirfsFilesInfo *info)
{
  VirfsForeign *self = dir->mount->table;
  VirfsForeignNode *fresh = node_new (dir->mount, info);
  g_autofree char *path = virfs_foreign_path (dir);
  VirfsForeignNode *node;

  fresh->directory = g_ref_string_new (path);
  fresh->name = g_strdup (name);
  g_mutex_lock (&self->lock);
  node = g_hash_table_lookup (self->by_file, fresh);
  if (node == NULL) {
    node = fresh;
    add_node (self, node);
    fresh = NULL;
  }
  node->lookups++;
  g_atomic_ref_count_inc (&node->refs);
  g_mutex_unlock (&self->lock);
  if (fresh != NULL)
    virfs_foreign_node_unref (fresh);
  return node;
}

void
virfs_foreign_looked_up (VirfsForeignNode *node)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&node->mount->table->lock);

  node->lookups++;
}

/* A root that is attached is known without being looked up. */
static gboolean
is_needed (const VirfsForeignNode *node)
{
  return node->lookups > 0
         || (node->directory == NULL && !g_atomic_int_get (&node->mount->detached));
}

void
virfs_foreign_forget (VirfsForeign *self, guint64 ino, guint64 lookups)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  VirfsForeignNode *node = g_hash_table_lookup (self->nodes, &ino);

  if (node == NULL)
    return;
  node->lookups -= MIN (lookups, node->lookups);
  if (!is_needed (node))
    remove_node (self, node);
}

/* Trees. */

guint64
virfs_session_attach (VirfsSession *session, VirfsFiles *files, const VirfsFilesInfo *root,
                      guint64 parent)
{
  VirfsForeign *self = session->foreign;
  VirfsForeignMount *mount = g_new0 (VirfsForeignMount, 1);
  VirfsForeignNode *node;
  guint64 ino;

  g_atomic_ref_count_init (&mount->refs);
  mount->table = self;
  mount->files = virfs_files_ref (files);
  mount->parent = parent;
  g_mutex_lock (&self->lock);
  mount->number = ++self->last_mount;
  node = node_new (mount, root);
  add_node (self, node);
  ino = node->ino;
  g_mutex_unlock (&self->lock);
  mount_unref (mount);
  return ino;
}

void
virfs_session_detach (VirfsSession *session, guint64 ino)
{
  VirfsForeign *self = session->foreign;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  VirfsForeignNode *node = g_hash_table_lookup (self->nodes, &ino);

  if (node == NULL)
    return;
  g_atomic_int_set (&node->mount->detached, TRUE);
  if (!is_needed (node))
    remove_node (self, node);
}
