/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests: reading directories and changing what is in them. */
#include "request.h"

#include <errno.h>

/* Reading. */

static VirfsListing *
listing_of (struct fuse_file_info *fi)
{
  return (VirfsListing *) (uintptr_t) fi->fh;
}

static void
do_opendir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };

  if (!virfs_request_node (req, ino, &node))
    return;
  fi->fh = (uintptr_t) virfs_listing_new ();
  fi->cache_readdir = 1;
  fi->keep_cache = 1;
  if (fuse_reply_open (req, fi) == -ENOENT) /* interrupted: nobody will close it */
    virfs_listing_free (listing_of (fi));
}

static size_t
add_entry (fuse_req_t req, char *buffer, size_t room, const char *name, guint64 ino, mode_t type,
           off_t next, gboolean plus)
{
  struct fuse_entry_param entry = { 0 };

  /* an entry that went away meanwhile is left to a later lookup to find out */
  if (plus && !g_str_equal (name, ".") && !g_str_equal (name, "..")
      && virfs_request_entry (req, ino, &entry))
    return fuse_add_direntry_plus (req, buffer, room, name, &entry, next);
  entry.ino = 0;
  entry.attr.st_ino = ino;
  entry.attr.st_mode = type;
  return plus ? fuse_add_direntry_plus (req, buffer, room, name, &entry, next)
              : fuse_add_direntry (req, buffer, room, name, &entry.attr, next);
}

static void
read_directory (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                struct fuse_file_info *fi, gboolean plus)
{
  VirfsListing *listing = listing_of (fi);
  g_auto (VirfsNode) dir = { 0 };
  g_autofree char *buffer = g_malloc (size);
  size_t used = 0;
  const char *name;
  guint64 child;
  mode_t type;

  if (!virfs_request_node (req, ino, &dir))
    return;
  if (offset == 0)
    virfs_listing_fill (listing, &dir);
  for (; virfs_listing_get (listing, offset, &name, &child, &type); offset++) {
    size_t length
      = add_entry (req, buffer + used, size - used, name, child, type, offset + 1, plus);

    if (length > size - used)
      break;
    used += length;
  }
  fuse_reply_buf (req, buffer, used);
}

static void
do_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, fi, FALSE);
}

static void
do_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                struct fuse_file_info *fi)
{
  read_directory (req, ino, size, offset, fi, TRUE);
}

static void
do_releasedir (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  virfs_listing_free (listing_of (fi));
  fuse_reply_err (req, 0);
}

/* Changing. */

static void
refuse_entry (fuse_req_t req, fuse_ino_t parent, const char *name, const char *why)
{
  g_auto (VirfsNode) dir = { 0 };

  if (virfs_request_node (req, parent, &dir))
    virfs_call_refuse (req, &dir, name, VIRFS_ERROR_PERMITTED, why);
}

static void
do_mkdir (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!virfs_request_node (req, parent, &dir))
    return;
  if (virfs_node_child (virfs_request_session (req), &dir, name) != 0)
    fuse_reply_err (req, EEXIST);
  else if (dir.row->dir == NULL || dir.row->dir->make == NULL)
    refuse_entry (req, parent, name, "no directories can be made here");
  else
    virfs_call_make (req, &dir, name);
}

static void
do_rmdir (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!virfs_request_node (req, parent, &dir))
    return;
  if (dir.row->dir == NULL || dir.row->dir->remove == NULL)
    refuse_entry (req, parent, name, "this directory cannot be removed");
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
  if (dir.row->dir == NULL || dir.row->dir->move == NULL)
    refuse_entry (req, parent, name, "this cannot be moved or renamed");
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
    refuse_entry (req, parent, name, "files cannot be removed, they belong to their directory");
  else
    virfs_call_unlink (req, &dir, name);
}

static void
do_mknod (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
  refuse_entry (req, parent, name, "no files can be made here");
}

static void
do_create (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
           struct fuse_file_info *fi)
{
  refuse_entry (req, parent, name, "there is no such file, and none can be made here");
}

static void
do_symlink (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
  g_auto (VirfsNode) dir = { 0 };

  if (!virfs_request_node (req, parent, &dir))
    return;
  if (virfs_node_child (virfs_request_session (req), &dir, name) != 0)
    fuse_reply_err (req, EEXIST);
  else if (dir.row->dir == NULL || dir.row->dir->link == NULL)
    refuse_entry (req, parent, name, "no links can be made here");
  else
    virfs_call_link (req, &dir, name, target);
}

static void
do_link (fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
  refuse_entry (req, parent, name, "no links can be made here");
}

void
virfs_request_serve_directories (struct fuse_lowlevel_ops *ops)
{
  ops->opendir = do_opendir;
  ops->readdir = do_readdir;
  ops->readdirplus = do_readdirplus;
  ops->releasedir = do_releasedir;
  ops->mkdir = do_mkdir;
  ops->rmdir = do_rmdir;
  ops->rename = do_rename;
  ops->unlink = do_unlink;
  ops->mknod = do_mknod;
  ops->create = do_create;
  ops->symlink = do_symlink;
  ops->link = do_link;
}
