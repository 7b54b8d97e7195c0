/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vms/<vm>/guest/ssh_keys/<user>/: the keys with which one gets into a guest as that user.  mkdir asks the agent for
 * them; what is shown is what it said then, or at the last write, and opening a file asks nobody.
 *
 * It lives with this program: nothing of it is kept.
 */
#include "agent_files.h"
#include "part_class.h"
#include "ssh_key.h"

#include <string.h>

/* Users of one guest at most. */
#define MOST 64
/* Keys that an operation tells of; of more it tells how many. */
#define MOST_TOLD 8

static VirfsVm *
vm_of (const VirfsNode *node)
{
  return (VirfsVm *) virfs_part_root (node->object);
}

/* The directory. */

typedef struct {
  VirfsCall *call;
  VirfsPart *part;
} Making;

/* One that there is not in the guest has no directory either. */
static void
end_make (VirfsJob *job, const GError *failure, gpointer data)
{
  Making *making = data;

  if (failure != NULL)
    virfs_infra_drop_draft (making->part->object.infra, making->part);
  virfs_call_finish (making->call, failure);
  virfs_object_unref (making->part);
  g_free (making);
}

static void
begin_make (VirfsCall *call, const VirfsNode *dir, VirfsPart *part)
{
  const VirfsVmInfo *info = dir->snapshot;
  g_autofree char *operation = g_strdup_printf ("ask for the SSH keys of %s", part->name);
  g_autoptr (VirfsJob) job = NULL;
  Making *making = g_new0 (Making, 1);

  making->call = call;
  making->part = virfs_object_ref (part);
  job = virfs_call_job_then (call, operation, dir->object, info->host, end_make, making);
  virfs_node_backend (dir)->agent_ssh_keys (part, NULL, NULL, job);
}

/* Without an agent there is a place for them, which tells that nobody was asked. */
static void
make_user (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  const VirfsVmInfo *info = dir->snapshot;
  GPtrArray *there = info->parts[VIRFS_VM_SSH_USERS];
  g_autoptr (VirfsPart) part = NULL;
  g_autoptr (GError) error = NULL;

  if (!virfs_part_check_name (call, dir, name))
    return;
  if (there != NULL && there->len >= MOST) {
    virfs_call_fail (call, VIRFS_ERROR_NO_SPACE, "there are %d users already; rmdir some", MOST);
    return;
  }
  part = virfs_infra_add_draft (virfs_node_infra (dir), dir->object,
                                virfs_part_info_new (&virfs_ssh_user_class, name), &error);
  if (part != NULL && g_strcmp0 (info->agent, VIRFS_AGENT_CONNECTED) == 0)
    begin_make (call, dir, part);
  else
    virfs_call_finish (call, error);
}

static void
remove_user (VirfsCall *call, const VirfsNode *dir, const char *name)
{
  g_autoptr (VirfsPart) part = virfs_part_in (dir, name);

  if (part == NULL || !virfs_infra_drop_draft (virfs_node_infra (dir), part))
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "there is no such user here");
  else
    virfs_call_finish (call, NULL);
}

const VirfsDir virfs_ssh_users_dir
  = { .list = virfs_part_list, .find = virfs_part_find, .make = make_user, .remove = remove_user };

/* Writing. */

static gboolean
has_line (GPtrArray *lines, const char *line)
{
  return g_ptr_array_find_with_equal_func (lines, line, g_str_equal, NULL);
}

/* The lines of TEXT that say something, each once; the caller owns it. */
static GPtrArray *
lines_of (const char *text)
{
  g_auto (GStrv) split = g_strsplit (text ? text : "", "\n", -1);
  GPtrArray *lines = g_ptr_array_new_with_free_func (g_free);

  for (char **p = split; *p; p++)
    if (*g_strstrip (*p) && !has_line (lines, *p))
      g_ptr_array_add (lines, g_strdup (*p));
  return lines;
}

/* What is there already may be what we know nothing of.  FALSE: CALL has failed. */
static gboolean
check_lines (VirfsCall *call, const char *text, GPtrArray *known)
{
  g_auto (GStrv) split = g_strsplit (text, "\n", -1);

  for (guint i = 0; split[i]; i++) {
    g_autofree char *is = NULL;

    if (*g_strstrip (split[i]) == '\0' || has_line (known, split[i]))
      continue;
    is = virfs_ssh_key_describe (split[i]);
    if (is != NULL)
      continue;
    virfs_call_fail (call, VIRFS_ERROR_INVALID,
                     "line %u is no public key as ssh-keygen(1) makes them; a line has a type as in"
                     " ssh-ed25519, the key in base64 and maybe a comment",
                     i + 1);
    return FALSE;
  }
  return TRUE;
}

/* Those of LINES that are not in OTHERS, which WHAT happens to. */
static void
tell_of (GString *out, const char *what, GPtrArray *lines, GPtrArray *others)
{
  guint n = 0;

  for (guint i = 0; i < lines->len; i++) {
    g_autofree char *is = NULL;

    if (has_line (others, lines->pdata[i]) || n++ >= MOST_TOLD)
      continue;
    is = virfs_ssh_key_describe (lines->pdata[i]);
    g_string_append_printf (out, "%s %s %s", out->len ? ";" : "", what,
                            is ? is : "a line that is no key");
  }
  if (n > MOST_TOLD)
    g_string_append_printf (out, "; %s %u more", what, n - MOST_TOLD);
}

static char *
operation_of (const char *user, GPtrArray *known, GPtrArray *wanted)
{
  g_autoptr (GString) changes = g_string_new (NULL);

  tell_of (changes, "add", wanted, known);
  tell_of (changes, "remove", known, wanted);
  return g_strdup_printf ("set the SSH keys of %s:%s", user,
                          changes->len ? changes->str : " as they are");
}

static char *
join (GPtrArray *lines)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf (text, "%s\n", (char *) lines->pdata[i]);
  return g_string_free (text, FALSE);
}

static void
store_keys (VirfsCall *call, const VirfsNode *node, const char *text)
{
  const VirfsSshUserInfo *info = node->snapshot;
  g_autoptr (GPtrArray) known = lines_of (info->keys), wanted = lines_of (text);
  g_autoptr (VirfsVmInfo) vm = virfs_vm_info (vm_of (node));
  g_autofree char *keys = join (wanted), *operation = NULL;
  g_autoptr (VirfsJob) job = NULL;

  if (!check_lines (call, text, known) || !virfs_vm_check_agent (call, vm)
      || !virfs_vm_check_settled (call, vm_of (node)))
    return;
  operation = operation_of (info->part.name, known, wanted);
  job = virfs_part_job (call, node, operation);
  virfs_node_backend (node)->agent_ssh_keys (node->object, info->keys, keys, job);
}

static void
show_keys (const VirfsNode *node, GString *out)
{
  const VirfsSshUserInfo *info = node->snapshot;

  if (info->keys != NULL)
    g_string_append (out, info->keys);
}

#define F(field) VIRFS_BIT (VIRFS_PART_##field)

static const VirfsRow rows[] = {
  { "", S_IFDIR | 0700, VIRFS_ROW_PRIVATE, .fields = F (BIRTH), .help = "a user of a guest" },
  { "keys", S_IFREG | 0600, VIRFS_ROW_NEEDS | VIRFS_ROW_PRIVATE | VIRFS_ROW_LIST,
    .fields = F (READY) | F (CONFIG), .show = show_keys, .store = store_keys,
    .help = "public keys that let in, one a line: >> adds to them, > replaces all; an empty line "
            "ends all" },
  { "asked", S_IFREG | 0400, VIRFS_ROW_PRIVATE, .fields = F (STATE), .show = virfs_show_time,
    .offset = G_STRUCT_OFFSET (VirfsSshUserInfo, asked),
    .help = "when the agent said what is shown here; nothing: nobody has asked" },
};

VirfsClass virfs_ssh_user_files = {
  .path = "vms/<vm>/guest/ssh_keys/<user>",
  .rows = rows,
  .n_rows = G_N_ELEMENTS (rows),
  VIRFS_PART_CLASS,
};
