/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and pictures: the backend's functions. */
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "picture.h"

#include <stdlib.h>
#include <string.h>

/* Milliseconds that keys are held. */
#define HOLD 20
/* Bytes of a picture, as it comes, at most. */
#define MOST_BYTES (64u << 20)

/* Keys: the codes are in the task's image, as that holds bytes. */

static LvOutcome
run_keys (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = lv_task_domain (task, error);
  const guint *codes = (const guint *) task->image->data, *end;

  if (domain == NULL)
    return LV_FAILED;
  for (; *codes != 0; codes = end + 1) {
    for (end = codes; *end != 0; end++)
      ;
    if (LV (virDomainSendKey (domain, VIR_KEYCODE_SET_LINUX, HOLD, (guint *) codes,
                              (int) (end - codes), 0))
        < 0) {
      lv_fail (error, "cannot press keys for %s", task->name);
      return LV_FAILED;
    }
  }
  return LV_DONE;
}

void
lv_vm_keys (VirfsVm *vm, const guint *codes, guint n, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run_keys);

  if (task == NULL)
    return;
  task->image = g_byte_array_new ();
  g_byte_array_append (task->image, (const guint8 *) codes, n * sizeof *codes);
  lv_task_submit (task);
}

/* Pictures. */

static gboolean
receive (LvTask *task, virStreamPtr stream, GByteArray *bytes, GError **error)
{
  char buffer[64 << 10];
  int n;

  while ((n = LV (virStreamRecv (stream, buffer, sizeof buffer))) > 0 && bytes->len < MOST_BYTES)
    g_byte_array_append (bytes, (const guint8 *) buffer, (guint) n);
  if (n == 0) {
    LV (virStreamFinish (stream));
    return TRUE;
  }
  if (n < 0)
    lv_fail (error, "cannot take a screenshot of %s", task->name);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_TOO_BIG, "the screen of %s is too large",
                 task->name);
  LV (virStreamAbort (stream));
  return FALSE;
}

/* What comes, of the type *MIME, which the caller owns; NULL with ERROR. */
static GByteArray *
ask (LvTask *task, virDomainPtr domain, char **mime, GError **error)
{
  g_autoptr (virStream) stream = LV (virStreamNew (task->here.conn, 0));
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  *mime = stream ? LV (virDomainScreenshot (domain, stream, 0, 0)) : NULL;
  if (*mime == NULL) {
    lv_fail (error, "cannot take a screenshot of %s", task->name);
    return NULL;
  }
  return receive (task, stream, bytes, error) ? g_steal_pointer (&bytes) : NULL;
}

static void
take_screen (VirfsVmInfo *info, gpointer screen)
{
  virfs_blob_unref (info->screen);
  info->screen = virfs_blob_ref (screen);
}

/* As libvirt gives it: a PNG, or what older ones of QEMU make. */
static LvOutcome
run_screenshot (LvTask *task, GError **error)
{
  g_autoptr (virDomain) domain = lv_task_domain (task, error);
  char *mime = NULL;
  g_autoptr (GByteArray) bytes = domain ? ask (task, domain, &mime, error) : NULL;
  g_autoptr (VirfsBlob) screen = bytes ? lv_picture_png (bytes, mime, error) : NULL;
  guint64 ticket;

  free (mime);
  if (screen == NULL)
    return LV_FAILED;
  ticket = lv_gate_begin_reading (task->link);
  lv_gate_edit_vm (task->link, ticket, task->uuid, take_screen, screen);
  lv_gate_end_reading (task->link);
  return LV_DONE;
}

void
lv_vm_screenshot (VirfsVm *vm, VirfsJob *job)
{
  LvTask *task = lv_task_new (vm, job, LV_LANE_SHORT, run_screenshot);

  if (task != NULL)
    lv_task_submit (task);
}
