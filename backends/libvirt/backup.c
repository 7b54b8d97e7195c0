/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups in pull mode: QEMU serves the disks as they were (NBD), on a socket of the host.  Here is what
 * those who begin one, end one and find one again have in common.
 */
#include "backup_work.h"

#include "fail.h"
#include "gate.h"
#include "xml_backup.h"

#include <stdlib.h>

static void
take_backup (VirfsVmInfo *info, gpointer backup)
{
  GPtrArray *list = virfs_part_list_new ();

  if (backup != NULL)
    g_ptr_array_add (list, virfs_part_info_ref (backup));
  virfs_part_lists_set (info->parts, VIRFS_VM_BACKUPS, list);
}

void
lv_backup_show (LvLink *link, const char *uuid, VirfsBackupInfo *backup)
{
  guint64 ticket = lv_gate_begin_reading (link);

  lv_gate_edit_vm (link, ticket, uuid, take_backup, backup);
  lv_gate_end_reading (link);
}

void
lv_backup_tell_event (LvTask *task, const char *kind, const VirfsBackupInfo *info)
{
  g_autoptr (GString) details = g_string_new (NULL);

  virfs_event_append (details, "name", task->wanted->name);
  if (info != NULL) {
    virfs_event_append (details, "consistency", info->consistency);
    virfs_event_append (details, "parent", info->parent);
    virfs_event_append (details, "reason", info->reason);
  }
  lv_gate_tell_event (task->link, task->uuid, kind, details->str);
}

VirfsBackupInfo *
lv_backup_shown (LvLink *link, const char *uuid)
{
  g_autoptr (VirfsVmInfo) known = lv_gate_known_vm (link, uuid);
  GPtrArray *list = known ? known->parts[VIRFS_VM_BACKUPS] : NULL;

  return list != NULL && list->len > 0 ? virfs_part_info_ref (list->pdata[0]) : NULL;
}

/* The caller owns *XML, which is NULL if it is not open. */
static LvBackupState
ask (virDomainPtr domain, const char *uuid, char **xml)
{
  char *text = LV (virDomainBackupGetXMLDesc (domain, 0));

  *xml = NULL;
  if (text == NULL)
    return lv_last_code () == VIR_ERR_NO_DOMAIN_BACKUP || lv_last_code () == VIR_ERR_NO_DOMAIN
             ? LV_BACKUP_GONE
             : LV_BACKUP_UNKNOWN;
  if (lv_xml_backup_is_of (text, uuid))
    *xml = g_strdup (text);
  free (text);
  return *xml ? LV_BACKUP_OPEN : LV_BACKUP_GONE;
}

LvBackupState
lv_backup_state (virDomainPtr domain, const char *uuid)
{
  g_autofree char *xml = NULL;

  return ask (domain, uuid, &xml);
}

gboolean
lv_backup_stops_guest (virDomainPtr domain)
{
  int state = 0, reason = 0;

  return LV (virDomainGetState (domain, &state, &reason, 0)) == 0 && state == VIR_DOMAIN_PAUSED
         && reason == VIR_DOMAIN_PAUSED_IOERROR;
}

GPtrArray *
lv_backup_disks (LvLink *link, virDomainPtr domain, const char *uuid)
{
  g_autofree char *xml = NULL;
  g_autoptr (GPtrArray) disks
    = ask (domain, uuid, &xml) == LV_BACKUP_OPEN ? lv_xml_read_backup (xml, link->uri) : NULL;

  if (disks == NULL)
    return NULL;
  for (guint i = 0; i < disks->len; i++) {
    VirfsBackupDiskInfo *disk = disks->pdata[i];
    virDomainBlockInfo facts;

    if (LV (virDomainGetBlockInfo (domain, disk->part.name, &facts, 0)) == 0)
      disk->size = facts.capacity;
  }
  return g_steal_pointer (&disks);
}
