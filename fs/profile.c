/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts/<host>/profile/ and restore: what is kept of a host, and giving it back. */
#include "profile_files.h"

#include "profile.h"
#include "text.h"

#include <string.h>

void
virfs_profile_show_list (const VirfsNode *node, GString *out)
{
  GPtrArray *profile = ((const VirfsHostInfo *) node->snapshot)->profile;

  for (guint i = 0; profile && i < profile->len; i++) {
    const VirfsDefinition *definition = profile->pdata[i];

    g_string_append_printf (out, "%s/", virfs_defined_name (definition->kind));
    virfs_text_escape (out, definition->name);
    g_string_append (out, definition->autostart ? " autostart" : "");
    g_string_append (out, definition->active ? " active\n" : "\n");
  }
}

/* The row's offset is the kind. */

void
virfs_profile_show_xml (const VirfsNode *node, GString *out)
{
  GPtrArray *profile = ((const VirfsHostInfo *) node->snapshot)->profile;
  const char *name = virfs_defined_name (node->row->offset);

  g_string_append_printf (out, "<%s>\n", name);
  for (guint i = 0; profile && i < profile->len; i++) {
    const VirfsDefinition *definition = profile->pdata[i];

    if (definition->kind == node->row->offset)
      virfs_blob_append (definition->xml, out);
  }
  g_string_append_printf (out, "</%s>\n", name);
}

gsize
virfs_profile_size (const VirfsNode *node)
{
  GPtrArray *profile = ((const VirfsHostInfo *) node->snapshot)->profile;
  gsize size = 2 * strlen (virfs_defined_name (node->row->offset)) + strlen ("<>\n</>\n");

  for (guint i = 0; profile && i < profile->len; i++) {
    const VirfsDefinition *definition = profile->pdata[i];

    size += definition->kind == node->row->offset ? virfs_blob_size (definition->xml) : 0;
  }
  return size;
}

/* restore */

void
virfs_profile_show_restore (const VirfsNode *node, GString *out)
{
  g_autoptr (GPtrArray) lost = virfs_profile_missing (node->object, "all", NULL);

  for (guint i = 0; lost && i < lost->len; i++) {
    const VirfsDefinition *definition = lost->pdata[i];

    g_string_append_printf (out, "%s/", virfs_defined_name (definition->kind));
    virfs_text_escape (out, definition->name);
    g_string_append_c (out, '\n');
  }
}

void
virfs_profile_store_restore (VirfsCall *call, const VirfsNode *node, const char *text)
{
  gboolean all = g_str_equal (text, "1") || g_str_equal (text, "all");
  g_autoptr (GError) error = NULL;
  g_autofree char *plain = virfs_text_unescape (text, &error);
  g_autoptr (GPtrArray) lost = NULL;
  g_autoptr (VirfsJob) job = NULL;

  if (plain != NULL && (g_str_equal (text, "0") || g_str_equal (text, "none")))
    virfs_profile_accept (node->object);
  else if (plain != NULL)
    lost = virfs_profile_missing (node->object, all ? "all" : plain, &error);
  if (lost == NULL || lost->len == 0) {
    virfs_call_finish (call, error);
    return;
  }
  job = virfs_call_job (call, "restore", node->object, node->object, NULL);
  virfs_node_backend (node)->host_apply (node->object, lost, job);
}
