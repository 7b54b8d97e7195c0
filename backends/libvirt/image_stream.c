/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A volume that is written by streams.  One goes on as long as what is written comes in order, with holes
 * as holes; where it does not another begins there.
 */
#include "image_file.h"

#include "error.h"
#include "fail.h"
#include "xml.h"

static gboolean
fail (LvFile *self, const char *what, GError **error)
{
  return lv_fail (error, "cannot %s %s in the pool %s of %s", what, self->name, self->pool,
                  self->host->name);
}

static gboolean
finish (LvFile *self, GError **error)
{
  g_autoptr (virStream) stream = g_steal_pointer (&self->stream);

  return stream == NULL || LV (virStreamFinish (stream)) == 0 || fail (self, "write to", error);
}

static gboolean
fail_stream (LvFile *self, GError **error)
{
  fail (self, "write to", error);
  LV (virStreamAbort (self->stream));
  LV (virStreamFree (g_steal_pointer (&self->stream)));
  return FALSE;
}

static gboolean
begin (LvFile *self, guint64 offset, GError **error)
{
  if (!finish (self, error) || !lv_file_reach (self, error))
    return FALSE;
  self->stream = LV (virStreamNew (self->seat.conn, 0));
  self->position = offset;
  if (self->stream == NULL)
    return fail (self, "write to", error);
  return LV (virStorageVolUpload (self->volume, self->stream, offset, 0,
                                  VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM))
           == 0
         || fail_stream (self, error);
}

static gboolean
skip (LvFile *self, guint64 length, GError **error)
{
  if (length > 0 && LV (virStreamSendHole (self->stream, (long long) length, 0)) < 0)
    return fail_stream (self, error);
  self->position += length;
  return TRUE;
}

/* Where a hole ends libvirt cuts the file: so within it none can be sent. */
static gboolean
go_to (LvFile *self, guint64 offset, GError **error)
{
  if (self->stream == NULL || offset < self->position
      || (offset > self->position && offset < self->size))
    return begin (self, offset, error);
  return skip (self, offset - self->position, error);
}

static gboolean
stream_write (VirfsFile *file, guint64 offset, const guint8 *data, gsize length, GError **error)
{
  LvFile *self = (LvFile *) file;

  if (!go_to (self, offset, error))
    return FALSE;
  for (gsize done = 0; done < length;) {
    int n = LV (virStreamSend (self->stream, (const char *) data + done, length - done));

    if (n < 0)
      return fail_stream (self, error);
    done += (gsize) n;
  }
  self->position += length;
  self->size = MAX (self->size, self->position);
  return TRUE;
}

/* A hole leaves what is there. */
static gboolean
stream_zero (VirfsFile *file, guint64 offset, guint64 length, GError **error)
{
  static const guint8 zeros[64 * 1024];
  LvFile *self = (LvFile *) file;
  guint64 within = offset < self->size ? MIN (length, self->size - offset) : 0;

  for (guint64 n; within > 0; offset += n, length -= n, within -= n) {
    n = MIN (within, sizeof zeros);
    if (!stream_write (file, offset, zeros, (gsize) n, error))
      return FALSE;
  }
  if (length == 0)
    return TRUE;
  if (!go_to (self, offset, error) || !skip (self, length, error))
    return FALSE;
  self->size = MAX (self->size, self->position);
  return TRUE;
}

static gssize
receive (virStreamPtr stream, guint8 *data, gsize length)
{
  gsize done = 0;

  while (done < length) {
    int n = LV (virStreamRecv (stream, (char *) data + done, length - done));

    if (n < 0)
      return -1;
    if (n == 0)
      break;
    done += (gsize) n;
  }
  return (gssize) done;
}

static gssize
stream_read (VirfsFile *file, guint64 offset, guint8 *data, gsize length, GError **error)
{
  LvFile *self = (LvFile *) file;
  g_autoptr (virStream) stream = NULL;
  gssize got = -1;

  length = offset < self->size ? MIN (length, self->size - offset) : 0;
  if (!finish (self, error) || !lv_file_reach (self, error))
    return -1;
  if (length == 0)
    return 0;
  stream = LV (virStreamNew (self->seat.conn, 0));
  if (stream != NULL && LV (virStorageVolDownload (self->volume, stream, offset, length, 0)) == 0)
    got = receive (stream, data, length);
  if (got < 0)
    fail (self, "read", error);
  if (stream != NULL && (got < 0 || LV (virStreamFinish (stream)) < 0))
    LV (virStreamAbort (stream));
  return got;
}

/* An empty one is made anew. */
static gboolean
empty (LvFile *self, GError **error)
{
  g_autofree char *xml = lv_xml_make_volume (self->name, "raw", 0);
  g_autoptr (virStoragePool) pool = NULL;

  if (!lv_file_reach (self, error))
    return FALSE;
  pool = LV (virStoragePoolLookupByVolume (self->volume));
  if (pool == NULL || LV (virStorageVolDelete (self->volume, 0)) < 0)
    return fail (self, "empty", error);
  LV (virStorageVolFree (self->volume));
  self->volume = LV (virStorageVolCreateXML (pool, xml, 0));
  self->size = 0;
  return self->volume != NULL || fail (self, "empty", error);
}

static gboolean
stream_cut (VirfsFile *file, guint64 size, GError **error)
{
  LvFile *self = (LvFile *) file;

  if (size == self->size)
    return TRUE;
  if (size > self->size)
    return stream_zero (file, self->size, size - self->size, error);
  if (size == 0)
    return finish (self, error) && empty (self, error);
  g_set_error (
    error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
    "%s on %s can be reached by libvirt only, which cannot cut a file to %" G_GUINT64_FORMAT
    " bytes: write a new one",
    self->name, self->host->name, size);
  return FALSE;
}

static gboolean
stream_flush (VirfsFile *file, gboolean disk, GError **error)
{
  LvFile *self = (LvFile *) file;
  gboolean ok = finish (self, error);

  lv_file_leave (self);
  return ok;
}

static void
stream_set_modified (VirfsFile *file, gint64 modified)
{
}

static gboolean
stream_rename (VirfsFile *file, const char *name, GError **error)
{
  LvFile *self = (LvFile *) file;

  if (!g_str_equal (self->name, name)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CROSS,
                 "%s can be reached by libvirt only, which cannot rename volumes: it can be copied",
                 self->host->name);
    return FALSE;
  }
  lv_file_settle (self, name);
  return TRUE;
}

const VirfsFileClass lv_stream_class = {
  .write = stream_write,
  .zero = stream_zero,
  .read = stream_read,
  .cut = stream_cut,
  .flush = stream_flush,
  .set_modified = stream_set_modified,
  .rename = stream_rename,
  .tell = lv_file_tell,
  .close = lv_file_close,
};
