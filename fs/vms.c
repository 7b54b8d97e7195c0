/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/: all guests and drafts.  mkdir makes a draft, rmdir undefines a guest, mv renames it. */
#include "draft.h"

#include "access.h"
#include "kept.h"
#include "make.h"
#include "part_class.h"

static void
add_vm (VirfsVm *vm, const VirfsVmInfo *info, gpointer listing)
{
  virfs_listing_add (listing, info->label, virfs_inode_at (&virfs_vm_class, vm, ""), S_IFDIR);
}

static void
add_draft (VirfsPart *draft, gpointer listing)
{
  virfs_listing_add (listing, draft->label, virfs_inode_at (&virfs_draft_files, draft, ""),
                     S_IFDIR);
}

static void
list (const VirfsNode *dir, VirfsListing *listing)
{
  virfs_infra_foreach_vm (virfs_node_infra (dir), NULL, add_vm, listing);
  virfs_infra_foreach_draft (virfs_node_infra (dir), add_draft, listing);
}

static VirfsPart *
find_draft (const VirfsNode *dir, const char *name)
{
  return virfs_infra_part (virfs_node_infra (dir), dir->object, &virfs_draft_class, name);
}

static guint64
find (const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);
  g_autoptr (VirfsPart) draft = vm ? NULL : find_draft (dir, name);

  if (vm != NULL)
    return virfs_inode_at (&virfs_vm_class, vm, "");
  return draft ? virfs_inode_at (&virfs_draft_files, draft, "") : 0;
}

static void
make (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsPart) draft = virfs_infra_make_draft (
    virfs_node_infra (dir), name, virfs_call_uid (call), virfs_call_gid (call), &error);

  virfs_call_finish (call, error);
}

static void
end_removal (VirfsCall *call, VirfsPart *draft, gpointer data, const GError *failure)
{
  VirfsInfra *infra = draft->object.infra;
  g_autoptr (GError) error = NULL;

  virfs_infra_end_making (infra, draft, FALSE);
  if (failure == NULL)
    virfs_infra_remove_draft (infra, draft, &error);
  virfs_call_finish (call, failure ? failure : error);
}

/* With what is left of attempts to make a guest of it. */
static void
remove_draft (VirfsCall *call, const VirfsNode *dir, VirfsPart *draft)
{
  g_autoptr (GError) error = NULL;

  if (virfs_access_check (call, draft, VIRFS_MAY_WRITE, &error)
      && virfs_infra_begin_making (virfs_node_infra (dir), draft, &error))
    virfs_make_clean (call, draft, end_removal, NULL);
  else
    virfs_call_finish (call, error);
}

static void
end_undefine (VirfsJob *job, const GError *error, gpointer call)
{
  VirfsVm *vm = (VirfsVm *) virfs_job_object (job);

  if (error == NULL)
    virfs_infra_forget_kept (vm->object.infra, vm->uuid);
  virfs_call_finish (call, error);
}

static void
undefine (VirfsCall *call, VirfsVm *vm, const char *name)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  gboolean purge = virfs_vm_info_purge (info);
  g_autoptr (VirfsJob) job = NULL;
  g_autoptr (GError) error = NULL;

  if (!virfs_access_check (call, vm, VIRFS_MAY_WRITE, &error)) {
    virfs_call_finish (call, error);
    return;
  }
  if (!virfs_vm_check_unprotected (call, info, "rmdir"))
    return;
  if (virfs_vm_state_active (info->state)) {
    virfs_call_fail (call, VIRFS_ERROR_BUSY,
                     "%s is %s; write shutoff to vms/%s/state, or destroy to its ctl, first", name,
                     virfs_vm_state_name (info->state), name);
  } else if (virfs_vm_check_claims (call, vm, VIRFS_CLAIM_READ)) {
    job = virfs_call_job_then (call, purge ? "purge" : "undefine", vm, info->host, end_undefine,
                               call);
    virfs_infra_backend (vm->object.infra)->vm_undefine (vm, purge, job);
  }
}

static void
remove (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);
  g_autoptr (VirfsPart) draft = vm ? NULL : find_draft (dir, name);

  if (vm != NULL)
    undefine (call, vm, name);
  else if (draft != NULL)
    remove_draft (call, dir, draft);
  else
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "no guest is named \"%s\"", name);
}

static void
rename_vm (VirfsCall *call, VirfsVm *vm, const char *name)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsJob) job = NULL;

  if (!virfs_access_check (call, vm, VIRFS_MAY_WRITE, &error)
      || !virfs_infra_check_vm_name (vm->object.infra, name, &error)) {
    virfs_call_finish (call, error);
  } else if (virfs_vm_check_settled (call, vm)) {
    job = virfs_call_job (call, "rename", vm, info->host, NULL);
    virfs_infra_backend (vm->object.infra)->vm_rename (vm, name, job);
  }
}

static void
rename_draft (VirfsCall *call, const VirfsNode *dir, VirfsPart *draft, const char *name)
{
  g_autoptr (GError) error = NULL;

  if (virfs_access_check (call, draft, VIRFS_MAY_WRITE, &error))
    virfs_infra_rename_draft (virfs_node_infra (dir), draft, name, &error);
  virfs_call_finish (call, error);
}

static void
move (VirfsCall *call, const VirfsNode *dir, const char *name, const VirfsNode *to,
      const char *new_name)
{
  g_autoptr (VirfsVm) vm = virfs_infra_vm (virfs_node_infra (dir), name);
  g_autoptr (VirfsPart) draft = vm ? NULL : find_draft (dir, name);

  if (to->row != dir->row)
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED,
                     "a guest stays in vms/; to move it, write a host to its migrate, or mv it from"
                     " one host's vms/ to another's");
  else if (vm != NULL)
    rename_vm (call, vm, new_name);
  else if (draft != NULL)
    rename_draft (call, dir, draft, new_name);
  else
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "no guest is named \"%s\"", name);
}

const VirfsDir virfs_vms_dir = {
  .list = list,
  .find = find,
  .make = make,
  .remove = remove,
  .move = move,
};
