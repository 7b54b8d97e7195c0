/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of the fake's volumes, in a directory of the test: HOST:VOLUME each.  A host whose name begins
 * with `far` cannot rename them.
 */
#include "fake_image.h"

#include "content.h"
#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *virfs_fake_images;
guint64 virfs_fake_room = G_MAXUINT64;

typedef struct {
  VirfsFile file;
  VirfsHost *host;
  char *name; /* of the volume; NULL: not yet */
  char *path;
  int fd;
} Fake;

static char *
path_of (VirfsHost *host, const char *name)
{
  g_autofree char *base = g_strdup_printf ("%s:%s", host->name, name);

  return g_build_filename (virfs_fake_images, base, NULL);
}

static gboolean
fail (GError **error)
{
  g_set_error (error, VIRFS_ERROR, errno == ENOSPC ? VIRFS_ERROR_NO_SPACE : VIRFS_ERROR_FAILED,
               "%s", g_strerror (errno));
  return FALSE;
}

static gboolean
fake_write (VirfsFile *file, guint64 offset, const guint8 *data, gsize length, GError **error)
{
  if (offset + length > __atomic_load_n (&virfs_fake_room, __ATOMIC_ACQUIRE)) {
    errno = ENOSPC;
    return fail (error);
  }
  return pwrite (((Fake *) file)->fd, data, length, (off_t) offset) == (ssize_t) length
         || fail (error);
}

static gboolean
fake_cut (VirfsFile *file, guint64 size, GError **error)
{
  return ftruncate (((Fake *) file)->fd, (off_t) size) == 0 || fail (error);
}

static gboolean
fake_zero (VirfsFile *file, guint64 offset, guint64 length, GError **error)
{
  Fake *self = (Fake *) file;
  struct stat st;

  g_assert_cmpint (fstat (self->fd, &st), ==, 0);
  if (offset < (guint64) st.st_size
      && fallocate (self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) offset,
                    (off_t) length)
           < 0)
    return fail (error);
  return offset + length <= (guint64) st.st_size || fake_cut (file, offset + length, error);
}

static gssize
fake_read (VirfsFile *file, guint64 offset, guint8 *data, gsize length, GError **error)
{
  return pread (((Fake *) file)->fd, data, length, (off_t) offset);
}

static gboolean
fake_flush (VirfsFile *file, gboolean disk, GError **error)
{
  return TRUE;
}

static void
fake_set_modified (VirfsFile *file, gint64 modified)
{
  struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = modified / G_USEC_PER_SEC } };

  g_assert_cmpint (futimens (((Fake *) file)->fd, times), ==, 0);
}

static gboolean
fake_rename (VirfsFile *file, const char *name, GError **error)
{
  Fake *self = (Fake *) file;
  g_autofree char *path = path_of (self->host, name);

  g_assert_cmpint (g_rename (self->path, path), ==, 0);
  g_free (self->path);
  self->path = g_steal_pointer (&path);
  g_free (self->name);
  self->name = g_strdup (name);
  return TRUE;
}

/* The pool `default` of HOST has the volume NAME now, as its file is; without one it has not. */
static void
tell (VirfsHost *host, const char *name, const char *path)
{
  g_autoptr (VirfsHostInfo) known = virfs_host_info (host);
  VirfsHostInfo *info = virfs_host_info_copy (known);
  VirfsPoolInfo *pool
    = virfs_part_info_copy (virfs_part_list_find (known->parts[VIRFS_HOST_POOLS], "default"));
  GPtrArray *volumes = virfs_part_list_new (), *pools = virfs_part_list_new ();
  struct stat st;

  for (guint i = 0; pool->part.parts && i < pool->part.parts->len; i++)
    if (strcmp (((VirfsPartInfo *) pool->part.parts->pdata[i])->name, name) != 0)
      g_ptr_array_add (volumes, virfs_part_info_ref (pool->part.parts->pdata[i]));
  if (stat (path, &st) == 0)
    g_ptr_array_add (volumes, virfs_fake_image_info (name, path, &st));
  virfs_part_list_sort (volumes);
  virfs_part_lists_set (&pool->part.parts, 0, volumes);
  g_ptr_array_add (pools, pool);
  virfs_part_lists_set (info->parts, VIRFS_HOST_POOLS, pools);
  virfs_infra_update_host (host->object.infra, host, info, NULL);
}

gpointer
virfs_fake_image_info (const char *name, const char *path, const struct stat *st)
{
  VirfsVolumeInfo *info = virfs_part_info_new (&virfs_volume_class, name);
  g_autofree char *modified
    = g_strdup_printf ("%lld.%09ld", (long long) st->st_mtim.tv_sec, st->st_mtim.tv_nsec);

  info->type = "file";
  info->format = "raw";
  info->path = g_ref_string_new (path);
  info->size = info->length = (guint64) st->st_size;
  info->allocation = (guint64) st->st_blocks * 512;
  info->modified = g_ref_string_new (modified);
  return info;
}

static void
fake_tell (VirfsFile *file)
{
  Fake *self = (Fake *) file;

  tell (self->host, self->name, self->path);
}

static void
fake_close (VirfsFile *file, gboolean discard)
{
  Fake *self = (Fake *) file;

  if (discard)
    g_assert_cmpint (g_unlink (self->path), ==, 0);
  close (self->fd);
  virfs_object_unref (self->host);
  g_free (self->name);
  g_free (self->path);
  g_free (self);
}

VirfsFile *
virfs_fake_volume_write (VirfsHost *host, const char *pool, const char *name, gboolean make,
                         GError **error)
{
  static const VirfsFileClass class = { fake_write,  fake_zero,  fake_read,
                                        fake_cut,    fake_flush, fake_set_modified,
                                        fake_rename, fake_tell,  fake_close };
  g_autofree char *hidden = g_strconcat ("new:", name, NULL);
  Fake *self = g_new0 (Fake, 1);
  struct stat st;

  self->file.class = &class;
  self->host = virfs_object_ref (host);
  self->name = g_strdup (name);
  self->path = path_of (host, make ? hidden : name);
  if (make && g_file_test (self->path, G_FILE_TEST_EXISTS)) { /* another for the same name */
    g_autofree char *first = g_steal_pointer (&self->path);

    self->path = g_strconcat (first, "~", NULL);
  }
  self->fd = open (self->path, O_RDWR | (make ? O_CREAT | O_EXCL : 0), 0600);
  g_assert_cmpint (self->fd, >=, 0);
  g_assert_cmpint (fstat (self->fd, &st), ==, 0);
  self->file.size = (guint64) st.st_size;
  return &self->file;
}

char *
virfs_fake_volume_file (VirfsPart *volume)
{
  return path_of ((VirfsHost *) virfs_part_root (volume), volume->name);
}

VirfsContent *
virfs_fake_volume_read (VirfsPart *volume, GError **error)
{
  g_autofree char *path = path_of ((VirfsHost *) virfs_part_root (volume), volume->name);
  char *text;
  gsize length;

  if (g_file_get_contents (path, &text, &length, NULL))
    return virfs_content_new_bytes (g_bytes_new_take (text, length));
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no %s", path);
  return NULL;
}

void
virfs_fake_volume_rename (VirfsPart *volume, const char *name, VirfsJob *job)
{
  VirfsHost *host = (VirfsHost *) virfs_part_root (volume);
  g_autofree char *from = path_of (host, volume->name), *to = path_of (host, name);

  if (!virfs_fake_begin (host, job))
    return;
  if (g_str_has_prefix (host->name, "far")) {
    virfs_job_finish (job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_CROSS, "it is far away"));
    return;
  }
  g_assert_cmpint (g_rename (from, to), ==, 0);
  tell (host, name, to);
  tell (host, volume->name, from);
  virfs_job_finish (job, NULL);
}
