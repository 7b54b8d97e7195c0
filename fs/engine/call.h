/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call: something that a process asked for and that is answered when it is done, maybe much later
 * and from another thread.  The process sleeps in its system call until then; a signal interrupts
 * it.
 */
#pragma once

#include "row.h"

/* Ends the call, once: ERROR (borrowed) or NULL for success. */
void virfs_call_finish (VirfsCall *call, const GError *error);
void virfs_call_fail (VirfsCall *call, VirfsError code, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

/* Who asked: his user, his group, and whether he is in another. */
guint virfs_call_uid (VirfsCall *call);
guint virfs_call_gid (VirfsCall *call);
gboolean virfs_call_in_group (VirfsCall *call, guint gid);
/* Whether that is root, or who mounted: they may do everything. */
gboolean virfs_call_is_trusted (VirfsCall *call);

/* What the file is written to that the call opens; it is taken. */
void virfs_call_give_sink (VirfsCall *call, VirfsSink *sink);

/* What the file talks to that the call opens; it is taken. */
void virfs_call_give_terminal (VirfsCall *call, VirfsTerminal *terminal);

/* The session that it came through. */
struct VirfsSession *virfs_call_session (VirfsCall *call);
/* Where a program of this machine finds PATH of the tree; the caller owns it. */
char *virfs_call_mounted (VirfsCall *call, const char *path);

/* FUNC is called (from a thread of its own, at most once, not after the end) when the caller is
 * interrupted; at once if he has been.  DESTROY frees DATA when FUNC has returned, when something else is
 * set, or when the call has ended. */
void virfs_call_on_interrupt (VirfsCall *call, void (*func) (gpointer data), gpointer data,
                              GDestroyNotify destroy);
