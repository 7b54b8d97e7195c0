/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of an upload: it is queued, and what is written is answered at once as long as there is
 * room. */
#include "upload_private.h"

#include <errno.h>

/* What may be on its way to the host; then writers wait. */
#define MOST_QUEUED (16 * 1024 * 1024)

void
virfs_upload_command_free (VirfsUploadCommand *command)
{
  if (command->bytes != NULL)
    g_bytes_unref (command->bytes);
  g_free (command->name);
  g_free (command);
}

void
virfs_upload_push (VirfsUpload *upload, VirfsUploadCommand *command)
{
  gboolean over;

  g_mutex_lock (&upload->lock);
  over = upload->over;
  if (!over)
    g_queue_push_tail (&upload->commands, command);
  g_cond_signal (&upload->changed);
  g_mutex_unlock (&upload->lock);
  if (over)
    virfs_upload_refuse (upload, command);
}

/* Takes COMMAND. */
void
virfs_upload_refuse (VirfsUpload *upload, VirfsUploadCommand *command)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_autoptr (GError) error = virfs_upload_failure (upload);

  if (error == NULL)
    error = g_error_new (VIRFS_ERROR, VIRFS_ERROR_FAILED, "it is not open any more");
  if (command->read_done != NULL)
    command->read_done (EIO, none, command->data);
  else if (command->opened != NULL)
    command->opened (NULL, error, command->data);
  else if (command->done != NULL)
    command->done (error, command->data);
  virfs_upload_command_free (command);
}

VirfsUploadCommand *
virfs_upload_command_new (VirfsUploadVerb verb, VirfsSinkDone done, gpointer data)
{
  VirfsUploadCommand *command = g_new0 (VirfsUploadCommand, 1);

  command->verb = verb;
  command->done = done;
  command->data = data;
  return command;
}

typedef struct {
  VirfsSink sink;
  VirfsUpload *upload;
} Handle;

static VirfsUpload *
upload_of (VirfsSink *sink)
{
  return ((Handle *) sink)->upload;
}

/* Whether the writer is answered before it is written. */
static gboolean
queue_bytes (VirfsUpload *upload, guint64 offset, gsize length, GError **failed)
{
  g_autoptr (GMutexLocker) locker = NULL;

  if (virfs_upload_is_sealed (upload, failed))
    return TRUE;
  locker = g_mutex_locker_new (&upload->lock);
  *failed = upload->failed ? g_error_copy (upload->failed) : NULL;
  if (*failed != NULL)
    return TRUE;
  upload->queued += length;
  upload->length = MAX (upload->length, offset + length);
  return upload->queued <= MOST_QUEUED;
}

static void
sink_write (VirfsSink *sink, guint64 offset, GBytes *bytes, VirfsSinkDone done, gpointer data)
{
  VirfsUpload *upload = upload_of (sink);
  g_autoptr (GError) failed = NULL;
  gboolean at_once = queue_bytes (upload, offset, g_bytes_get_size (bytes), &failed);
  VirfsUploadCommand *command;

  if (failed != NULL) {
    done (failed, data);
    return;
  }
  command = virfs_upload_command_new (VIRFS_UPLOAD_WRITE, at_once ? NULL : done, data);
  command->offset = offset;
  command->bytes = g_bytes_ref (bytes);
  virfs_upload_push (upload, command);
  if (at_once)
    done (NULL, data);
}

static void
sink_read (VirfsSink *sink, guint64 offset, gsize length, VirfsContentDone done, gpointer data)
{
  VirfsUploadCommand *command = virfs_upload_command_new (VIRFS_UPLOAD_READ, NULL, data);

  command->read_done = done;
  command->offset = offset;
  command->length = length;
  virfs_upload_push (upload_of (sink), command);
}

static void
sink_cut (VirfsSink *sink, guint64 size, VirfsSinkDone done, gpointer data)
{
  VirfsUploadCommand *command = virfs_upload_command_new (VIRFS_UPLOAD_CUT, done, data);

  command->length = size;
  virfs_upload_push (upload_of (sink), command);
}

static void
sink_flush (VirfsSink *sink, VirfsSinkFlush why, VirfsSinkDone done, gpointer data)
{
  VirfsUploadCommand *command = virfs_upload_command_new (VIRFS_UPLOAD_FLUSH, done, data);

  command->why = why;
  virfs_upload_push (upload_of (sink), command);
}

static void
sink_close (VirfsSink *sink)
{
  virfs_upload_push (upload_of (sink), virfs_upload_command_new (VIRFS_UPLOAD_CLOSE, NULL, NULL));
  virfs_upload_unref (upload_of (sink));
  g_free (sink);
}

VirfsSink *
virfs_upload_new_sink (VirfsUpload *upload)
{
  static const VirfsSinkClass class = { sink_write, sink_read, sink_cut, sink_flush, sink_close };
  Handle *handle = g_new (Handle, 1);

  *handle = (Handle){ { &class }, virfs_upload_ref (upload) };
  return &handle->sink;
}

void
virfs_upload_rename (VirfsUpload *upload, const char *name, VirfsSinkDone done, gpointer data)
{
  VirfsUploadCommand *command = virfs_upload_command_new (VIRFS_UPLOAD_RENAME, done, data);

  command->name = g_strdup (name);
  virfs_upload_push (upload, command);
}

void
virfs_upload_discard (VirfsUpload *upload, VirfsSinkDone done, gpointer data)
{
  virfs_upload_push (upload, virfs_upload_command_new (VIRFS_UPLOAD_DISCARD, done, data));
}
