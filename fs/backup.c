/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vms/<vm>/backups/<backup>/: all disks of a guest as they were in one instant; mkdir opens a backup,
 * rmdir closes it.
 */
#include "backup.h"

#include "files_dir.h"
#include "kept.h"
#include "part_class.h"
#include "text.h"

#include <string.h>

/* Bytes of a pattern for backing files: what %p and %d stand for has to fit, too. */
#define BACKING_MOST 512

/* The directory. */

static const VirfsBackend *
backend_of (const VirfsNode *dir)
{
  return virfs_infra_backend (virfs_node_infra (dir));
}

/* libvirt would let us wait for half a minute before it said so. */
gboolean
virfs_vm_check_no_backup (VirfsCall *call, const VirfsVmInfo *info)
{
  GPtrArray *open = info->parts[VIRFS_VM_BACKUPS];

  if (open == NULL || open->len == 0)
    return TRUE;
  virfs_call_fail (call, VIRFS_ERROR_BUSY, "a backup of it is open; rmdir backups/%s first",
                   ((VirfsPartInfo *) open->pdata[0])->name);
  return FALSE;
}

static void
open_backup (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  const VirfsVmInfo *info = dir->snapshot;
  const VirfsKept *kept = info->kept;
  VirfsBackupWish wish
    = { name, kept ? kept->backup_base : NULL, kept ? kept->backup_backing : NULL };
  g_autofree char *operation = g_strdup_printf ("backup %s", name);
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_part_check_name (call, dir, name) || !virfs_vm_check_no_backup (call, info)
      || !virfs_vm_check_claims (call, dir->object, VIRFS_CLAIM_COPY))
    return;
  if (virfs_part_list_find (info->parts[VIRFS_VM_CHECKPOINTS], name) != NULL) {
    virfs_call_fail (call, VIRFS_ERROR_EXISTS,
                     "there is a checkpoint \"%s\" already; take another name, or rmdir"
                     " checkpoints/%s first",
                     name, name);
    return;
  }
  job = virfs_call_job (call, operation, dir->object, info->host, NULL);
  backend_of (dir)->backup_begin (dir->object, &wish, job);
}

/* A backup that is to be closed, when its files have been. */
typedef struct {
  VirfsVm *vm; /* a reference */
  char *name;
  gboolean discard;
  VirfsJob *job; /* a reference */
} Closing;

static void
close_disks (gpointer data)
{
  Closing *closing = data;

  virfs_infra_backend (closing->vm->object.infra)
    ->backup_end (closing->vm, closing->name, closing->discard, closing->job);
  virfs_object_unref (closing->vm);
  virfs_object_unref (closing->job);
  g_free (closing->name);
  g_free (closing);
}

static void
close_backup (VirfsCall *call, VirfsPart *backup, gboolean discard)
{
  VirfsVm *vm = (VirfsVm *) backup->owner;
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autofree char *operation
    = g_strdup_printf ("%s backup %s", discard ? "discard" : "close", backup->name);
  Closing *closing = g_new (Closing, 1);

  *closing = (Closing){ virfs_object_ref (vm), g_strdup (backup->name), discard,
                        virfs_call_job (call, operation, vm, info->host, NULL) };
  virfs_guest_files_end_then (backup, close_disks, closing);
}

static void
remove_backup (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) part = virfs_part_in (dir, name);

  if (part == NULL)
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "no backup \"%s\" is open", name);
  else
    close_backup (call, part, FALSE);
}

const VirfsDir virfs_backups_dir = {
  .list = virfs_part_list, .find = virfs_part_find, .make = open_backup, .remove = remove_backup
};

/* base */

void
virfs_show_backup_base (const VirfsNode *node, GString *out)
{
  const VirfsKept *kept = ((const VirfsVmInfo *) node->snapshot)->kept;

  if (kept != NULL && kept->backup_base != NULL)
    g_string_append_printf (out, "%s\n", kept->backup_base);
}

static void
set_base (VirfsKept *kept, gpointer text)
{
  virfs_ref_string_set (&kept->backup_base, *(char *) text ? text : NULL);
}

void
virfs_store_backup_base (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsVmInfo *info = node->snapshot;
  GPtrArray *checkpoints = info->parts[VIRFS_VM_CHECKPOINTS];
  VirfsVm *vm = node->object;
  g_autoptr (GError) error = NULL;

  if (*text != '\0' && !g_str_equal (text, "none")
      && virfs_part_list_find (checkpoints, text) == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND,
                     "there is no checkpoint \"%s\"; write the name of one, none, or an empty line"
                     " for the newest",
                     text);
    return;
  }
  virfs_infra_change_kept (vm->object.infra, vm->uuid, set_base, (gpointer) text, &error);
  virfs_call_finish (call, error);
}

/* backing */

void
virfs_show_backup_backing (const VirfsNode *node, GString *out)
{
  const VirfsKept *kept = ((const VirfsVmInfo *) node->snapshot)->kept;
  const char *pattern = kept ? kept->backup_backing : NULL;

  virfs_text_escape (out, pattern ? pattern : VIRFS_BACKUP_BACKING);
  g_string_append_c (out, '\n');
}

static void
set_backing (VirfsKept *kept, gpointer text)
{
  virfs_ref_string_set (&kept->backup_backing, *(char *) text ? text : NULL);
}

void
virfs_store_backup_backing (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsVm *vm = node->object;
  g_autoptr (GError) error = NULL;
  g_autofree char *file = virfs_backup_backing (text, "", "", &error);

  if (file != NULL && strlen (text) > BACKING_MOST)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "the name in a qcow2 file has %d bytes at most, so this may have %d", 1023,
                 BACKING_MOST);
  if (file != NULL && *text != '\0' && strstr (text, "%p") == NULL)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%%p has to be in it: another parent is another file");
  if (error == NULL)
    virfs_infra_change_kept (vm->object.infra, vm->uuid, set_backing, (gpointer) text, &error);
  virfs_call_finish (call, error);
}

/* One of them. */

static void
show_changed (const VirfsNode *node, GString *out)
{
  g_string_append_printf (out, "%" G_GUINT64_FORMAT "\n", virfs_backup_changed (node->snapshot));
}

static void
show_ctl (const VirfsNode *node, GString *out)
{
  g_string_append (out, "checksum\ndiscard\n");
}

static void
store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsPart *part = node->object;
  g_autoptr (VirfsJob) job = NULL;

  if (g_str_equal (text, "discard")) {
    close_backup (call, part, TRUE);
  } else if (g_str_equal (text, "checksum")) {
    job = virfs_call_job (call, "checksum", part, NULL, NULL);
    virfs_backup_sum (part, job);
  } else {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is not a verb; a backup knows: checksum, discard", text);
  }
}

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, Type, member)                                                        \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (Type, member)
#define READ S_IFREG | 0440, .fields =

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_backup_images_dir,
    .help = "a backup that is open; its disks as files" },
  { "consistency", READ SHOW (virfs_show_text, CONFIG, VirfsBackupInfo, consistency),
    .help = "filesystem: its file systems were quiet; crash: as after a power failure" },
  { "parent", READ SHOW (virfs_show_text, CONFIG, VirfsBackupInfo, parent),
    .help = "the checkpoint that it tells the changes since; nothing: it is a full one" },
  { "checkpoint", READ SHOW (virfs_show_text, CONFIG, VirfsBackupInfo, checkpoint),
    .help = "the checkpoint that it has made for the next one; nothing: no disk can have one" },
  { "changed", READ F (PARTS), .show = show_changed,
    .help = "bytes that have changed since the parent; in a full one, those that are data" },
  { "created", READ SHOW (virfs_show_time, CONFIG, VirfsBackupInfo, created),
    .help = "the instant" },
  { "ctl", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND, .fields = F (READY),
    .show = show_ctl, .store = store_ctl,
    .help = "checksum reads the qcow2 files for manifest.json; discard closes it, and its "
            "checkpoint goes" },
  { "domain.xml", READ SHOW (virfs_show_blob, XML, VirfsBackupInfo, xml),
    .size = virfs_size_of_blob, .help = "libvirt's XML of the guest at that moment" },
  { "manifest.json", READ F (CONFIG) | F (PARTS), .show = virfs_show_manifest,
    .help = "all of this as JSON, to be kept with the copies" },
  { "/vms/<vm>/backups/<backup>/" VIRFS_FILES, S_IFDIR | 0700, VIRFS_ROW_PRIVATE,
    .help = "mkdir makes it: the guest's files at that moment; rmdir ends it" },
  { "nbd", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_backup_disks_dir,
    .help = "its disks, for NBD clients" },
  { "nvram", READ SHOW (virfs_show_blob, XML, VirfsBackupInfo, nvram), .size = virfs_size_of_blob,
    .help = "the file in which its firmware keeps its settings; nothing: it has none" },
  { "reason", READ SHOW (virfs_show_text, CONFIG, VirfsBackupInfo, reason),
    .help = "why it is a full one, or has no checkpoint, though another was wanted" },
  { "scratch", READ SHOW (virfs_show_u64, USE, VirfsBackupInfo, scratch),
    .help = "bytes that what the guest has overwritten since takes on the host" },
  { "scratch_max", READ SHOW (virfs_show_known, USE, VirfsBackupInfo, scratch_max),
    .help = "bytes that it can take, as there is room; nothing: not known" },
};

VirfsClass virfs_backup_files = {
  .path = "vms/<vm>/backups/<backup>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
