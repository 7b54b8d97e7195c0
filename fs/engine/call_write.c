/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written to files whose rows store it: line by line, or as a whole. */
#include "call_private.h"

#include "text.h"

#include <string.h>

static gboolean
check_trusted (VirfsCall *call, GError **error)
{
  if (!(call->node.row->flags & VIRFS_ROW_TRUSTED) || virfs_call_is_trusted (call))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_DENIED,
               "only root and the user who mounted the tree may write this: it reaches whatever the"
               " host has");
  return FALSE;
}

static void
store_parsed (VirfsCall *call, const char *text)
{
  const VirfsRow *row = call->node.row;
  g_autoptr (GError) error = NULL;
  g_autofree char *value = NULL;
  guint64 number;
  gint64 signed_number;
  gboolean flag;

  g_free (call->old);
  call->old = virfs_deed_text (&call->node);
  call->asked = text;
  if (!check_trusted (call, &error))
    virfs_call_finish (call, error);
  else if (row->store != NULL)
    row->store (call, &call->node, text);
  else if (row->store_number != NULL && virfs_parse_u64 (text, &number, &error))
    row->store_number (call, &call->node, number);
  else if (row->store_signed != NULL && virfs_parse_i64 (text, &signed_number, &error))
    row->store_signed (call, &call->node, signed_number);
  else if (row->store_size != NULL && virfs_parse_size (text, &number, &error))
    row->store_size (call, &call->node, number);
  else if (row->store_bool != NULL && virfs_parse_bool (text, &flag, &error))
    row->store_bool (call, &call->node, flag);
  else if (row->store_text != NULL && (value = virfs_text_unescape (text, &error)) != NULL)
    row->store_text (call, &call->node, value);
  else
    virfs_call_finish (call, error);
}

/* Later lines see what earlier ones changed. */
static gboolean
refresh_node (VirfsCall *call)
{
  guint64 ino = virfs_node_inode (&call->node);
  VirfsNode fresh;

  if (!virfs_node_get (call->session, ino, &fresh))
    return FALSE;
  virfs_node_clear (&call->node);
  call->node = fresh;
  return TRUE;
}

static void
begin_line (VirfsCall *call)
{
  char *line = call->next;
  char *newline = strchr (line, '\n');

  if (newline != NULL)
    *newline++ = '\0';
  call->next = newline;
  call->pending = newline != NULL && *newline;
  call->asked = g_strstrip (line);
  g_clear_pointer (&call->old, g_free);
  if (call->done > 0 && !refresh_node (call))
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "it is gone");
  else
    store_parsed (call, call->asked);
}

static void
begin_document (VirfsCall *call)
{
  call->pending = FALSE;
  store_parsed (call, call->text);
}

static void
answer_written (VirfsCall *call)
{
  virfs_reply_written (call->request, call->bytes);
}

static void
answer_done (VirfsCall *call)
{
  virfs_reply_error (call->request, 0);
}

void
virfs_call_lines (gpointer request, VirfsNode *node, char *text, gsize bytes)
{
  static const VirfsCallKind lines = { "write", begin_line, answer_written };
  static const VirfsCallKind list = { "write", begin_document, answer_written };
  gboolean whole = node->row->flags & VIRFS_ROW_LIST;
  VirfsCall *call = virfs_call_new (request, whole ? &list : &lines, node);

  call->text = call->next = text;
  call->pending = TRUE;
  call->bytes = bytes;
  virfs_call_begin (call);
}

void
virfs_call_rest (gpointer request, VirfsNode *node, char *text)
{
  static const VirfsCallKind line = { "write", begin_line, answer_done };
  static const VirfsCallKind document = { "write", begin_document, answer_done };
  gboolean whole = node->row->flags & (VIRFS_ROW_DOCUMENT | VIRFS_ROW_LIST);
  VirfsCall *call = virfs_call_new (request, whole ? &document : &line, node);

  call->text = call->next = text;
  call->pending = TRUE;
  virfs_call_begin (call);
}
