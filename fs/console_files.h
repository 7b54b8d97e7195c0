/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/console/: what a guest shows, and keys that are pressed for it (console.c). */
#pragma once

#include "vm_files.h"

void virfs_console_show_ctl (const VirfsNode *node, GString *out);
void virfs_console_store_ctl (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_console_show_keys (const VirfsNode *node, GString *out);
void virfs_console_store_keys (VirfsCall *call, const VirfsNode *node, const char *text);

void virfs_console_show_password (const VirfsNode *node, GString *out);
void virfs_console_store_password (VirfsCall *call, const VirfsNode *node, const char *text);

/* What it writes to its console, and who talks to it there (tty.c). */
void virfs_console_store_record (VirfsCall *call, const VirfsNode *node, gboolean record);
void virfs_console_show_state (const VirfsNode *node, GString *out);
gsize virfs_console_size_of_log (const VirfsNode *node);
gsize virfs_console_read_log (const VirfsNode *node, goffset offset, char *buffer, gsize size);
void virfs_console_talk (VirfsCall *call, const VirfsNode *node);
/* Whether NODE shows something of its console; *CHANGED is when that has changed last, 0: never. */
gboolean virfs_is_console (const VirfsNode *node, gint64 *changed);

/* The Linux key code (linux/input-event-codes.h) of the key NAME, as in `ctrl`, `f1`, `a`; 0: there is none
 * (keys.c). */
guint virfs_key_code (const char *name);
/* The names, one a line. */
void virfs_key_append_names (GString *out);

/* clang-format off */
#define VIRFS_CONSOLE_ROWS \
  { "console", S_IFDIR | 0750, .help = "what it shows, and keys that are pressed for it" }, \
  { "console/ctl", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND, \
    .fields = VIRFS_BIT (VIRFS_VM_READY) | VIRFS_BIT (VIRFS_VM_STATE) | VIRFS_BIT (VIRFS_VM_SCREEN) \
              | VIRFS_BIT (VIRFS_VM_CONSOLE), \
    .show = virfs_console_show_ctl, .store = virfs_console_store_ctl, \
    .help = "screenshot takes a picture of its screen, forget drops it; clear empties log" }, \
  { "console/record", S_IFREG | 0640, VIRFS_ROW_NEEDS, \
    .fields = VIRFS_BIT (VIRFS_VM_READY) | VIRFS_BIT (VIRFS_VM_RECORD), .show = virfs_show_bool, \
    .offset = G_STRUCT_OFFSET (VirfsVmInfo, record), .store_bool = virfs_console_store_record, \
    .help = "1: what it writes to its console goes to log whenever it runs; others are kept off it meanwhile" }, \
  { "console/state", S_IFREG | 0440, .fields = VIRFS_BIT (VIRFS_VM_CONSOLE), .show = virfs_console_show_state, \
    .help = "of its console: closed, open (here), busy (somebody else has it), none (it has no console)" }, \
  { "console/log", S_IFREG | 0440, .fields = VIRFS_BIT (VIRFS_VM_CONSOLE), \
    .size = virfs_console_size_of_log, .read = virfs_console_read_log, \
    .help = "what it has written to its console while that was open; `tail -f` follows it" }, \
  { "console/tty", S_IFREG | 0600, VIRFS_ROW_NEEDS | VIRFS_ROW_UNLISTED | VIRFS_ROW_PRIVATE, \
    .fields = VIRFS_BIT (VIRFS_VM_READY), .talk = virfs_console_talk, \
    .help = "its console, to talk to: see the manual; not listed, because it has no end" }, \
  { "console/screen.png", S_IFREG | 0440, \
    .fields = VIRFS_BIT (VIRFS_VM_SCREEN), .show = virfs_show_blob, .size = virfs_size_of_blob, \
    .offset = G_STRUCT_OFFSET (VirfsVmInfo, screen), \
    .help = "the picture that was taken last; nothing: none since it was started" }, \
  { "console/keys", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND | VIRFS_ROW_SECRET, \
    .fields = VIRFS_BIT (VIRFS_VM_READY), \
    .show = virfs_console_show_keys, .store = virfs_console_store_keys, \
    .help = "names of keys; write those to be pressed, as in ctrl-alt-delete, or several: h i enter" }, \
  { "console/graphics", S_IFREG | 0440, .fields = VIRFS_BIT (VIRFS_VM_GRAPHICS), .show = virfs_show_lines, \
    .offset = G_STRUCT_OFFSET (VirfsVmInfo, graphics), \
    .help = "where its screen can be reached: type, address and port on its host, a line each" }, \
  { "console/password", S_IFREG | 0600, \
    VIRFS_ROW_NEEDS | VIRFS_ROW_PRIVATE | VIRFS_ROW_SECRET | VIRFS_ROW_MEASURED, \
    .fields = VIRFS_BIT (VIRFS_VM_READY), .show = virfs_console_show_password, \
    .store = virfs_console_store_password, \
    .help = "password of its screen, as long as it is good: write one, new for one at random that is good once, none for no one" }
/* clang-format on */
