/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/snapshots/<snapshot>/: a snapshot; mkdir takes one, rmdir deletes it. */
#include "part_class.h"

/* Beside the snapshots, of the guest's class. */

void
virfs_show_snapshot_kind (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;

  g_string_append (out, info->snapshot_disks ? VIRFS_SNAPSHOT_DISK : VIRFS_SNAPSHOT_FULL);
  g_string_append_c (out, '\n');
}

void
virfs_store_snapshot_kind (VirfsCall *call, const VirfsNode *node, const char *text)
{
  gboolean disks = g_str_equal (text, VIRFS_SNAPSHOT_DISK);

  if (!disks && !g_str_equal (text, VIRFS_SNAPSHOT_FULL)) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a snapshot is %s (disks, and memory if the guest runs) or %s (disks alone)",
                     VIRFS_SNAPSHOT_FULL, VIRFS_SNAPSHOT_DISK);
    return;
  }
  virfs_infra_set_snapshot_disks (virfs_node_infra (node), node->object, disks);
  virfs_call_finish (call, NULL);
}

void
virfs_link_snapshot_current (const VirfsNode *node, GString *out)
{
  const VirfsVmInfo *info = node->snapshot;
  const VirfsSnapshotInfo *current = virfs_snapshot_current (info->parts[VIRFS_VM_SNAPSHOTS]);
  g_autofree char *label
    = current ? virfs_part_label (&virfs_snapshot_class, current->part.name) : NULL;

  if (label != NULL)
    g_string_append (out, label);
}

/* The directory. */

static void
take_snapshot (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  const VirfsVmInfo *info = dir->snapshot;
  g_autofree char *operation = g_strdup_printf ("snapshot %s", name);
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_part_check_name (call, dir, name)
      || !virfs_vm_check_claims (call, dir->object, VIRFS_CLAIM_COPY)
      || !virfs_vm_check_no_backup (call, dir->snapshot))
    return;
  job = virfs_call_job (call, operation, dir->object, info->host, NULL);
  virfs_node_backend (dir)->snapshot_take (dir->object, name, info->snapshot_disks, job);
}

static void
delete_snapshot (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  const VirfsVmInfo *info = dir->snapshot;
  g_autofree char *operation = g_strdup_printf ("delete snapshot %s", name);
  g_autoptr (VirfsPart) part = virfs_part_in (dir, name);
  g_autoptr (VirfsJob) job = NULL;

  if (part == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no such snapshot");
    return;
  }
  if (!virfs_vm_check_claims (call, dir->object, VIRFS_CLAIM_READ)
      || !virfs_vm_check_no_backup (call, dir->snapshot))
    return;
  job = virfs_call_job (call, operation, dir->object, info->host, NULL);
  virfs_node_backend (dir)->snapshot_delete (dir->object, part->name, job);
}

const VirfsDir virfs_snapshots_dir = {
  .list = virfs_part_list, .find = virfs_part_find, .make = take_snapshot, .remove = delete_snapshot
};

/* One of them. */

static VirfsVm *
vm_of (const VirfsNode *node)
{
  return (VirfsVm *) virfs_part_root (node->object);
}

static void
show_ctl (const VirfsNode *node, GString *out)
{
  g_string_append (out, "revert\n");
}

static void
store_ctl (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsPart *part = node->object;
  g_autofree char *operation = g_strdup_printf ("revert to snapshot %s", part->name);
  g_autoptr (VirfsVmInfo) info = NULL;
  g_autoptr (VirfsJob) job = NULL;

  if (!g_str_equal (text, "revert")) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "\"%s\" is not a verb; a snapshot knows only: revert", text);
    return;
  }
  info = virfs_vm_info (vm_of (node));
  if (!virfs_vm_check_unprotected (call, info, "revert")
      || !virfs_vm_check_no_quarantine (call, info, "a revert")
      || !virfs_vm_check_claims (call, vm_of (node), VIRFS_CLAIM_READ)
      || !virfs_vm_check_no_backup (call, info))
    return;
  job = virfs_part_job (call, node, operation);
  virfs_node_backend (node)->snapshot_revert (vm_of (node), part->name, job);
}

static void
store_description (VirfsCall *call, const VirfsNode *node, const char *value)
{
  VirfsPart *part = node->object;
  g_autofree char *operation = g_strdup_printf ("describe snapshot %s", part->name);
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_vm_check_settled (call, vm_of (node)))
    return;
  job = virfs_part_job (call, node, operation);
  virfs_node_backend (node)->snapshot_describe (vm_of (node), part->name, value, job);
}

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsSnapshotInfo, member)
#define WRITE   S_IFREG | 0640, VIRFS_ROW_NEEDS, F (READY)
#define COMMAND S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND, F (READY)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a snapshot" },
  { "kind", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, kind),
    .help
    = "full (inside the disks), disk (disks alone, which went on in other files), or external" },
  { "state", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, state),
    .help
    = "the state that the guest was in; disk-snapshot: it ran, and its disks alone were taken" },
  { "ctl", COMMAND, .show = show_ctl, .store = store_ctl,
    .help = "write revert to bring the guest back to it; what has changed since is lost" },
  { "created", S_IFREG | 0440, .fields = SHOW (virfs_show_time, CONFIG, created),
    .help = "when it was taken" },
  { "parent", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, parent),
    .help = "the snapshot that the guest had gone on from when it was taken" },
  { "description", WRITE | SHOW (virfs_show_text, CONFIG, description),
    .store_text = store_description, .help = "a text, on one line: \\n stands for a new line" },
  { "xml", S_IFREG | 0440, .fields = SHOW (virfs_show_blob, XML, xml), .size = virfs_size_of_blob,
    .help = "libvirt's XML of it, with that of the guest as it was" },
};

VirfsClass virfs_snapshot_files = {
  .path = "vms/<vm>/snapshots/<snapshot>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
