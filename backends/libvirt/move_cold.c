/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks of a guest that is shut off.  A file is copied byte by byte, through us, so that all that
 * is in it comes along (bitmaps of checkpoints, the name of what it is on top of) and it can be
 * stopped; one that has to become another, because the pool has no files or that name would mean
 * nothing there, is made by the host, which cannot be stopped.
 */
#include "move_work.h"

#include "connection.h"
#include "copy.h"
#include "define.h"
#include "error.h"
#include "fail.h"
#include "image_header.h"
#include "operate.h"

gboolean
lv_move_is_relative (virStorageVolPtr volume)
{
  g_autofree guint8 *bytes = g_malloc (VIRFS_IMAGE_HEADER_BYTES);
  g_autoptr (virStream) stream = LV (virStreamNew (virStorageVolGetConnect (volume), 0));
  g_auto (VirfsImageHeader) header = { 0 };
  gsize length = 0;
  int n = -1;

  if (stream == NULL
      || LV (virStorageVolDownload (volume, stream, 0, VIRFS_IMAGE_HEADER_BYTES, 0)) < 0)
    return TRUE;
  while (
    length < VIRFS_IMAGE_HEADER_BYTES
    && (n = LV (virStreamRecv (stream, (char *) bytes + length, VIRFS_IMAGE_HEADER_BYTES - length)))
         > 0)
    length += (gsize) n;
  LV (virStreamAbort (stream));
  return n < 0 || !virfs_image_header_parse (bytes, length, G_MAXINT64, &header, NULL)
         || (header.backing != NULL && !g_path_is_absolute (header.backing));
}

static gboolean
check_copyable (LvMoveDisk *disk, GError **error)
{
  g_autoptr (VirfsVmInfo) guest = virfs_vm_info (disk->task->vm);
  GPtrArray *checkpoints = guest->parts[VIRFS_VM_CHECKPOINTS];

  if (disk->old == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "%s of %s is in no pool of its host, and can be copied only while the guest runs:"
                 " start it first",
                 disk->record.disk, disk->task->name);
  else if (checkpoints != NULL && checkpoints->len > 0 && lv_move_is_by_host (disk))
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
      "%s of %s would lose its checkpoints, because it has to become another image: start"
      " the guest first, then they come along",
      disk->record.disk, disk->task->name);
  else
    return TRUE;
  return FALSE;
}

static gboolean
copy_by_host (LvMoveDisk *disk, LvPool *pool, GError **error)
{
  gboolean ok;

  lv_task_allow_cancel (disk->task, FALSE);
  ok = lv_move_make_copy (disk, pool, error);
  lv_task_allow_cancel (disk->task, TRUE);
  return ok;
}

static gboolean
copy_disk (LvMoveDisk *disk, LvPool *pool, GError **error)
{
  LvMove *move = disk->task->move;
  guint64 total = 0;

  if (lv_move_is_by_host (disk))
    return copy_by_host (disk, pool, error);
  for (guint i = 0; i < move->disks->len; i++)
    total += ((LvMoveDisk *) move->disks->pdata[i])->allocation;
  return lv_copy_volume (disk->task, disk->record.from, disk->old, disk->made, &move->done, total,
                         error);
}

static char *
edit (const char *xml, gconstpointer data)
{
  const GPtrArray *disks = data;
  char *edited = g_strdup (xml);

  for (guint i = 0; edited && i < disks->len; i++) {
    g_autofree char *before = edited;

    edited = lv_move_edit (before, &((LvMoveDisk *) disks->pdata[i])->record, FALSE);
  }
  return edited;
}

/* It has written to what was copied then, also if it is off again. */
static gboolean
was_started (LvTask *task)
{
  GPtrArray *disks = task->move->disks;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&task->lock);

  for (guint i = 0; i < disks->len; i++)
    if (((LvMoveDisk *) disks->pdata[i])->started)
      return TRUE;
  return FALSE;
}

/* Somebody else may have started it, while its disks were copied. */
static gboolean
check_off (LvTask *task, virDomainPtr domain, GError **error)
{
  LvFacts facts;

  if (!lv_domain_ask_facts (domain, &facts))
    return lv_fail (error, "cannot tell the state of %s", task->name);
  if (!virfs_vm_state_active (facts.state) && !was_started (task))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
               "%s was started while its disks were copied: they stay where they are", task->name);
  return FALSE;
}

/* And may have given it other disks. */
static gboolean
check_same (LvTask *task, virDomainPtr domain, GError **error)
{
  GPtrArray *disks = task->move->disks;

  for (guint i = 0; i < disks->len; i++) {
    const LvMoveRecord *record = &((LvMoveDisk *) disks->pdata[i])->record;

    if (lv_move_names_old (domain, record))
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "%s of %s was changed while it was copied, and is no longer %s: nothing was moved",
                 record->disk, task->name, record->from);
    return FALSE;
  }
  return TRUE;
}

/* All of them at once.  Who started it in between has the old ones: that is settled then. */
static gboolean
redefine (LvTask *task, virDomainPtr domain, GError **error)
{
  if (!check_off (task, domain, error) || !check_same (task, domain, error)
      || !lv_move_keep_phase (task, LV_MOVE_REDEFINING, error))
    return FALSE;
  if (lv_redefine (task, domain, edit, task->move->disks) < 0)
    return lv_fail (error, "cannot change the definition of %s", task->name);
  return check_off (task, domain, error);
}

gboolean
lv_move_cold (LvTask *task, virDomainPtr domain, LvPool *pool, GError **error)
{
  GPtrArray *disks = task->move->disks;
  gboolean ok;

  /* from now on it is told if it is started */
  if (!check_off (task, domain, error))
    return FALSE;
  for (guint i = 0; i < disks->len; i++)
    if (!check_copyable (disks->pdata[i], error))
      return FALSE;
  for (guint i = 0; i < disks->len; i++)
    if (!copy_disk (disks->pdata[i], pool, error))
      return FALSE;
  lv_task_allow_cancel (task, FALSE);
  if (lv_task_is_cancelled (task)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED,
                 "cancelled: the disks of %s stay where they are", task->name);
    return FALSE;
  }
  lv_operate_take_turn (task->uuid);
  ok = redefine (task, domain, error);
  lv_operate_end_turn (task->uuid);
  return ok;
}
