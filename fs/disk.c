/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/disks/<disk>/: a disk */
#include "device_class.h"
#include "move.h"
#include "restore.h"

#include "use.h"

#include <string.h>

static void
make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  if (virfs_disk_name_is_valid (name))
    virfs_device_make (call, dir, virfs_disk_draft_new (name));
  else
    virfs_call_fail (
      call, VIRFS_ERROR_INVALID,
      "\"%s\" cannot be the name of a disk; it is the target, as in vdb, sda, hdc, fda", name);
}

const VirfsDir virfs_disks_dir = {
  .list = virfs_part_list,
  .find = virfs_part_find,
  .make = make,
  .remove = virfs_device_remove,
  .move = virfs_move_disk_into,
};

#define MEMBER(member) G_STRUCT_OFFSET (VirfsDiskInfo, member)

/* In libvirt's words. */
static const VirfsWords words[] = {
  { MEMBER (device), "disk cdrom floppy lun" },
  { MEMBER (bus), "virtio sata scsi ide usb fdc xen" },
  { MEMBER (format), "raw qcow2 qed vmdk vdi vhdx vpc luks" },
  { MEMBER (cache), "default none writethrough writeback directsync unsafe", TRUE },
  { MEMBER (discard), "ignore unmap", TRUE },
  { MEMBER (io), "threads native io_uring", TRUE },
};

/* Whether the caller may have SOURCE (NULL or "": nothing) as a medium or a disk. */
static gboolean
check_access (VirfsCall *call, const VirfsNode *node, const char *source, VirfsMay may,
              GError **error)
{
  g_autoptr (VirfsHost) host = virfs_part_host (node);

  return source == NULL || *source == '\0'
         || virfs_access_check_source (call, host, source, may, error);
}

/* A medium that becomes a disk can be written to. */
static void
store_device (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsDiskInfo *info = node->snapshot;
  g_autoptr (GError) error = NULL;

  if (check_access (call, node, info->source, VIRFS_MAY_WRITE, &error))
    virfs_device_set_word (call, node, text, words, G_N_ELEMENTS (words));
  else
    virfs_call_finish (call, error);
}

static void
store_word (VirfsCall *call, const VirfsNode *node, const char *text)
{
  virfs_device_set_word (call, node, text, words, G_N_ELEMENTS (words));
}

/* What QEMU takes for one. */
static void
store_serial (VirfsCall *call, const VirfsNode *node, const char *text)
{
  static const char letters[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.+";
  gsize n = strspn (text, letters);

  if (text[n] != '\0' || n > 36)
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a serial number has letters, digits and _-.+ only, at most 36");
  else
    virfs_device_set_text (call, node, text);
}

/* source, size, pool: what makes a disk of a draft */

static gboolean
is_source (const char *text)
{
  const char *slash = strchr (text, '/');

  for (const char *p = text; *p; p++)
    if (g_ascii_iscntrl (*p))
      return FALSE;
  return slash != NULL && slash[1] != '\0' && (slash == text || strchr (slash + 1, '/') == NULL);
}

/* Attaches the draft with the source TEXT, or changes the medium to it. */
static void
use_source (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsDiskInfo *info = node->snapshot;
  VirfsMay may = virfs_disk_is_removable (info) ? VIRFS_MAY_READ : VIRFS_MAY_WRITE;
  g_autoptr (GError) error = NULL;
  VirfsDiskInfo *wanted;

  if (!check_access (call, node, text, may, &error)) {
    virfs_call_finish (call, error);
  } else if (info->part.draft) {
    wanted = virfs_part_info_copy (info);
    virfs_ref_string_set (&wanted->source, text);
    virfs_device_attach (call, node, wanted);
  } else {
    virfs_device_set_text (call, node, text);
  }
}

static void
store_source (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsDiskInfo *info = node->snapshot;

  if (!info->part.draft && virfs_device_shows (call, node, text))
    return;
  if (*text == '\0' && !virfs_disk_is_removable (info))
    virfs_call_fail (
      call, VIRFS_ERROR_INVALID,
      "only the drive of a cdrom or floppy can be empty; write a path or POOL/VOLUME");
  else if (*text != '\0' && !is_source (text))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is no source; write a path on the host (/…) or POOL/VOLUME", text);
  else
    use_source (call, node, text);
}

/* The pool that the first of the guest's disks has, and else `default`. */
static char *
usual_pool (const VirfsNode *node)
{
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsVmInfo) vm = virfs_vm_info ((VirfsVm *) virfs_part_root (node->object));
  GPtrArray *disks = vm->parts[VIRFS_VM_DISKS];

  for (guint i = 0; disks && i < disks->len; i++) {
    const VirfsDiskInfo *disk = disks->pdata[i];
    g_autoptr (VirfsPart) volume
      = disk->source ? virfs_volume_find (host, NULL, disk->source, NULL) : NULL;

    if (volume != NULL)
      return g_strdup (((VirfsPart *) volume->owner)->name);
  }
  return g_strdup ("default");
}

static void
attach_new (VirfsCall *call, const VirfsNode *node, guint64 bytes)
{
  VirfsDiskInfo *wanted = virfs_part_info_copy (node->snapshot);
  g_autoptr (VirfsPartInfo) owned = &wanted->part;
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autofree char *pool = NULL;
  g_autoptr (GError) error = NULL;

  wanted->size = bytes;
  if (wanted->pool == NULL && !virfs_call_is_trusted (call)) {
    /* what the backend would choose cannot be checked here */
    pool = usual_pool (node);
    virfs_ref_string_set (&wanted->pool, pool);
  }
  if (wanted->pool == NULL
      || virfs_access_check_pool (call, host, wanted->pool, VIRFS_MAY_WRITE, &error))
    virfs_device_attach (call, node, g_steal_pointer (&owned));
  else
    virfs_call_finish (call, error);
}

static void
store_size (VirfsCall *call, const VirfsNode *node, guint64 bytes)
{
  const VirfsDiskInfo *info = node->snapshot;

  if (bytes == 0 || bytes % 512 != 0)
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "the size of a disk is a multiple of 512 bytes, as in 10G");
  else if (virfs_disk_is_removable (info))
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "the medium of a %s has the size it has; write its source", info->device);
  else if (!info->part.draft && bytes < info->size)
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a disk cannot shrink: this one has %" G_GUINT64_FORMAT " bytes", info->size);
  else if (info->part.draft)
    attach_new (call, node, bytes);
  else
    virfs_device_set_number (call, node, bytes);
}

static gboolean
has_pool (const VirfsNode *node, const char *name)
{
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

  return virfs_part_list_find (info->parts[VIRFS_HOST_POOLS], name) != NULL;
}

static void
store_pool (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsDiskInfo *info = node->snapshot;

  if (virfs_device_shows (call, node, text))
    return;
  if (!info->part.draft)
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "the disk is made already, where it is");
  else if (*text != '\0' && !has_pool (node, text))
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "the host of the guest has no pool \"%s\"", text);
  else
    virfs_device_set_text (call, node, text);
}

/* restore: there is nothing to be read. */

static VirfsContent *
open_restore (const VirfsNode *node, GError **error)
{
  return virfs_content_new_bytes (g_bytes_new (NULL, 0));
}

static gsize
size_of_restore (const VirfsNode *node)
{
  return 0;
}

static void
cut_restore (VirfsCall *call, const VirfsNode *node, guint64 size)
{
  virfs_call_finish (call, NULL);
}

static void
write_restore (VirfsCall *call, const VirfsNode *node)
{
  VirfsPart *disk = node->object;

  if (!virfs_vm_check_settled (call, (VirfsVm *) disk->owner))
    return;
  virfs_call_give_sink (call, virfs_restore_new (disk, virfs_call_uid (call)));
  virfs_call_finish (call, NULL);
}

/* The class. */

#define F(field)                      VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member) F (field), .show = function, .offset = MEMBER (member)
#define WRITE                         S_IFREG | 0640, VIRFS_ROW_NEEDS, F (READY)
/* A guest can write into a raw disk what another format takes for paths of the host. */
#define WRITE_TRUSTED S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_TRUSTED, F (READY)
#define READ          S_IFREG | 0440, .fields =
#define LIMIT(member)                                                                              \
  WRITE | SHOW (virfs_show_u64, CONFIG, member), .store_size = virfs_device_set_number
#define COUNT(member)                                                                              \
  WRITE | SHOW (virfs_show_u64, CONFIG, member), .store_number = virfs_device_set_number

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH) | F (USE),
    .help = "a disk; du of this directory shows what it takes" },
  { "source", WRITE | SHOW (virfs_show_text, CONFIG, source), .store = store_source,
    .help
    = "what is in it: a path or POOL/VOLUME; makes a disk of a draft; changes a medium, nothing"
      " ejects it" },
  { "size", WRITE | SHOW (virfs_show_known, SIZE, size), .store_size = store_size,
    .help
    = "bytes that the guest sees; makes a new volume for a draft; a disk can grow, also live" },
  { "allocation", READ SHOW (virfs_show_known, USE, allocation),
    .help = "bytes that it takes on its host" },
  { "pool", WRITE | SHOW (virfs_show_text, CONFIG, pool), .store = store_pool,
    .help = "pool that the volume of a draft is to be made in, or that POOL/VOLUME names" },
  { "move", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND | VIRFS_ROW_MEASURED,
    .fields = F (READY) | F (CONFIG), .show = virfs_move_show_disk, .store = virfs_move_store_disk,
    .help = "pools of the guest's host that could take it; write one to move it there, also live" },
  { "device", WRITE | SHOW (virfs_show_text, CONFIG, device), .store = store_device,
    .help = "disk, cdrom, floppy, lun; can be set while the guest is shut off, as what follows" },
  { "bus", WRITE | SHOW (virfs_show_text, CONFIG, bus), .store = store_word,
    .help = "how the guest sees it: virtio, sata, scsi, ide, usb, fdc, xen" },
  { "format", WRITE_TRUSTED | SHOW (virfs_show_text, CONFIG, format), .store = store_word,
    .help = "what the source is read as: raw, qcow2, qed, vmdk, vdi, vhdx, vpc, luks" },
  { "cache", WRITE | SHOW (virfs_show_text, CONFIG, cache), .store = store_word,
    .help = "default, none, writethrough, writeback, directsync, unsafe" },
  { "discard", WRITE | SHOW (virfs_show_text, CONFIG, discard), .store = store_word,
    .help = "ignore, unmap: what becomes of blocks that the guest gives back" },
  { "io", WRITE | SHOW (virfs_show_text, CONFIG, io), .store = store_word,
    .help = "threads, native, io_uring" },
  { "serial", WRITE | SHOW (virfs_show_text, CONFIG, serial), .store = store_serial,
    .help = "its serial number, which the guest sees" },
  { "readonly", WRITE | SHOW (virfs_show_bool, CONFIG, readonly),
    .store_bool = virfs_device_set_bool, .help = "1: the guest cannot write to it" },
  { "shareable", WRITE | SHOW (virfs_show_bool, CONFIG, shareable),
    .store_bool = virfs_device_set_bool, .help = "1: other guests may have it at the same time" },
  { "boot", WRITE | SHOW (virfs_show_u64, CONFIG, boot), .store_number = virfs_device_set_number,
    .help = "its place in the order of devices to boot from, from 1; 0: none" },
  { "type", READ SHOW (virfs_show_text, CONFIG, type),
    .help = "file, block, volume, network …: libvirt's type of its source" },
  { "read_bytes_max", LIMIT (read_bytes_max), .help = "bytes a second that are read; 0: no limit" },
  { "write_bytes_max", LIMIT (write_bytes_max),
    .help = "bytes a second that are written; 0: no limit" },
  { "total_bytes_max", LIMIT (total_bytes_max),
    .help = "bytes a second that are read and written, in place of the two; 0: no limit" },
  { "read_iops_max", COUNT (read_iops_max), .help = "reads a second; 0: no limit" },
  { "write_iops_max", COUNT (write_iops_max), .help = "writes a second; 0: no limit" },
  { "total_iops_max", COUNT (total_iops_max),
    .help = "reads and writes a second, in place of the two; 0: no limit" },
  { "restore", S_IFREG | 0600, VIRFS_ROW_NEEDS | VIRFS_ROW_PRIVATE, F (READY), .open = open_restore,
    .size = size_of_restore, .write = write_restore, .cut = cut_restore,
    .help = "write an image of the disk (raw, qcow2) to it: it takes its place when it has come" },
  { "live", READ SHOW (virfs_show_bool, STATE, live), .help = "1: the running guest has it" },
  { "persistent", READ SHOW (virfs_show_bool, STATE, persistent),
    .help = "1: the guest will have it after its next start" },
};

static guint64
allocation (const VirfsNode *node)
{
  return ((const VirfsDiskInfo *) node->snapshot)->allocation;
}

VirfsClass virfs_disk_files = {
  .path = "vms/<vm>/disks/<disk>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  .allocation = allocation,
  VIRFS_PART_CLASS,
};
