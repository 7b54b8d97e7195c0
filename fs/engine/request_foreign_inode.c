/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests about files of other trees: looking up, attributes, links, extended attributes. */
#include "request_foreign.h"

#include <errno.h>
#include <string.h>

/* Nothing of such a tree changes. */
#define FOR_EVER 1e6
/* Directories; see VirfsForeignMount. */
#define EAGER 16

/* One request about NAME in the directory NODE, or about NODE. */
typedef struct {
  VirfsPending *pending;
  VirfsForeignNode *node;
  char *name;
  gsize size;
} Ask;

static Ask *
ask_new (fuse_req_t req, VirfsForeignNode *node, const char *name, gsize size)
{
  Ask *ask = g_new (Ask, 1);

  *ask = (Ask){ virfs_pending_new (req), node, g_strdup (name), size };
  return ask;
}

/* Returns the request, which may be NULL. */
static fuse_req_t
ask_end (Ask *ask, VirfsSession **session)
{
  fuse_req_t req = virfs_pending_take (ask->pending, session);

  virfs_foreign_node_unref (ask->node);
  g_free (ask->name);
  g_free (ask);
  return req;
}

VirfsForeignNode *
virfs_request_foreign (fuse_req_t req, fuse_ino_t ino)
{
  VirfsForeignNode *node = virfs_foreign_get (virfs_request_session (req)->foreign, ino);

  if (node == NULL)
    fuse_reply_err (req, ESTALE);
  return node;
}

/* Seconds that the kernel may keep the attributes of a root, whose owner may change. */
#define ROOT_ATTRIBUTES 1.0

/* A root is for who has the directory that it is in, alone; what is in it has the guest's modes. */
static void
own_root (VirfsSession *session, const VirfsForeignNode *node, struct stat *st)
{
  g_auto (VirfsNode) parent = { 0 };
  VirfsOwner owner = { session->uid, session->gid, 0 };

  if (virfs_node_get (session, node->mount->parent, &parent))
    virfs_node_owner (session, &parent, &owner);
  st->st_mode = S_IFDIR | 0700;
  st->st_uid = owner.uid;
  st->st_gid = owner.gid;
}

struct fuse_entry_param
virfs_foreign_entry (const VirfsForeignNode *node)
{
  return (struct fuse_entry_param){ .ino = node->ino,
                                    .generation = 1,
                                    .attr = node->st,
                                    .attr_timeout = FOR_EVER,
                                    .entry_timeout = FOR_EVER };
}

gboolean
virfs_request_foreign_entry (fuse_req_t req, guint64 ino, struct fuse_entry_param *entry)
{
  g_autoptr (VirfsForeignNode) node = virfs_foreign_get (virfs_request_session (req)->foreign, ino);

  if (node == NULL)
    return FALSE;
  virfs_foreign_looked_up (node);
  *entry = virfs_foreign_entry (node);
  own_root (virfs_request_session (req), node, &entry->attr);
  entry->attr_timeout = ROOT_ATTRIBUTES;
  return TRUE;
}

void
virfs_foreign_be_eager (VirfsForeignMount *mount)
{
  g_atomic_int_set (&mount->eager, EAGER);
}

/* Looking up. */

static void
reply_entry (fuse_req_t req, VirfsForeignNode *node)
{
  VirfsForeign *table = node->mount->table;
  struct fuse_entry_param entry = virfs_foreign_entry (node);

  if (fuse_reply_entry (req, &entry) != 0) /* interrupted: the kernel does not know of it */
    virfs_foreign_forget (table, node->ino, 1);
}

static void
reply_absent (fuse_req_t req)
{
  struct fuse_entry_param none = { .entry_timeout = FOR_EVER };

  fuse_reply_entry (req, &none);
}

static void
found (int error, const VirfsFilesInfo *info, gpointer data)
{
  Ask *ask = data;
  g_autoptr (VirfsForeignNode) node = NULL;
  VirfsSession *session;
  fuse_req_t req;

  if (error == 0) {
    node = virfs_foreign_look_up (ask->node, ask->name, info);
    if (!S_ISDIR (info->st.st_mode))
      virfs_foreign_be_eager (ask->node->mount);
  }
  req = ask_end (ask, &session);
  if (req != NULL && node != NULL)
    reply_entry (req, node);
  else if (node != NULL)
    virfs_foreign_forget (node->mount->table, node->ino, 1);
  else if (req != NULL && error == ENOENT)
    reply_absent (req);
  else if (req != NULL)
    fuse_reply_err (req, error);
  g_clear_pointer (&node, virfs_foreign_node_unref);
  virfs_session_end_read (session);
}

static void
look_up_above (fuse_req_t req, guint64 ino)
{
  g_auto (VirfsNode) dir = { 0 };

  if (virfs_request_node (req, ino, &dir))
    virfs_reply_node (req, &dir, ino);
}

/* For NFS, which comes by inode number: what is not a root would have to be walked to. */
static void
look_up_dots (fuse_req_t req, VirfsForeignNode *node, gboolean parent)
{
  if (!parent && node->directory == NULL) {
    virfs_reply_node (req, NULL, node->ino);
  } else if (!parent) {
    virfs_foreign_looked_up (node);
    reply_entry (req, node);
  } else if (node->directory == NULL) {
    look_up_above (req, node->mount->parent);
  } else {
    fuse_reply_err (req, ESTALE);
  }
  virfs_foreign_node_unref (node);
}

void
virfs_foreign_lookup (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  VirfsForeignNode *dir = virfs_request_foreign (req, parent);
  g_autofree char *path = NULL;

  if (dir == NULL)
    return;
  if (g_str_equal (name, ".") || g_str_equal (name, "..")) {
    look_up_dots (req, dir, name[1] == '.');
    return;
  }
  path = virfs_foreign_path (dir);
  dir->mount->files->class->find (dir->mount->files, path, name, found,
                                  ask_new (req, dir, name, 0));
}

/* Attributes. */

void
virfs_foreign_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  g_autoptr (VirfsForeignNode) node = virfs_request_foreign (req, ino);
  struct stat st;

  if (node == NULL)
    return;
  st = node->st;
  if (node->directory == NULL)
    own_root (virfs_request_session (req), node, &st);
  fuse_reply_attr (req, &st, node->directory ? FOR_EVER : ROOT_ATTRIBUTES);
}

void
virfs_foreign_readlink (fuse_req_t req, fuse_ino_t ino)
{
  g_autoptr (VirfsForeignNode) node = virfs_request_foreign (req, ino);

  if (node == NULL)
    return;
  if (node->target != NULL)
    fuse_reply_readlink (req, node->target);
  else
    fuse_reply_err (req, EINVAL);
}

/* Extended attributes. */

static void
reply_bytes (fuse_req_t req, gconstpointer bytes, gsize length, gsize size)
{
  if (size == 0)
    fuse_reply_xattr (req, length);
  else if (size < length)
    fuse_reply_err (req, ERANGE);
  else
    fuse_reply_buf (req, bytes, length);
}

static void
reply_value (fuse_req_t req, GHashTable *xattrs, const char *name, gsize size)
{
  GBytes *value = g_hash_table_lookup (xattrs, name);
  gsize length;
  gconstpointer bytes = value ? g_bytes_get_data (value, &length) : NULL;

  if (value == NULL)
    fuse_reply_err (req, ENODATA);
  else
    reply_bytes (req, bytes, length, size);
}

static void
reply_names (fuse_req_t req, GHashTable *xattrs, gsize size)
{
  g_autoptr (GString) names = g_string_new (NULL);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, xattrs);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_string_append_len (names, name, strlen (name) + 1);
  reply_bytes (req, names->str, names->len, size);
}

static void
got_xattrs (int error, GHashTable *xattrs, gpointer data)
{
  Ask *ask = data;
  g_autofree char *name = g_steal_pointer (&ask->name);
  gsize size = ask->size;
  VirfsSession *session;
  fuse_req_t req = ask_end (ask, &session);

  if (req != NULL && error != 0)
    fuse_reply_err (req, error);
  else if (req != NULL && name != NULL)
    reply_value (req, xattrs, name, size);
  else if (req != NULL)
    reply_names (req, xattrs, size);
  virfs_session_end_read (session);
}

/* NAME: of one, NULL for all names.  The root's own are in no directory of its tree. */
static void
ask_xattrs (fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
  VirfsForeignNode *node = virfs_request_foreign (req, ino);

  if (node == NULL)
    return;
  if (node->directory != NULL) {
    node->mount->files->class->xattrs (node->mount->files, node->directory, node->name, got_xattrs,
                                       ask_new (req, node, name, size));
    return;
  }
  if (name != NULL)
    fuse_reply_err (req, ENODATA);
  else
    reply_bytes (req, "", 0, size);
  virfs_foreign_node_unref (node);
}

void
virfs_foreign_getxattr (fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
  ask_xattrs (req, ino, name, size);
}

void
virfs_foreign_listxattr (fuse_req_t req, fuse_ino_t ino, size_t size)
{
  ask_xattrs (req, ino, NULL, size);
}
