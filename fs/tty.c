/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/console/log and tty: what a guest writes to its serial console, and talking to it there. */
#include "console_files.h"

#include "console.h"

static const char *
uuid_of (const VirfsNode *node)
{
  return ((const VirfsVm *) node->object)->uuid;
}

/* What is shown. */

void
virfs_console_show_state (const VirfsNode *node, GString *out)
{
  VirfsConsoleState state = virfs_console_state (virfs_node_infra (node), uuid_of (node));

  g_string_append_printf (out, "%s\n", virfs_console_state_name (state));
}

gsize
virfs_console_size_of_log (const VirfsNode *node)
{
  return virfs_console_log_size (virfs_node_infra (node), uuid_of (node));
}

gsize
virfs_console_read_log (const VirfsNode *node, goffset offset, char *buffer, gsize size)
{
  return virfs_console_log_read (virfs_node_infra (node), uuid_of (node), offset, buffer, size);
}

gboolean
virfs_is_console (const VirfsNode *node, gint64 *changed)
{
  if (!(node->row->fields & VIRFS_BIT (VIRFS_VM_CONSOLE)))
    return FALSE;
  *changed = virfs_console_changed (virfs_node_infra (node), uuid_of (node));
  return TRUE;
}

/* Recording. */

void
virfs_console_store_record (VirfsCall *call, const VirfsNode *node, gboolean record)
{
  virfs_vm_note (call, node->object, record ? "record the console" : "stop recording the console",
                 &(VirfsVmNote){ .field = VIRFS_VM_RECORD, .number = (guint) record });
}

/* Talking. */

typedef struct {
  VirfsCall *call;
  VirfsTerminal *terminal;
} Opening;

static void
end_opening (VirfsJob *job, const GError *failure, gpointer data)
{
  g_autofree Opening *opening = data;

  if (failure == NULL)
    virfs_call_give_terminal (opening->call, opening->terminal);
  else
    opening->terminal->class->close (opening->terminal);
  virfs_call_finish (opening->call, failure);
}

/* He talks to it before it is open, so that nobody closes it behind him. */
static void
open_console (VirfsCall *call, const VirfsNode *node)
{
  const VirfsVmInfo *info = node->snapshot;
  Opening *opening = g_new (Opening, 1);
  g_autoptr (VirfsJob) job = NULL;

  *opening = (Opening){ call, virfs_console_attach (node->object) };
  job = virfs_call_job_then (call, "open the console", node->object, info->host, end_opening,
                             opening);
  virfs_node_backend (node)->console_open (node->object, job);
}

void
virfs_console_talk (VirfsCall *call, const VirfsNode *node)
{
  const VirfsVmInfo *info = node->snapshot;

  if (!virfs_vm_state_active (info->state))
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "%s does not run: write running to its state first",
                     virfs_vm_shown_as (info));
  else if (virfs_vm_check_settled (call, node->object))
    open_console (call, node);
}
