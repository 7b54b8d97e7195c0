/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vms/<vm>/guest/: what the agent in a guest says and does (agent.c).  What is shown is what it said
 * when it was last asked; opening a file asks nobody.
 */
#pragma once

#include "vm_files.h"

/* Text, lines and times of the VirfsAgentInfo, at the row's offset. */
void virfs_guest_show_text (const VirfsNode *node, GString *out);
void virfs_guest_show_lines (const VirfsNode *node, GString *out);
void virfs_guest_show_time (const VirfsNode *node, GString *out);
void virfs_guest_show_agent (const VirfsNode *node, GString *out);
void virfs_guest_show_offset (const VirfsNode *node, GString *out);
void virfs_guest_show_ctl (const VirfsNode *node, GString *out);
void virfs_guest_show_nothing (const VirfsNode *node, GString *out);
void virfs_guest_store_ctl (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_guest_store_time (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_guest_store_password (VirfsCall *call, const VirfsNode *node, const char *text);

/* Whether there is an agent to be asked; FALSE: CALL has failed, as the next. */
gboolean virfs_vm_check_agent (VirfsCall *call, const VirfsVmInfo *info);
/* Whoever watches over a guest that is frozen finds it neither elsewhere nor in a file.  FALSE: CALL has failed. */
gboolean virfs_vm_check_thawed (VirfsCall *call, const VirfsVmInfo *info);

/* clang-format off */
#define VIRFS_GUEST_SAID_(name, function, field, member, text) \
  { "guest/" name, S_IFREG | 0440, .fields = VIRFS_BIT (VIRFS_VM_GUEST_##field), .show = function, \
    .offset = G_STRUCT_OFFSET (VirfsAgentInfo, member), .help = text }
#define VIRFS_GUEST_ROWS \
  { "guest", S_IFDIR | 0750, .help = "what the agent in it says and does" }, \
  { "guest/agent", S_IFREG | 0440, .fields = VIRFS_BIT (VIRFS_VM_AGENT), .show = virfs_guest_show_agent, \
    .help = "connected or disconnected; nothing: the guest has no channel to one, or does not run" }, \
  { "guest/ctl", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND, \
    .fields = VIRFS_BIT (VIRFS_VM_READY) | VIRFS_BIT (VIRFS_VM_AGENT) | VIRFS_BIT (VIRFS_VM_FROZEN), \
    .show = virfs_guest_show_ctl, .store = virfs_guest_store_ctl, \
    .help = "what the agent can do now: refresh, freeze, thaw, trim; write one of them" }, \
  { "guest/frozen", S_IFREG | 0440, .fields = VIRFS_BIT (VIRFS_VM_FROZEN), .show = virfs_show_bool, \
    .offset = G_STRUCT_OFFSET (VirfsVmInfo, frozen), \
    .help = "1: its file systems are frozen, because somebody wrote freeze to ctl" }, \
  VIRFS_GUEST_SAID_ ("asked", virfs_guest_show_time, CLOCK, asked, \
                     "when the agent said what is shown here"), \
  VIRFS_GUEST_SAID_ ("hostname", virfs_guest_show_text, HOSTNAME, hostname, "its name for itself"), \
  VIRFS_GUEST_SAID_ ("os", virfs_guest_show_lines, OS, os, \
                     "its system: a key and a value a line, as in `id debian`"), \
  VIRFS_GUEST_SAID_ ("timezone", virfs_guest_show_text, TIMEZONE, timezone, "its time zone"), \
  VIRFS_GUEST_SAID_ ("users", virfs_guest_show_lines, USERS, users, \
                     "who has logged in, and when: a name and a time a line"), \
  VIRFS_GUEST_SAID_ ("filesystems", virfs_guest_show_lines, FILESYSTEMS, filesystems, \
                     "what is mounted: mount point, device, type, bytes it has and bytes in use, a line each"), \
  VIRFS_GUEST_SAID_ ("addresses", virfs_guest_show_lines, ADDRESSES, addresses, \
                     "interface, MAC address and IP address with prefix, a line each"), \
  { "guest/time", S_IFREG | 0640, VIRFS_ROW_NEEDS, \
    .fields = VIRFS_BIT (VIRFS_VM_READY) | VIRFS_BIT (VIRFS_VM_GUEST_CLOCK), .show = virfs_guest_show_time, \
    .offset = G_STRUCT_OFFSET (VirfsAgentInfo, time), .store = virfs_guest_store_time, \
    .help = "its clock when it was asked; write now, a time or seconds since 1970 to set it" }, \
  { "guest/clock_offset", S_IFREG | 0440, .fields = VIRFS_BIT (VIRFS_VM_GUEST_CLOCK), \
    .show = virfs_guest_show_offset, \
    .help = "seconds that its clock was ahead of ours when it was asked" }, \
  { "guest/password", S_IFREG | 0600, VIRFS_ROW_NEEDS | VIRFS_ROW_PRIVATE, \
    .fields = VIRFS_BIT (VIRFS_VM_READY), .show = virfs_guest_show_nothing, \
    .store = virfs_guest_store_password, \
    .help = "write USER PASSWORD to set the password of a user in it; reads as nothing" }, \
  { "guest/exec", S_IFDIR | 0700, VIRFS_ROW_PRIVATE, .fields = VIRFS_BIT (VIRFS_VM_PARTS), \
    .dir = &virfs_execs_dir, .help = "commands that run in it: mkdir makes room for one, rmdir drops it" }, \
  { "guest/ssh_keys", S_IFDIR | 0700, VIRFS_ROW_PRIVATE, .fields = VIRFS_BIT (VIRFS_VM_PARTS), \
    .dir = &virfs_ssh_users_dir, \
    .help = "whose keys let in by SSH: mkdir asks for those of a user of it, rmdir forgets them here" }
/* clang-format on */
