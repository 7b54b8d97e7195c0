/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vms/<vm>/console/: what a guest shows, and keys that are pressed for it (console.c). */
#pragma once

#include "vm_files.h"

void virfs_console_show_ctl (const VirfsNode *node, GString *out);
void virfs_console_store_ctl (VirfsCall *call, const VirfsNode *node, const char *text);
void virfs_console_show_keys (const VirfsNode *node, GString *out);
void virfs_console_store_keys (VirfsCall *call, const VirfsNode *node, const char *text);

/* The Linux key code (linux/input-event-codes.h) of the key NAME, as in `ctrl`, `f1`, `a`; 0: there is none
 * (keys.c). */
guint virfs_key_code (const char *name);
/* The names, one a line. */
void virfs_key_append_names (GString *out);

/* clang-format off */
#define VIRFS_CONSOLE_ROWS \
  { "console", S_IFDIR | 0750, .help = "what it shows, and keys that are pressed for it" }, \
  { "console/ctl", S_IFREG | 0640, VIRFS_ROW_NEEDS | VIRFS_ROW_COMMAND, \
    .fields = VIRFS_BIT (VIRFS_VM_READY) | VIRFS_BIT (VIRFS_VM_STATE) | VIRFS_BIT (VIRFS_VM_SCREEN), \
    .show = virfs_console_show_ctl, .store = virfs_console_store_ctl, \
    .help = "screenshot takes a picture of its screen, forget drops it" }, \
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
    .help = "where its screen can be reached: type, address and port on its host, a line each" }
/* clang-format on */
