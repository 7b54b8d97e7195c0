/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests: reading directories and changing what is in them. */
#include "foreign.h"
#include "request.h"

#include <errno.h>
#include <fcntl.h>

/* Reading. */

/* Nothing is kept for an open directory; a kernel that can do without need not ask again. */
static void
do_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  if (virfs_request_session (req)->unopened) {
    fuse_reply_err (req, ENOSYS);
    return;
  }
  fi->cache_readdir = 1;
  fi->keep_cache = 1;
  fuse_reply_open (req, fi);
}

static size_t
add_entry (fuse_req_t req, const VirfsNode *dir, char *buffer, size_t room, const VirfsEntry *entry,
           gboolean plus)
{
  struct fuse_entry_param param = { 0 };

  /* an entry that went away meanwhile is left to a later lookup to find out */
  if (plus && !g_str_equal (entry->name, ".") && !g_str_equal (entry->name, "..")
      && virfs_request_entry (req, dir, entry->ino, TRUE, &param))
    return fuse_add_direntry_plus (req, buffer, room, entry->name, &param, entry->next);
  param.ino = 0;
  param.attr.st_ino = entry->ino;
  param.attr.st_mode = entry->type;
  return plus ? fuse_add_direntry_plus (req, buffer, room, entry->name, &param, entry->next)
              : fuse_add_direntry (req, buffer, room, entry->name, &param.attr, entry->next);
}

/* As many entries from POSITION on as SIZE bytes have room for; returns how many bytes they take, and
 * whether there are more. */
static size_t
add_entries (fuse_req_t req, const VirfsNode *dir, char *buffer, size_t size,
             const VirfsListing *listing, guint64 position, gboolean plus, gboolean *more)
{
  size_t used = 0, length;
  VirfsEntry entry;

  *more = TRUE;
  for (guint i = virfs_listing_find (listing, position); virfs_listing_get (listing, i, &entry);
       i++) {
    length = add_entry (req, dir, buffer + used, size - used, &entry, plus);
    if (length > size - used)
      return used;
    used += length;
  }
  *more = FALSE;
  return used;
}

static void
read_directory (fuse_req_t req, fuse_ino_t ino, size_t size, guint64 position, gboolean plus)
{
  VirfsSession *session = virfs_request_session (req);
  g_autoptr (VirfsListing) listing = NULL;
  g_auto (VirfsNode) dir = { 0 };
  g_autofree char *buffer = NULL;
  gboolean more;
  size_t used;

  if (position >= VIRFS_LISTING_END) {
    fuse_reply_buf (req, NULL, 0);
    return;
  }
  listing = virfs_listings_get (session, ino, position == 0);
  if (listing == NULL
      || !virfs_node_get (
        session, ino, &dir)) { /* the C library takes this for the end: so a walk does not fail */
    fuse_reply_err (req, ENOENT);
    return;
  }
  buffer = g_malloc (size);
  used = add_entries (req, &dir, buffer, size, listing, position, plus, &more);
  if (more)
    virfs_listings_go_on (session->listings, listing);
  else
    virfs_listings_end (session->listings, listing);
  fuse_reply_buf (req, buffer, used);
}

static void
do_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, FALSE);
}

static void
do_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, TRUE);
}

/* Changing. */

static void
refuse_entry (fuse_req_t req, fuse_ino_t parent, const char *verb, const char *name,
              const char *why)
{
  g_auto (VirfsNode) dir = { 0 };

  if (virfs_request_node (req, parent, &dir))
    virfs_call_refuse (req, &dir, verb, name, VIRFS_ERROR_PERMITTED, why);
}

static void
refuse_existing (fuse_req_t req, VirfsNode *dir, const char *verb, const char *name)
{
  virfs_call_refuse (req, dir, verb, name, VIRFS_ERROR_EXISTS, "there is one of that name");
}

static void
do_mkdir (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!virfs_request_node (req, parent, &dir))
    return;
  if (virfs_node_child (virfs_request_session (req), &dir, name) != 0)
    refuse_existing (req, &dir, "make", name);
  else if (dir.row->dir == NULL || dir.row->dir->make == NULL)
    refuse_entry (req, parent, "make", name, "no directories can be made here");
  else
    virfs_call_make (req, &dir, name);
}

/* Whether NAME is a row of what DIR is of, and no object in it. */
static gboolean
belongs_to (fuse_req_t req, const VirfsNode *dir, const char *name)
{
  VirfsSession *session = virfs_request_session (req);
  guint64 ino = virfs_node_child (session, dir, name);
  g_auto (VirfsNode) child = { 0 };

  return ino != 0 && !virfs_foreign_is (ino) && virfs_node_get (session, ino, &child)
         && child.class == dir->class && child.object == dir->object;
}

static void
do_rmdir (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!virfs_request_node (req, parent, &dir))
    return;
  if (dir.row->dir == NULL || dir.row->dir->remove == NULL || belongs_to (req, &dir, name))
    refuse_entry (req, parent, "remove", name, "this directory cannot be removed");
  else
    virfs_call_remove (req, &dir, name);
}

static void
do_rename (fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
           const char *new_name, unsigned int flags)
{
  g_auto (VirfsNode) dir = { 0 };
  g_auto (VirfsNode) to = { 0 };

  if (!virfs_request_node (req, parent, &dir) || !virfs_request_node (req, new_parent, &to))
    return;
  if (dir.row->dir == NULL || dir.row->dir->move == NULL || belongs_to (req, &dir, name))
    refuse_entry (req, parent, "rename", name, "this cannot be moved or renamed");
  else
    virfs_call_move (req, &dir, name, &to, new_name);
}

static void
do_unlink (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!virfs_request_node (req, parent, &dir))
    return;
  if (dir.row->dir == NULL || dir.row->dir->unlink == NULL)
    refuse_entry (req, parent, "remove", name,
                  "files cannot be removed, they belong to their directory");
  else
    virfs_call_unlink (req, &dir, name);
}

static void
do_mknod (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
  refuse_entry (req, parent, "create", name, "no files can be made here");
}

static void
do_create (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
           struct fuse_file_info *fi)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!virfs_request_node (req, parent, &dir))
    return;
  if (dir.row->dir == NULL || dir.row->dir->create == NULL)
    refuse_entry (req, parent, "create", name, "there is no such file, and none can be made here");
  else if (fi->flags & O_EXCL && virfs_node_child (virfs_request_session (req), &dir, name) != 0)
    refuse_existing (req, &dir, "create", name);
  else
    virfs_call_create (req, &dir, name);
}

static void
do_symlink (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!virfs_request_node (req, parent, &dir))
    return;
  if (virfs_node_child (virfs_request_session (req), &dir, name) != 0)
    refuse_existing (req, &dir, "link", name);
  else if (dir.row->dir == NULL || dir.row->dir->link == NULL)
    refuse_entry (req, parent, "link", name, "no links can be made here");
  else
    virfs_call_link (req, &dir, name, target);
}

static void
do_link (fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
  refuse_entry (req, parent, "link", name, "no links can be made here");
}

void
virfs_request_serve_directories (struct fuse_lowlevel_ops *ops)
{
  ops->opendir = do_opendir;
  ops->readdir = do_readdir;
  ops->readdirplus = do_readdirplus;
  ops->mkdir = do_mkdir;
  ops->rmdir = do_rmdir;
  ops->rename = do_rename;
  ops->unlink = do_unlink;
  ops->mknod = do_mknod;
  ops->create = do_create;
  ops->symlink = do_symlink;
  ops->link = do_link;
}
