/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checksums of what a backup has: each qcow2 file is read once, in a thread of its own. */
#include "backup.h"

#include "infra.h"
#include "walk.h"

typedef struct {
  VirfsPart *backup; /* a reference, as the next */
  VirfsJob *job;
} Work;

static void
cancel (VirfsJob *job, gpointer data)
{
  /* it is looked at between two pieces */
}

static void
set_sum (gpointer info, gpointer text)
{
  virfs_ref_string_set (&((VirfsBackupDiskInfo *) info)->sha256, text);
}

static gboolean
sum_disk (Work *work, const VirfsBackupDiskInfo *disk, GError **error)
{
  VirfsInfra *infra = work->backup->object.infra;
  g_autofree char *label = virfs_part_label (&virfs_backup_disk_class, disk->part.name);
  g_autofree char *what = g_strdup_printf ("%s.qcow2", label);
  g_autoptr (VirfsSum) sum = virfs_sum_new ();
  g_autofree char *text = NULL;
  g_autoptr (VirfsPart) part = NULL;

  if (!virfs_walk (virfs_disk_view_open (disk->view, VIRFS_VIEW_QCOW2),
                   virfs_disk_view_size (disk->view, VIRFS_VIEW_QCOW2), what, work->job,
                   virfs_walk_add_to_sum, sum, error))
    return FALSE;
  text = virfs_sum_text (sum);
  part = virfs_infra_part (infra, work->backup, &virfs_backup_disk_class, label);
  if (part != NULL)
    virfs_infra_edit_part (infra, part, set_sum, text);
  return TRUE;
}

static gpointer
run (gpointer data)
{
  g_autofree Work *work = data;
  g_autoptr (VirfsPartInfo) info = virfs_part_info (work->backup);
  GError *error = NULL;

  if (virfs_job_start (work->job, cancel, NULL)) {
    for (guint i = 0; error == NULL && info->parts && i < info->parts->len; i++) {
      const VirfsBackupDiskInfo *disk = info->parts->pdata[i];

      if (disk->view != NULL)
        sum_disk (work, disk, &error);
    }
    virfs_job_finish (work->job, error);
  }
  virfs_object_unref (work->backup);
  virfs_object_unref (work->job);
  return NULL;
}

void
virfs_backup_sum (VirfsPart *backup, VirfsJob *job)
{
  Work *work = g_new (Work, 1);

  *work = (Work){ virfs_object_ref (backup), virfs_object_ref (job) };
  g_thread_unref (g_thread_new ("virfs-sum", run, work));
}
