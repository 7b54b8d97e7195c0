/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests: open files. */
#include "request.h"
#include "talk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

static VirfsOpen *
open_of (struct fuse_file_info *fi)
{
  return (VirfsOpen *) (uintptr_t) fi->fh;
}

/* Two changes while it is read would make the kernel drop the size that it asks for, and cut the text at
 * an older one: what has just changed may do so again and is not read through the kernel's pages. */
static gboolean
is_restless (const VirfsNode *node)
{
  return g_get_real_time () - virfs_node_changed (node) < G_TIME_SPAN_SECOND;
}

static void
reply_open (fuse_req_t req, struct fuse_file_info *fi, VirfsOpen *open)
{
  VirfsSession *session = virfs_request_session (req); /* req ends with its answer */

  fi->fh = (uintptr_t) open;
  if (fuse_reply_open (req, fi) == -ENOENT) /* interrupted: nobody will close it */
    virfs_open_close (session, open);
}

/* It does not change while nobody writes it, and the kernel's pages are where it is read ahead of. */
static void
open_content (fuse_req_t req, VirfsNode *node, struct fuse_file_info *fi)
{
  guint flags = node->row->flags;
  g_autoptr (GError) error = NULL;
  gboolean written = node->row->is_written != NULL && node->row->is_written (node);
  VirfsOpen *open = virfs_open_new_content (node, &error);

  if (open == NULL) {
    virfs_call_refuse (req, node, "read", NULL, error->code, error->message);
    return;
  }
  fi->direct_io = written || flags & VIRFS_ROW_MEASURED;
  fi->keep_cache = !fi->direct_io;
  fi->noflush = TRUE;
  reply_open (req, fi, open);
}

static void
open_node (fuse_req_t req, fuse_ino_t ino, VirfsNode *node, struct fuse_file_info *fi)
{
  VirfsSession *session = virfs_request_session (req);
  gboolean writes = (fi->flags & O_ACCMODE) != O_RDONLY;
  gboolean stream = node->row->follow != NULL;

  if (node->row->open != NULL) {
    open_content (req, node, fi);
    return;
  }
  fi->direct_io = writes || stream || node->row->flags & VIRFS_ROW_MEASURED || is_restless (node)
                  || virfs_notifier_is_pending (session->notifier, ino);
  fi->keep_cache = !fi->direct_io;
  fi->noflush = !writes;
  fi->nonseekable = stream;
  reply_open (req, fi, virfs_open_new (node, writes, fi->direct_io));
}

/* An open that waits for what is to be read. */
typedef struct {
  fuse_req_t req;
  fuse_ino_t ino;
  struct fuse_file_info fi;
} Waiting;

static void
open_now (gpointer data)
{
  g_autofree Waiting *waiting = data;
  VirfsSession *session = virfs_request_session (waiting->req);
  g_auto (VirfsNode) node = { 0 };

  if (virfs_request_node (waiting->req, waiting->ino, &node))
    open_node (waiting->req, waiting->ino, &node, &waiting->fi);
  virfs_node_clear (&node);
  virfs_session_end_read (session);
}

/* The session must be there until it is answered, as for a read. */
static gboolean
must_wait (fuse_req_t req, fuse_ino_t ino, const VirfsNode *node, const struct fuse_file_info *fi)
{
  VirfsSession *session = virfs_request_session (req);
  Waiting *waiting;

  if (node->row->await == NULL)
    return FALSE;
  waiting = g_new (Waiting, 1);
  *waiting = (Waiting){ req, ino, *fi };
  virfs_session_begin_read (session);
  if (!node->row->await (node, open_now, waiting))
    return TRUE;
  virfs_session_end_read (session);
  g_free (waiting);
  return FALSE;
}

static void
do_open (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  gboolean writes = (fi->flags & O_ACCMODE) != O_RDONLY;

  if (!virfs_request_node (req, ino, &node))
    return;
  if (writes && !virfs_row_is_writable (node.row))
    virfs_call_refuse (req, &node, "write", NULL, VIRFS_ERROR_DENIED, "this can only be read");
  else if (node.row->talk != NULL)
    virfs_call_talk (req, &node);
  else if (writes && node.row->write != NULL)
    virfs_call_open (req, &node);
  else if (!must_wait (req, ino, &node, fi))
    open_node (req, ino, &node, fi);
}

void
virfs_reply_talking (gpointer request, guint64 ino, VirfsTerminal *terminal)
{
  VirfsSession *session = virfs_request_session (request);
  struct fuse_file_info fi = { .direct_io = 1, .nonseekable = 1, .noflush = 1 };
  g_auto (VirfsNode) node = { 0 };

  if (virfs_node_get (session, ino, &node)) {
    reply_open (request, &fi, virfs_open_new_terminal (session, &node, terminal));
    return;
  }
  terminal->class->close (terminal);
  fuse_reply_err (request, ESTALE);
}

static void
do_follow (fuse_req_t req, const VirfsNode *node, size_t size, struct fuse_file_info *fi)
{
  VirfsSession *session = virfs_request_session (req);
  g_autofree char *buffer = NULL;
  gsize got = virfs_open_follow (session, open_of (fi), node, size, !(fi->flags & O_NONBLOCK), req,
                                 &buffer);

  if (got == 0)
    fuse_reply_err (req, EAGAIN);
  else if (got != G_MAXSIZE)
    fuse_reply_buf (req, buffer, got);
}

void
virfs_reply_pieces (fuse_req_t req, GPtrArray *pieces)
{
  g_autofree struct iovec *parts = g_new (struct iovec, pieces->len);
  gsize length;

  for (guint i = 0; i < pieces->len; i++) {
    parts[i].iov_base = (void *) g_bytes_get_data (pieces->pdata[i], &length);
    parts[i].iov_len = length;
  }
  fuse_reply_iov (req, parts, (int) pieces->len);
}

static void
read_content_done (int error, GPtrArray *pieces, gpointer request)
{
  VirfsSession *session = virfs_request_session (request);

  if (error != 0)
    fuse_reply_err (request, error);
  else
    virfs_reply_pieces (request, pieces);
  virfs_session_end_read (session);
}

static void
do_read (fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
  VirfsContent *content = virfs_open_content (open_of (fi));
  VirfsSink *sink = virfs_open_sink (open_of (fi));
  VirfsTalk *talk = virfs_open_talk (open_of (fi));
  g_auto (VirfsNode) node = { 0 };
  g_autofree char *buffer = NULL;
  gsize got;

  if (talk != NULL) {
    virfs_talk_read (talk, req, size, !(fi->flags & O_NONBLOCK));
    return;
  }
  if (sink != NULL) {
    virfs_session_begin_read (virfs_request_session (req));
    sink->class->read (sink, (guint64) offset, size, read_content_done, req);
    return;
  }
  if (content != NULL) {
    virfs_session_begin_read (virfs_request_session (req));
    content->class->read (content, (guint64) offset, size, read_content_done, req);
    return;
  }
  if (!virfs_request_node (req, ino, &node))
    return;
  if (node.row->follow != NULL) {
    do_follow (req, &node, size, fi);
    return;
  }
  got = virfs_open_read (virfs_request_session (req), open_of (fi), &node, offset, size, &buffer);
  fuse_reply_buf (req, buffer, got);
}

static void
do_lseek (fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  struct stat st;
  goffset found;

  if (!virfs_request_node (req, ino, &node))
    return;
  virfs_node_stat (virfs_request_session (req), &node, &st);
  found = virfs_open_seek (open_of (fi), offset, whence == SEEK_DATA, st.st_size);
  if (found < 0)
    fuse_reply_err (req, ENXIO);
  else
    fuse_reply_lseek (req, found);
}

static void
refuse (fuse_req_t req, VirfsNode *node, const GError *error)
{
  virfs_call_refuse (req, node, "write", NULL, error->code, error->message);
}

static void
do_write (fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
          struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  g_autoptr (GError) error = NULL;
  VirfsSink *sink = virfs_open_sink (open_of (fi));
  VirfsTalk *talk = virfs_open_talk (open_of (fi));
  char *lines;

  if (talk != NULL) {
    virfs_talk_write (talk, req, data, size, !(fi->flags & O_NONBLOCK));
    return;
  }
  if (sink != NULL) {
    virfs_request_sink_write (req, ino, sink, data, size, offset);
    return;
  }
  if (!virfs_request_node (req, ino, &node))
    return;
  if (!virfs_open_write (open_of (fi), &node, data, size, offset, &lines, &error))
    refuse (req, &node, error);
  else if (lines != NULL)
    virfs_call_lines (req, &node, lines, size);
  else
    fuse_reply_write (req, size);
}

static void
do_flush (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };
  g_autoptr (GError) error = NULL;
  VirfsSink *sink = virfs_open_sink (open_of (fi));
  char *rest;

  if (sink != NULL)
    virfs_request_sink_flush (req, ino, sink);
  else if (!virfs_node_get (virfs_request_session (req), ino, &node))
    fuse_reply_err (req, 0);
  else if (!virfs_open_take_rest (open_of (fi), &node, &rest, &error))
    refuse (req, &node, error);
  else if (rest != NULL)
    virfs_call_rest (req, &node, rest);
  else
    fuse_reply_err (req, 0);
}

static void
do_fsync (fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
  VirfsSink *sink = virfs_open_sink (open_of (fi));

  if (sink != NULL)
    virfs_request_sink_sync (req, ino, sink);
  else
    fuse_reply_err (req, 0);
}

static void
do_release (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
  virfs_open_close (virfs_request_session (req), open_of (fi));
  fuse_reply_err (req, 0);
}

static void
do_poll (fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi, struct fuse_pollhandle *ph)
{
  g_auto (VirfsNode) node = { 0 };
  gboolean writes = (fi->flags & O_ACCMODE) != O_RDONLY;
  VirfsTalk *talk = virfs_open_talk (open_of (fi));

  if (talk != NULL) {
    fuse_reply_poll (req, (unsigned) virfs_talk_poll (talk, ph));
    return;
  }
  if (!virfs_node_get (virfs_request_session (req), ino, &node)) {
    if (ph != NULL)
      fuse_pollhandle_destroy (ph);
    fuse_reply_poll (req, POLLERR | POLLHUP);
    return;
  }
  fuse_reply_poll (req, virfs_open_poll (virfs_request_session (req), open_of (fi), &node, ph)
                          | (writes ? POLLOUT | POLLWRNORM : 0));
}

void
virfs_request_serve_files (struct fuse_lowlevel_ops *ops)
{
  ops->open = do_open;
  ops->read = do_read;
  ops->lseek = do_lseek;
  ops->write = do_write;
  ops->flush = do_flush;
  ops->fsync = do_fsync;
  ops->release = do_release;
  ops->poll = do_poll;
}
