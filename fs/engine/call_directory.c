/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to names in directories. */
#include "call_private.h"

static void
begin_make (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->make (call, &call->node, call->name);
}

static void
begin_remove (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->remove (call, &call->node, call->name);
}

static void
begin_move (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->move (call, &call->node, call->name, &call->to, call->new_name);
}

static void
begin_link (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->link (call, &call->node, call->name, call->target);
}

static void
begin_unlink (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->unlink (call, &call->node, call->name);
}

static void
answer_made (VirfsCall *call)
{
  guint64 child = virfs_node_child (call->session, &call->node, call->name);

  virfs_reply_node (call->request, &call->node, child);
}

/* The kernel now believes that what was moved is at its new place at once; let it look. */
static void
answer_moved (VirfsCall *call)
{
  guint64 to = virfs_node_inode (&call->to);

  virfs_reply_error (call->request, 0);
  virfs_notifier_entry (call->session->notifier, to, call->new_name, 0);
  virfs_notifier_inode (call->session->notifier, to);
  virfs_notifier_inode (call->session->notifier, virfs_node_inode (&call->node));
}

static void
answer_removed (VirfsCall *call)
{
  virfs_notifier_died (call->session->notifier, call->child);
  virfs_reply_error (call->request, 0);
}

/* The kernel takes the link for one file fewer; there may be others that lead to the same. */
static void
answer_unlinked (VirfsCall *call)
{
  virfs_reply_error (call->request, 0);
  virfs_notifier_inode (call->session->notifier, call->child);
}

static void
begin_named (VirfsCall *call, const char *name)
{
  call->name = g_strdup (name);
  call->pending = TRUE;
  virfs_call_begin (call);
}

void
virfs_call_make (gpointer request, VirfsNode *dir, const char *name)
{
  static const VirfsCallKind kind = { "make", begin_make, answer_made };

  begin_named (virfs_call_new (request, &kind, dir), name);
}

void
virfs_call_remove (gpointer request, VirfsNode *dir, const char *name)
{
  static const VirfsCallKind kind = { "remove", begin_remove, answer_removed };
  guint64 child = virfs_node_child (virfs_request_session (request), dir, name);
  VirfsCall *call = virfs_call_new (request, &kind, dir);

  call->child = child;
  begin_named (call, name);
}

void
virfs_call_move (gpointer request, VirfsNode *dir, const char *name, VirfsNode *to,
                 const char *new_name)
{
  static const VirfsCallKind kind = { "rename", begin_move, answer_moved };
  VirfsCall *call = virfs_call_new (request, &kind, dir);

  call->to = *to;
  *to = (VirfsNode){ 0 };
  call->new_name = g_strdup (new_name);
  begin_named (call, name);
}

void
virfs_call_link (gpointer request, VirfsNode *dir, const char *name, const char *target)
{
  static const VirfsCallKind kind = { "link", begin_link, answer_made };
  VirfsCall *call = virfs_call_new (request, &kind, dir);

  call->target = g_strdup (target);
  begin_named (call, name);
}

void
virfs_call_unlink (gpointer request, VirfsNode *dir, const char *name)
{
  static const VirfsCallKind kind = { "remove", begin_unlink, answer_unlinked };
  guint64 child = virfs_node_child (virfs_request_session (request), dir, name);
  VirfsCall *call = virfs_call_new (request, &kind, dir);

  call->child = child;
  begin_named (call, name);
}

static void
begin_create (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->create (call, &call->node, call->name);
}

static void
answer_created (VirfsCall *call)
{
  guint64 child = virfs_node_child (call->session, &call->node, call->name);

  virfs_reply_created (call->request, &call->node, child, g_steal_pointer (&call->sink));
}

void
virfs_call_create (gpointer request, VirfsNode *dir, const char *name)
{
  static const VirfsCallKind kind = { "create", begin_create, answer_created };

  begin_named (virfs_call_new (request, &kind, dir), name);
}
