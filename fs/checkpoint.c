/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/checkpoints/<checkpoint>/: a checkpoint; mkdir makes one, rmdir deletes it. */
#include "part_class.h"

/* The directory. */

static void
make_checkpoint (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  const VirfsVmInfo *info = dir->snapshot;
  g_autofree char *operation = g_strdup_printf ("checkpoint %s", name);
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_part_check_name (call, dir, name)
      || !virfs_vm_check_claims (call, dir->object, VIRFS_CLAIM_COPY)
      || !virfs_vm_check_no_backup (call, dir->snapshot))
    return;
  job = virfs_call_job (call, operation, dir->object, info->host, NULL);
  virfs_node_backend (dir)->checkpoint_make (dir->object, name, job);
}

static void
delete_checkpoint (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  const VirfsVmInfo *info = dir->snapshot;
  g_autofree char *operation = g_strdup_printf ("delete checkpoint %s", name);
  g_autoptr (VirfsPart) part = virfs_part_in (dir, name);
  g_autoptr (VirfsJob) job = NULL;

  if (part == NULL) {
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no such checkpoint");
    return;
  }
  if (!virfs_vm_check_claims (call, dir->object, VIRFS_CLAIM_COPY))
    return;
  job = virfs_call_job (call, operation, dir->object, info->host, NULL);
  virfs_node_backend (dir)->checkpoint_delete (dir->object, part->name, job);
}

const VirfsDir virfs_checkpoints_dir = { .list = virfs_part_list,
                                         .find = virfs_part_find,
                                         .make = make_checkpoint,
                                         .remove = delete_checkpoint };

/* One of them. */

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsCheckpointInfo, member)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0750, .fields = F (BIRTH), .help = "a checkpoint" },
  { "created", S_IFREG | 0440, .fields = SHOW (virfs_show_time, CONFIG, created),
    .help = "when it was made" },
  { "parent", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, parent),
    .help = "the checkpoint that came before it" },
  { "description", S_IFREG | 0440, .fields = SHOW (virfs_show_text, CONFIG, description),
    .help = "a text" },
  { "xml", S_IFREG | 0440, .fields = SHOW (virfs_show_blob, XML, xml), .size = virfs_size_of_blob,
    .help = "libvirt's XML of it, with that of the guest as it was" },
};

VirfsClass virfs_checkpoint_files = {
  .path = "vms/<vm>/checkpoints/<checkpoint>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
