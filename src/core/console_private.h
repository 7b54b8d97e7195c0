/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of consoles, shared by console.c and console_terminal.c. */
#pragma once

#include "console.h"
#include "registry.h"

/* Of the log of a guest, unless somebody says another number. */
#define VIRFS_CONSOLE_BYTES (256u << 10)

typedef struct {
  guint refs; /* of the table and of terminals; under the lock, as all else */
  VirfsConsoleState state;
  gconstpointer holder; /* who has opened it, while it is */
  gint64 changed;
  GString *log, *carry;

  GPtrArray *terminals; /* of Terminal* */
  guint users;          /* those of this session */
  guint session;
  guint64 ended; /* position in RAW where the last session has ended, and how: an errno, or 0 */
  int error;
  GString *raw;      /* what the guest has written lately, while there are users */
  guint64 raw_start; /* the position of its first byte */
  GString *out;      /* what is to be sent */
} VirfsConsole;

typedef struct VirfsConsoles {
  GMutex lock;
  /* under lock */
  GHashTable *all; /* UUID -> VirfsConsole* */
  gsize limit;     /* bytes of one log */
  gsize bytes;     /* of all logs */
} VirfsConsoles;

/* Under the lock. */
VirfsConsole *virfs_console_get (VirfsConsoles *consoles, const char *uuid);
void virfs_console_unref (gpointer console);
void virfs_console_pass_on (VirfsConsole *console, const char *bytes, gsize size);
void virfs_console_finish (VirfsConsole *console, int error);
