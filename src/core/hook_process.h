/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that is run for a while, and what it says. */
#pragma once

#include <glib.h>

typedef struct VirfsHookProcess VirfsHookProcess;

/* Runs PROGRAM without arguments, in a session of its own, with that environment and nothing to read. */
VirfsHookProcess *virfs_hook_process_new (const char *program, char **environment, GError **error);
/* Waits for its end, at most SECONDS (then it is killed with all of its session: TIMED_OUT).  Once.  The
 * first few KiB that it has written, the caller owns it; ERROR is set if it has failed. */
char *virfs_hook_process_wait (VirfsHookProcess *process, guint seconds, GError **error);
/* From any thread, as long as it is not freed. */
void virfs_hook_process_kill (VirfsHookProcess *process);
/* After it has been waited for. */
void virfs_hook_process_free (VirfsHookProcess *process);
