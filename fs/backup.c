/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vms/<vm>/backups/<backup>/: all disks of a guest as they were in one instant; mkdir opens a backup,
 * rmdir closes it.
 */
#include "backup.h"

#include "kept.h"
#include "part_class.h"

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
  VirfsBackupWish wish = { name, info->kept ? info->kept->backup_base : NULL };
  g_autofree char *operation = g_strdup_printf ("backup %s", name);
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_part_check_name (call, dir, name) || !virfs_vm_check_no_backup (call, info)
      || !virfs_vm_check_settled (call, dir->object))
    return;
  job = virfs_call_job (call, operation, dir->object, info->host, NULL);
  backend_of (dir)->backup_begin (dir->object, &wish, job);
}

static void
close_backup (VirfsCall *call, VirfsVm *vm, const char *name, gboolean discard)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autofree char *operation
    = g_strdup_printf ("%s backup %s", discard ? "discard" : "close", name);
  g_autoptr (VirfsJob) job = virfs_call_job (call, operation, vm, info->host, NULL);

  virfs_infra_backend (vm->object.infra)->backup_end (vm, name, discard, job);
}

static void
remove_backup (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) part = virfs_part_in (dir, name);

  if (part == NULL)
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "no backup \"%s\" is open", name);
  else
    close_backup (call, dir->object, part->name, FALSE);
}

const VirfsDir virfs_backups_dir = {
  .list = virfs_part_list, .find = virfs_part_find, .make = open_backup, .remove = remove_backup
};
const VirfsDir virfs_backup_disks_dir = { .list = virfs_part_list, .find = virfs_part_find };

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

/* One of them. */

static void
show_ctl (const VirfsNode *node, GString *out)
{
  g_string_append (out, "discard\n");
}

static void
store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsPart *part = node->object;

  if (g_str_equal (text, "discard"))
    close_backup (call, (VirfsVm *) part->owner, part->name, TRUE);
  else
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is not a verb; a backup knows only: discard", text);
}

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, Type, member)                                                        \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (Type, member)
#define READ S_IFREG | 0440, .fields =

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a backup that is open" },
  { "consistency", READ SHOW (virfs_show_text, CONFIG, VirfsBackupInfo, consistency),
    .help = "filesystem: its file systems were quiet; crash: as after a power failure" },
  { "parent", READ SHOW (virfs_show_text, CONFIG, VirfsBackupInfo, parent),
    .help = "the checkpoint that it tells the changes since; nothing: it is a full one" },
  { "checkpoint", READ SHOW (virfs_show_text, CONFIG, VirfsBackupInfo, checkpoint),
    .help = "the checkpoint that it has made for the next one; nothing: no disk can have one" },
  { "created", READ SHOW (virfs_show_time, CONFIG, VirfsBackupInfo, created),
    .help = "the instant" },
  { "ctl", S_IFREG | 0640, VIRFS_ROW_NEEDS, .fields = F (READY), .show = show_ctl,
    .store = store_ctl, .help = "discard closes it, and its checkpoint goes, too" },
  { "domain.xml", READ SHOW (virfs_show_blob, XML, VirfsBackupInfo, xml),
    .size = virfs_size_of_blob, .help = "libvirt's XML of the guest at that moment" },
  { "nbd", S_IFDIR | 0750, .fields = F (PARTS), .dir = &virfs_backup_disks_dir,
    .help = "its disks, for NBD clients" },
};

VirfsClass virfs_backup_files = {
  .path = "vms/<vm>/backups/<backup>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};

static const VirfsRow disk_rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a disk of a backup" },
  { "size", READ SHOW (virfs_show_u64, CONFIG, VirfsBackupDiskInfo, size),
    .help = "bytes that the guest sees" },
  { "uri", READ SHOW (virfs_show_text, CONFIG, VirfsBackupDiskInfo, uri),
    .help = "where an NBD client finds it, as in nbdcopy $(cat uri) vda.raw" },
  { "bitmap", READ SHOW (virfs_show_text, CONFIG, VirfsBackupDiskInfo, bitmap),
    .help = "name of the dirty bitmap that tells what has changed; nothing: it is full" },
};

VirfsClass virfs_backup_disk_files = {
  .path = "vms/<vm>/backups/<backup>/nbd/<disk>",
  .rows = disk_rows,
  .n_rows = G_N_ELEMENTS (disk_rows),
  VIRFS_PART_CLASS,
};
