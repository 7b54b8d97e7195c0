/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving disks of a guest to another pool of its host. */
#include "move.h"

#include "access.h"
#include "disk_move.h"
#include "part_class.h"

/* What is to move: one disk of a guest, or all. */
typedef struct {
  VirfsVm *vm;             /* borrowed, as the next */
  const VirfsVmInfo *info; /* of the guest */
  const char *disk;        /* NULL: all that come along */
} Moving;

static gboolean
is_meant (const Moving *moving, const VirfsDiskInfo *disk)
{
  return moving->disk ? g_str_equal (disk->part.name, moving->disk) : virfs_move_comes_along (disk);
}

/* Each disk in turn; FALSE with ERROR for the first that cannot go to POOL (NULL: anywhere).
 * *N: how many would go, because they are not there. */
static gboolean
check (const Moving *moving, const VirfsPoolInfo *pool, guint *n, GError **error)
{
  GPtrArray *disks = moving->info->parts[VIRFS_VM_DISKS];

  *n = 0;
  for (guint i = 0; disks && i < disks->len; i++) {
    const VirfsDiskInfo *disk = disks->pdata[i];

    if (!is_meant (moving, disk) || (pool != NULL && virfs_move_is_there (disk, pool)))
      continue;
    if (!virfs_move_check_disk (moving->info, disk, error)
        || (pool != NULL && !virfs_move_check_pool (moving->info, disk, pool, error)))
      return FALSE;
    *n += 1;
  }
  return TRUE;
}

/* Showing. */

static void
show (const Moving *moving, GString *out)
{
  g_autoptr (VirfsHostInfo) host = virfs_host_info (moving->info->host);
  GPtrArray *pools = host->parts[VIRFS_HOST_POOLS];
  guint n;

  if (!check (moving, NULL, &n, NULL) || n == 0)
    return;
  for (guint i = 0; pools && i < pools->len; i++) {
    const VirfsPoolInfo *pool = pools->pdata[i];
    g_autofree char *label = virfs_part_label (&virfs_pool_class, pool->part.name);

    if (check (moving, pool, &n, NULL) && n > 0)
      g_string_append_printf (out, "%s\n", label);
  }
}

void
virfs_move_show_guest (const VirfsNode *node, GString *out)
{
  show (&(Moving){ node->object, node->snapshot, NULL }, out);
}

void
virfs_move_show_disk (const VirfsNode *node, GString *out)
{
  VirfsVm *vm = (VirfsVm *) virfs_part_root (node->object);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  show (&(Moving){ vm, info, ((VirfsPart *) node->object)->name }, out);
}

/* Moving. */

static gboolean
check_access (VirfsCall *call, const Moving *moving, VirfsPart *pool, GError **error)
{
  return virfs_access_check (call, moving->vm, VIRFS_MAY_WRITE, error)
         && virfs_access_check (call, pool, VIRFS_MAY_WRITE, error);
}

/* Of a move that nobody waits for. */
static void
report_end (VirfsJob *job, const GError *error, gpointer data)
{
  VirfsObject *vm = virfs_job_object (job);
  g_autofree char *path = virfs_object_path (vm);

  if (error != NULL)
    virfs_infra_report (vm->infra, vm, path, GPOINTER_TO_UINT (data), error);
}

static VirfsJob *
job_alone (VirfsCall *call, const Moving *moving, const char *operation)
{
  guint uid = virfs_call_uid (call);
  VirfsJobSpec spec = { .operation = operation,
                        .object = &moving->vm->object,
                        .host = &moving->info->host->object,
                        .uid = uid,
                        .done = report_end,
                        .data = GUINT_TO_POINTER (uid) };

  return virfs_job_new (moving->vm->object.infra, &spec);
}

static void
begin (VirfsCall *call, const Moving *moving, VirfsPart *pool, gboolean wait)
{
  g_autofree char *operation
    = g_strdup_printf ("move %s to %s", moving->disk ? moving->disk : "disks", pool->label);
  g_autoptr (VirfsJob) job
    = wait ? virfs_call_job (call, operation, moving->vm, moving->info->host, NULL)
           : job_alone (call, moving, operation);

  virfs_infra_backend (moving->vm->object.infra)
    ->disks_move (moving->vm, moving->disk, pool->name, job);
  if (!wait)
    virfs_call_finish (call, NULL);
}

static void
move_to (VirfsCall *call, const Moving *moving, VirfsPart *pool, gboolean wait)
{
  g_autoptr (VirfsPartInfo) known = virfs_part_info (pool);
  g_autoptr (GError) error = NULL;
  guint n;

  if (!check_access (call, moving, pool, &error)
      || !check (moving, (VirfsPoolInfo *) known, &n, &error) || n == 0)
    virfs_call_finish (call, error);
  else if (virfs_vm_check_settled (call, moving->vm))
    begin (call, moving, pool, wait);
}

static void
store (VirfsCall *call, const Moving *moving, const char *text)
{
  VirfsHost *host = moving->info->host;
  g_autoptr (VirfsPart) pool = virfs_infra_part (host->object.infra, host, &virfs_pool_class, text);

  if (pool != NULL)
    move_to (call, moving, pool, TRUE);
  else
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND,
                     "the host of the guest, %s, has no pool \"%s\"; read this file for those that"
                     " could take it",
                     host->name, text);
}

void
virfs_move_store_guest (VirfsCall *call, const VirfsNode *node, const char *text)
{
  store (call, &(Moving){ node->object, node->snapshot, NULL }, text);
}

void
virfs_move_store_disk (VirfsCall *call, const VirfsNode *node, const char *text)
{
  VirfsVm *vm = (VirfsVm *) virfs_part_root (node->object);
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  store (call, &(Moving){ vm, info, ((VirfsPart *) node->object)->name }, text);
}

/* mv.  The kernel holds both directories and all renames of the mount until it is answered, so
 * that is when the move has begun. */
void
virfs_move_disk_into (VirfsCall *call, const VirfsNode *dir, const char *name, const VirfsNode *to,
                      const char *new_name)
{
  g_autoptr (VirfsPart) disk = virfs_part_in (dir, name);
  const VirfsVmInfo *info = dir->snapshot;

  if (disk == NULL)
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no %s", name);
  else if (to->row->dir != &virfs_volumes_dir || !g_str_equal (name, new_name)
           || virfs_part_root (to->object) != (VirfsObject *) info->host)
    virfs_call_fail (call, VIRFS_ERROR_PERMITTED,
                     "a disk keeps its name, and moves into the volumes/ of another pool of the"
                     " guest's host, hosts/%s/pools/",
                     info->host->name);
  else
    move_to (call, &(Moving){ dir->object, info, disk->name }, to->object, FALSE);
}
