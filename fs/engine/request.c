/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all requests have in common: who asks, of which node, and the answers. */
#include "request_foreign.h"
#include "talk.h"

#include <errno.h>

/* The kernel may keep what it was told: it hears of every change. */
#define FOR_EVER 1e6

VirfsSession *
virfs_request_session (gpointer request)
{
  return fuse_req_userdata (request);
}

guint
virfs_request_uid (gpointer request)
{
  return fuse_req_ctx (request)->uid;
}

guint
virfs_request_gid (gpointer request)
{
  return fuse_req_ctx (request)->gid;
}

/* Who is in more groups than anybody is in as many as are looked at. */
gboolean
virfs_request_in_group (gpointer request, guint gid)
{
  gid_t groups[1024];
  int n = fuse_req_getgroups (request, G_N_ELEMENTS (groups), groups);

  for (int i = 0; i < MIN (n, (int) G_N_ELEMENTS (groups)); i++)
    if (groups[i] == gid)
      return TRUE;
  return FALSE;
}

int
virfs_request_thread (gpointer request)
{
  return fuse_req_ctx (request)->pid;
}

gboolean
virfs_request_node (fuse_req_t req, fuse_ino_t ino, VirfsNode *node)
{
  if (virfs_node_get (virfs_request_session (req), ino, node))
    return TRUE;
  fuse_reply_err (req, ESTALE);
  return FALSE;
}

double
virfs_request_timeout (const VirfsNode *node)
{
  gboolean written = node->row->is_written != NULL && node->row->is_written (node);

  return written || node->row->flags & VIRFS_ROW_MEASURED ? 0 : FOR_EVER;
}

/* Answers. */

void
virfs_reply_error (gpointer request, int error)
{
  fuse_reply_err (request, error);
}

void
virfs_reply_written (gpointer request, gsize bytes)
{
  fuse_reply_write (request, bytes);
}

void
virfs_reply_data (gpointer request, const char *data, gsize size)
{
  fuse_reply_buf (request, data, size);
}

gboolean
virfs_request_entry (fuse_req_t req, const VirfsNode *dir, guint64 ino, gboolean listed,
                     struct fuse_entry_param *entry)
{
  VirfsSession *session = virfs_request_session (req);
  g_auto (VirfsNode) node = { 0 };
  guint64 generation;

  if (virfs_foreign_is (ino))
    return virfs_request_foreign_entry (req, ino, entry);
  generation = virfs_notifier_seen (session->notifier, ino);
  if (ino == 0 || !virfs_node_get (session, ino, &node))
    return FALSE;
  *entry = (struct fuse_entry_param){
    .ino = ino,
    .generation = generation,
    .attr_timeout = virfs_request_timeout (&node),
    .entry_timeout = virfs_request_timeout (dir),
  };
  if (listed || node.row->flags & VIRFS_ROW_AWAITED)
    virfs_node_stat_listed (session, &node, &entry->attr);
  else
    virfs_node_stat (session, &node, &entry->attr);
  return !S_ISLNK (entry->attr.st_mode) || entry->attr.st_size > 0;
}

void
virfs_reply_node (gpointer request, const VirfsNode *dir, guint64 ino)
{
  struct fuse_entry_param entry;

  if (virfs_request_entry (request, dir, ino, FALSE, &entry))
    fuse_reply_entry (request, &entry);
  else
    fuse_reply_err (request, ENOENT);
}

void
virfs_reply_attributes (gpointer request, guint64 ino)
{
  g_auto (VirfsNode) node = { 0 };
  struct stat st;

  if (!virfs_request_node (request, ino, &node))
    return;
  virfs_node_stat (virfs_request_session (request), &node, &st);
  fuse_reply_attr (request, &st, 0);
}

/* Interrupts: FUSE calls these with a lock of the request held. */

static void
interrupt_call (fuse_req_t req, void *data)
{
  virfs_call_interrupt (data);
}

void
virfs_request_watch_call (gpointer request, VirfsCall *call)
{
  fuse_req_interrupt_func (request, call ? interrupt_call : NULL, call);
}

static void
interrupt_open (fuse_req_t req, void *data)
{
  virfs_open_interrupt (virfs_request_session (req), data);
}

void
virfs_request_watch_open (gpointer request, VirfsOpen *open)
{
  fuse_req_interrupt_func (request, open ? interrupt_open : NULL, open);
}

static void
interrupt_talk (fuse_req_t req, void *data)
{
  virfs_talk_interrupt (data, req);
}

void
virfs_request_watch_talk (gpointer request, VirfsTalk *talk)
{
  fuse_req_interrupt_func (request, talk ? interrupt_talk : NULL, talk);
}
