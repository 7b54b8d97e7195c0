/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A volume that is written as a file of this machine, in whatever order. */
#include "image_file.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
fail (LvFile *self, const char *what, GError **error)
{
  VirfsError code = errno == ENOSPC || errno == EDQUOT  ? VIRFS_ERROR_NO_SPACE
                    : errno == EFBIG                    ? VIRFS_ERROR_TOO_BIG
                    : errno == EACCES || errno == EPERM ? VIRFS_ERROR_DENIED
                                                        : VIRFS_ERROR_FAILED;

  g_set_error (error, VIRFS_ERROR, code, "cannot %s %s in the pool %s of %s: %s", what, self->name,
               self->pool, self->host->name, g_strerror (errno));
  return FALSE;
}

static gboolean
direct_write (VirfsFile *file, guint64 offset, const guint8 *data, gsize length, GError **error)
{
  LvFile *self = (LvFile *) file;

  for (gsize done = 0; done < length;) {
    ssize_t n = pwrite (self->fd, data + done, length - done, (off_t) (offset + done));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail (self, "write to", error);
    done += (gsize) n;
  }
  self->size = MAX (self->size, offset + length);
  return TRUE;
}

static gboolean
direct_cut (VirfsFile *file, guint64 size, GError **error)
{
  LvFile *self = (LvFile *) file;

  if (ftruncate (self->fd, (off_t) size) < 0)
    return fail (self, "cut", error);
  self->size = size;
  return TRUE;
}

/* Where there can be no holes zeros are written. */
static gboolean
write_zeros (VirfsFile *file, guint64 offset, guint64 length, GError **error)
{
  static const guint8 zeros[64 * 1024];

  for (guint64 n; length > 0; offset += n, length -= n) {
    n = MIN (length, sizeof zeros);
    if (!direct_write (file, offset, zeros, (gsize) n, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
direct_zero (VirfsFile *file, guint64 offset, guint64 length, GError **error)
{
  LvFile *self = (LvFile *) file;
  guint64 within = offset < self->size ? MIN (length, self->size - offset) : 0;

  if (within > 0
      && fallocate (self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) offset,
                    (off_t) within)
           < 0)
    return write_zeros (file, offset, length, error);
  return offset + length <= self->size || direct_cut (file, offset + length, error);
}

static gssize
direct_read (VirfsFile *file, guint64 offset, guint8 *data, gsize length, GError **error)
{
  LvFile *self = (LvFile *) file;
  gsize done = 0;

  while (done < length) {
    ssize_t n = pread (self->fd, data + done, length - done, (off_t) (offset + done));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      fail (self, "read", error);
      return -1;
    }
    if (n == 0)
      break;
    done += (gsize) n;
  }
  return (gssize) done;
}

static gboolean
direct_flush (VirfsFile *file, gboolean disk, GError **error)
{
  LvFile *self = (LvFile *) file;

  return !disk || fsync (self->fd) == 0 || fail (self, "write to", error);
}

static void
direct_set_modified (VirfsFile *file, gint64 modified)
{
  struct timespec times[2]
    = { { .tv_nsec = UTIME_OMIT },
        { .tv_sec = modified / G_USEC_PER_SEC, .tv_nsec = modified % G_USEC_PER_SEC * 1000 } };

  if (futimens (((LvFile *) file)->fd, times) < 0)
    g_info ("the time of an image cannot be set: %s", g_strerror (errno));
}

static gboolean
direct_rename (VirfsFile *file, const char *name, GError **error)
{
  LvFile *self = (LvFile *) file;
  g_autofree char *directory = g_path_get_dirname (self->path);
  g_autofree char *path = g_build_filename (directory, name, NULL);

  /* who cannot tell of it had better not have it */
  if (!lv_file_reach (self, error))
    return FALSE;
  if (rename (self->path, path) < 0)
    return fail (self, "rename", error);
  g_free (self->path);
  self->path = g_steal_pointer (&path);
  lv_file_settle (self, name);
  LV (virStorageVolFree (g_steal_pointer (&self->volume))); /* it bears the old name */
  return TRUE;
}

const VirfsFileClass lv_direct_class = {
  .write = direct_write,
  .zero = direct_zero,
  .read = direct_read,
  .cut = direct_cut,
  .flush = direct_flush,
  .set_modified = direct_set_modified,
  .rename = direct_rename,
  .tell = lv_file_tell,
  .close = lv_file_close,
};
