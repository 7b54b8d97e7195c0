/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done to an image as a whole, in a thread of its own: it is read for its checksum, or for a copy on
 * another host.
 */
#include "image_job.h"

#include "error.h"
#include "registry_image.h"
#include "wait.h"
#include "walk.h"

static gboolean
walk_image (VirfsImage *image, VirfsJob *job, VirfsWalkTake take, gpointer data, GError **error)
{
  const VirfsBackend *backend = virfs_infra_backend (image->object.infra);
  g_autoptr (VirfsImageInfo) info = virfs_image_info (image);
  g_autofree char *what = g_strdup_printf ("the image %s", image->label);
  VirfsContent *content;

  if (info->volumes->len == 0 || backend->volume_read == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "the image %s is not published yet",
                 image->label);
    return FALSE;
  }
  content = backend->volume_read (info->volumes->pdata[0], error);
  return content != NULL && virfs_walk (content, info->length, what, job, take, data, error);
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
  if (walk_image (work->image, work->job, virfs_walk_add_to_sum, sum, &error)) {
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

  virfs_walk_add_to_sum (offset, bytes, copy->sum, NULL);
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
