/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests: files that are written as large things are (sink.h): what is written is passed on, and
 * answered when the sink answers.  Nothing of it goes through the kernel's pages.
 */
#include "request.h"

#include <errno.h>

typedef struct {
  fuse_req_t req;
  fuse_ino_t ino;
  gsize size;
} Asked;

static Asked *
new_asked (fuse_req_t req, fuse_ino_t ino, gsize size)
{
  Asked *asked = g_new (Asked, 1);

  *asked = (Asked){ req, ino, size };
  return asked;
}

/* The failure is told where users look for it. */
static void
refuse (const Asked *asked, const GError *error)
{
  g_auto (VirfsNode) node = { 0 };

  if (virfs_node_get (virfs_request_session (asked->req), asked->ino, &node))
    virfs_call_refuse (asked->req, &node, "write", NULL, error->code, error->message);
  else
    fuse_reply_err (asked->req, virfs_error_to_errno (error));
}

static void
written (const GError *error, gpointer data)
{
  g_autofree Asked *asked = data;

  if (error != NULL)
    refuse (asked, error);
  else
    fuse_reply_write (asked->req, asked->size);
}

void
virfs_request_sink_write (fuse_req_t req, fuse_ino_t ino, VirfsSink *sink, const char *data,
                          size_t size, off_t offset)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);

  sink->class->write (sink, (guint64) offset, bytes, written, new_asked (req, ino, size));
}

static void
flushed (const GError *error, gpointer data)
{
  g_autofree Asked *asked = data;

  if (error != NULL)
    refuse (asked, error);
  else
    fuse_reply_err (asked->req, 0);
}

void
virfs_request_sink_sync (fuse_req_t req, fuse_ino_t ino, VirfsSink *sink)
{
  sink->class->flush (sink, VIRFS_SINK_SYNC, flushed, new_asked (req, ino, 0));
}

void
virfs_request_sink_flush (fuse_req_t req, fuse_ino_t ino, VirfsSink *sink)
{
  gboolean killed = virfs_signal_killed (virfs_request_thread (req));

  sink->class->flush (sink, killed ? VIRFS_SINK_KILLED : VIRFS_SINK_CLOSED, flushed,
                      new_asked (req, ino, 0));
}

static void
cut (const GError *error, gpointer data)
{
  g_autofree Asked *asked = data;

  if (error != NULL)
    refuse (asked, error);
  else
    virfs_reply_attributes (asked->req, asked->ino);
}

void
virfs_request_sink_cut (fuse_req_t req, fuse_ino_t ino, VirfsSink *sink, off_t size)
{
  sink->class->cut (sink, (guint64) size, cut, new_asked (req, ino, 0));
}

/* Opening.  What the kernel is told of is open; it has to be closed if that was interrupted. */

static gboolean
open_sink (VirfsSession *session, guint64 ino, VirfsSink *sink, struct fuse_file_info *fi)
{
  g_auto (VirfsNode) node = { 0 };

  if (!virfs_node_get (session, ino, &node)) {
    sink->class->close (sink);
    return FALSE;
  }
  *fi = (struct fuse_file_info){ .direct_io = 1 };
  fi->fh = (uintptr_t) virfs_open_new_sink (&node, sink);
  return TRUE;
}

void
virfs_reply_opened (gpointer request, guint64 ino, VirfsSink *sink)
{
  VirfsSession *session = virfs_request_session (request);
  struct fuse_file_info fi;

  if (!open_sink (session, ino, sink, &fi))
    fuse_reply_err (request, ESTALE);
  else if (fuse_reply_open (request, &fi) == -ENOENT)
    virfs_open_close (session, (VirfsOpen *) (uintptr_t) fi.fh);
}

void
virfs_reply_created (gpointer request, const VirfsNode *dir, guint64 ino, VirfsSink *sink)
{
  VirfsSession *session = virfs_request_session (request);
  struct fuse_entry_param entry;
  struct fuse_file_info fi;

  if (!virfs_request_entry (request, dir, ino, FALSE, &entry)) {
    sink->class->close (sink);
    fuse_reply_err (request, ENOENT);
  } else if (!open_sink (session, ino, sink, &fi)) {
    fuse_reply_err (request, ESTALE);
  } else if (fuse_reply_create (request, &entry, &fi) == -ENOENT) {
    virfs_open_close (session, (VirfsOpen *) (uintptr_t) fi.fh);
  }
}
