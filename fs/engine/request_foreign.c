/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which requests are for a tree that is somebody else's: the functions here stand before those of the
 * engine's own files, which get all others.  Such a tree cannot be changed (EROFS).  Opening directories is
 * the same for all.
 */
#include "request_foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

/* The engine's own; all sessions have the same. */
static struct fuse_lowlevel_ops own;

/* Open files. */

static VirfsContent *
content_of (const struct fuse_file_info *fi)
{
  return (VirfsContent *) (uintptr_t) fi->fh;
}

static void
open_foreign (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  g_autoptr (VirfsForeignNode) node = virfs_request_foreign (req, ino);
  VirfsContent *content;
  VirfsFiles *files;

  if (node == NULL)
    return;
  if ((fi->flags & O_ACCMODE) != O_RDONLY || node->directory == NULL) {
    fuse_reply_err (req, EROFS);
    return;
  }
  files = node->mount->files;
  virfs_foreign_be_eager (node->mount);
  content = files->class->open (files, node->directory, node->name, node->st.st_size);
  fi->fh = (uintptr_t) content;
  fi->keep_cache = TRUE;
  fi->noflush = TRUE;
  if (fuse_reply_open (req, fi) != 0) /* interrupted: nobody will close it */
    content->class->close (content);
}

static void
got_pieces (int error, GPtrArray *pieces, gpointer pending)
{
  VirfsSession *session;
  fuse_req_t req = virfs_pending_take (pending, &session);

  if (req != NULL && error != 0)
    fuse_reply_err (req, error);
  else if (req != NULL)
    virfs_reply_pieces (req, pieces);
  virfs_session_end_read (session);
}

/* There are no holes: see lseek(2). */
static void
seek_foreign (fuse_req_t req, fuse_ino_t ino, off_t offset, int whence)
{
  g_autoptr (VirfsForeignNode) node = virfs_request_foreign (req, ino);

  if (node == NULL)
    return;
  if (offset < 0 || offset >= node->st.st_size)
    fuse_reply_err (req, ENXIO);
  else
    fuse_reply_lseek (req, whence == SEEK_DATA ? offset : node->st.st_size);
}

/* The way in. */

static void
do_lookup (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  (virfs_foreign_is (parent) ? virfs_foreign_lookup : own.lookup) (req, parent, name);
}

static void
do_forget (fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
  if (virfs_foreign_is (ino))
    virfs_foreign_forget (virfs_request_session (req)->foreign, ino, nlookup);
  own.forget (req, ino, nlookup);
}

static void
do_forget_multi (fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
  for (size_t i = 0; i < count; i++)
    if (virfs_foreign_is (forgets[i].ino))
      virfs_foreign_forget (virfs_request_session (req)->foreign, forgets[i].ino,
                            forgets[i].nlookup);
  own.forget_multi (req, count, forgets);
}

static void
do_getattr (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  (virfs_foreign_is (ino) ? virfs_foreign_getattr : own.getattr) (req, ino, fi);
}

static void
do_setattr (fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
            struct fuse_file_info *fi)
{
  if (virfs_foreign_is (ino))
    fuse_reply_err (req, EROFS);
  else
    own.setattr (req, ino, attr, to_set, fi);
}

static void
do_readlink (fuse_req_t req, fuse_ino_t ino)
{
  (virfs_foreign_is (ino) ? virfs_foreign_readlink : own.readlink) (req, ino);
}

static void
do_getxattr (fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
  (virfs_foreign_is (ino) ? virfs_foreign_getxattr : own.getxattr) (req, ino, name, size);
}

static void
do_listxattr (fuse_req_t req, fuse_ino_t ino, size_t size)
{
  (virfs_foreign_is (ino) ? virfs_foreign_listxattr : own.listxattr) (req, ino, size);
}

static void
do_statfs (fuse_req_t req, fuse_ino_t ino)
{
  struct statvfs st = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = 255 };

  if (virfs_foreign_is (ino))
    fuse_reply_statfs (req, &st);
  else
    own.statfs (req, ino);
}

static void
do_readdir (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  (virfs_foreign_is (ino) ? virfs_foreign_readdir : own.readdir) (req, ino, size, offset, fi);
}

static void
do_readdirplus (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                struct fuse_file_info *fi)
{
  (virfs_foreign_is (ino) ? virfs_foreign_readdirplus : own.readdirplus) (req, ino, size, offset,
                                                                          fi);
}

static void
do_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  (virfs_foreign_is (ino) ? open_foreign : own.open) (req, ino, fi);
}

static void
do_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  VirfsContent *content = content_of (fi);

  if (virfs_foreign_is (ino))
    content->class->read (content, offset, size, got_pieces, virfs_pending_new (req));
  else
    own.read (req, ino, size, offset, fi);
}

static void
do_flush (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  if (virfs_foreign_is (ino))
    fuse_reply_err (req, 0);
  else
    own.flush (req, ino, fi);
}

static void
do_fsync (fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
  if (virfs_foreign_is (ino))
    fuse_reply_err (req, 0);
  else
    own.fsync (req, ino, datasync, fi);
}

static void
do_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  if (!virfs_foreign_is (ino)) {
    own.release (req, ino, fi);
    return;
  }
  content_of (fi)->class->close (content_of (fi));
  fuse_reply_err (req, 0);
}

static void
do_poll (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *handle)
{
  if (!virfs_foreign_is (ino)) {
    own.poll (req, ino, fi, handle);
    return;
  }
  if (handle != NULL)
    fuse_pollhandle_destroy (handle);
  fuse_reply_poll (req, POLLIN | POLLRDNORM);
}

static void
do_lseek (fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi)
{
  if (virfs_foreign_is (ino))
    seek_foreign (req, ino, offset, whence);
  else
    own.lseek (req, ino, offset, whence, fi);
}

/* What would change something. */

static void
do_setxattr (fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
             int flags)
{
  if (virfs_foreign_is (ino))
    fuse_reply_err (req, EROFS);
  else
    own.setxattr (req, ino, name, value, size, flags);
}

static void
do_mkdir (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
  if (virfs_foreign_is (parent))
    fuse_reply_err (req, EROFS);
  else
    own.mkdir (req, parent, name, mode);
}

static void
do_rmdir (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  if (virfs_foreign_is (parent))
    fuse_reply_err (req, EROFS);
  else
    own.rmdir (req, parent, name);
}

static void
do_rename (fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
           const char *new_name, unsigned int flags)
{
  if (virfs_foreign_is (parent) || virfs_foreign_is (new_parent))
    fuse_reply_err (req, EROFS);
  else
    own.rename (req, parent, name, new_parent, new_name, flags);
}

static void
do_unlink (fuse_req_t req, fuse_ino_t parent, const char *name)
{
  if (virfs_foreign_is (parent))
    fuse_reply_err (req, EROFS);
  else
    own.unlink (req, parent, name);
}

static void
do_mknod (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
  if (virfs_foreign_is (parent))
    fuse_reply_err (req, EROFS);
  else
    own.mknod (req, parent, name, mode, rdev);
}

static void
do_create (fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
           struct fuse_file_info *fi)
{
  if (virfs_foreign_is (parent))
    fuse_reply_err (req, EROFS);
  else
    own.create (req, parent, name, mode, fi);
}

static void
do_symlink (fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
  if (virfs_foreign_is (parent))
    fuse_reply_err (req, EROFS);
  else
    own.symlink (req, target, parent, name);
}

static void
do_link (fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
  if (virfs_foreign_is (ino) || virfs_foreign_is (parent))
    fuse_reply_err (req, EROFS);
  else
    own.link (req, ino, parent, name);
}

void
virfs_request_serve_foreign (struct fuse_lowlevel_ops *ops)
{
  own = *ops;
  ops->lookup = do_lookup;
  ops->forget = do_forget;
  ops->forget_multi = do_forget_multi;
  ops->getattr = do_getattr;
  ops->setattr = do_setattr;
  ops->readlink = do_readlink;
  ops->getxattr = do_getxattr;
  ops->listxattr = do_listxattr;
  ops->setxattr = do_setxattr;
  ops->statfs = do_statfs;
  ops->readdir = do_readdir;
  ops->readdirplus = do_readdirplus;
  ops->open = do_open;
  ops->read = do_read;
  ops->flush = do_flush;
  ops->fsync = do_fsync;
  ops->release = do_release;
  ops->poll = do_poll;
  ops->lseek = do_lseek;
  ops->mkdir = do_mkdir;
  ops->rmdir = do_rmdir;
  ops->rename = do_rename;
  ops->unlink = do_unlink;
  ops->mknod = do_mknod;
  ops->create = do_create;
  ops->symlink = do_symlink;
  ops->link = do_link;
}
