/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Infos of agents: their references, and how they differ. */
#include "agent.h"

#include "vm.h"

VirfsAgentInfo *
virfs_agent_info_new (void)
{
  VirfsAgentInfo *info = g_new0 (VirfsAgentInfo, 1);

  g_atomic_ref_count_init (&info->refs);
  return info;
}

VirfsAgentInfo *
virfs_agent_info_ref (VirfsAgentInfo *info)
{
  g_atomic_ref_count_inc (&info->refs);
  return info;
}

void
virfs_agent_info_unref (VirfsAgentInfo *info)
{
  if (info == NULL || !g_atomic_ref_count_dec (&info->refs))
    return;
  g_clear_pointer (&info->hostname, g_ref_string_release);
  g_clear_pointer (&info->timezone, g_ref_string_release);
  g_clear_pointer (&info->os, g_ref_string_release);
  g_clear_pointer (&info->users, g_ref_string_release);
  g_clear_pointer (&info->filesystems, g_ref_string_release);
  g_clear_pointer (&info->addresses, g_ref_string_release);
  g_free (info);
}

guint64
virfs_agent_info_diff (const VirfsAgentInfo *a, const VirfsAgentInfo *b)
{
  static const VirfsAgentInfo nothing;
  guint64 fields = 0;

  if (a == b)
    return 0;
  a = a ? a : &nothing;
  b = b ? b : &nothing;
#define DIFFER(field, differ) fields |= (differ) ? VIRFS_BIT (VIRFS_VM_GUEST_##field) : 0
  DIFFER (CLOCK, a->asked != b->asked || a->time != b->time);
  DIFFER (HOSTNAME, g_strcmp0 (a->hostname, b->hostname) != 0);
  DIFFER (TIMEZONE, g_strcmp0 (a->timezone, b->timezone) != 0);
  DIFFER (OS, g_strcmp0 (a->os, b->os) != 0);
  DIFFER (USERS, g_strcmp0 (a->users, b->users) != 0);
  DIFFER (FILESYSTEMS, g_strcmp0 (a->filesystems, b->filesystems) != 0);
  DIFFER (ADDRESSES, g_strcmp0 (a->addresses, b->addresses) != 0);
#undef DIFFER
  return fields;
}

/* Commands. */

static const VirfsMember exec_members[] = {
  VIRFS_MEMBER (VirfsExecInfo, command, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsExecInfo, input, BYTES, CONFIG),
  VIRFS_MEMBER (VirfsExecInfo, running, BOOL, STATE),
  VIRFS_MEMBER (VirfsExecInfo, status, TEXT, STATE),
  VIRFS_MEMBER (VirfsExecInfo, truncated, BOOL, STATE),
  VIRFS_MEMBER (VirfsExecInfo, output, BYTES, STATE),
  VIRFS_MEMBER (VirfsExecInfo, errors, BYTES, STATE),
};

const VirfsPartClass virfs_exec_class = {
  .kind = VIRFS_KIND_EXEC,
  .directory = "guest/exec",
  .size = sizeof (VirfsExecInfo),
  .members = exec_members,
  .n_members = G_N_ELEMENTS (exec_members),
};

/* Users. */

static const VirfsMember ssh_user_members[] = {
  VIRFS_MEMBER (VirfsSshUserInfo, keys, TEXT, CONFIG),
  VIRFS_MEMBER (VirfsSshUserInfo, asked, NUMBER, STATE),
};

const VirfsPartClass virfs_ssh_user_class = {
  .kind = VIRFS_KIND_SSH_USER,
  .directory = "guest/ssh_keys",
  .size = sizeof (VirfsSshUserInfo),
  .members = ssh_user_members,
  .n_members = G_N_ELEMENTS (ssh_user_members),
};
