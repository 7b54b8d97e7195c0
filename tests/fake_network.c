/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks and network filters of the fake's hosts: they come, change and go at once.  One that goes out by `nowhere` does not
 * start. */
#include "fake.h"

#include "error.h"

#include <string.h>

GPtrArray *
virfs_fake_networks (const char *uuid)
{
  GPtrArray *networks = virfs_part_list_new ();
  VirfsNetworkInfo *network = virfs_part_info_new (&virfs_network_class, "default");

  network->uuid = g_ref_string_new (uuid);
  network->active = network->persistent = TRUE;
  network->forward = "nat";
  network->bridge = g_ref_string_new ("virbr0");
  network->address = g_ref_string_new ("192.168.122.1/24");
  network->dhcp = g_ref_string_new ("192.168.122.2 192.168.122.254");
  network->leases = g_ref_string_new ("- 52:54:00:00:00:01 192.168.122.7 web");
  network->xml = virfs_blob_new ("<network/>\n");
  network->definition = virfs_blob_ref (network->xml);
  g_ptr_array_add (networks, network);
  return networks;
}

/* Tells that PART is what INFO (taken) says; NULL: gone. */
static void
tell (VirfsPart *part, gpointer info)
{
  VirfsHost *host = (VirfsHost *) part->owner;
  VirfsHostPart which = virfs_host_part (part->class);
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *copy = virfs_host_info_copy (known);
  GPtrArray *before = known->parts[which], *list = virfs_part_list_new ();

  for (guint i = 0; before && i < before->len; i++)
    if (strcmp (((VirfsPartInfo *) before->pdata[i])->name, part->name) != 0)
      g_ptr_array_add (list, virfs_part_info_ref (before->pdata[i]));
  if (info != NULL)
    g_ptr_array_add (list, info);
  virfs_part_list_sort (list);
  virfs_part_lists_set (copy->parts, which, list);
  virfs_infra_update_host (host->object.infra, host, copy, NULL);
}

void
virfs_fake_tell_part (VirfsPart *part, gpointer info, GError *error, VirfsJob *job)
{
  gboolean begun = virfs_fake_begin ((VirfsHost *) part->owner, job);

  if (begun && error == NULL)
    tell (part, info);
  else
    virfs_part_info_unref (info);
  if (begun)
    virfs_job_finish (job, error);
  else
    g_clear_error (&error);
}

static GError *
refuse (const VirfsNetworkInfo *network)
{
  if (g_strcmp0 (network->dev, "nowhere") != 0)
    return NULL;
  return g_error_new (VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no interface nowhere");
}

void
virfs_fake_network_verb (VirfsPart *network, VirfsNetworkVerb verb, VirfsJob *job)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (network);
  VirfsNetworkInfo *info = virfs_part_info_copy (known);

  info->active = verb == VIRFS_NETWORK_START;
  info->part.draft = FALSE;
  info->persistent = TRUE;
  if (info->xml == NULL)
    info->xml = virfs_blob_new ("<network/>\n");
  if (verb == VIRFS_NETWORK_UNDEFINE) {
    virfs_part_info_unref (info);
    virfs_fake_tell_part (network, NULL, NULL, job);
  } else {
    virfs_fake_tell_part (network, info, info->active ? refuse (info) : NULL, job);
  }
}

void
virfs_fake_network_set (VirfsPart *network, const VirfsNetworkInfo *wanted, gsize member,
                        VirfsJob *job)
{
  virfs_fake_tell_part (network, virfs_part_info_copy (wanted), NULL, job);
}

void
virfs_fake_network_define (VirfsPart *network, const char *xml, VirfsJob *job)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (network);
  VirfsNetworkInfo *info = virfs_part_info_copy (known);
  GError *error = NULL;

  if (!g_str_has_prefix (xml, "<network"))
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_INVALID, "this is no network");
  info->part.draft = FALSE;
  info->persistent = TRUE;
  virfs_blob_unref (info->xml);
  info->xml = virfs_blob_new (xml);
  virfs_fake_tell_part (network, info, error, job);
}

/* Filters. */

GPtrArray *
virfs_fake_filters (void)
{
  GPtrArray *filters = virfs_part_list_new ();
  VirfsFilterInfo *filter = virfs_part_info_new (&virfs_filter_class, "clean");

  filter->uuid = g_ref_string_new ("00000000-0000-4000-8000-0000000000f1");
  filter->xml = virfs_blob_new ("<filter/>\n");
  g_ptr_array_add (filters, filter);
  return filters;
}

void
virfs_fake_filter_define (VirfsPart *filter, const char *xml, VirfsJob *job)
{
  VirfsFilterInfo *info = virfs_part_info_new (&virfs_filter_class, filter->name);
  GError *error = NULL;

  if (!g_str_has_prefix (xml, "<filter"))
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_INVALID, "this is no filter");
  info->xml = virfs_blob_new (xml);
  virfs_fake_tell_part (filter, info, error, job);
}

void
virfs_fake_filter_undefine (VirfsPart *filter, VirfsJob *job)
{
  virfs_fake_tell_part (filter, NULL, NULL, job);
}
