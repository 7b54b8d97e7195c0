/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NBD servers for tests: qemu-nbd or nbdkit, or one that is no good.  They listen before they are
 * started, so that nobody has to wait for them, and do not outlive the test.
 */
#pragma once

#include <glib.h>

typedef struct {
  char *directory; /* of its own, for images too */
  char *uri;
  GPid pid;        /* 0: not running */
  GThread *thread; /* of one that is no good */
} NbdServer;

/* Runs COMMAND, a shell's, in DIRECTORY; it must not fail. */
void nbd_shell (const NbdServer *server, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* A directory, a socket, and nobody behind it. */
NbdServer *nbd_server_new (void);
/* COMMAND is qemu-nbd or nbdkit with its arguments; it finds the socket itself. */
void nbd_server_start (NbdServer *server, const char *format, ...) G_GNUC_PRINTF (2, 3);
void nbd_server_signal (NbdServer *server, int signal);
void nbd_server_free (NbdServer *server);

/* A server of 1 MiB which answers each read with the chunks (offset within it, length; the end is a
 * length of 0) that LIE gives, and not with what was asked for. */
typedef struct {
  guint32 offset, length;
} NbdChunk;
void nbd_server_lie (NbdServer *server, const NbdChunk *lie);

/* Skips the test with a reason if a program is missing. */
gboolean nbd_has (const char *program);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NbdServer, nbd_server_free)
