/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in a volume, to be read: as a file of this machine, by a few threads that all share; or by
 * libvirt's streams (image_stream_read.c).
 */
#include "image_open.h"

#include "connection.h"
#include "pool.h"
#include "uri.h"

#include <errno.h>
#include <unistd.h>

/* Whoever reads through a mount that hangs keeps one. */
#define MOST_THREADS 16

typedef struct {
  VirfsContent content;
  int fd;
  guint64 size;
} Direct;

typedef struct {
  Direct *direct;
  guint64 offset;
  gsize length;
  VirfsContentDone done;
  gpointer data;
} Read;

/* As much as there is; errno. */
static int
read_all (const Read *read, guint8 *buffer, gsize *got)
{
  for (*got = 0; *got < read->length;) {
    ssize_t n
      = pread (read->direct->fd, buffer + *got, read->length - *got, (off_t) (read->offset + *got));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno;
    if (n == 0)
      break;
    *got += (gsize) n;
  }
  return 0;
}

static void
run_read (gpointer data, gpointer unused)
{
  g_autofree Read *read = data;
  g_autoptr (GPtrArray) pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree guint8 *buffer = g_malloc (read->length);
  gsize got;
  int error = read_all (read, buffer, &got);

  if (error == 0 && got > 0)
    g_ptr_array_add (pieces, g_bytes_new_take (g_steal_pointer (&buffer), got));
  read->done (error, pieces, read->data);
}

static void
direct_read (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done,
             gpointer data)
{
  static GThreadPool *threads;
  static gsize once;
  Read *read = g_new (Read, 1);

  if (g_once_init_enter (&once)) {
    threads = g_thread_pool_new (run_read, NULL, MOST_THREADS, FALSE, NULL);
    g_once_init_leave (&once, 1);
  }
  *read = (Read){ (Direct *) content, offset, length, done, data };
  g_thread_pool_push (threads, read, NULL);
}

static guint64
seek (VirfsContent *content, guint64 offset, int whence)
{
  Direct *self = (Direct *) content;
  off_t found = lseek (self->fd, (off_t) offset, whence);

  return found < 0 ? self->size : (guint64) found;
}

static guint64
direct_next_data (VirfsContent *content, guint64 offset)
{
  return seek (content, offset, SEEK_DATA);
}

static guint64
direct_next_hole (VirfsContent *content, guint64 offset)
{
  return seek (content, offset, SEEK_HOLE);
}

static void
direct_close (VirfsContent *content)
{
  Direct *self = (Direct *) content;

  close (self->fd);
  g_free (self);
}

VirfsContent *
lv_volume_read (VirfsPart *volume, GError **error)
{
  static const VirfsContentClass class = { direct_read, direct_next_data, direct_next_hole,
                                           direct_close };
  g_autoptr (VirfsPartInfo) info = virfs_part_info (volume);
  g_autoptr (LvLink) link = lv_host_link ((VirfsHost *) virfs_part_root (volume), error);
  int fd = link && !link->uri->streams ? lv_image_open_known ((VirfsVolumeInfo *) info) : -1;
  Direct *self;

  if (link == NULL)
    return NULL;
  if (fd < 0)
    return lv_image_stream (volume);
  self = g_new (Direct, 1);
  *self = (Direct){ { &class }, fd, ((VirfsVolumeInfo *) info)->length };
  return &self->content;
}
