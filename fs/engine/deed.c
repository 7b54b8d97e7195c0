/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told of calls when they end, so that nothing that was done is forgotten.  Values are told of files
 * that have one; never what is for the owner alone, and never documents, which may hold anything.
 */
#include "engine.h"

#include <string.h>

#define UNTOLD (VIRFS_ROW_DOCUMENT | VIRFS_ROW_PRIVATE)

char *
virfs_deed_path (VirfsSession *session, const VirfsNode *node, const char *name)
{
  g_autofree char *path = session->ops->path (session->tree, node);

  if (name == NULL)
    return g_strdup (path ? path : "?");
  return g_build_filename (path ? path : "", name, NULL);
}

char *
virfs_deed_text (const VirfsNode *node)
{
  const VirfsRow *row = node->row;
  g_autoptr (GString) text = NULL;

  if (row->show == NULL || row->flags & (UNTOLD | VIRFS_ROW_COMMAND | VIRFS_ROW_MEASURED))
    return NULL;
  text = g_string_sized_new (128);
  row->show (node, text);
  if (text->len > 0 && text->str[text->len - 1] == '\n')
    g_string_truncate (text, text->len - 1);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

char *
virfs_deed_text_now (VirfsSession *session, const VirfsNode *node)
{
  g_auto (VirfsNode) now = { 0 };

  return virfs_node_get (session, virfs_node_inode (node), &now) ? virfs_deed_text (&now) : NULL;
}

gboolean
virfs_deed_is_secret (const VirfsNode *node)
{
  return (node->row->flags & (UNTOLD | VIRFS_ROW_SECRET)) != 0;
}

char *
virfs_deed_owner (const VirfsOwner *owner)
{
  return g_strdup_printf ("%u:%u %04o", owner->uid, owner->gid, owner->mode & 07777);
}
