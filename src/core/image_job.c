/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done to an image as a whole, in a thread of its own: it is read from its beginning to its end,
 * some pieces ahead, for its checksum or for a copy on another host.
 */
#include "image_job.h"

#include "error.h"
#include "registry_image.h"
#include "sum.h"
#include "wait.h"

#include <errno.h>
#include <string.h>

#define PIECE (1024 * 1024)
#define AHEAD 4

/* One reading, of PIECE bytes. */
typedef struct {
  struct Walk *walk;
  gboolean done; /* under the walk's lock, as the next */
  int error;
  GPtrArray *pieces;
} Read;

typedef struct Walk {
  VirfsImage *image;
  VirfsContent *content;
  VirfsJob *job;
  guint64 length;
  GMutex lock;
  GCond changed;
  Read reads[AHEAD]; /* a ring */
} Walk;

static void
read_done (int error, GPtrArray *pieces, gpointer data)
{
  Read *read = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&read->walk->lock);

  read->error = error;
  read->pieces = error ? NULL : g_ptr_array_ref (pieces);
  read->done = TRUE;
  g_cond_broadcast (&read->walk->changed);
}

static void
begin_read (Walk *walk, guint64 number)
{
  Read *read = &walk->reads[number % AHEAD];

  if (number * PIECE >= walk->length)
    return;
  *read = (Read){ .walk = walk };
  walk->content->class->read (walk->content, number * PIECE,
                              (gsize) MIN (PIECE, walk->length - number * PIECE), read_done, read);
}

/* What read NUMBER has brought; the caller owns it.  NULL with ERROR. */
static GPtrArray *
end_read (Walk *walk, guint64 number, GError **error)
{
  Read *read = &walk->reads[number % AHEAD];
  GPtrArray *pieces;

  g_mutex_lock (&walk->lock);
  while (!read->done)
    g_cond_wait (&walk->changed, &walk->lock);
  pieces = g_steal_pointer (&read->pieces);
  g_mutex_unlock (&walk->lock);
  if (pieces == NULL)
    g_set_error (error, VIRFS_ERROR,
                 read->error == ENOSPC ? VIRFS_ERROR_NO_SPACE : VIRFS_ERROR_FAILED,
                 "cannot read the image %s: %s", walk->image->label, g_strerror (read->error));
  return pieces;
}

typedef gboolean (*Take) (guint64 offset, GBytes *bytes, gpointer data, GError **error);

static gboolean
take_all (Walk *walk, GPtrArray *pieces, guint64 *offset, Take take, gpointer data, GError **error)
{
  for (guint i = 0; i < pieces->len; i++) {
    if (!take (*offset, pieces->pdata[i], data, error))
      return FALSE;
    *offset += g_bytes_get_size (pieces->pdata[i]);
  }
  return TRUE;
}

static gboolean
check_cancelled (Walk *walk, GError **error)
{
  if (!virfs_job_is_cancelled (walk->job))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

static gboolean
walk_pieces (Walk *walk, Take take, gpointer data, GError **error)
{
  guint64 pieces = (walk->length + PIECE - 1) / PIECE, offset = 0;
  gboolean ok = TRUE;

  for (guint64 i = 0; i < AHEAD; i++)
    begin_read (walk, i);
  for (guint64 i = 0; i < pieces; i++) {
    /* those that have begun end, whatever becomes of it */
    g_autoptr (GPtrArray) got = ok || i < pieces ? end_read (walk, i, ok ? error : NULL) : NULL;

    ok = ok && got != NULL && check_cancelled (walk, error)
         && take_all (walk, got, &offset, take, data, error);
    if (!ok)
      pieces = MIN (pieces, i + AHEAD);
    else
      begin_read (walk, i + AHEAD);
    virfs_job_progress (walk->job, offset, walk->length);
  }
  if (ok && offset != walk->length) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "the image %s has changed meanwhile",
                 walk->image->label);
    ok = FALSE;
  }
  return ok;
}

static gboolean
walk_image (VirfsImage *image, VirfsJob *job, Take take, gpointer data, GError **error)
{
  const VirfsBackend *backend = virfs_infra_backend (image->object.infra);
  g_autoptr (VirfsImageInfo) info = virfs_image_info (image);
  Walk walk = { .image = image, .job = job, .length = info->length };
  gboolean ok = FALSE;

  if (info->volumes->len == 0 || backend->volume_read == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "the image %s is not published yet",
                 image->label);
    return FALSE;
  }
  walk.content = backend->volume_read (info->volumes->pdata[0], error);
  if (walk.content == NULL)
    return FALSE;
  g_mutex_init (&walk.lock);
  g_cond_init (&walk.changed);
  ok = walk_pieces (&walk, take, data, error);
  walk.content->class->close (walk.content);
  g_cond_clear (&walk.changed);
  g_mutex_clear (&walk.lock);
  return ok;
}

/* Jobs. */

typedef struct {
  VirfsImage *image;
  VirfsHost *host; /* of a copy */
  VirfsJob *job;
} Work;

static void
free_work (Work *work)
{
  virfs_object_unref (work->image);
  virfs_object_unref (work->host);
  virfs_object_unref (work->job);
  g_free (work);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Work, free_work)

static void
begin_work (VirfsImage *image, VirfsHost *host, VirfsJob *job, GThreadFunc run)
{
  Work *work = g_new (Work, 1);

  *work = (Work){ virfs_object_ref (image), host ? virfs_object_ref (host) : NULL,
                  virfs_object_ref (job) };
  g_thread_unref (g_thread_new ("virfs-image", run, work));
}

/* It is looked at between two pieces. */
static void
cancel (VirfsJob *job, gpointer data)
{
}

/* Checksums. */

static gboolean
add_to_sum (guint64 offset, GBytes *bytes, gpointer sum, GError **error)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  virfs_sum_add (sum, data, length);
  return TRUE;
}

static void
compare (VirfsImage *image, const char *known, const char *found, GError **error)
{
  if (known != NULL && !g_str_equal (known, found))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED,
                 "the image %s is not as it was: its checksum was %s and is %s", image->label,
                 known, found);
  else
    virfs_image_note_sum (image, found);
}

static gpointer
run_sum (gpointer data)
{
  g_autoptr (Work) work = data;
  g_autoptr (VirfsImageInfo) info = virfs_image_info (work->image);
  g_autoptr (VirfsSum) sum = virfs_sum_new ();
  GError *error = NULL;

  if (!virfs_job_start (work->job, cancel, NULL))
    return NULL;
  if (walk_image (work->image, work->job, add_to_sum, sum, &error)) {
    g_autofree char *text = virfs_sum_text (sum);

    compare (work->image, info->sha256, text, &error);
  }
  virfs_job_finish (work->job, error);
  return NULL;
}

void
virfs_image_sum (VirfsImage *image, VirfsJob *job)
{
  begin_work (image, NULL, job, run_sum);
}

/* Copies.  What the upload answers is waited for. */

typedef struct {
  VirfsSink *sink;
  VirfsSum *sum;
  VirfsWait wait;
} Copy;

static void
opened (VirfsSink *sink, const GError *error, gpointer data)
{
  Copy *copy = data;

  copy->sink = sink;
  virfs_wait_done (error, &copy->wait);
}

static gboolean
add_to_copy (guint64 offset, GBytes *bytes, gpointer data, GError **error)
{
  Copy *copy = data;

  add_to_sum (offset, bytes, copy->sum, NULL);
  copy->sink->class->write (copy->sink, offset, bytes, virfs_wait_done, &copy->wait);
  return virfs_wait_end (&copy->wait, error);
}

static gboolean
write_copy (Work *work, Copy *copy, const char *name, GError **error)
{
  g_autoptr (VirfsImage) made = NULL;
  g_autoptr (VirfsUpload) upload = NULL;
  g_autofree char *sum = NULL;

  if (!walk_image (work->image, work->job, add_to_copy, copy, error))
    return FALSE;
  sum = virfs_sum_text (copy->sum);
  virfs_image_note_sum (work->image, sum);
  made = virfs_infra_image (work->image->object.infra, name);
  upload = made ? virfs_image_upload (made) : NULL;
  if (upload == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "the copy was removed");
    return FALSE;
  }
  virfs_upload_rename (upload, work->image->name, virfs_wait_done, &copy->wait);
  return virfs_wait_end (&copy->wait, error);
}

static gboolean
make_copy (Work *work, GError **error)
{
  VirfsInfra *infra = work->image->object.infra;
  g_autofree char *name
    = g_strdup_printf (".%s.%06x", work->image->name, g_random_int () & 0xffffff);
  VirfsUploadSpec spec
    = { .name = name, .host = work->host, .copy = TRUE, .job = work->job, .uid = infra->owner.uid };
  g_autoptr (VirfsSum) sum = virfs_sum_new ();
  Copy copy = { .sum = sum };
  gboolean ok;

  spec.owner = infra->owner;
  virfs_upload_create (infra, &spec, opened, &copy);
  if (!virfs_wait_end (&copy.wait, error)) {
    virfs_wait_clear (&copy.wait);
    return FALSE;
  }
  ok = write_copy (work, &copy, name, error);
  if (!ok) {
    copy.sink->class->flush (copy.sink, VIRFS_SINK_KILLED, virfs_wait_done, &copy.wait);
    virfs_wait_end (&copy.wait, NULL);
  }
  copy.sink->class->close (copy.sink);
  virfs_wait_clear (&copy.wait);
  return ok;
}

static gpointer
run_copy (gpointer data)
{
  g_autoptr (Work) work = data;
  GError *error = NULL;

  if (!virfs_job_start (work->job, cancel, NULL))
    return NULL;
  make_copy (work, &error);
  virfs_job_finish (work->job, error);
  return NULL;
}

void
virfs_image_copy (VirfsImage *image, VirfsHost *host, VirfsJob *job)
{
  begin_work (image, host, job, run_copy);
}
