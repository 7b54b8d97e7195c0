/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What definitions do to the fake's hosts: networks and pools come, change and go at once; secrets and guests do not.  XML is
 * `<network` or `<pool` with the whole definition as its text, and what goes out by `nowhere` does not start. */
#include "fake.h"

#include "error.h"

#include <string.h>

char *
virfs_fake_definition_check (VirfsDefined kind, const char *name, const char *xml, gboolean shared,
                             GError **error)
{
  if (g_str_has_prefix (xml, kind == VIRFS_DEFINED_NETWORK ? "<network" : "<pool"))
    return g_strdup (xml);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "this is no definition of %s", name);
  return NULL;
}

gpointer
virfs_fake_definition_read (VirfsDefined kind, const char *xml)
{
  VirfsPartInfo *info;

  if (kind == VIRFS_DEFINED_NETWORK) {
    info = virfs_part_info_new (&virfs_network_class, "read");
    ((VirfsNetworkInfo *) info)->forward = "isolated";
    virfs_ref_string_set (&((VirfsNetworkInfo *) info)->domain, xml);
  } else {
    info = virfs_part_info_new (&virfs_pool_class, "read");
    ((VirfsPoolInfo *) info)->type = "dir";
    virfs_ref_string_set (&((VirfsPoolInfo *) info)->path, "/fast");
  }
  return info;
}

char *
virfs_fake_definition_write (VirfsDefined kind, gconstpointer wanted, const char *xml, gsize member,
                             GError **error)
{
  const VirfsNetworkInfo *network = wanted;

  if (kind == VIRFS_DEFINED_POOL)
    return g_strdup ("<pool/>\n");
  return g_strdup_printf ("<network domain='%s'/>\n", network->domain ? network->domain : "");
}

char *
virfs_fake_definition_made (const char *wanted, const char *is)
{
  return g_strdup (is);
}

char *
virfs_fake_definition_differ (const char *wanted, const char *is)
{
  return strcmp (wanted, is) == 0 ? NULL : g_strdup ("it is another");
}

static gpointer
new_part (const VirfsDefinition *definition)
{
  VirfsPartInfo *info;

  if (definition->kind == VIRFS_DEFINED_NETWORK) {
    VirfsNetworkInfo *network;

    info = virfs_part_info_new (&virfs_network_class, definition->name);
    network = (VirfsNetworkInfo *) info;
    network->forward = "isolated";
    network->active = definition->active;
    network->autostart = definition->autostart;
    network->persistent = TRUE;
    network->xml = virfs_blob_ref (definition->xml);
    network->definition = virfs_blob_ref (definition->xml);
  } else {
    VirfsPoolInfo *pool;

    info = virfs_part_info_new (&virfs_pool_class, definition->name);
    pool = (VirfsPoolInfo *) info;
    pool->type = "dir";
    pool->state = definition->active ? "running" : "inactive";
    pool->autostart = definition->autostart;
    pool->persistent = TRUE;
    pool->xml = virfs_blob_ref (definition->xml);
    pool->definition = virfs_blob_ref (definition->xml);
    pool->part.parts = virfs_part_list_new ();
  }
  return info;
}

void
virfs_fake_give (VirfsHost *host, const VirfsDefinition *definition)
{
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *copy = virfs_host_info_copy (known);
  guint which = definition->kind == VIRFS_DEFINED_NETWORK ? VIRFS_HOST_NETWORKS : VIRFS_HOST_POOLS;
  GPtrArray *list = virfs_part_list_new ();

  for (guint i = 0; i < known->parts[which]->len; i++)
    if (strcmp (((VirfsPartInfo *) known->parts[which]->pdata[i])->name, definition->name) != 0)
      g_ptr_array_add (list, virfs_part_info_ref (known->parts[which]->pdata[i]));
  if (!definition->remove)
    g_ptr_array_add (list, new_part (definition));
  virfs_part_list_sort (list);
  virfs_part_lists_set (copy->parts, which, list);
  virfs_infra_update_host (host->object.infra, host, copy, NULL);
}

/* Hosts make something of their own of some. */
static void
give_dialect (VirfsHost *host, const VirfsDefinition *definition, const char *text)
{
  g_autofree char *made = g_strdup_printf ("%s<!-- %s -->\n", text, host->name);
  g_autoptr (VirfsBlob) blob = virfs_blob_new (made);
  g_autoptr (VirfsDefinition) own
    = virfs_definition_new (definition->kind, definition->key, definition->name, blob);

  own->autostart = definition->autostart;
  own->active = definition->active;
  virfs_fake_give (host, own);
}

void
virfs_fake_apply (VirfsHost *host, GPtrArray *definitions, VirfsJob *job)
{
  GError *error = NULL;

  if (!virfs_fake_begin (host, job))
    return;
  for (guint i = 0; i < definitions->len; i++) {
    const VirfsDefinition *definition = definitions->pdata[i];
    g_autofree char *text = virfs_blob_text (definition->xml);

    if (strstr (text, "nowhere") != NULL)
      g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no interface nowhere");
    else if (strstr (text, "dialect") != NULL && !definition->remove)
      give_dialect (host, definition, text);
    else if (definition->kind == VIRFS_DEFINED_NETWORK || definition->kind == VIRFS_DEFINED_POOL)
      virfs_fake_give (host, definition);
  }
  virfs_job_finish (job, error);
}
