/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restoring disks.  What is asked of a sink is carried out by a thread of its own, one after the
 * other, because all that is done with a volume waits for its host.
 */
#include "restore_private.h"

#include "device.h"
#include "error.h"
#include "spans.h"

#include <errno.h>
#include <string.h>

/* What an image may have beyond twice the size of its disk, and where that is not known. */
#define ROOM       (64 * 1024 * 1024)
#define MOST_BYTES (G_GUINT64_CONSTANT (64) << 40)

typedef struct Restore Restore;
typedef struct Command Command;

struct Command {
  void (*run) (Restore *self, Command *command);
  guint64 offset;
  gsize length;
  GBytes *bytes;
  VirfsSinkFlush why;
  VirfsSinkDone done;
  VirfsContentDone read_done;
  gpointer data;
};

struct Restore {
  VirfsSink sink;
  GMutex lock;
  GCond asked;
  GQueue commands; /* under lock: of Command* */

  /* of its thread */
  VirfsArrival it;
  GError *failed; /* what all that comes fails with */
  gboolean done, ended;
};

/* Its thread. */

/* It looks itself whether it was. */
static void
cancel (VirfsJob *job, gpointer unused)
{
}

/* With the first that is written. */
static gboolean
begin (Restore *self, GError **error)
{
  g_autofree char *operation = g_strdup_printf ("restore %s", self->it.disk->name);
  VirfsJobSpec spec
    = { .operation = operation, .object = self->it.disk->owner, .uid = self->it.uid };

  if (!virfs_restore_check (self->it.disk, error) || !virfs_restore_find (&self->it, error))
    return FALSE;
  spec.host = &self->it.host->object;
  self->it.job = virfs_job_new (self->it.disk->object.infra, &spec);
  virfs_job_start (self->it.job, cancel, NULL);
  self->it.file = virfs_restore_open (&self->it, error);
  return self->it.file != NULL;
}

static gboolean
check (Restore *self, GError **error)
{
  if (self->failed == NULL && self->it.job != NULL && virfs_job_is_cancelled (self->it.job))
    self->failed = g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "it was cancelled");
  if (self->failed == NULL && self->done)
    self->failed = g_error_new (VIRFS_ERROR, VIRFS_ERROR_BUSY,
                                "the disk has been restored: open it anew to do that again");
  if (self->failed != NULL) {
    g_propagate_error (error, g_error_copy (self->failed));
    return FALSE;
  }
  if (self->it.file == NULL && !begin (self, &self->failed))
    g_propagate_error (error, g_error_copy (self->failed));
  return self->it.file != NULL;
}

/* What the disk has, in clusters. */

static void
note_cluster (Restore *self, guint64 cluster)
{
  guint old = self->it.filled->len;

  if (cluster / 8 >= old) {
    g_byte_array_set_size (self->it.filled, (guint) (cluster / 8 + 1));
    memset (self->it.filled->data + old, 0, self->it.filled->len - old);
  }
  self->it.filled->data[cluster / 8] |= (guint8) (1u << (cluster % 8));
}

/* Those that zeros alone are written to stay empty. */
static void
note_data (Restore *self, guint64 offset, const guint8 *data, gsize length)
{
  for (gsize at = 0, n; at < length; at += n) {
    n = MIN (length - at, VIRFS_ARRIVAL_CLUSTER - (offset + at) % VIRFS_ARRIVAL_CLUSTER);
    if (!virfs_is_zero (data + at, n))
      note_cluster (self, (offset + at) / VIRFS_ARRIVAL_CLUSTER);
  }
}

/* Writing. */

/* No image of the disk has as many bytes as the end of that: what is noted of it would be without bounds. */
static gboolean
check_end (Restore *self, guint64 offset, gsize length, GError **error)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (self->it.disk);
  guint64 size = ((VirfsDiskInfo *) info)->size;
  guint64 most = size ? MIN (2 * size + ROOM, MOST_BYTES) : MOST_BYTES;

  if (offset <= most && length <= most - offset)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_TOO_BIG,
               "no image of this disk, which has %" G_GUINT64_FORMAT " bytes, is as large", size);
  if (self->failed == NULL)
    self->failed = g_error_copy (*error);
  return FALSE;
}

static void
run_write (Restore *self, Command *command)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (command->bytes, &length);
  g_autoptr (GError) error = NULL;

  if (check (self, &error) && check_end (self, command->offset, length, &error)) {
    if (virfs_file_write_sparse (self->it.file, command->offset, data, length, &error))
      note_data (self, command->offset, data, length);
    else
      self->failed = g_error_copy (error);
    self->it.length = MAX (self->it.length, command->offset + length);
    virfs_job_progress (self->it.job, self->it.length, 0);
  }
  command->done (error, command->data);
}

static void
run_cut (Restore *self, Command *command)
{
  g_autoptr (GError) error = NULL;

  if ((command->offset > 0 || self->it.length > 0) && check (self, &error)
      && check_end (self, command->offset, 0, &error)
      && self->it.file->class->cut (self->it.file, command->offset, &error)) {
    self->it.length = command->offset;
    for (guint64 at = virfs_parts (self->it.length, VIRFS_ARRIVAL_CLUSTER);
         at / 8 < self->it.filled->len; at++)
      self->it.filled->data[at / 8] &= (guint8) ~(1u << (at % 8));
  }
  command->done (error, command->data);
}

static void
run_read (Restore *self, Command *command)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();

  command->read_done (EINVAL, none, command->data);
}

static void
run_flush (Restore *self, Command *command)
{
  g_autoptr (GError) error = NULL;

  if (self->done || self->it.length == 0)
    ;
  else if (check (self, &error) && command->why == VIRFS_SINK_CLOSED)
    self->done = virfs_restore_replace (&self->it, &error);
  command->done (error, command->data);
}

static void
run_close (Restore *self, Command *command)
{
  if (self->it.file != NULL)
    self->it.file->class->close (self->it.file, TRUE);
  self->it.file = NULL;
  if (!self->done && self->failed == NULL)
    self->failed = g_error_new (VIRFS_ERROR, VIRFS_ERROR_INVALID,
                                "what has come is not the disk, which is as it was");
  if (self->it.job != NULL)
    virfs_job_finish (self->it.job, self->done ? NULL : g_steal_pointer (&self->failed));
  self->ended = TRUE;
}

static void
free_command (Command *command)
{
  if (command->bytes != NULL)
    g_bytes_unref (command->bytes);
  g_free (command);
}

static Command *
next (Restore *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (g_queue_is_empty (&self->commands))
    g_cond_wait (&self->asked, &self->lock);
  return g_queue_pop_head (&self->commands);
}

static gpointer
run (gpointer data)
{
  Restore *self = data;

  while (!self->ended) {
    Command *command = next (self);

    command->run (self, command);
    free_command (command);
  }
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->asked);
  g_byte_array_unref (self->it.filled);
  g_clear_error (&self->failed);
  virfs_object_unref (self->it.disk);
  virfs_object_unref (self->it.host);
  virfs_object_unref (self->it.job);
  g_free (self->it.pool);
  g_free (self->it.volume);
  g_free (self->it.fresh);
  g_free (self);
  return NULL;
}

/* The sink. */

static void
push (VirfsSink *sink, const Command *command)
{
  Restore *self = (Restore *) sink;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  g_queue_push_tail (&self->commands, g_memdup2 (command, sizeof *command));
  g_cond_signal (&self->asked);
}

static void
sink_write (VirfsSink *sink, guint64 offset, GBytes *bytes, VirfsSinkDone done, gpointer data)
{
  Command command
    = { run_write, .offset = offset, .bytes = g_bytes_ref (bytes), .done = done, .data = data };

  push (sink, &command);
}

static void
sink_read (VirfsSink *sink, guint64 offset, gsize length, VirfsContentDone done, gpointer data)
{
  Command command
    = { run_read, .offset = offset, .length = length, .read_done = done, .data = data };

  push (sink, &command);
}

static void
sink_cut (VirfsSink *sink, guint64 size, VirfsSinkDone done, gpointer data)
{
  Command command = { run_cut, .offset = size, .done = done, .data = data };

  push (sink, &command);
}

static void
sink_flush (VirfsSink *sink, VirfsSinkFlush why, VirfsSinkDone done, gpointer data)
{
  Command command = { run_flush, .why = why, .done = done, .data = data };

  push (sink, &command);
}

static void
sink_close (VirfsSink *sink)
{
  Command command = { run_close };

  push (sink, &command);
}

static const VirfsSinkClass sink_class
  = { sink_write, sink_read, sink_cut, sink_flush, sink_close };

VirfsSink *
virfs_restore_new (VirfsPart *disk, guint uid)
{
  Restore *self = g_new0 (Restore, 1);

  self->sink.class = &sink_class;
  self->it.disk = virfs_object_ref (disk);
  self->it.uid = uid;
  g_mutex_init (&self->lock);
  g_cond_init (&self->asked);
  g_queue_init (&self->commands);
  self->it.filled = g_byte_array_new ();
  g_thread_unref (g_thread_new ("virfs-restore", run, self));
  return &self->sink;
}
