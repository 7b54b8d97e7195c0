/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are opened to be written or cut, and whose they are; and what is refused at once. */
#include "call_private.h"

void
virfs_call_give_sink (VirfsCall *call, VirfsSink *sink)
{
  call->sink = sink;
}

static void
begin_open (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->write (call, &call->node);
}

static void
answer_opened (VirfsCall *call)
{
  virfs_reply_opened (call->request, virfs_node_inode (&call->node), g_steal_pointer (&call->sink));
}

void
virfs_call_open (gpointer request, VirfsNode *node)
{
  static const VirfsCallKind kind = { "write", begin_open, answer_opened };
  VirfsCall *call = virfs_call_new (request, &kind, node);

  call->pending = TRUE;
  virfs_call_begin (call);
}

void
virfs_call_give_terminal (VirfsCall *call, VirfsTerminal *terminal)
{
  call->terminal = terminal;
}

static void
begin_talk (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->talk (call, &call->node);
}

static void
answer_talking (VirfsCall *call)
{
  virfs_reply_talking (call->request, virfs_node_inode (&call->node),
                       g_steal_pointer (&call->terminal));
}

void
virfs_call_talk (gpointer request, VirfsNode *node)
{
  static const VirfsCallKind kind = { "open", begin_talk, answer_talking };
  VirfsCall *call = virfs_call_new (request, &kind, node);

  call->pending = TRUE;
  virfs_call_begin (call);
}

static void
begin_give (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.class->set_owner (call, &call->node, &call->owner);
}

static void
answer_given (VirfsCall *call)
{
  virfs_reply_attributes (call->request, virfs_node_inode (&call->node));
}

static void
begin_cut (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->cut (call, &call->node, call->bytes);
}

void
virfs_call_cut (gpointer request, VirfsNode *node, guint64 size)
{
  static const VirfsCallKind kind = { "cut", begin_cut, answer_given };
  VirfsCall *call = virfs_call_new (request, &kind, node);

  call->bytes = size;
  call->pending = TRUE;
  virfs_call_begin (call);
}

void
virfs_call_give (gpointer request, VirfsNode *node, const VirfsOwner *owner)
{
  static const VirfsCallKind kind = { "own", begin_give, answer_given, .gives = TRUE };
  VirfsCall *call = virfs_call_new (request, &kind, node);
  VirfsOwner is;

  virfs_node_owner (call->session, &call->node, &is);
  call->old = virfs_deed_owner (&is);
  call->owner = *owner;
  call->pending = TRUE;
  virfs_call_begin (call);
}

static void
answer_refused (VirfsCall *call)
{
  virfs_reply_error (call->request, 0);
}

void
virfs_call_refuse (gpointer request, VirfsNode *node, const char *verb, const char *name,
                   VirfsError code, const char *why)
{
  static const VirfsCallKind kind = { NULL, NULL, answer_refused };
  VirfsCall *call = virfs_call_new (request, &kind, node);

  call->verb = verb;
  call->error = g_error_new_literal (VIRFS_ERROR, code, why);
  call->name = g_strdup (name);
  virfs_call_tell (call);
  virfs_call_begin (call);
}
