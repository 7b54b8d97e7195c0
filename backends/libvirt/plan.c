/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Going through the disks. */
#include "plan.h"

#include "connection.h"
#include "copy.h"
#include "error.h"
#include "fail.h"
#include "fit.h"
#include "gate.h"
#include "inventory.h"
#include "xml.h"

#include <stdlib.h>
#include <string.h>

static void
free_copy (gpointer data)
{
  LvCopy *copy = data;

  if (copy->made != NULL)
    virStorageVolFree (copy->made);
  lv_pool_free (copy->from);
  lv_pool_free (copy->to);
  g_free (copy->disk);
  g_free (copy->name);
  g_free (copy->path);
  g_free (copy->format);
  g_free (copy);
}

void
lv_plan_free (LvPlan *plan)
{
  if (plan == NULL)
    return;
  g_ptr_array_unref (plan->copies);
  g_free (plan->nvram);
  lv_task_unref (plan->task);
  g_free (plan);
}

static const char *
target_name (LvPlan *plan)
{
  return plan->task->target->connection->name;
}

static gboolean
is_planned (LvPlan *plan, const char *path)
{
  for (guint i = 0; i < plan->copies->len; i++)
    if (g_str_equal (((LvCopy *) plan->copies->pdata[i])->path, path))
      return TRUE;
  return FALSE;
}

/* A pool that was made for us is not shown, so nobody can remove anything there through us. */
static gboolean
check_free (LvPlan *plan, LvPool *to, const char *name, GError **error)
{
  g_autoptr (virStorageVol) there = lv_pool_fresh_volume (to, name);

  if (there == NULL)
    return TRUE;
  if (to->made == NULL)
    virfs_fit_refuse_volume (target_name (plan), to->name, name, error);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS,
                 "%s has another %s/%s already; remove it first", target_name (plan), to->made,
                 name);
  return FALSE;
}

static gboolean plan_backing (LvPlan *plan, virStorageVolPtr volume, GError **error);

/* The volume NAME of FROM has to be in TO; takes both. */
static gboolean
plan_copy (LvPlan *plan, const LvDisk *disk, virStorageVolPtr volume, LvPool *from, LvPool *to,
           GError **error)
{
  LvCopy *copy = g_new0 (LvCopy, 1);
  char *path = LV (virStorageVolGetPath (volume));

  copy->disk = g_strdup (disk->target);
  copy->name = g_strdup (virStorageVolGetName (volume));
  copy->path = g_strdup (path ? path : copy->name);
  copy->format = g_strdup (disk->format);
  copy->from = from;
  copy->to = to;
  free (path);
  g_ptr_array_add (plan->copies, copy);
  if (disk->encrypted) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s is encrypted and not on storage that both hosts share", copy->path);
    return FALSE;
  }
  if (!check_free (plan, to, copy->name, error))
    return FALSE;
  /* libvirt copies a running guest's disk with all that is below it */
  return plan->running || plan_backing (plan, volume, error);
}

/* A volume that both hosts have a pool for; takes the pools. */
static gboolean
plan_volume (LvPlan *plan, const LvDisk *disk, const char *name, LvPool *from_taken,
             LvPool *to_taken, GError **error)
{
  g_autoptr (LvPool) from = from_taken;
  g_autoptr (LvPool) to = to_taken;
  g_autoptr (virStorageVol) volume = lv_pool_fresh_volume (from, name);
  gboolean shared;

  if (volume == NULL) {
    /* a guest that does not run may name what is not there; then there is nothing to copy */
    if (!plan->running)
      return TRUE;
    return lv_fail (error, "cannot find %s on %s", name, plan->task->link->connection->name);
  }
  if (!lv_pool_compare (from, to, &shared, error))
    return FALSE;
  if (shared)
    return TRUE;
  return plan_copy (plan, disk, volume, g_steal_pointer (&from), g_steal_pointer (&to), error);
}

/* A file whose directory the other host does not have. */
static gboolean
plan_new_directory (LvPlan *plan, const LvDisk *disk, LvPool *from_taken, const char *directory,
                    GError **error)
{
  g_autoptr (LvPool) from = from_taken;
  g_autofree char *name = g_path_get_basename (disk->path);
  g_autoptr (virStorageVol) volume = lv_pool_fresh_volume (from, name);
  LvPool *to;

  if (volume == NULL)
    return !plan->running || lv_fail (error, "cannot find %s", disk->path);
  to = lv_pool_by_directory (&plan->task->there, directory, TRUE, error);
  return to && plan_copy (plan, disk, volume, g_steal_pointer (&from), to, error);
}

static gboolean
plan_file (LvPlan *plan, const LvDisk *disk, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (disk->path);
  g_autofree char *name = g_path_get_basename (disk->path);
  GError *missing = NULL;
  LvPool *from, *to;

  if (is_planned (plan, disk->path))
    return TRUE;
  from = lv_pool_by_directory (&plan->task->here, directory, FALSE, &missing);
  if (from == NULL) {
    gboolean ignore
      = !plan->running && g_error_matches (missing, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND);

    if (ignore)
      g_error_free (missing);
    else
      g_propagate_error (error, missing);
    return ignore;
  }
  to = lv_pool_by_directory (&plan->task->there, directory, FALSE, NULL);
  if (to == NULL)
    return plan_new_directory (plan, disk, from, directory, error);
  return plan_volume (plan, disk, name, from, to, error);
}

static gboolean
plan_pool (LvPlan *plan, const LvDisk *disk, GError **error)
{
  LvPool *from = lv_pool_by_name (&plan->task->here, disk->pool, error);
  LvPool *to = from ? lv_pool_by_name (&plan->task->there, disk->pool, error) : NULL;

  if (to != NULL)
    return plan_volume (plan, disk, disk->volume, from, to, error);
  lv_pool_free (from);
  return FALSE;
}

/* A block device can be shared, but is not seen to be: two hosts may call two of them the same.
 * One that is a volume of a pool is as shared as the pool. */
static gboolean
plan_block (LvPlan *plan, const LvDisk *disk, GError **error)
{
  g_autoptr (LvPool) from = lv_pool_by_path (&plan->task->here, disk->path, NULL);
  g_autoptr (LvPool) to = NULL;
  gboolean shared;

  plan->certain = FALSE;
  if (from != NULL)
    to = lv_pool_by_name (&plan->task->there, from->name, NULL);
  if (to != NULL)
    return lv_pool_compare (from, to, &shared, error);
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "cannot tell whether %s and %s share the block device %s: it is in no pool of both",
               plan->task->link->connection->name, target_name (plan), disk->path);
  return FALSE;
}

/* Another machine has it. */
static gboolean
plan_network (LvPlan *plan, const LvDisk *disk, GError **error)
{
  return TRUE;
}

static const struct {
  const char *type;
  gboolean (*plan) (LvPlan *plan, const LvDisk *disk, GError **error);
} kinds[] = {
  { "file", plan_file },
  { "volume", plan_pool },
  { "block", plan_block },
  { "network", plan_network },
};

static gboolean
plan_disk (LvPlan *plan, const LvDisk *disk, GError **error)
{
  /* what is only read and not there makes libvirt refuse, and says what is missing */
  if (disk->readonly)
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strcmp0 (disk->type, kinds[i].type) == 0)
      return kinds[i].plan (plan, disk, error);
  plan->certain = FALSE;
  return TRUE;
}

static gboolean
plan_backing (LvPlan *plan, virStorageVolPtr volume, GError **error)
{
  char *xml = LV (virStorageVolGetXMLDesc (volume, 0));
  LvDisk backing = { .type = (char *) "file" };
  gboolean ok;

  backing.path = xml ? lv_xml_volume_backing (xml) : NULL;
  free (xml);
  ok = backing.path == NULL || *backing.path != '/' || plan_file (plan, &backing, error);
  g_free (backing.path);
  return ok;
}

/* Whether the other host is seen to have no such file as its NVRAM now. */
static gboolean
lacks_nvram (LvPlan *plan)
{
  g_autofree char *directory = g_path_get_dirname (plan->nvram);
  g_autofree char *name = g_path_get_basename (plan->nvram);
  g_autoptr (LvPool) to = lv_pool_by_directory (&plan->task->there, directory, FALSE, NULL);
  g_autoptr (virStorageVol) there = NULL;

  if (to == NULL || LV (virStoragePoolRefresh (to->pool, 0)) < 0)
    return FALSE;
  there = LV (virStorageVolLookupByName (to->pool, name));
  return there == NULL && lv_last_code () == VIR_ERR_NO_STORAGE_VOL;
}

LvPlan *
lv_plan_new (LvTask *task, const char *xml, gboolean running, GError **error)
{
  g_autoptr (LvPlan) plan = g_new0 (LvPlan, 1);
  g_autoptr (GPtrArray) disks = lv_xml_read_disks (xml);
  g_autoptr (LvDisk) nvram = lv_xml_read_nvram (xml);

  plan->task = lv_task_ref (task);
  plan->running = running;
  plan->copies = g_ptr_array_new_with_free_func (free_copy);
  plan->certain = TRUE;
  plan->nvram = nvram ? g_strdup (nvram->path) : NULL;
  for (guint i = 0; i < disks->len; i++)
    if (!plan_disk (plan, disks->pdata[i], error))
      return NULL;
  /* that of a running guest comes with its memory */
  if (nvram != NULL && !running && !plan_disk (plan, nvram, error))
    return NULL;
  plan->nvram_new = nvram != NULL && running && lacks_nvram (plan);
  return g_steal_pointer (&plan);
}

/* Carrying it out. */

static gboolean
make_volume (LvPlan *plan, LvCopy *copy, virDomainPtr domain, GError **error)
{
  g_autoptr (virStorageVol) volume = lv_pool_fresh_volume (copy->from, copy->name);
  virDomainBlockInfo info;
  g_autofree char *wanted = NULL;
  char *xml;

  if (volume == NULL || LV (virDomainGetBlockInfo (domain, copy->disk, &info, 0)) < 0)
    return lv_fail (error, "cannot tell the size of %s", copy->path);
  xml = LV (virStorageVolGetXMLDesc (volume, 0));
  wanted = xml ? lv_xml_copy_volume (xml, copy->format, info.capacity) : NULL;
  free (xml);
  copy->made = wanted ? LV (virStorageVolCreateXML (copy->to->pool, wanted, 0)) : NULL;
  return copy->made || lv_fail (error, "cannot make %s on %s", copy->path, target_name (plan));
}

gboolean
lv_plan_make (LvPlan *plan, virDomainPtr domain, GError **error)
{
  for (guint i = 0; i < plan->copies->len; i++)
    if (!make_volume (plan, plan->copies->pdata[i], domain, error))
      return FALSE;
  return TRUE;
}

gboolean
lv_plan_copy (LvPlan *plan, GError **error)
{
  return lv_copy_files (plan->task, plan->copies, error);
}

void
lv_plan_show (LvPlan *plan)
{
  LvTask *task = plan->task;

  for (guint i = 0; i < plan->copies->len; i++) {
    const LvCopy *copy = plan->copies->pdata[i];

    if (copy->made != NULL && copy->to->made == NULL)
      lv_inventory_refresh (task->target, task->there.conn, copy->to->name, NULL);
  }
}

void
lv_plan_undo (LvPlan *plan)
{
  for (guint i = 0; i < plan->copies->len; i++) {
    LvCopy *copy = plan->copies->pdata[i];

    if (copy->made != NULL)
      LV (virStorageVolDelete (copy->made, 0));
  }
}

/* The guest's directory of it on both hosts, if these are two. */
static gboolean
find_nvram (LvPlan *plan, LvPool **from, LvPool **to)
{
  g_autofree char *directory = g_path_get_dirname (plan->nvram);
  gboolean shared = TRUE;

  *from = lv_pool_by_directory (&plan->task->here, directory, FALSE, NULL);
  *to = lv_pool_by_directory (&plan->task->there, directory, FALSE, NULL);
  return *from && *to && lv_pool_compare (*from, *to, &shared, NULL) && !shared;
}

static void
note_removed (LvPlan *plan)
{
  for (guint i = 0; i < plan->copies->len; i++) {
    LvCopy *copy = plan->copies->pdata[i];

    copy->removed |= g_str_equal (copy->path, plan->nvram);
  }
}

/* The other host has it only since the guest is there.  That it does not see what is made here would not do: a
 * share may show that later, and then both names are one file. */
static gboolean
has_new_nvram (LvPlan *plan)
{
  for (guint i = 0; i < plan->copies->len; i++) {
    const LvCopy *copy = plan->copies->pdata[i];

    if (copy->made != NULL && g_str_equal (copy->path, plan->nvram))
      return TRUE;
  }
  return plan->nvram_new;
}

static gboolean
is_gone (LvPlan *plan)
{
  LvTask *task = plan->task;
  g_autoptr (virDomain) here = LV (virDomainLookupByUUIDString (task->here.conn, task->uuid));

  return here == NULL && lv_last_code () == VIR_ERR_NO_DOMAIN;
}

void
lv_plan_remove_nvram (LvPlan *plan)
{
  g_autofree char *name = plan->nvram ? g_path_get_basename (plan->nvram) : NULL;
  g_autoptr (LvPool) from = NULL;
  g_autoptr (LvPool) to = NULL;
  g_autoptr (virStorageVol) old = NULL, there = NULL;

  if (name == NULL || !has_new_nvram (plan) || !is_gone (plan) || !find_nvram (plan, &from, &to))
    return;
  there = lv_pool_fresh_volume (to, name);
  old = there ? lv_pool_fresh_volume (from, name) : NULL;
  if (old != NULL && LV (virStorageVolDelete (old, 0)) == 0)
    note_removed (plan);
}

void
lv_plan_tell_left (LvPlan *plan, LvLink *where)
{
  LvTask *task = plan->task;

  for (guint i = 0; i < plan->copies->len; i++) {
    LvCopy *copy = plan->copies->pdata[i];
    g_autofree char *details
      = virfs_event_details ("host", where->connection->name, "path", copy->path, NULL);

    if (!copy->removed && (copy->made != NULL || where == task->link))
      lv_gate_tell_event (where == task->link ? task->target : task->link, task->uuid,
                          "left-behind", details);
  }
}
