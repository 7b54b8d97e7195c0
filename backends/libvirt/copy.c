/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files through a pair of streams, holes as holes.  Each is copied byte by byte, whatever it holds,
 * into a volume that begins empty.
 */
#include "copy.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "xml.h"

#include <string.h>

/* What libvirt sends in one message. */
#define CHUNK             (256 * 1024)
#define PROGRESS_INTERVAL (200 * G_TIME_SPAN_MILLISECOND)
/* virStreamRecvFlags() has come to one. */
#define HOLE (-3)

typedef struct {
  LvTask *task;
  const char *what; /* how it is called in messages */
  virStorageVolPtr from, to;
  virStreamPtr in, out;
  char *buffer;
  guint64 *done, total; /* of all files; bytes */
  gint64 told;          /* when progress was (monotonic time) */
} Transfer;

static gboolean
fail_copy (Transfer *transfer, GError **error)
{
  return lv_fail (error, "cannot copy %s", transfer->what);
}

static gboolean
send_all (Transfer *transfer, int length, GError **error)
{
  for (int sent = 0; sent < length;) {
    int n = LV (virStreamSend (transfer->out, transfer->buffer + sent, length - sent));

    if (n < 0)
      return fail_copy (transfer, error);
    sent += n;
  }
  return TRUE;
}

static gboolean
copy_hole (Transfer *transfer, GError **error)
{
  long long length = 0;

  if (LV (virStreamRecvHole (transfer->in, &length, 0)) < 0
      || LV (virStreamSendHole (transfer->out, length, 0)) < 0)
    return fail_copy (transfer, error);
  return TRUE;
}

static gboolean
check_cancelled (Transfer *transfer, GError **error)
{
  if (!lv_task_is_cancelled (transfer->task))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "cancelled: %s stays on %s",
               transfer->what, transfer->task->link->connection->name);
  return FALSE;
}

static void
tell_progress (Transfer *transfer)
{
  gint64 now = g_get_monotonic_time ();

  if (now < transfer->told + PROGRESS_INTERVAL)
    return;
  transfer->told = now;
  lv_gate_progress_job (transfer->task->link->connection, transfer->task->job,
                        MIN (*transfer->done, transfer->total), transfer->total);
}

static gboolean
pump (Transfer *transfer, GError **error)
{
  for (;;) {
    int n = LV (
      virStreamRecvFlags (transfer->in, transfer->buffer, CHUNK, VIR_STREAM_RECV_STOP_AT_HOLE));

    if (n == 0)
      return TRUE;
    if (n < 0 && n != HOLE)
      return fail_copy (transfer, error);
    if (!check_cancelled (transfer, error)
        || !(n == HOLE ? copy_hole (transfer, error) : send_all (transfer, n, error)))
      return FALSE;
    *transfer->done += MAX (n, 0);
    tell_progress (transfer);
  }
}

static gboolean
finish (Transfer *transfer, GError **error)
{
  if (LV (virStreamFinish (transfer->in)) < 0 || LV (virStreamFinish (transfer->out)) < 0)
    return fail_copy (transfer, error);
  return TRUE;
}

static void
give_up (Transfer *transfer)
{
  LV (virStreamAbort (transfer->in));
  LV (virStreamAbort (transfer->out));
}

static gboolean
transfer_all (Transfer *transfer, GError **error)
{
  gboolean ok;

  if (LV (virStorageVolDownload (transfer->from, transfer->in, 0, 0,
                                 VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM))
      < 0)
    return fail_copy (transfer, error);
  if (LV (virStorageVolUpload (transfer->to, transfer->out, 0, 0,
                               VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM))
      < 0) {
    fail_copy (transfer, error);
    LV (virStreamAbort (transfer->in));
    return FALSE;
  }
  ok = pump (transfer, error);
  if (!ok)
    give_up (transfer);
  return ok && finish (transfer, error);
}

gboolean
lv_copy_volume (LvTask *task, const char *what, virStorageVolPtr from, virStorageVolPtr to,
                guint64 *done, guint64 total, GError **error)
{
  g_autofree char *buffer = g_malloc (CHUNK);
  g_autoptr (virStream) in = LV (virStreamNew (virStorageVolGetConnect (from), 0));
  g_autoptr (virStream) out = LV (virStreamNew (virStorageVolGetConnect (to), 0));
  Transfer transfer = { task, what, from, to, in, out, buffer, done, total };

  if (in == NULL || out == NULL)
    return fail_copy (&transfer, error);
  return transfer_all (&transfer, error);
}

static gboolean
copy_file (LvTask *task, LvCopy *copy, guint64 *done, guint64 total, GError **error)
{
  g_autoptr (virStorageVol) from = lv_pool_fresh_volume (copy->from, copy->name);
  g_autofree char *xml = lv_xml_make_volume (copy->name, "raw", 0);

  if (from == NULL)
    return lv_fail (error, "cannot copy %s", copy->path);
  copy->made = LV (virStorageVolCreateXML (copy->to->pool, xml, 0));
  if (copy->made == NULL)
    return lv_fail (error, "cannot make %s on %s", copy->path, task->target->connection->name);
  return lv_copy_volume (task, copy->path, from, copy->made, done, total, error);
}

static guint64
size_of (LvCopy *copy)
{
  g_autoptr (virStorageVol) volume = lv_pool_fresh_volume (copy->from, copy->name);
  virStorageVolInfo info = { 0 };

  if (volume != NULL)
    LV (virStorageVolGetInfo (volume, &info));
  return info.allocation;
}

gboolean
lv_copy_files (LvTask *task, GPtrArray *copies, GError **error)
{
  guint64 done = 0, total = 0;

  for (guint i = 0; i < copies->len; i++)
    total += size_of (copies->pdata[i]);
  for (guint i = 0; i < copies->len; i++)
    if (!copy_file (task, copies->pdata[i], &done, total, error))
      return FALSE;
  return TRUE;
}
