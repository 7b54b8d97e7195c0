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

  return plan->place->directory ? g_build_filename (plan->place->directory, name, NULL)
                                : g_build_filename (beside, hidden, NULL);
}

GPtrArray *
lv_backup_scratch_paths (const LvBackupPlan *plan, GPtrArray *disks)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < disks->len; i++) {
    const LvDisk *disk = disks->pdata[i];

    if (!disk->readonly && (plan->place->directory != NULL || disk->path != NULL))
      g_ptr_array_add (paths, scratch_path (plan, disk));
  }
  return paths;
}

/* A file can lie beside a file, not beside a device or an object of a cluster. */
static gboolean
check_disk (const LvBackupPlan *plan, const LvDisk *disk, GError **error)
{
  if (plan->place->directory != NULL || (disk->path != NULL && g_str_equal (disk->type, "file")))
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

static void
add_server (xmlNode *root, const LvBackupPlan *plan)
{
  xmlNode *server = lv_xml_add (root, "server", NULL);
  g_autofree char *port = g_strdup_printf ("%u", plan->port);

  lv_xml_set (server, "transport", plan->place->listen ? "tcp" : "unix");
  if (plan->place->listen == NULL) {
    lv_xml_set (server, "socket", plan->socket);
    return;
  }
  lv_xml_set (server, "name", plan->place->listen);
  lv_xml_set (server, "port", port);
  lv_xml_set (server, "tls", plan->place->tls ? "yes" : "no");
}

char *
lv_xml_make_backup (const LvBackupPlan *plan, GPtrArray *disks, GError **error)
{
  g_autoptr (LvXml) xml = lv_xml_create ("domainbackup");
  xmlNode *root = lv_xml_node (xml, NULL, "/*");
  xmlNode *list;

  lv_xml_set (root, "mode", "pull");
  add_server (root, plan);
  list = lv_xml_add (root, "disks", NULL);
  for (guint i = 0; i < disks->len; i++) {
    const LvDisk *disk = disks->pdata[i];

    if (!disk->readonly && !check_disk (plan, disk, error))
      return NULL;
    add_disk (list, plan, disk);
  }
  return lv_xml_print (xml, NULL);
}

/* Where the server is; all is owned. */
typedef struct {
  char *scheme, *authority, *query;
} Server;

static void
clear_server (Server *server)
{
  g_free (server->scheme);
  g_free (server->authority);
  g_free (server->query);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Server, clear_server)

static gboolean
read_socket (LvXml *xml, Server *server)
{
  g_autofree char *socket = lv_xml_text (xml, NULL, "/domainbackup/server/@socket");
  g_autofree char *escaped = socket ? g_uri_escape_string (socket, "/", FALSE) : NULL;

  if (socket == NULL)
    return FALSE;
  server->scheme = g_strdup ("nbd+unix");
  server->authority = g_strdup ("");
  server->query = g_strconcat ("?socket=", escaped, NULL);
  return TRUE;
}

/* Where we reach HOST: what listens everywhere does so where libvirt does. */
static gboolean
read_address (LvXml *xml, const LvUri *host, Server *server)
{
  g_autofree char *name = lv_xml_text (xml, NULL, "/domainbackup/server/@name");
  g_autofree char *port = lv_xml_text (xml, NULL, "/domainbackup/server/@port");
  g_autofree char *tls = lv_xml_text (xml, NULL, "/domainbackup/server[@tls='yes']/@tls");
  const char *reached = name;

  if (name == NULL || port == NULL)
    return FALSE;
  if (lv_address_is_any (name))
    reached = host->host ? host->host : "localhost";
  server->scheme = g_strdup (tls ? "nbds" : "nbd");
  server->authority = strchr (reached, ':') && *reached != '['
                        ? g_strdup_printf ("[%s]:%s", reached, port)
                        : g_strdup_printf ("%s:%s", reached, port);
  server->query = g_strdup ("");
  return TRUE;
}

static char *
make_uri (const Server *server, const char *export)
{
  g_autofree char *escaped = g_uri_escape_string (export, NULL, FALSE);

  return g_strdup_printf ("%s://%s/%s%s", server->scheme, server->authority, escaped,
                          server->query);
}

static VirfsBackupDiskInfo *
read_disk (LvXml *xml, xmlNode *node, const Server *server)
{
  g_autofree char *target = lv_xml_text (xml, node, "@name");
  g_autofree char *export = lv_xml_text (xml, node, "@exportname");
  g_autofree char *bitmap = lv_xml_text (xml, node, "@exportbitmap");
  g_autofree char *mode = lv_xml_text (xml, node, "@backupmode");
  g_autofree char *uri = make_uri (server, export ? export : target);
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
lv_xml_read_backup (const char *text, const LvUri *host)
{
  g_autoptr (LvXml) xml = lv_xml_parse (text, NULL);
  g_auto (Server) server = { 0 };
  g_autoptr (GPtrArray) nodes = NULL;
  GPtrArray *disks;

  if (xml == NULL || !(read_socket (xml, &server) || read_address (xml, host, &server)))
    return NULL;
  nodes = lv_xml_nodes (xml, NULL, "/domainbackup/disks/disk[@backup='yes']");
  disks = virfs_part_list_new ();
  for (guint i = 0; i < nodes->len; i++) {
    VirfsBackupDiskInfo *disk = read_disk (xml, nodes->pdata[i], &server);

    virfs_ref_string_set (&disk->certificates, host->place.certificates);
    g_ptr_array_add (disks, disk);
  }
  virfs_part_list_sort (disks);
  return disks;
}
