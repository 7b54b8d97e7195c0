/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Restoring disks.  What is asked of a sink is carried out by a thread of its own, one after the
 * other, because all that is done with a volume waits for its host.
 */
#include "restore.h"

#include "backend.h"
#include "device.h"
#include "error.h"
#include "file.h"
#include "image_header.h"
#include "qcow2.h"
#include "spans.h"
#include "use.h"

#include <errno.h>
#include <string.h>

#define CLUSTER VIRFS_QCOW2_CLUSTER
#define AT_ONCE (1024 * 1024)
#define SECTOR  512

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
  VirfsPart *disk; /* a reference */
  guint uid;       /* who asks */
  GMutex lock;
  GCond asked;
  GQueue commands; /* under lock: of Command* */

  /* of its thread */
  VirfsHost *host; /* a reference, as the next; NULL as what follows: nothing was written yet */
  VirfsJob *job;
  char *pool, *volume;
  VirfsFile *file;    /* what has arrived; NULL: nothing yet, or it is in its place */
  guint64 length;     /* bytes that were written, holes included */
  GByteArray *filled; /* a bit for each cluster that has data */
  GError *failed;     /* what all that comes fails with */
  gboolean done, ended;
};

/* Whether it can be. */

static VirfsVm *
guest_of (VirfsPart *disk)
{
  return (VirfsVm *) disk->owner;
}

/* A reference; NULL: none. */
static VirfsHost *
host_of (VirfsPart *disk)
{
  g_autoptr (VirfsVmInfo) guest = virfs_vm_info (guest_of (disk));

  return guest->host ? virfs_object_ref (guest->host) : NULL;
}

static gboolean
check_off (VirfsPart *disk, GError **error)
{
  g_autoptr (VirfsVmInfo) guest = virfs_vm_info (guest_of (disk));
  GPtrArray *snapshots = guest->parts[VIRFS_VM_SNAPSHOTS];

  if (guest->state != VIRFS_VM_SHUTOFF)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
                 "a disk can be restored while its guest is shut off: it is %s",
                 virfs_vm_state_name (guest->state));
  else if (snapshots != NULL && snapshots->len > 0)
    g_set_error (
      error, VIRFS_ERROR, VIRFS_ERROR_BUSY,
      "snapshots of the guest are in its disk, and would be lost: delete snapshots/%s first",
      ((VirfsPartInfo *) snapshots->pdata[0])->name);
  else
    return TRUE;
  return FALSE;
}

/* Its volume may be missing: then it is to be made where the definition has it. */
static gboolean
find_missing (VirfsHost *host, const char *source, char **pool, char **volume)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info (host);
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];
  g_autofree char *directory = g_path_get_dirname (source);

  for (guint i = 0; *source == '/' && pools && i < pools->len; i++) {
    const VirfsPoolInfo *candidate = pools->pdata[i];

    if (virfs_pool_has_files (candidate) && g_strcmp0 (candidate->path, directory) == 0) {
      *pool = g_strdup (candidate->part.name);
      *volume = g_path_get_basename (source);
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
check_users (VirfsPart *disk, VirfsPart *volume, GError **error)
{
  g_autoptr (GPtrArray) users = virfs_volume_users (volume);
  g_autofree char *path = virfs_object_path (guest_of (disk));

  for (guint i = 0; i < users->len; i++) {
    const VirfsUser *user = users->pdata[i];

    if (g_str_equal (user->path, path))
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "what is on the disk is also used by %s",
                 user->path);
    return FALSE;
  }
  return TRUE;
}

static gboolean
find_volume (VirfsPart *disk, VirfsHost *host, char **pool, char **volume, GError **error)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (disk);
  const char *source = ((VirfsDiskInfo *) info)->source;
  g_autoptr (VirfsPart) found = source ? virfs_volume_find (host, NULL, source, NULL) : NULL;

  if (found == NULL && (source == NULL || !find_missing (host, source, pool, volume))) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
                 "only disks that are files in a pool of their host can be restored");
    return FALSE;
  }
  if (found == NULL)
    return TRUE;
  if (!check_users (disk, found, error))
    return FALSE;
  *pool = g_strdup (((VirfsPart *) found->owner)->name);
  *volume = g_strdup (found->name);
  return TRUE;
}

static gboolean
check_disk (VirfsPart *disk, GError **error)
{
  g_autoptr (VirfsHost) host = host_of (disk);
  g_autofree char *pool = NULL, *volume = NULL;

  if (host == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "the guest has no host");
    return FALSE;
  }
  return check_off (disk, error) && find_volume (disk, host, &pool, &volume, error);
}

/* Its thread. */

static const VirfsBackend *
backend_of (Restore *self)
{
  return virfs_infra_backend (self->disk->object.infra);
}

/* It looks itself whether it was. */
static void
cancel (VirfsJob *job, gpointer unused)
{
}

/* With the first that is written. */
static gboolean
begin (Restore *self, GError **error)
{
  g_autofree char *operation = g_strdup_printf ("restore %s", self->disk->name);
  VirfsJobSpec spec = { .operation = operation, .object = self->disk->owner, .uid = self->uid };

  if (!check_disk (self->disk, error))
    return FALSE;
  self->host = host_of (self->disk);
  if (self->host == NULL
      || !find_volume (self->disk, self->host, &self->pool, &self->volume, error))
    return FALSE;
  spec.host = &self->host->object;
  self->job = virfs_job_new (self->disk->object.infra, &spec);
  virfs_job_start (self->job, cancel, NULL);
  self->file = backend_of (self)->volume_write (self->host, self->pool, self->volume, TRUE, error);
  return self->file != NULL;
}

static gboolean
check (Restore *self, GError **error)
{
  if (self->failed == NULL && self->job != NULL && virfs_job_is_cancelled (self->job))
    self->failed = g_error_new (VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "it was cancelled");
  if (self->failed == NULL && self->done)
    self->failed = g_error_new (VIRFS_ERROR, VIRFS_ERROR_BUSY,
                                "the disk has been restored: open it anew to do that again");
  if (self->failed != NULL) {
    g_propagate_error (error, g_error_copy (self->failed));
    return FALSE;
  }
  if (self->file == NULL && !begin (self, &self->failed))
    g_propagate_error (error, g_error_copy (self->failed));
  return self->file != NULL;
}

/* What the disk has, in clusters. */

static void
note_cluster (Restore *self, guint64 cluster)
{
  guint old = self->filled->len;

  if (cluster / 8 >= old) {
    g_byte_array_set_size (self->filled, (guint) (cluster / 8 + 1));
    memset (self->filled->data + old, 0, self->filled->len - old);
  }
  self->filled->data[cluster / 8] |= (guint8) (1u << (cluster % 8));
}

/* Those that zeros alone are written to stay empty. */
static void
note_data (Restore *self, guint64 offset, const guint8 *data, gsize length)
{
  for (gsize at = 0, n; at < length; at += n) {
    n = MIN (length - at, CLUSTER - (offset + at) % CLUSTER);
    if (!virfs_is_zero (data + at, n))
      note_cluster (self, (offset + at) / CLUSTER);
  }
}

static gboolean
has_cluster (Restore *self, guint64 cluster)
{
  return cluster / 8 < self->filled->len && self->filled->data[cluster / 8] & (1u << (cluster % 8));
}

static VirfsExtents *
extents_of (Restore *self)
{
  VirfsExtents *extents = virfs_extents_new ();

  for (guint64 at = 0; at < self->length; at += CLUSTER)
    virfs_extents_append (extents, MIN (CLUSTER, self->length - at),
                          has_cluster (self, at / CLUSTER) ? VIRFS_EXTENT_DATA : VIRFS_EXTENT_ZERO);
  return extents;
}

/* Writing. */

static void
run_write (Restore *self, Command *command)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (command->bytes, &length);
  g_autoptr (GError) error = NULL;

  if (check (self, &error)) {
    if (!virfs_file_write_sparse (self->file, command->offset, data, length, &error))
      self->failed = g_error_copy (error);
    note_data (self, command->offset, data, length);
    self->length = MAX (self->length, command->offset + length);
    virfs_job_progress (self->job, self->length, 0);
  }
  command->done (error, command->data);
}

static void
run_cut (Restore *self, Command *command)
{
  g_autoptr (GError) error = NULL;

  if ((command->offset > 0 || self->length > 0) && check (self, &error)
      && self->file->class->cut (self->file, command->offset, &error)) {
    self->length = command->offset;
    for (guint64 at = virfs_parts (self->length, CLUSTER); at / 8 < self->filled->len; at++)
      self->filled->data[at / 8] &= (guint8) ~(1u << (at % 8));
  }
  command->done (error, command->data);
}

static void
run_read (Restore *self, Command *command)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();

  command->read_done (EINVAL, none, command->data);
}

/* A raw image becomes a qcow2 file. */

static gboolean
copy_piece (Restore *self, VirfsFile *to, const VirfsQcow2 *qcow2, guint64 offset, gsize *length,
            guint8 *buffer, GError **error)
{
  gboolean is_data;
  guint64 guest;
  gssize got;

  *length = virfs_qcow2_at (qcow2, offset, AT_ONCE, &is_data, &guest);
  if (*length == 0)
    return TRUE;
  if (!is_data) {
    virfs_qcow2_fill (qcow2, offset, *length, buffer);
    return virfs_file_write_sparse (to, offset, buffer, *length, error);
  }
  got = self->file->class->read (self->file, guest, buffer, *length, error);
  if (got >= 0 && (gsize) got < *length)
    memset (buffer + got, 0, *length - (gsize) got);
  return got >= 0 && virfs_file_write_sparse (to, offset, buffer, *length, error);
}

static gboolean
fill_qcow2 (Restore *self, VirfsFile *to, const VirfsQcow2 *qcow2, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (AT_ONCE);
  guint64 size = virfs_qcow2_size (qcow2);
  gsize length = 1;

  for (guint64 offset = 0; length > 0; offset += length) {
    if (virfs_job_is_cancelled (self->job)) {
      g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "it was cancelled");
      return FALSE;
    }
    if (!copy_piece (self, to, qcow2, offset, &length, buffer, error))
      return FALSE;
    virfs_job_progress (self->job, offset, size);
  }
  return to->class->cut (to, size, error);
}

static gboolean
convert (Restore *self, GError **error)
{
  g_autoptr (VirfsExtents) extents = extents_of (self);
  g_autoptr (VirfsQcow2) qcow2 = virfs_qcow2_new (extents, NULL, NULL, error);
  VirfsFile *to
    = qcow2 ? backend_of (self)->volume_write (self->host, self->pool, self->volume, TRUE, error)
            : NULL;

  if (to == NULL)
    return FALSE;
  if (!fill_qcow2 (self, to, qcow2, error)) {
    to->class->close (to, TRUE);
    return FALSE;
  }
  self->file->class->close (self->file, TRUE);
  self->file = to;
  return TRUE;
}

/* Whether it can be the disk. */

static gboolean
check_raw (Restore *self, const VirfsDiskInfo *disk, GError **error)
{
  if (disk->size != 0 ? self->length == disk->size : self->length % SECTOR == 0)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "%" G_GUINT64_FORMAT
               " bytes have come, which is no qcow2 file, and a raw image of this"
               " disk has %" G_GUINT64_FORMAT,
               self->length, disk->size);
  return FALSE;
}

static gboolean
check_qcow2 (const VirfsImageHeader *header, GError **error)
{
  if (header->backing == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "what has come is only what has changed since \"%s\": merge the two first, with"
               " qemu-img convert -O qcow2",
               header->backing);
  return FALSE;
}

static gboolean
check_arrived (Restore *self, GError **error)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (self->disk);
  const VirfsDiskInfo *disk = (VirfsDiskInfo *) info;
  g_autofree guint8 *bytes = g_malloc (VIRFS_IMAGE_HEADER_BYTES);
  gssize length = self->file->class->read (self->file, 0, bytes, VIRFS_IMAGE_HEADER_BYTES, error);
  g_auto (VirfsImageHeader) header = { 0 };

  if (length < 0)
    return FALSE;
  if (g_strcmp0 (disk->format, "raw") == 0)
    return check_raw (self, disk, error);
  if (!virfs_image_header_parse (bytes, (gsize) length, self->length, &header, error))
    return FALSE;
  if (g_strcmp0 (header.format, disk->format) == 0)
    return check_qcow2 (&header, error);
  if (g_str_equal (header.format, "raw") && g_strcmp0 (disk->format, "qcow2") == 0)
    return check_raw (self, disk, error) && convert (self, error);
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
    "the disk is %s, and what has come is %s: convert it first, with qemu-img convert -O %s",
    disk->format, header.format, disk->format);
  return FALSE;
}

/* In the place of what was there.  The guest may have been started meanwhile. */
static gboolean
replace (Restore *self, GError **error)
{
  VirfsFile *file;

  if (!check_arrived (self, error) || !self->file->class->flush (self->file, TRUE, error)
      || !check_disk (self->disk, error)
      || !self->file->class->rename (self->file, self->volume, error))
    return FALSE;
  file = g_steal_pointer (&self->file);
  file->class->tell (file);
  file->class->close (file, FALSE);
  self->done = TRUE;
  return TRUE;
}

static void
run_flush (Restore *self, Command *command)
{
  g_autoptr (GError) error = NULL;

  if (self->done || self->length == 0)
    ;
  else if (check (self, &error) && command->why == VIRFS_SINK_CLOSED)
    replace (self, &error);
  command->done (error, command->data);
}

static void
run_close (Restore *self, Command *command)
{
  if (self->file != NULL)
    self->file->class->close (self->file, TRUE);
  self->file = NULL;
  if (!self->done && self->failed == NULL)
    self->failed = g_error_new (VIRFS_ERROR, VIRFS_ERROR_INVALID,
                                "what has come is not the disk, which is as it was");
  if (self->job != NULL)
    virfs_job_finish (self->job, self->done ? NULL : g_steal_pointer (&self->failed));
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
  g_byte_array_unref (self->filled);
  g_clear_error (&self->failed);
  virfs_object_unref (self->disk);
  virfs_object_unref (self->host);
  virfs_object_unref (self->job);
  g_free (self->pool);
  g_free (self->volume);
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
  self->disk = virfs_object_ref (disk);
  self->uid = uid;
  g_mutex_init (&self->lock);
  g_cond_init (&self->asked);
  g_queue_init (&self->commands);
  self->filled = g_byte_array_new ();
  g_thread_unref (g_thread_new ("virfs-restore", run, self));
  return &self->sink;
}
