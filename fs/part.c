/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the classes of parts have in common: the directories that parts are in. */
#include "part_class.h"

#include "part_use.h"
#include "text.h"
#include "use.h"

/* How parts of one class are shown, and where a list of them is in the info of their owner. */
static const struct {
  const VirfsPartClass *parts;
  VirfsClass *class;
  gsize list; /* offset in the owner's info */
} kinds[] = {
  { &virfs_pool_class, &virfs_pool_files,
    G_STRUCT_OFFSET (VirfsHostInfo, parts[VIRFS_HOST_POOLS]) },
  { &virfs_network_class, &virfs_network_files,
    G_STRUCT_OFFSET (VirfsHostInfo, parts[VIRFS_HOST_NETWORKS]) },
  { &virfs_filter_class, &virfs_filter_files,
    G_STRUCT_OFFSET (VirfsHostInfo, parts[VIRFS_HOST_FILTERS]) },
  { &virfs_interface_class, &virfs_interface_files,
    G_STRUCT_OFFSET (VirfsHostInfo, parts[VIRFS_HOST_INTERFACES]) },
  { &virfs_node_device_class, &virfs_node_device_files,
    G_STRUCT_OFFSET (VirfsHostInfo, parts[VIRFS_HOST_DEVICES]) },
  { &virfs_volume_class, &virfs_volume_files, G_STRUCT_OFFSET (VirfsPartInfo, parts) },
  { &virfs_disk_class, &virfs_disk_files, G_STRUCT_OFFSET (VirfsVmInfo, parts[VIRFS_VM_DISKS]) },
  { &virfs_nic_class, &virfs_nic_files, G_STRUCT_OFFSET (VirfsVmInfo, parts[VIRFS_VM_NICS]) },
  { &virfs_hostdev_class, &virfs_hostdev_files,
    G_STRUCT_OFFSET (VirfsVmInfo, parts[VIRFS_VM_HOSTDEVS]) },
  { &virfs_snapshot_class, &virfs_snapshot_files,
    G_STRUCT_OFFSET (VirfsVmInfo, parts[VIRFS_VM_SNAPSHOTS]) },
  { &virfs_checkpoint_class, &virfs_checkpoint_files,
    G_STRUCT_OFFSET (VirfsVmInfo, parts[VIRFS_VM_CHECKPOINTS]) },
  { &virfs_backup_class, &virfs_backup_files,
    G_STRUCT_OFFSET (VirfsVmInfo, parts[VIRFS_VM_BACKUPS]) },
  { &virfs_exec_class, &virfs_exec_files, G_STRUCT_OFFSET (VirfsVmInfo, parts[VIRFS_VM_EXECS]) },
  { &virfs_ssh_user_class, &virfs_ssh_user_files,
    G_STRUCT_OFFSET (VirfsVmInfo, parts[VIRFS_VM_SSH_USERS]) },
  { &virfs_backup_disk_class, &virfs_backup_disk_files, G_STRUCT_OFFSET (VirfsPartInfo, parts) },
};

static guint
kind_of (const VirfsNode *dir)
{
  guint i = 0;

  while (!g_str_equal (kinds[i].parts->directory, dir->row->path))
    i++;
  return i;
}

const VirfsPartClass *
virfs_part_class_in (const VirfsNode *dir)
{
  return kinds[kind_of (dir)].parts;
}

VirfsPart *
virfs_part_in (const VirfsNode *dir, const char *name)
{
  return virfs_infra_part (virfs_node_infra (dir), dir->object, virfs_part_class_in (dir), name);
}

void
virfs_part_list (const VirfsNode *dir, VirfsListing *listing)
{
  guint kind = kind_of (dir);
  GPtrArray *list = *(GPtrArray *const *) ((const char *) dir->snapshot + kinds[kind].list);

  for (guint i = 0; list && i < list->len; i++) {
    const VirfsPartInfo *info = list->pdata[i];
    g_autofree char *label = virfs_part_label (info->class, info->name);
    g_autoptr (VirfsPart) part = virfs_part_in (dir, label);

    if (part != NULL)
      virfs_listing_add (listing, label, virfs_inode_at (kinds[kind].class, part, ""), S_IFDIR);
  }
}

guint64
virfs_part_find (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) part = virfs_part_in (dir, name);

  return part ? virfs_inode_at (kinds[kind_of (dir)].class, part, "") : 0;
}

gboolean
virfs_part_check_name (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autofree char *label = virfs_part_label (virfs_part_class_in (dir), name);

  if (g_str_equal (label, name))
    return TRUE;
  virfs_call_fail (
    call, VIRFS_ERROR_INVALID,
    "this cannot be a name in %s/: it is too long, has a file here, begins with a dot,"
    " or has a %% or a control character in it",
    dir->row->path);
  return FALSE;
}

/* Of the classes. */

gconstpointer
virfs_part_snapshot (gpointer object)
{
  return virfs_part_info (object);
}

/* Who uses a part comes and goes without its changing itself. */
gint64
virfs_part_changed (const VirfsNode *node, guint64 fields)
{
  const VirfsPartInfo *info = node->snapshot;
  gint64 own = virfs_latest_change (info->changed, VIRFS_PART_N_FIELDS,
                                    fields ? fields : VIRFS_BIT (VIRFS_PART_BIRTH));

  if (node->row->dir != &virfs_part_users_dir)
    return own;
  return MAX (own, virfs_infra_uses_changed (virfs_node_infra (node)));
}

static void
set_member (gpointer info, gpointer data)
{
  const VirfsDeviceSetting *setting = data;

  virfs_part_info_set (info, setting->member, setting->number, setting->text);
}

void
virfs_part_set_draft (VirfsCall *call, const VirfsNode *node, guint64 number, const char *text)
{
  VirfsDeviceSetting setting = { .member = node->row->offset, .number = number, .text = text };

  g_autoptr (GError) error = NULL;

  virfs_infra_change_part_draft (virfs_node_infra (node), node->object, set_member, &setting,
                                 &error);
  virfs_call_finish (call, error);
}

static VirfsHost *
host_of (VirfsObject *root)
{
  g_autoptr (VirfsVmInfo) vm = NULL;

  if (root->kind == VIRFS_KIND_HOST)
    return virfs_object_ref (root);
  vm = virfs_vm_info ((VirfsVm *) root);
  return virfs_object_ref (vm->host);
}

VirfsHost *
virfs_part_host (const VirfsNode *node)
{
  return host_of (virfs_part_root (node->object));
}

gboolean
virfs_part_ready (const VirfsNode *node)
{
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);

  return info->state == VIRFS_HOST_UP;
}

guint64
virfs_part_parent (const VirfsNode *node)
{
  const VirfsPart *part = node->object;

  return virfs_inode_at (virfs_class_of (part->owner), part->owner, part->class->directory);
}

VirfsJob *
virfs_part_job (VirfsCall *call, const VirfsNode *node, const char *operation)
{
  g_autoptr (VirfsHost) host = virfs_part_host (node);

  return virfs_call_job (call, operation, virfs_part_root (node->object), host, NULL);
}
