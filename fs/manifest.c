/* SPDX-License-Identifier: GPL-2.0-or-later */
/* manifest.json: what a backup has, for those who find its copies years later. */
#include "backup.h"
#include "part_class.h"
#include "text.h"

#include <json-glib/json-glib.h>

static void
add_text (JsonBuilder *json, const char *name, const char *text)
{
  json_builder_set_member_name (json, name);
  if (text != NULL)
    json_builder_add_string_value (json, text);
  else
    json_builder_add_null_value (json);
}

static void
add_bytes (JsonBuilder *json, const char *name, guint64 bytes)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, (gint64) bytes);
}

static void
add_file (JsonBuilder *json, const VirfsBackupDiskInfo *disk, const char *format,
          VirfsViewFormat view)
{
  g_autofree char *label = virfs_part_label (disk->part.class, disk->part.name);
  g_autofree char *name = g_strdup_printf ("%s.%s", label, format);

  json_builder_set_member_name (json, format);
  json_builder_begin_object (json);
  add_text (json, "file", name);
  add_bytes (json, "size", virfs_disk_view_size (disk->view, view));
  add_bytes (json, "allocated", virfs_disk_view_allocated (disk->view, view));
  if (view == VIRFS_VIEW_QCOW2)
    add_text (json, "sha256", disk->sha256);
  json_builder_end_object (json);
}

static void
add_disk (JsonBuilder *json, const VirfsBackupInfo *backup, const VirfsBackupDiskInfo *disk)
{
  g_autofree char *backing
    = disk->bitmap && backup->backing
        ? virfs_backup_backing (backup->backing, backup->parent, disk->part.name, NULL)
        : NULL;

  json_builder_begin_object (json);
  add_text (json, "disk", disk->part.name);
  add_bytes (json, "size", disk->size);
  add_text (json, "kind", disk->bitmap ? "incremental" : "full");
  add_text (json, "backing", backing);
  add_bytes (json, "changed", virfs_backup_disk_changed (disk));
  if (disk->view != NULL) {
    add_file (json, disk, "raw", VIRFS_VIEW_RAW);
    add_file (json, disk, "qcow2", VIRFS_VIEW_QCOW2);
  }
  json_builder_end_object (json);
}

static void
add_backup (JsonBuilder *json, const VirfsPart *part, const VirfsBackupInfo *backup)
{
  const VirfsVm *vm = (const VirfsVm *) part->owner;
  g_autoptr (VirfsVmInfo) guest = virfs_vm_info ((VirfsVm *) vm);
  g_autoptr (GString) created = g_string_new (NULL);
  GPtrArray *disks = backup->part.parts;

  virfs_text_append_time (created, (gint64) backup->created);
  add_text (json, "guest", guest->name);
  add_text (json, "uuid", vm->uuid);
  add_text (json, "backup", backup->part.name);
  add_text (json, "created", created->str);
  add_text (json, "consistency", backup->consistency);
  add_text (json, "parent", backup->parent);
  add_text (json, "checkpoint", backup->checkpoint);
  json_builder_set_member_name (json, "disks");
  json_builder_begin_array (json);
  for (guint i = 0; disks && i < disks->len; i++)
    add_disk (json, backup, disks->pdata[i]);
  json_builder_end_array (json);
}

void
virfs_show_manifest (const VirfsNode *node, GString *out)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonGenerator) generator = json_generator_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (json);
  add_backup (json, node->object, node->snapshot);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  json_generator_set_root (generator, root);
  json_generator_set_pretty (generator, TRUE);
  json_generator_to_gstring (generator, out);
  g_string_append_c (out, '\n');
}
