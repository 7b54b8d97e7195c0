/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vms/<vm>/guest/exec/<exec>/: a command that runs in a guest.  mkdir makes room for it, writing its command
 * line runs it, and rmdir drops it with what it has written; so any number of callers have theirs.
 *
 * It lives with this program: nothing of it is kept.
 */
#include "agent_files.h"
#include "part_class.h"

#include <string.h>

/* At most so many of one guest. */
#define MOST 64

static VirfsVm *
vm_of (const VirfsNode *node)
{
  return (VirfsVm *) virfs_part_root (node->object);
}

/* The directory. */

static void
make_exec (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  const VirfsVmInfo *info = dir->snapshot;
  GPtrArray *there = info->parts[VIRFS_VM_EXECS];
  g_autoptr (VirfsPart) part = NULL;
  g_autoptr (GError) error = NULL;

  if (!virfs_part_check_name (call, dir, name))
    return;
  if (there != NULL && there->len >= MOST) {
    virfs_call_fail (call, VIRFS_ERROR_NO_SPACE, "there are %d commands already; rmdir some", MOST);
    return;
  }
  part = virfs_infra_add_draft (virfs_node_infra (dir), dir->object,
                                virfs_part_info_new (&virfs_exec_class, name), &error);
  virfs_call_finish (call, error);
}

static gboolean
is_running (VirfsPart *part)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info (part);

  return ((VirfsExecInfo *) info)->running;
}

static void
remove_exec (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) part = virfs_part_in (dir, name);

  if (part == NULL)
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no such command");
  else if (is_running (part))
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "it is still running");
  else if (!virfs_infra_drop_draft (virfs_node_infra (dir), part))
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "it is gone");
  else
    virfs_call_finish (call, NULL);
}

const VirfsDir virfs_execs_dir
  = { .list = virfs_part_list, .find = virfs_part_find, .make = make_exec, .remove = remove_exec };

/* One of them. */

typedef struct {
  VirfsCall *call;
  VirfsPart *part;
  VirfsPartInfo *before; /* what it was */
} Run;

/* Of two that write at once one is first. */
typedef struct {
  const char *command;
  gboolean taken;
} Start;

static void
start (gpointer data, gpointer user)
{
  VirfsExecInfo *info = data;
  Start *wish = user;

  wish->taken = !info->running;
  if (!wish->taken)
    return;
  info->running = TRUE;
  info->truncated = FALSE;
  virfs_ref_string_set (&info->command, wish->command);
  virfs_ref_string_set (&info->status, NULL);
  g_clear_pointer (&info->output, virfs_blob_unref);
  g_clear_pointer (&info->errors, virfs_blob_unref);
}

static void
stop (gpointer info, gpointer before)
{
  if (before != NULL)
    virfs_part_info_assign (info, before);
  ((VirfsExecInfo *) info)->running = FALSE;
}

static void
end_run (VirfsJob *job, const GError *failure, gpointer data)
{
  Run *run = data;

  virfs_infra_edit_part (run->part->object.infra, run->part, stop, failure ? run->before : NULL);
  virfs_call_finish (run->call, failure);
  virfs_part_info_unref (run->before);
  virfs_object_unref (run->part);
  g_free (run);
}

static void
begin_run (VirfsCall *call, const VirfsNode *node, const char *const *argv)
{
  const VirfsExecInfo *info = node->snapshot;
  g_autoptr (VirfsHost) host = virfs_part_host (node);
  g_autoptr (VirfsJob) job = NULL;
  Run *run = g_new0 (Run, 1);

  run->call = call;
  run->part = virfs_object_ref (node->object);
  run->before = virfs_part_info_ref (info);
  /* what it is may be a secret */
  job = virfs_call_job_then (call, "run a command", vm_of (node), host, end_run, run);
  virfs_node_backend (node)->agent_exec (node->object, argv, info->input, job);
}

static void
store_command (VirfsCall *call, const VirfsNode *node, const char *text)
{
  g_autoptr (VirfsVmInfo) vm = virfs_vm_info (vm_of (node));
  Start wish = { .command = text };
  g_auto (GStrv) argv = NULL;

  if (!g_shell_parse_argv (text, NULL, &argv, NULL)) {
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "a program and its arguments are wanted, quoted as for a shell; for more of a"
                     " shell write sh -c '…'");
    return;
  }
  if (!virfs_vm_check_agent (call, vm) || !virfs_vm_check_settled (call, vm_of (node)))
    return;
  virfs_infra_edit_part (virfs_node_infra (node), node->object, start, &wish);
  if (wish.taken)
    begin_run (call, node, (const char *const *) argv);
  else
    virfs_call_fail (call, VIRFS_ERROR_BUSY, "it is still running; make another directory");
}

static void
set_input (gpointer data, gpointer text)
{
  VirfsExecInfo *info = data;

  g_clear_pointer (&info->input, virfs_blob_unref);
  if (*(const char *) text != '\0')
    info->input = virfs_blob_new (text);
}

static void
store_stdin (VirfsCall *call, const VirfsNode *node, const char *text)
{
  virfs_infra_edit_part (virfs_node_infra (node), node->object, set_input, (gpointer) text);
  virfs_call_finish (call, NULL);
}

static void
show_state (const VirfsNode *node, GString *out)
{
  const VirfsExecInfo *info = node->snapshot;

  g_string_append (out, info->running ? "running\n" : info->status ? "ended\n" : "idle\n");
}

#define F(field) VIRFS_BIT (VIRFS_PART_##field)
#define SHOW(function, field, member)                                                              \
  F (field), .show = function, .offset = G_STRUCT_OFFSET (VirfsExecInfo, member)
#define SHOW_BLOB(field, member) SHOW (virfs_show_blob, field, member), .size = virfs_size_of_blob

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0700, VIRFS_ROW_PRIVATE, .fields = F (BIRTH), .help = "a command in a guest" },
  { "command", S_IFREG | 0600, VIRFS_ROW_NEEDS | VIRFS_ROW_PRIVATE,
    .fields = F (READY) | SHOW (virfs_show_text, CONFIG, command), .store = store_command,
    .help = "write a command line: it is run, without a shell, and the write ends when it has" },
  { "stdin", S_IFREG | 0600, VIRFS_ROW_DOCUMENT | VIRFS_ROW_PRIVATE,
    .fields = SHOW_BLOB (CONFIG, input), .store = store_stdin,
    .help = "what it is to read; to be written before the command" },
  { "stdout", S_IFREG | 0400, VIRFS_ROW_PRIVATE, .fields = SHOW_BLOB (STATE, output),
    .help = "what it has written, as it is" },
  { "stderr", S_IFREG | 0400, VIRFS_ROW_PRIVATE, .fields = SHOW_BLOB (STATE, errors),
    .help = "what it has written to its standard error" },
  { "status", S_IFREG | 0400, VIRFS_ROW_PRIVATE, .fields = SHOW (virfs_show_text, STATE, status),
    .help = "its exit status, or signal N; nothing: it has not ended" },
  { "state", S_IFREG | 0400, VIRFS_ROW_PRIVATE, .fields = F (STATE), .show = show_state,
    .help = "idle, running or ended" },
  { "truncated", S_IFREG | 0400, VIRFS_ROW_PRIVATE,
    .fields = SHOW (virfs_show_bool, STATE, truncated),
    .help = "1: it has written more than the agent keeps" },
};

VirfsClass virfs_exec_files = {
  .path = "vms/<vm>/guest/exec/<exec>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
