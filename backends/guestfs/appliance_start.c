/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting an appliance: where its disks are, and by which accelerator.  A machine may offer KVM that does
 * not work: then it does not come up within a time, or at once dies; it is emulated then, and so are all later
 * ones.
 */
#include "appliance.h"
#include "error.h"
#include "helper_process.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Seconds: with KVM it takes one to five, and some more if libguestfs has to build it first. */
#define LAUNCH_KVM 40
#define LAUNCH_TCG 300
/* To find and mount what there is. */
#define MOUNT 300

static char *helper_program;
static guint idle_seconds;
static gint kvm_fails; /* atomic */

void
virfs_appliance_init (const char *helper, guint idle)
{
  g_free (helper_program);
  helper_program = g_strdup (helper);
  idle_seconds = idle;
}

guint
virfs_appliance_idle (void)
{
  return idle_seconds;
}

/* The request. */

static gboolean
check_uri (const char *uri, GError **error)
{
  if (g_str_has_prefix (uri, "nbd+unix:") || g_str_has_prefix (uri, "nbd:")
      || g_str_has_prefix (uri, "nbds:"))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED,
               "files cannot be had from %s: only from nbd+unix:, nbd: and nbds:", uri);
  return FALSE;
}

static gboolean
put_disk (GByteArray *out, const VirfsFilesDisk *disk, GError **error)
{
  if (disk->uri != NULL && !check_uri (disk->uri, error))
    return FALSE;
  virfs_wire_put_text (out, disk->target);
  virfs_wire_put_text (out, disk->uri);
  virfs_wire_put_text (out, disk->certificates);
  virfs_wire_put_u32 (out, disk->images->len);
  for (guint i = 0; i < disk->images->len; i++) {
    const VirfsFilesImage *image = disk->images->pdata[i];

    virfs_wire_put_text (out, image->file);
    virfs_wire_put_text (out, image->format);
  }
  return TRUE;
}

static GByteArray *
make_request (GPtrArray *disks, const char *scratch, gboolean tcg, GError **error)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  virfs_wire_put_text (out, scratch);
  virfs_wire_put_u32 (out, tcg);
  virfs_wire_put_u32 (out, disks->len);
  for (guint i = 0; i < disks->len; i++)
    if (!put_disk (out, disks->pdata[i], error))
      return NULL;
  return g_steal_pointer (&out);
}

/* The answer. */

/* TEXT came from somewhere else: bounded and escaped it is told to users. */
static void
set_failure (GError **error, int number, const char *text)
{
  g_autoptr (GError) probe = NULL;
  VirfsError code = VIRFS_ERROR_FAILED;

  for (VirfsError i = VIRFS_ERROR_FAILED; i <= VIRFS_ERROR_NO_MEMORY; i++) {
    g_clear_error (&probe);
    g_set_error_literal (&probe, VIRFS_ERROR, i, "");
    if (virfs_error_to_errno (probe) == number)
      code = i;
  }
  g_set_error (error, VIRFS_ERROR, code, "%s", text && *text ? text : "the appliance has failed");
}

static gboolean
receive (VirfsHelperProcess *process, guint seconds, VirfsWireAnswer expected, GByteArray *answer,
         GError **error)
{
  VirfsWireHeader header;
  VirfsWireReader in;
  g_autofree char *text = NULL;

  virfs_helper_process_limit (process, seconds);
  if (!virfs_helper_process_receive (process, &header, answer)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s",
                 errno == EAGAIN ? "the appliance takes too long" : "the appliance has gone");
    return FALSE;
  }
  if (header.kind == expected)
    return TRUE;
  in = virfs_wire_reader (answer);
  text = virfs_wire_get_text (&in, VIRFS_WIRE_TEXT_MAX);
  set_failure (error, header.kind == VIRFS_WIRE_FAILED ? header.error : EPROTO, text);
  return FALSE;
}

static void
get_notes (const GByteArray *answer, GPtrArray *notes)
{
  VirfsWireReader in = virfs_wire_reader (answer);
  guint32 n = virfs_wire_get_count (&in, 4);

  for (guint32 i = 0; i < n; i++) {
    char *note = virfs_wire_get_text (&in, VIRFS_WIRE_TEXT_MAX);

    if (note != NULL)
      g_ptr_array_add (notes, note);
  }
}

/* Starting. */

/* *UP: the appliance came up, whatever became of what it has mounted. */
static gboolean
open_disks (VirfsHelperProcess *process, GPtrArray *disks, gboolean tcg, gboolean *up,
            GPtrArray *notes, GError **error)
{
  g_autoptr (GByteArray) request
    = make_request (disks, virfs_helper_process_scratch (process), tcg, error);
  g_autoptr (GByteArray) answer = g_byte_array_new ();
  VirfsWireHeader header = { 0, VIRFS_WIRE_OPEN };

  *up = FALSE;
  if (request == NULL)
    return FALSE;
  header.length = request->len;
  if (!virfs_helper_process_send (process, &header, request)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "the helper has gone");
    return FALSE;
  }
  if (!receive (process, tcg ? LAUNCH_TCG : LAUNCH_KVM, VIRFS_WIRE_MORE, answer, error))
    return FALSE;
  *up = TRUE;
  if (!receive (process, MOUNT, VIRFS_WIRE_DONE, answer, error))
    return FALSE;
  get_notes (answer, notes);
  return TRUE;
}

static gboolean
may_use_kvm (void)
{
  const char *settings = g_getenv ("LIBGUESTFS_BACKEND_SETTINGS");

  return !g_atomic_int_get (&kvm_fails) && access ("/dev/kvm", R_OK | W_OK) == 0
         && (settings == NULL || strstr (settings, "force_tcg") == NULL);
}

/* Whether to try again without KVM what failed because of WRONG. */
static gboolean
may_be_kvm (gboolean tcg, gboolean up, const GError *wrong)
{
  return !tcg && !up && g_error_matches (wrong, VIRFS_ERROR, VIRFS_ERROR_FAILED);
}

VirfsHelperProcess *
virfs_appliance_start (GPtrArray *disks, GPtrArray *notes, VirfsApplianceStarted started,
                       gpointer data, GError **error)
{
  gboolean first = !may_use_kvm ();

  for (gboolean tcg = first;; tcg = TRUE) {
    VirfsHelperProcess *process = virfs_helper_process_new (helper_program, error);
    g_autoptr (GError) wrong = NULL;
    gboolean up = FALSE;

    if (process == NULL)
      return NULL;
    if (started (process, data) && open_disks (process, disks, tcg, &up, notes, &wrong)) {
      if (tcg && !first)
        g_atomic_int_set (&kvm_fails, 1);
      return process;
    }
    if (!started (NULL, data) && wrong == NULL)
      g_set_error (&wrong, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "it was stopped");
    virfs_helper_process_end (process);
    if (!may_be_kvm (tcg, up, wrong)) {
      g_propagate_error (error, g_steal_pointer (&wrong));
      return NULL;
    }
  }
}
