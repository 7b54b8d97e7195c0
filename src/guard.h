/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What remains of a mount when the program is killed.
 *
 * Threads of ours can be in the kernel when that happens, waiting for an answer that only we could have
 * given: while they tell watchers of a change, or the kernel to forget a name.  They do not go, so
 * the connection is not closed, and everybody who uses the mount waits with them for ever.  A small process
 * of its own ends the connection then: everybody gets an error, and the mount can be unmounted.
 */
#pragma once

#include <glib.h>

/* For the main thread, once MOUNTPOINT is mounted.  Returns the guard's PID; -1: there is none. */
int virfs_guard_start (const char *mountpoint);
/* Ends it: the mount has been unmounted. */
void virfs_guard_end (int pid);
