/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests that go, with their disks or without, and that get another name. */
#include "claim.h"
#include "connection.h"
#include "create.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "inventory.h"
#include "operate.h"
#include "storage.h"
#include "volume_use.h"
#include "xml.h"

#include <stdlib.h>

/* What libvirt keeps of a guest beside its definition. */
#define ALL_FLAGS                                                                                  \
  (VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA                       \
   | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_NVRAM)
#define PLAIN_FLAGS (VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)

static gboolean
undefine (virDomainPtr domain)
{
  if (LV (virDomainUndefineFlags (domain, ALL_FLAGS)) == 0)
    return TRUE;
  if (!lv_last_refused_flags ())
    return FALSE;
  return LV (virDomainUndefineFlags (domain, PLAIN_FLAGS)) == 0
         || (lv_last_missing () && LV (virDomainUndefine (domain)) == 0);
}

/* Purging. */

static virStorageVolPtr
find_volume (LvTask *task, const LvDisk *disk, GPtrArray *pools)
{
  LvPool *pool = disk->pool ? lv_pool_by_name (&task->here, disk->pool, NULL)
                            : lv_pool_by_path (&task->here, disk->path, NULL);
  g_autofree char *name = NULL;

  if (pool == NULL)
    return NULL;
  g_ptr_array_add (pools, pool);
  name = disk->pool ? g_strdup (disk->volume) : g_path_get_basename (disk->path);
  return lv_pool_fresh_volume (pool, name);
}

/* A disk that is shared or only read may be another's too. */
static gboolean
is_own (const LvDisk *disk)
{
  if (disk->path == NULL && disk->pool == NULL)
    return FALSE;
  return disk->seed || (!disk->readonly && !disk->shareable);
}

/* Paths of those that are in no pool are added to LEFT. */
static GPtrArray *
own_volumes (LvTask *task, virDomainPtr domain, GPtrArray *pools, GPtrArray *left)
{
  GPtrArray *volumes = lv_take_volumes (NULL, 0);
  char *xml = LV (virDomainGetXMLDesc (domain, VIR_DOMAIN_XML_INACTIVE));
  g_autoptr (GPtrArray) disks = xml ? lv_xml_read_disks (xml) : NULL;

  for (guint i = 0; disks && i < disks->len; i++) {
    const LvDisk *disk = disks->pdata[i];
    virStorageVolPtr volume = is_own (disk) ? find_volume (task, disk, pools) : NULL;

    if (volume != NULL)
      g_ptr_array_add (volumes, volume);
    else if (is_own (disk) && disk->path != NULL)
      g_ptr_array_add (left, g_strdup (disk->path));
  }
  free (xml);
  return volumes;
}

/* A file that nobody has put into a pool is not ours to remove.  The guest was at PATH, and an event may have told
 * already that it is gone. */
static void
tell_left (LvTask *task, const char *path, GPtrArray *left)
{
  for (guint i = 0; i < left->len; i++) {
    g_autofree char *details = virfs_event_details ("host", task->link->connection->name, "path",
                                                    (const char *) left->pdata[i], NULL);

    lv_gate_tell_event_at (task->link, path, "left-behind", details);
  }
}

static gboolean
check_use (LvTask *task, virStorageVolPtr volume, GError **error)
{
  g_autofree char *user = NULL;
  LvUse use = lv_volume_use (task->link, task->uuid, volume, &user);
  const char *name = virStorageVolGetName (volume);

  if (use == LV_USE_OTHER)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "the disk %s of %s is used by %s; write keep to ctl to leave the disks", name,
                 task->name, user);
  else if (use == LV_USE_UNKNOWN)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "it cannot be told now who uses the disk %s of %s: its volume is not known in"
                 " pools/, or another there could not be read; try again, or write keep to ctl to"
                 " leave the disks",
                 name, task->name);
  return use == LV_USE_NONE;
}

/* Asked before anything is done. */
static gboolean
check_unused (LvTask *task, GPtrArray *volumes, GError **error)
{
  if (volumes->len > 0 && !lv_volumes_look (task->link, task->here.conn)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "it cannot be told now who uses the disks of %s, because a pool of %s is busy: try"
                 " again, or write keep to ctl to leave the disks",
                 task->name, task->link->connection->name);
    return FALSE;
  }
  for (guint i = 0; i < volumes->len; i++)
    if (!check_use (task, volumes->pdata[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
delete_volume (LvTask *task, virStorageVolPtr volume, GError **error)
{
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByVolume (volume));

  if (LV (virStorageVolDelete (volume, 0)) < 0)
    return lv_fail (error, "%s is gone, but its volume %s cannot be removed", task->name,
                    lv_volume_name (volume));
  if (pool != NULL)
    lv_inventory_refresh (task->link, task->here.conn, virStoragePoolGetName (pool), NULL);
  return TRUE;
}

static gboolean
delete_volumes (LvTask *task, GPtrArray *volumes, GError **error)
{
  gboolean ok = TRUE;

  /* one that cannot be removed is no reason to leave the others */
  for (guint i = 0; i < volumes->len; i++)
    ok = delete_volume (task, volumes->pdata[i], ok ? error : NULL) && ok;
  return ok;
}

static gboolean
check_off (LvTask *task, const LvFacts *facts, GError **error)
{
  if (!virfs_vm_state_active (facts->state))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s is %s; shut it off first", task->name,
               virfs_vm_state_name (facts->state));
  return FALSE;
}

/* Somebody else may have started it while the pools were looked at. */
static gboolean
check_still_off (LvTask *task, virDomainPtr domain, GError **error)
{
  LvFacts facts;

  if (!lv_domain_ask_facts (domain, &facts))
    return lv_fail (error, "cannot tell the state of %s", task->name);
  return check_off (task, &facts, error);
}

static gboolean
undefine_alone (LvTask *task, virDomainPtr domain, GError **error)
{
  gboolean ok = undefine (domain) || lv_fail (error, "cannot undefine %s", task->name);

  lv_task_refresh (task);
  return ok;
}

static gboolean
purge (LvTask *task, virDomainPtr domain, GError **error)
{
  g_autoptr (GPtrArray) pools = g_ptr_array_new_with_free_func ((GDestroyNotify) lv_pool_free);
  g_autoptr (GPtrArray) left = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) volumes = own_volumes (task, domain, pools, left);
  g_autofree char *path = virfs_object_path (task->vm);
  gboolean ok;

  if (!check_unused (task, volumes, error) || !check_still_off (task, domain, error))
    return FALSE;
  ok = undefine (domain) || lv_fail (error, "cannot undefine %s", task->name);
  if (ok)
    tell_left (task, path, left);
  ok = ok && delete_volumes (task, volumes, error);
  lv_task_refresh (task);
  return ok;
}

static gboolean
purge_claimed (LvTask *task, virDomainPtr domain, GError **error)
{
  gboolean ok;

  if (!virfs_claim_begin (task->vm, VIRFS_CLAIM_PURGE, task->job, error))
    return FALSE;
  ok = purge (task, domain, error);
  virfs_claim_end (task->vm, task->job);
  return ok;
}

static LvOutcome
run_undefine (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);

  if (domain == NULL || !check_off (task, &facts, error))
    return LV_FAILED;
  return (task->number ? purge_claimed : undefine_alone) (task, domain, error) ? LV_DONE
                                                                               : LV_FAILED;
}

void
lv_vm_undefine (VirfsVm *vm, gboolean with_disks, VirfsJob *job)
{
  /* all that is in all pools is looked at */
  LvTask *task = lv_task_new (vm, job, with_disks ? LV_LANE_LONG : LV_LANE_SHORT, run_undefine);

  if (task == NULL)
    return;
  task->number = with_disks;
  lv_task_submit (task);
}

/* Renaming. */

static LvOutcome
run_rename (LvTask *task, GError **error)
{
  LvFacts facts;
  g_autoptr (virDomain) domain = lv_operate_on (task, &facts, error);

  if (domain == NULL)
    return LV_FAILED;
  if (virfs_vm_state_active (facts.state)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "%s is %s; a guest gets another name only while it is shut off", task->name,
                 virfs_vm_state_name (facts.state));
    return LV_FAILED;
  }
  if (LV (virDomainRename (domain, task->text, 0)) < 0) {
    lv_fail (error, "cannot rename %s to %s", task->name, task->text);
    return LV_FAILED;
  }
  lv_task_refresh (task);
  return LV_DONE;
}

void
lv_vm_rename (VirfsVm *vm, const char *name, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run_rename);

  if (task == NULL)
    return;
  task->text = g_strdup (name);
  lv_task_submit (task);
}
