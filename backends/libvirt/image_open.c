/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Volumes as files of this machine. */
#include "image_open.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "inventory.h"
#include "operate.h"
#include "uri.h"
#include "xml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* TEXT is `SECONDS.NANOSECONDS`, or `SECONDS`. */
static gboolean
is_time (const char *text, const struct timespec *time)
{
  g_autofree char *whole = g_strdup_printf ("%lld", (long long) time->tv_sec);
  g_autofree char *both = g_strdup_printf ("%lld.%09ld", (long long) time->tv_sec, time->tv_nsec);

  return text && (g_str_equal (text, both) || (time->tv_nsec == 0 && g_str_equal (text, whole)));
}

/* Not to wait for a pipe that somebody has put there. */
static int
open_file (const char *path, int flags, struct stat *st)
{
  int fd = open (path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

  if (fd >= 0 && (fstat (fd, st) < 0 || !S_ISREG (st->st_mode))) {
    close (fd);
    return -1;
  }
  return fd;
}

static int
open_same (const VirfsVolumeInfo *volume, int flags)
{
  struct stat st;
  int fd;

  if (volume->path == NULL || volume->touched == NULL || g_strcmp0 (volume->type, "file") != 0)
    return -1;
  fd = open_file (volume->path, flags, &st);
  if (fd >= 0
      && (!is_time (volume->touched, &st.st_ctim) || (guint64) st.st_size != volume->length)) {
    close (fd);
    return -1;
  }
  return fd;
}

int
lv_image_open_known (const VirfsVolumeInfo *volume)
{
  return open_same (volume, O_RDONLY);
}

char *
lv_volume_file (VirfsPart *volume)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (volume);
  g_autoptr (LvLink) link = lv_host_link ((VirfsHost *) virfs_part_root (volume), NULL);
  int fd = link && !link->uri->streams ? lv_image_open_known ((VirfsVolumeInfo *) info) : -1;

  if (fd < 0)
    return NULL;
  close (fd);
  return g_strdup (((VirfsVolumeInfo *) info)->path);
}

int
lv_image_open (LvLink *link, virStorageVolPtr volume, int flags, char **path)
{
  /* asking for it makes the host look at it */
  char *xml = link->uri->streams ? NULL : LV (virStorageVolGetXMLDesc (volume, 0));
  g_autoptr (VirfsPartInfo) info = xml ? (VirfsPartInfo *) lv_xml_read_volume (xml) : NULL;
  int fd = info ? open_same ((VirfsVolumeInfo *) info, flags) : -1;

  *path = fd >= 0 ? g_strdup (((VirfsVolumeInfo *) info)->path) : NULL;
  free (xml);
  return fd;
}

/* Renaming. */

static gboolean
rename_file (LvTask *task, virStorageVolPtr volume, GError **error)
{
  g_autofree char *path = NULL, *directory = NULL, *target = NULL;
  int fd = lv_image_open (task->link, volume, O_RDONLY, &path);

  if (fd < 0) {
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_CROSS,
      "%s cannot be reached from here, and libvirt cannot rename volumes: it can be copied",
      task->name);
    return FALSE;
  }
  close (fd);
  directory = g_path_get_dirname (path);
  target = g_build_filename (directory, task->text, NULL);
  if (rename (path, target) == 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, errno == EACCES ? VIRFS_ERROR_DENIED : VIRFS_ERROR_FAILED,
               "cannot rename %s: %s", task->name, g_strerror (errno));
  return FALSE;
}

static LvOutcome
run_rename (LvTask *task, GError **error)
{
  const char *owner = ((VirfsPart *) task->part->owner)->name;
  g_autoptr (virStoragePool) pool = LV (virStoragePoolLookupByName (task->here.conn, owner));
  g_autoptr (virStorageVol) volume
    = pool ? LV (virStorageVolLookupByName (pool, task->name)) : NULL;
  gboolean ok;

  if (volume == NULL) {
    lv_fail (error, "cannot find the volume %s in %s", task->name, owner);
    return LV_FAILED;
  }
  ok = rename_file (task, volume, error);
  if (ok)
    LV (virStoragePoolRefresh (pool, 0));
  lv_inventory_refresh (task->link, task->here.conn, owner, task->text);
  return ok ? LV_DONE : LV_FAILED;
}

void
lv_volume_rename (VirfsPart *volume, const char *name, VirfsJob *job)
{
  lv_task_do (volume, job, LV_LANE_SHORT, run_rename, &(LvPartWork){ .text = name });
}
