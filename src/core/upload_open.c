/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How uploads begin: with a new image, or one that is there, or as somebody else's. */
#include "upload_private.h"

#include <string.h>

static gboolean
is_trusted (VirfsInfra *infra, guint uid)
{
  return uid == 0 || uid == infra->owner.uid;
}

static VirfsUpload *
new_upload (VirfsHost *host, const char *pool, guint uid)
{
  VirfsUpload *upload = g_new0 (VirfsUpload, 1);

  g_atomic_ref_count_init (&upload->refs);
  g_mutex_init (&upload->lock);
  upload->infra = host->object.infra;
  upload->host = virfs_object_ref (host);
  upload->pool = g_strdup (pool);
  upload->uid = uid;
  upload->openers = 1;
  upload->sum = virfs_sum_new ();
  g_cond_init (&upload->changed);
  return upload;
}

/* Who cancels may come when it has just ended: so it is looked for. */
static void
cancel (VirfsJob *job, gpointer unused)
{
  VirfsImage *image = (VirfsImage *) virfs_job_object (job);
  g_autoptr (VirfsUpload) upload = virfs_image_upload (image);
  g_autoptr (GError) error = NULL;

  if (upload == NULL)
    return;
  /* dd(1) and others try again for ever what was interrupted */
  error
    = g_error_new (VIRFS_ERROR, VIRFS_ERROR_FAILED, "the upload of %s was cancelled", image->label);
  virfs_upload_fail (upload, error);
}

static VirfsJob *
new_job (VirfsUpload *upload, VirfsImage *image)
{
  VirfsJobSpec spec = { .operation = "upload",
                        .object = &image->object,
                        .host = &upload->host->object,
                        .uid = upload->uid };
  VirfsJob *job = virfs_job_new (upload->infra, &spec);

  virfs_job_start (job, cancel, NULL);
  return job;
}

/* NAME: of the volume that is there, NULL for a new one.  Takes the reference. */
static void
begin (VirfsUpload *upload, VirfsImage *image, VirfsJob *job, VirfsUploadOpened opened,
       gpointer data)
{
  VirfsUploadCommand *command = virfs_upload_command_new (VIRFS_UPLOAD_OPEN, NULL, data);

  command->opened = opened;
  upload->own_job = job == NULL;
  upload->image = virfs_object_ref (image);
  upload->job = job ? virfs_object_ref (job) : new_job (upload, image);
  virfs_upload_push (upload, command);
  g_mutex_lock (&upload->infra->lock);
  upload->infra->uploads++;
  g_mutex_unlock (&upload->infra->lock);
  g_thread_unref (g_thread_new ("virfs-upload", virfs_upload_run, upload));
}

char *
virfs_upload_final_name (const char *name)
{
  gsize length = strlen (name);

  if (*name != '.')
    return g_strdup (name);
  if (length > 8 && name[length - 7] == '.')
    length -= 7;
  return g_strndup (name + 1, length - 1);
}

/* Where the image is that it is to replace, or else wherever is best. */
static VirfsHost *
choose_host (VirfsInfra *infra, const VirfsUploadSpec *spec, char **pool, GError **error)
{
  g_autofree char *name = virfs_upload_final_name (spec->name);
  g_autoptr (VirfsImage) image = virfs_infra_image (infra, name);
  g_autoptr (VirfsImageInfo) info = image ? virfs_image_info (image) : NULL;
  VirfsHost *host = spec->host;

  if (host == NULL && info != NULL && info->volumes->len > 0)
    host = (VirfsHost *) virfs_part_root (info->volumes->pdata[0]);
  if (host == NULL)
    return virfs_image_choose_host (infra, pool, error);
  *pool = virfs_image_pool_of (host, error);
  return *pool ? virfs_object_ref (host) : NULL;
}

void
virfs_upload_create (VirfsInfra *infra, const VirfsUploadSpec *spec, VirfsUploadOpened opened,
                     gpointer data)
{
  g_autofree char *pool = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsHost) host = NULL;
  g_autoptr (VirfsImage) image = NULL;
  VirfsUpload *upload;

  if (virfs_image_check_name (spec->name, &error))
    host = choose_host (infra, spec, &pool, &error);
  if (host == NULL) {
    opened (NULL, error, data);
    return;
  }
  upload = new_upload (host, pool, spec->uid);
  upload->created = TRUE;
  upload->untrusted = !is_trusted (infra, spec->uid);
  upload->copy = spec->copy;
  upload->owner = spec->owner;
  upload->given = spec->owner.uid != infra->owner.uid;
  g_mutex_lock (&infra->lock);
  image = virfs_registry_add_upload (infra, spec->name, pool, upload);
  g_mutex_unlock (&infra->lock);
  if (image != NULL) {
    begin (upload, image, spec->job, opened, data);
    return;
  }
  virfs_upload_unref (upload);
  error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_EXISTS, "there is an image %s already", spec->name);
  opened (NULL, error, data);
}

/* Another opens what is being written. */
static gboolean
join (VirfsUpload *upload, gboolean trusted, VirfsUploadOpened opened, gpointer data)
{
  gboolean goes_on;

  g_mutex_lock (&upload->lock);
  goes_on = upload->image != NULL && upload->failed == NULL && !upload->closing;
  upload->openers += goes_on;
  upload->untrusted |= goes_on && !trusted;
  g_mutex_unlock (&upload->lock);
  if (goes_on)
    opened (virfs_upload_new_sink (upload), NULL, data);
  return goes_on;
}

/* The upload of IMAGE, new or as it is; a reference.  *BEGINS: it has to be begun. */
static VirfsUpload *
enter (VirfsImage *image, VirfsPart *volume, guint uid, gboolean *begins)
{
  VirfsInfra *infra = image->object.infra;
  g_autoptr (VirfsUpload) fresh
    = new_upload ((VirfsHost *) virfs_part_root (volume), ((VirfsPart *) volume->owner)->name, uid);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  *begins = image->upload == NULL && !image->removed;
  g_atomic_int_set (&fresh->published, TRUE);
  if (*begins)
    virfs_registry_set_upload (image, fresh);
  return image->upload ? virfs_upload_ref (image->upload) : NULL;
}

/* A reader. */

typedef struct {
  VirfsContent content;
  VirfsSink *sink;
} Reader;

static void
reader_read (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done,
             gpointer data)
{
  VirfsSink *sink = ((Reader *) content)->sink;

  sink->class->read (sink, offset, length, done, data);
}

static void
reader_close (VirfsContent *content)
{
  VirfsSink *sink = ((Reader *) content)->sink;

  sink->class->close (sink);
  g_free (content);
}

static void
take_sink (VirfsSink *sink, const GError *error, gpointer data)
{
  *(VirfsSink **) data = sink;
}

VirfsContent *
virfs_upload_read (VirfsImage *image)
{
  static const VirfsContentClass class = { reader_read, NULL, NULL, reader_close };
  g_autoptr (VirfsUpload) upload = virfs_image_upload (image);
  VirfsSink *sink = NULL;
  Reader *reader;

  if (upload == NULL || !join (upload, TRUE, take_sink, &sink))
    return NULL;
  reader = g_new (Reader, 1);
  *reader = (Reader){ { &class }, sink };
  return &reader->content;
}

/* Whether it is closed just now: then the image is opened when that is over. */
static gboolean
queue_again (VirfsUpload *upload, const char *name, guint uid, VirfsUploadOpened opened,
             gpointer data)
{
  VirfsUploadCommand *command = virfs_upload_command_new (VIRFS_UPLOAD_OPEN, NULL, data);
  gboolean waits;

  command->opened = opened;
  command->name = g_strdup (name);
  command->length = uid;
  g_mutex_lock (&upload->lock);
  waits = upload->closing && !upload->over;
  if (waits)
    g_queue_push_tail (&upload->again, command);
  g_mutex_unlock (&upload->lock);
  if (!waits)
    virfs_upload_command_free (command);
  return waits;
}

void
virfs_upload_open_again (VirfsUpload *upload, VirfsUploadCommand *command)
{
  g_autoptr (VirfsImage) image = virfs_infra_image (upload->infra, command->name);
  g_autoptr (GError) error = NULL;

  if (image != NULL) {
    virfs_upload_open (image, (guint) command->length, command->opened, command->data);
  } else {
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "the image %s is gone", command->name);
    command->opened (NULL, error, command->data);
  }
  virfs_upload_command_free (command);
}

void
virfs_upload_open (VirfsImage *image, guint uid, VirfsUploadOpened opened, gpointer data)
{
  g_autoptr (VirfsUpload) upload = virfs_image_upload (image);
  g_autoptr (VirfsImageInfo) info = virfs_image_info (image);
  gboolean trusted = is_trusted (image->object.infra, uid);
  g_autoptr (GError) error = NULL;
  gboolean begins;

  /* between his writing and our looking at it a guest could be started with it */
  if (!trusted && info->volumes->len > 0) {
    virfs_upload_refuse_published (&error);
    opened (NULL, error, data);
    return;
  }
  if (upload != NULL
      && (join (upload, trusted, opened, data)
          || queue_again (upload, image->label, uid, opened, data)))
    return;
  g_clear_pointer (&upload, virfs_upload_unref);
  if (info->volumes->len > 0 && virfs_image_check_unused (image, "be written", &error))
    upload = enter (image, info->volumes->pdata[0], uid, &begins);
  if (upload != NULL && begins) {
    upload->length = info->length;
    virfs_object_owner (image, &upload->owner);
    begin (g_steal_pointer (&upload), image, NULL, opened, data);
  } else if (upload == NULL || !join (upload, trusted, opened, data)) {
    if (error == NULL)
      error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_BUSY, "the image %s is just being closed",
                           image->label);
    opened (NULL, error, data);
  }
}
