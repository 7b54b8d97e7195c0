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
  }
  lv_gate_tell_event (task->link, task->uuid, kind, details->str);
}

GPtrArray *
lv_backup_disks (virDomainPtr domain, const char *uuid)
{
  char *xml = LV (virDomainBackupGetXMLDesc (domain, 0));
  g_autofree char *socket = NULL;
  g_autofree char *ours = g_strdup_printf ("virfs-%s.sock", uuid);
  g_autoptr (GPtrArray) disks = xml ? lv_xml_read_backup (xml, &socket) : NULL;

  free (xml);
  if (disks == NULL || !g_str_has_suffix (socket, ours))
    return NULL;
  for (guint i = 0; i < disks->len; i++) {
    VirfsBackupDiskInfo *disk = disks->pdata[i];
    virDomainBlockInfo facts;

    if (LV (virDomainGetBlockInfo (domain, disk->part.name, &facts, 0)) == 0)
      disk->size = facts.capacity;
  }
  return g_steal_pointer (&disks);
}
