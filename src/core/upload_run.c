/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread of an upload: one command after the other, waiting for the host.  All static functions run
 * in it. */
#include "upload_private.h"

#include <errno.h>
#include <string.h>

/* Zeros that are counted into a checksum; of a disk that is mostly empty it is told when asked for. */
#define MOST_ZEROS (G_GUINT64_CONSTANT (1) << 30)

static GError *
gone (VirfsUpload *upload)
{
  GError *failure = virfs_upload_failure (upload);

  return failure ? failure : g_error_new (VIRFS_ERROR, VIRFS_ERROR_FAILED, "it is not open");
}

/* Whether commands can go on; else the failure is the caller's. */
static gboolean
check (VirfsUpload *upload, GError **error)
{
  GError *failure = virfs_upload_failure (upload);

  if (failure == NULL && upload->file == NULL)
    failure = gone (upload);
  if (failure != NULL)
    g_propagate_error (error, failure);
  return failure == NULL;
}

static void
answer (VirfsUploadCommand *command, const GError *error)
{
  if (command->done != NULL)
    command->done (error, command->data);
}

/* Notes a failure, if there is one, and answers. */
static void
end_command (VirfsUpload *upload, VirfsUploadCommand *command, const GError *error)
{
  if (error != NULL)
    virfs_upload_fail (upload, error);
  answer (command, error);
}

static void
finish_job (VirfsUpload *upload, const GError *error)
{
  g_autoptr (VirfsJob) job = NULL;

  g_mutex_lock (&upload->lock);
  job = g_steal_pointer (&upload->job);
  g_mutex_unlock (&upload->lock);
  if (job == NULL || !upload->own_job)
    return;
  if (error != NULL && virfs_job_is_cancelled (job))
    virfs_job_finish (job,
                      g_error_new_literal (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, error->message));
  else
    virfs_job_finish (job, error ? g_error_copy (error) : NULL);
}

/* Nobody writes the image any more; DROP: it is none. */
static void
leave_image (VirfsUpload *upload, gboolean drop)
{
  g_autoptr (VirfsImage) image = NULL;

  g_mutex_lock (&upload->lock);
  image = g_steal_pointer (&upload->image);
  g_mutex_unlock (&upload->lock);
  if (image == NULL)
    return;
  g_mutex_lock (&upload->infra->lock);
  /* what its host has not told of is not there */
  drop |= image->info->volumes->len == 0;
  if (drop && !image->removed)
    virfs_registry_remove_image (image);
  if (image->upload == upload)
    virfs_registry_set_upload (image, NULL);
  g_mutex_unlock (&upload->infra->lock);
}

static void
close_file (VirfsUpload *upload, gboolean discard)
{
  VirfsFile *file = g_steal_pointer (&upload->file);

  if (file != NULL)
    file->class->close (file, discard);
}

/* Opening. */

static void
run_open (VirfsUpload *upload, VirfsUploadCommand *command)
{
  const VirfsBackend *backend = virfs_infra_backend (upload->infra);
  g_autoptr (VirfsImage) image = virfs_upload_image (upload);
  g_autoptr (GError) error = NULL;

  if (backend->volume_write == NULL)
    g_set_error (&error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED, "images cannot be written here");
  else
    upload->file
      = backend->volume_write (upload->host, upload->pool, image->name, upload->created, &error);
  if (upload->file != NULL) {
    if (upload->file->size > 0)
      g_clear_pointer (&upload->sum, virfs_sum_free);
    command->opened (virfs_upload_new_sink (upload), NULL, command->data);
    return;
  }
  virfs_upload_fail (upload, error);
  finish_job (upload, error);
  leave_image (upload, upload->created);
  upload->ended = TRUE;
  command->opened (NULL, error, command->data);
}

/* Writing. */

static void
add_to_sum (VirfsUpload *upload, guint64 offset, const guint8 *data, gsize length)
{
  if (upload->sum == NULL)
    return;
  if (offset < upload->summed || offset - upload->summed > MOST_ZEROS) {
    g_clear_pointer (&upload->sum, virfs_sum_free);
    return;
  }
  virfs_sum_add_zeros (upload->sum, offset - upload->summed);
  virfs_sum_add (upload->sum, data, length);
  upload->summed = offset + length;
}

static void
run_write (VirfsUpload *upload, VirfsUploadCommand *command)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (command->bytes, &length);
  g_autoptr (GError) error = NULL;

  if (check (upload, &error) && !virfs_upload_is_sealed (upload, &error)
      && virfs_file_write_sparse (upload->file, command->offset, data, length, &error)) {
    add_to_sum (upload, command->offset, data, length);
    upload->dirty = TRUE;
    upload->killed = FALSE;
  }
  g_mutex_lock (&upload->lock);
  upload->queued -= length;
  g_mutex_unlock (&upload->lock);
  if (upload->job != NULL && upload->own_job)
    virfs_job_progress (upload->job, command->offset + length, 0);
  end_command (upload, command, error);
}

static void
run_cut (VirfsUpload *upload, VirfsUploadCommand *command)
{
  g_autoptr (GError) error = NULL;
  gboolean same;

  g_mutex_lock (&upload->lock);
  same = upload->length == command->length;
  upload->length = command->length;
  g_mutex_unlock (&upload->lock);
  if (!check (upload, &error) || same || virfs_upload_is_sealed (upload, &error)) {
    answer (command, error);
    return;
  }
  if (command->length == 0 && upload->sum == NULL)
    upload->sum = virfs_sum_new ();
  if (command->length == 0)
    upload->summed = 0;
  else if (command->length < upload->summed)
    g_clear_pointer (&upload->sum, virfs_sum_free);
  upload->dirty = TRUE;
  upload->file->class->cut (upload->file, command->length, &error);
  answer (command, error);
}

static void
run_read (VirfsUpload *upload, VirfsUploadCommand *command)
{
  g_autoptr (GPtrArray) pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  g_autofree guint8 *data = g_malloc (command->length);
  g_autoptr (GError) error = NULL;
  gssize got = -1;

  if (check (upload, &error))
    got = upload->file->class->read (upload->file, command->offset, data, command->length, &error);
  if (got > 0)
    g_ptr_array_add (pieces, g_bytes_new_take (g_steal_pointer (&data), (gsize) got));
  command->read_done (got < 0 ? virfs_error_to_errno (error) : 0, pieces, command->data);
}

/* Closing. */

/* An empty file that nobody has written to is not an image yet. */
static gboolean
is_begun (VirfsUpload *upload)
{
  return virfs_upload_length (upload) > 0;
}

static gboolean
publish_if_named (VirfsUpload *upload, GError **error)
{
  g_autoptr (VirfsImage) image = NULL;

  if (g_atomic_int_get (&upload->published)) {
    virfs_upload_tell (upload);
    return TRUE;
  }
  image = virfs_upload_image (upload);
  return image == NULL || *image->label == '.' || !is_begun (upload)
         || virfs_upload_publish (upload, image->label, error);
}

/* What was written is complete for who has written it. */
static gboolean
settle (VirfsUpload *upload, GError **error)
{
  g_autoptr (VirfsImage) image = virfs_upload_image (upload);
  const char *name = image && *image->label != '.' && is_begun (upload) ? image->label : NULL;

  if (!upload->dirty)
    return TRUE;
  upload->refused = !virfs_upload_check (upload, name, error) || !publish_if_named (upload, error);
  upload->dirty = upload->refused;
  return !upload->refused;
}

static void
run_flush (VirfsUpload *upload, VirfsUploadCommand *command)
{
  gboolean sync = command->why == VIRFS_SINK_SYNC;
  g_autoptr (GError) error = NULL;

  if (command->why == VIRFS_SINK_KILLED)
    upload->killed = TRUE;
  else if (check (upload, &error) && upload->file->class->flush (upload->file, sync, &error)
           && !sync)
    settle (upload, &error);
  answer (command, error);
}

/* Whether it waits for a name, or for what is to be in it. */
static gboolean
waits (VirfsUpload *upload)
{
  return upload->created && !g_atomic_int_get (&upload->published) && upload->file != NULL;
}

static void
end (VirfsUpload *upload, const GError *error)
{
  gboolean drop = waits (upload);

  finish_job (upload, error);
  if (upload->dirty && !drop && upload->file != NULL)
    virfs_upload_tell (upload);
  close_file (upload, drop);
  leave_image (upload, drop);
  upload->ended = TRUE;
}

static void
run_close (VirfsUpload *upload, VirfsUploadCommand *command)
{
  g_autoptr (GError) failure = virfs_upload_failure (upload);
  guint openers;

  g_mutex_lock (&upload->lock);
  openers = --upload->openers;
  g_mutex_unlock (&upload->lock);
  if (openers > 0)
    return;
  if (failure == NULL && upload->killed)
    failure = g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "the upload was interrupted");
  if (failure == NULL && upload->refused)
    failure = g_error_new (VIRFS_ERROR, VIRFS_ERROR_INVALID, "it could not be published");
  if (failure == NULL && waits (upload))
    finish_job (upload, NULL);
  else if (virfs_upload_begin_closing (upload))
    end (upload, failure);
}

static void
run_discard (VirfsUpload *upload, VirfsUploadCommand *command)
{
  g_autoptr (GError) removed
    = g_error_new (VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "the upload was removed");
  gboolean published = g_atomic_int_get (&upload->published);
  guint openers;

  if (published) {
    g_autoptr (GError) busy
      = g_error_new (VIRFS_ERROR, VIRFS_ERROR_BUSY, "somebody has it open to write to it");

    answer (command, busy);
    return;
  }
  virfs_upload_fail (upload, removed);
  finish_job (upload, removed);
  close_file (upload, TRUE);
  leave_image (upload, TRUE);
  g_mutex_lock (&upload->lock);
  openers = upload->openers;
  g_mutex_unlock (&upload->lock);
  upload->ended = openers == 0;
  answer (command, NULL);
}

static void
run_rename (VirfsUpload *upload, VirfsUploadCommand *command)
{
  g_autoptr (GError) error = NULL;

  if (check (upload, &error) && upload->file->class->flush (upload->file, FALSE, &error)
      && (*command->name == '.' || virfs_upload_check (upload, command->name, &error))
      && virfs_upload_publish (upload, command->name, &error))
    upload->dirty = FALSE;
  if (error == NULL && !waits (upload) && virfs_upload_begin_closing (upload))
    end (upload, NULL);
  answer (command, error);
}

/* virfs ends: what is not published goes. */
static void
run_stop (VirfsUpload *upload, VirfsUploadCommand *command)
{
  g_autoptr (GError) error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "virfs ends");

  virfs_upload_fail (upload, error);
  end (upload, error);
}

static void (*const verbs[]) (VirfsUpload *upload, VirfsUploadCommand *command) = {
  [VIRFS_UPLOAD_OPEN] = run_open,       [VIRFS_UPLOAD_WRITE] = run_write,
  [VIRFS_UPLOAD_READ] = run_read,       [VIRFS_UPLOAD_CUT] = run_cut,
  [VIRFS_UPLOAD_FLUSH] = run_flush,     [VIRFS_UPLOAD_RENAME] = run_rename,
  [VIRFS_UPLOAD_DISCARD] = run_discard, [VIRFS_UPLOAD_CLOSE] = run_close,
  [VIRFS_UPLOAD_STOP] = run_stop,
};

static VirfsUploadCommand *
next_command (VirfsUpload *upload)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&upload->lock);

  while (upload->commands.length == 0)
    g_cond_wait (&upload->changed, &upload->lock);
  return g_queue_pop_head (&upload->commands);
}

/* What has come too late. */
static void
end_commands (VirfsUpload *upload)
{
  GQueue late, again;

  g_mutex_lock (&upload->lock);
  upload->over = TRUE;
  late = upload->commands;
  again = upload->again;
  g_queue_init (&upload->commands);
  g_queue_init (&upload->again);
  g_mutex_unlock (&upload->lock);
  for (VirfsUploadCommand *command; (command = g_queue_pop_head (&again)) != NULL;)
    virfs_upload_open_again (upload, command);
  for (VirfsUploadCommand *command; (command = g_queue_pop_head (&late)) != NULL;)
    virfs_upload_refuse (upload, command);
}

gpointer
virfs_upload_run (gpointer data)
{
  g_autoptr (VirfsUpload) upload = data;
  VirfsInfra *infra = upload->infra;

  while (!upload->ended) {
    VirfsUploadCommand *command = next_command (upload);

    verbs[command->verb](upload, command);
    virfs_upload_command_free (command);
  }
  end_commands (upload);
  /* who waits for all threads frees what it refers to */
  g_clear_pointer (&upload, virfs_upload_unref);
  g_mutex_lock (&infra->lock);
  infra->uploads--;
  g_cond_broadcast (&infra->settled);
  g_mutex_unlock (&infra->lock);
  return NULL;
}
