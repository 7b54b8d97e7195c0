/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of libvirt's objects become lists of infos. */
#include "snapshot_list.h"

#include "fail.h"
#include "gate.h"
#include "xml_snapshot.h"

#include <stdlib.h>

/* A guest that others tell something of all the time while we read. */
#define ATTEMPTS 3

/* One of the two kinds: how they are listed and read. */
typedef struct {
  VirfsVmPart part;
  LvCall call;
  GPtrArray *(*list) (virDomainPtr domain); /* NULL with libvirt's error */
  const char *(*name) (gpointer item);
  gpointer (*read) (gpointer item); /* its info; NULL if it is gone */
} Kind;

static GPtrArray *
list_snapshots (virDomainPtr domain)
{
  virDomainSnapshotPtr *items = NULL;
  int n = LV (virDomainListAllSnapshots (domain, &items, 0));

  return lv_take_snapshots (items, n);
}

static const char *
snapshot_name (gpointer item)
{
  return virDomainSnapshotGetName (item);
}

static gpointer
read_snapshot (gpointer item)
{
  char *xml = LV (virDomainSnapshotGetXMLDesc (item, 0));
  gpointer info = xml ? lv_xml_read_snapshot (xml) : NULL;

  free (xml);
  return info;
}

static GPtrArray *
list_checkpoints (virDomainPtr domain)
{
  virDomainCheckpointPtr *items = NULL;
  int n = LV (virDomainListAllCheckpoints (domain, &items, 0));

  return lv_take_checkpoints (items, n);
}

static const char *
checkpoint_name (gpointer item)
{
  return virDomainCheckpointGetName (item);
}

static gpointer
read_checkpoint (gpointer item)
{
  char *xml = LV (virDomainCheckpointGetXMLDesc (item, 0));
  gpointer info = xml ? lv_xml_read_checkpoint (xml) : NULL;

  free (xml);
  return info;
}

static const Kind kinds[] = {
  { VIRFS_VM_SNAPSHOTS, LV_CALL_SNAPSHOTS, list_snapshots, snapshot_name, read_snapshot },
  { VIRFS_VM_CHECKPOINTS, LV_CALL_CHECKPOINTS, list_checkpoints, checkpoint_name, read_checkpoint },
};

/* The name of the current snapshot of those in ITEMS; the caller owns it, NULL for none. */
static char *
current_name (const Kind *kind, virDomainPtr domain, GPtrArray *items)
{
  g_autoptr (virDomainSnapshot) current = NULL;

  if (kind->part != VIRFS_VM_SNAPSHOTS || items->len == 0)
    return NULL;
  current = LV (virDomainSnapshotCurrent (domain, 0));
  return current ? g_strdup (virDomainSnapshotGetName (current)) : NULL;
}

static GPtrArray *
list (LvLink *link, const Kind *kind, virDomainPtr domain)
{
  GPtrArray *items;

  if (lv_link_lacks (link, kind->call))
    return NULL;
  items = kind->list (domain);
  if (items == NULL)
    lv_link_note (link, kind->call);
  return items;
}

/* Whether KNOWN has just ITEMS, and CURRENT for the current one. */
static gboolean
is_known (const Kind *kind, GPtrArray *items, const char *current, GPtrArray *known)
{
  const VirfsSnapshotInfo *now;

  if (items->len != (known ? known->len : 0))
    return FALSE;
  for (guint i = 0; i < items->len; i++)
    if (virfs_part_list_find (known, kind->name (items->pdata[i])) == NULL)
      return FALSE;
  now = kind->part == VIRFS_VM_SNAPSHOTS ? virfs_snapshot_current (known) : NULL;
  return g_strcmp0 (current, now ? now->part.name : NULL) == 0;
}

static GPtrArray *
read_all (const Kind *kind, GPtrArray *items, const char *current)
{
  GPtrArray *infos = virfs_part_list_new ();

  for (guint i = 0; i < items->len; i++) {
    VirfsPartInfo *info = kind->read (items->pdata[i]);

    if (info == NULL)
      continue;
    if (kind->part == VIRFS_VM_SNAPSHOTS)
      ((VirfsSnapshotInfo *) info)->current = g_strcmp0 (info->name, current) == 0;
    g_ptr_array_add (infos, info);
  }
  virfs_part_list_sort (infos);
  return infos;
}

void
lv_snapshots_read (LvLink *link, virDomainPtr domain, const VirfsVmInfo *known, VirfsVmInfo *info)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    const Kind *kind = &kinds[i];
    g_autoptr (GPtrArray) items = list (link, kind, domain);
    g_autofree char *current = items ? current_name (kind, domain, items) : NULL;

    if (items != NULL && !is_known (kind, items, current, known ? known->parts[kind->part] : NULL))
      virfs_part_lists_set (info->parts, kind->part, read_all (kind, items, current));
  }
}

/* Reading all. */

typedef GPtrArray *Lists[VIRFS_VM_N_PARTS];

static void
take_lists (VirfsVmInfo *info, gpointer data)
{
  GPtrArray **lists = data;

  for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
    if (lists[i] != NULL)
      virfs_part_lists_set (info->parts, i, g_ptr_array_ref (lists[i]));
}

/* FALSE: something later was told meanwhile. */
static gboolean
attempt (LvLink *link, virDomainPtr domain, const char *uuid, guint *found)
{
  guint64 ticket = lv_gate_begin_reading (link);
  Lists lists = { 0 };
  gboolean told;

  *found = 0;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++) {
    g_autoptr (GPtrArray) items = list (link, &kinds[i], domain);
    g_autofree char *current = items ? current_name (&kinds[i], domain, items) : NULL;

    if (items != NULL)
      lists[kinds[i].part] = read_all (&kinds[i], items, current);
    *found += items ? items->len : 0;
  }
  told = lv_gate_edit_vm (link, ticket, uuid, take_lists, lists);
  lv_gate_end_reading (link);
  for (guint i = 0; i < VIRFS_VM_N_PARTS; i++)
    g_clear_pointer (&lists[i], g_ptr_array_unref);
  return told;
}

guint
lv_snapshots_refresh (LvLink *link, virDomainPtr domain)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  guint found = 0;

  virDomainGetUUIDString (domain, uuid);
  for (int i = 0; i < ATTEMPTS; i++)
    if (attempt (link, domain, uuid, &found))
      break;
  return found;
}

gboolean
lv_snapshots_known (const VirfsVmInfo *known)
{
  for (guint i = 0; known && i < G_N_ELEMENTS (kinds); i++)
    if (known->parts[kinds[i].part] != NULL && known->parts[kinds[i].part]->len > 0)
      return TRUE;
  return FALSE;
}

void
lv_snapshots_tell_none (const VirfsVmInfo *known, VirfsVmInfo *info)
{
  /* most guests never had any: nothing need be kept of them */
  for (guint i = 0; lv_snapshots_known (known) && i < G_N_ELEMENTS (kinds); i++)
    virfs_part_lists_set (info->parts, kinds[i].part, virfs_part_list_new ());
}
