/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network filters: read, defined, undefined; and secrets, which are read with them. */
#include "filter.h"

#include "connection.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "xml.h"

#include <stdlib.h>

LV_DEFINE_AUTOPTR (virNWFilter, virNWFilterFree)

/* NULL if it is gone meanwhile. */
static VirfsFilterInfo *
read_filter (virNWFilterPtr filter)
{
  char *xml = LV (virNWFilterGetXMLDesc (filter, 0));
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  VirfsFilterInfo *info;

  if (xml == NULL)
    return NULL;
  virNWFilterGetUUIDString (filter, uuid);
  info = virfs_part_info_new (&virfs_filter_class, virNWFilterGetName (filter));
  info->uuid = g_ref_string_new (uuid);
  info->xml = virfs_blob_new (xml);
  free (xml);
  return info;
}

/* NULL: they cannot be listed. */
static GPtrArray *
read_filters (LvLink *link, virConnectPtr conn)
{
  virNWFilterPtr *filters = NULL;
  GPtrArray *list;
  int n;

  if (lv_link_lacks (link, LV_CALL_FILTERS))
    return NULL;
  n = LV (virConnectListAllNWFilters (conn, &filters, 0));
  if (n < 0) {
    lv_link_note (link, LV_CALL_FILTERS);
    return NULL;
  }
  list = virfs_part_list_new ();
  for (int i = 0; i < n; i++) {
    VirfsFilterInfo *info = read_filter (filters[i]);

    if (info != NULL)
      g_ptr_array_add (list, info);
    virNWFilterFree (filters[i]);
  }
  free (filters);
  virfs_part_list_sort (list);
  return list;
}

/* Secrets, which have no file of their own. */

static void
add_secret (GPtrArray *list, virSecretPtr secret)
{
  char *xml = LV (virSecretGetXMLDesc (secret, 0));
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autoptr (VirfsBlob) blob = xml ? virfs_blob_new (xml) : NULL;
  const char *usage;

  free (xml);
  virSecretGetUUIDString (secret, uuid);
  usage = virSecretGetUsageID (secret);
  if (blob != NULL)
    g_ptr_array_add (list, virfs_definition_new (VIRFS_DEFINED_SECRET, uuid,
                                                 usage && *usage ? usage : uuid, blob));
}

/* NULL: they cannot be listed. */
static GPtrArray *
read_secrets (LvLink *link, virConnectPtr conn)
{
  virSecretPtr *secrets = NULL;
  GPtrArray *list;
  int n;

  if (lv_link_lacks (link, LV_CALL_SECRETS))
    return NULL;
  n = LV (virConnectListAllSecrets (conn, &secrets, 0));
  if (n < 0) {
    lv_link_note (link, LV_CALL_SECRETS);
    return NULL;
  }
  list = virfs_definitions_new ();
  for (int i = 0; i < n; i++) {
    add_secret (list, secrets[i]);
    virSecretFree (secrets[i]);
  }
  free (secrets);
  virfs_definitions_sort (list);
  return list;
}

static void
take_secrets (VirfsHostInfo *info, gpointer list)
{
  g_clear_pointer (&info->secrets, g_ptr_array_unref);
  info->secrets = g_ptr_array_ref (list);
}

static void
take_filters (VirfsHostInfo *info, gpointer list)
{
  virfs_part_lists_set (info->parts, VIRFS_HOST_FILTERS, g_ptr_array_ref (list));
}

void
lv_filters_poll (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->resources);
  g_autoptr (GPtrArray) list = read_filters (link, conn);
  g_autoptr (GPtrArray) secrets = read_secrets (link, conn);

  if (list != NULL)
    lv_gate_edit_host (link->connection, link, take_filters, list, NULL);
  if (secrets != NULL)
    lv_gate_edit_host (link->connection, link, take_secrets, secrets, NULL);
}

/* Operations. */

static LvOutcome
end (LvTask *task, gboolean ok)
{
  lv_filters_poll (task->link, task->here.conn);
  return ok ? LV_DONE : LV_FAILED;
}

static LvOutcome
run_define (LvTask *task, GError **error)
{
  g_autoptr (virNWFilter) known = LV (virNWFilterLookupByName (task->here.conn, task->name));
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autofree char *xml = NULL;
  g_autoptr (virNWFilter) defined = NULL;

  if (known != NULL)
    virNWFilterGetUUIDString (known, uuid);
  xml = lv_xml_adopt_filter (task->text, task->name, known ? uuid : NULL, error);
  if (xml == NULL)
    return end (task, FALSE);
  defined = LV (virNWFilterDefineXML (task->here.conn, xml));
  return end (task, defined != NULL || lv_fail (error, "cannot define the filter %s", task->name));
}

void
lv_filter_define (VirfsPart *part, const char *xml, VirfsJob *job)
{
  lv_task_do (part, job, LV_LANE_SHORT, run_define, &(LvPartWork){ .text = xml });
}

static LvOutcome
run_undefine (LvTask *task, GError **error)
{
  g_autoptr (virNWFilter) filter = LV (virNWFilterLookupByName (task->here.conn, task->name));

  if (filter == NULL || LV (virNWFilterUndefine (filter)) < 0)
    return end (task, lv_fail (error, "cannot remove the filter %s", task->name));
  return end (task, TRUE);
}

void
lv_filter_undefine (VirfsPart *part, VirfsJob *job)
{
  lv_task_do (part, job, LV_LANE_SHORT, run_undefine, &(LvPartWork){ 0 });
}
