/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backups in pull mode. */
#include "xml_backup.h"

#include "error.h"
#include "xml_snapshot.h"
#include "xml_tools.h"

#include <string.h>

static char *
scratch_path (const LvBackupPlan *plan, const LvDisk *disk)
{
  g_autofree char *name
    = g_strdup_printf ("virfs-%s.%s.%s.scratch", plan->uuid, disk->target, plan->name);
  g_autofree char *beside = disk->path ? g_path_get_dirname (disk->path) : NULL;
  g_autofree char *hidden = g_strconcat (".", name, NULL);

  return plan->scratch ? g_build_filename (plan->scratch, name, NULL)
                       : g_build_filename (beside, hidden, NULL);
}

GPtrArray *
lv_backup_scratch_paths (const LvBackupPlan *plan, GPtrArray *disks)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < disks->len; i++) {
    const LvDisk *disk = disks->pdata[i];

    if (!disk->readonly && (plan->scratch != NULL || disk->path != NULL))
      g_ptr_array_add (paths, scratch_path (plan, disk));
  }
  return paths;
}

/* A file can lie beside a file, not beside a device or an object of a cluster. */
static gboolean
check_disk (const LvBackupPlan *plan, const LvDisk *disk, GError **error)
{
  if (plan->scratch != NULL || (disk->path != NULL && g_str_equal (disk->type, "file")))
    return TRUE;
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
    "the disk %s is no file, so what is overwritten cannot be put beside it; give the host"
    " a directory for that: backup=DIRECTORY in its uri",
    disk->target);
  return FALSE;
}

static void
add_disk (xmlNode *disks, const LvBackupPlan *plan, const LvDisk *disk)
{
  xmlNode *node = lv_xml_add (disks, "disk", NULL);
  gboolean changes = plan->parent != NULL && lv_disk_is_qcow2 (disk);
  g_autofree char *scratch = NULL;

  lv_xml_set (node, "name", disk->target);
  lv_xml_set (node, "backup", disk->readonly ? "no" : "yes");
  if (disk->readonly)
    return;
  lv_xml_set (node, "type", "file");
  lv_xml_set (node, "backupmode", changes ? "incremental" : "full");
  if (changes)
    lv_xml_set (node, "incremental", plan->parent);
  scratch = scratch_path (plan, disk);
  lv_xml_set (lv_xml_add (node, "scratch", NULL), "file", scratch);
}

char *
lv_xml_make_backup (const LvBackupPlan *plan, GPtrArray *disks, GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_create ("domainbackup");
  xmlNode *root = lv_xml_node (xml, NULL, "/*");
  xmlNode *server, *list;

  lv_xml_set (root, "mode", "pull");
  server = lv_xml_add (root, "server", NULL);
  lv_xml_set (server, "transport", "unix");
  lv_xml_set (server, "socket", plan->socket);
  list = lv_xml_add (root, "disks", NULL);
  for (guint i = 0; i < disks->len; i++) {
    const LvDisk *disk = disks->pdata[i];

    if (!disk->readonly && !check_disk (plan, disk, error))
      return NULL;
    add_disk (list, plan, disk);
  }
  return lv_xml_print (xml, NULL);
}

static VirfsBackupDiskInfo *
read_disk (LvXml *xml, xmlNode *node, const char *socket)
{
  g_autofree char *target = lv_xml_text (xml, node, "@name");
  g_autofree char *export = lv_xml_text (xml, node, "@exportname");
  g_autofree char *bitmap = lv_xml_text (xml, node, "@exportbitmap");
  g_autofree char *mode = lv_xml_text (xml, node, "@backupmode");
  g_autofree char *escaped = g_uri_escape_string (export ? export : target, NULL, FALSE);
  g_autofree char *escaped_socket = g_uri_escape_string (socket, "/", FALSE);
  g_autofree char *uri = g_strdup_printf ("nbd+unix:///%s?socket=%s", escaped, escaped_socket);
  VirfsBackupDiskInfo *disk = virfs_part_info_new (&virfs_backup_disk_class, target);

  virfs_ref_string_set (&disk->uri, uri);
  if (g_strcmp0 (mode, "incremental") == 0) {
    g_autofree char *usual = g_strconcat ("backup-", target, NULL);

    virfs_ref_string_set (&disk->bitmap, bitmap ? bitmap : usual);
  }
  return disk;
}

GHashTable *
lv_xml_read_scratch (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autoptr (GPtrArray) nodes = NULL;
  GHashTable *files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  nodes
    = xml ? lv_xml_nodes (xml, NULL, "/domainbackup/disks/disk[@index and scratch/@file]") : NULL;
  for (guint i = 0; nodes && i < nodes->len; i++) {
    g_autofree char *target = lv_xml_text (xml, nodes->pdata[i], "@name");
    g_autofree char *index = lv_xml_text (xml, nodes->pdata[i], "@index");

    g_hash_table_insert (files, g_strdup_printf ("%s[%s]", target, index),
                         lv_xml_text (xml, nodes->pdata[i], "scratch/@file"));
  }
  return files;
}

gboolean
lv_xml_backup_is_of (const char *text, const char *uuid)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *file
    = xml ? lv_xml_text (xml, NULL, "/domainbackup[@mode='pull']//scratch/@file") : NULL;
  g_autofree char *ours = g_strdup_printf ("virfs-%s.", uuid);

  return file != NULL && strstr (file, ours) != NULL;
}

GPtrArray *
lv_xml_read_backup (const char *text)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_autofree char *socket = xml ? lv_xml_text (xml, NULL, "/domainbackup/server/@socket") : NULL;
  g_autoptr (GPtrArray) nodes = NULL;
  GPtrArray *disks;

  if (socket == NULL)
    return NULL;
  nodes = lv_xml_nodes (xml, NULL, "/domainbackup/disks/disk[@backup='yes']");
  disks = virfs_part_list_new ();
  for (guint i = 0; i < nodes->len; i++)
    g_ptr_array_add (disks, read_disk (xml, nodes->pdata[i], socket));
  virfs_part_list_sort (disks);
  return disks;
}
