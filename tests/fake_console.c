/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The serial consoles of the fake's guests. */
#include "fake.h"

#include "console.h"
#include "error.h"

gint virfs_fake_console_busy;

void
virfs_fake_console_open (VirfsVm *vm, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  if (!virfs_fake_begin (info->host, job))
    return;
  if (g_atomic_int_get (&virfs_fake_console_busy)) {
    virfs_job_finish (job, g_error_new (VIRFS_ERROR, VIRFS_ERROR_BUSY, "somebody else has it"));
    return;
  }
  virfs_console_tell (vm->object.infra, vm->uuid, NULL, VIRFS_CONSOLE_OPEN);
  virfs_job_finish (job, NULL);
}

void
virfs_fake_console_send (VirfsVm *vm)
{
  char buffer[4096];
  gsize n;

  while ((n = virfs_console_pull (vm->object.infra, vm->uuid, buffer, sizeof buffer)) > 0) {
    virfs_console_take (vm->object.infra, vm->uuid, buffer, n);
    if (g_strstr_len (buffer, (gssize) n, "quit\n") != NULL)
      virfs_console_end (vm->object.infra, vm->uuid, 0);
  }
}

void
virfs_fake_console_leave (VirfsVm *vm)
{
  virfs_console_tell (vm->object.infra, vm->uuid, NULL, VIRFS_CONSOLE_CLOSED);
}

static void
take_password (VirfsVmInfo *info, gpointer password)
{
  virfs_ref_string_set (&info->password, password);
  info->password_until = g_get_real_time () + G_TIME_SPAN_MINUTE;
}

void
virfs_fake_password (VirfsVm *vm, const char *password, gboolean once, VirfsJob *job)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  if (!virfs_fake_begin (info->host, job))
    return;
  virfs_infra_edit_vm (vm->object.infra, info->host, info->uuid, take_password,
                       (gpointer) password);
  virfs_job_finish (job, NULL);
}
