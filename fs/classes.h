/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the tree: its classes, one for each kind of object, and what their files share. */
#pragma once

#include "call.h"
#include "index.h"
#include "infra.h"
#include "row.h"
#include "tree.h"

extern VirfsClass virfs_root_class;
extern VirfsClass virfs_host_class;
extern VirfsClass virfs_vm_class;
extern VirfsClass virfs_job_class;
extern VirfsClass virfs_tag_class; /* index.c, as the next */
extern VirfsClass virfs_owner_class;
extern VirfsClass virfs_image_class;
extern VirfsClass virfs_draft_files;

/* vms/, for the root's table (vms.c). */
extern const VirfsDir virfs_vms_dir;

/* Directories below by/, for the root's table (by.c). */
extern const VirfsDir virfs_by_state_dir; /* the row's offset is the state */
extern const VirfsDir virfs_by_host_dir;
extern const VirfsDir virfs_by_uuid_dir;
extern const VirfsDir
  virfs_by_index_dir; /* the row's offset is the VirfsIndexKey, as of the next */
extern const VirfsDir virfs_by_tag_dir;
extern const VirfsDir virfs_by_ip_dir;
/* The guests of a host, as links, for the host's tables. */
extern const VirfsDir virfs_host_vms_dir;

/* A VirfsBlob at the row's offset, and its exact size (show.c). */
void virfs_show_blob (const VirfsNode *node, GString *out);
gsize virfs_size_of_blob (const VirfsNode *node);

/* What README shows (help.c). */
void virfs_show_readme (const VirfsNode *node, GString *out);

/* How OBJECT is shown. */
const VirfsClass *virfs_class_of (gconstpointer object);

/* The one of its three classes that INDEX has. */
const VirfsClass *virfs_index_class (const VirfsIndex *index);

/* The inode number of a row of the root (id 0) or of an object. */
guint64 virfs_inode_at (const VirfsClass *class, gconstpointer object, const char *path);

static inline VirfsInfra *
virfs_node_infra (const VirfsNode *node)
{
  return ((VirfsObject *) node->object)->infra;
}

static inline const VirfsBackend *
virfs_node_backend (const VirfsNode *node)
{
  return virfs_infra_backend (virfs_node_infra (node));
}

/* A job for CALL, which ends with it; an interrupt of the call cancels the job.  Give it to the backend
 * and drop the reference.  OPERATION is copied. */
VirfsJob *virfs_call_job (VirfsCall *call, const char *operation, gpointer object, VirfsHost *host,
                          VirfsHost *target);

/* The same, but DONE is called with DATA at its end and has to finish CALL. */
VirfsJob *virfs_call_job_then (VirfsCall *call, const char *operation, gpointer object,
                               VirfsHost *host, VirfsJobDone done, gpointer data);

/* A guest that moves takes nothing else: its hypervisor would let us wait, and whoever wants something
 * of another guest of that host behind us.  FALSE: CALL has failed. */
gboolean virfs_vm_check_settled (VirfsCall *call, VirfsVm *vm);
/* The same for what goes with no claim of its disks of FROM or behind it (claim.h). */
gboolean virfs_vm_check_claims (VirfsCall *call, VirfsVm *vm, VirfsClaim from);

/* While a backup of it is open it can neither move nor have its disks changed: FALSE: CALL has failed. */
gboolean virfs_vm_check_no_backup (VirfsCall *call, const VirfsVmInfo *info);

/* A guest that is protected is neither stopped nor deleted: FALSE: CALL has failed, because of WHAT. */
gboolean virfs_vm_check_unprotected (VirfsCall *call, const VirfsVmInfo *info, const char *what);

/* What would take a guest out of its quarantine is refused: FALSE: CALL has failed, because of WHAT. */
gboolean virfs_vm_check_no_quarantine (VirfsCall *call, const VirfsVmInfo *info, const char *what);

/* Changes what is kept with VM; CALL ends with it. */
void virfs_vm_note (VirfsCall *call, VirfsVm *vm, const char *operation, const VirfsVmNote *note);

/* Moves VM to the host NAME; CALL ends with the migration, or when it has begun (WAIT FALSE). */
void virfs_vm_migrate (VirfsCall *call, VirfsVm *vm, const VirfsVmInfo *info, const char *name,
                       gboolean wait);

static inline void
virfs_release_none (gconstpointer snapshot)
{
}
