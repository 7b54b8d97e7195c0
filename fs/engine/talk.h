/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Open files that talk to a terminal; see talk.c. */
#pragma once

#include "engine.h"

/* Takes the terminal. */
VirfsTalk *virfs_talk_new (VirfsSession *session, VirfsTerminal *terminal);
void virfs_talk_close (VirfsTalk *talk);
/* All that the session has: nothing is told to it any more. */
void virfs_talks_end (VirfsSession *session);

/* Each answers REQUEST, if need be later; BLOCK: it may wait. */
void virfs_talk_read (VirfsTalk *talk, gpointer request, gsize size, gboolean block);
void virfs_talk_write (VirfsTalk *talk, gpointer request, const char *data, gsize size,
                       gboolean block);
/* The poll(2) events that hold; keeps HANDLE (may be NULL) until there are news. */
short virfs_talk_poll (VirfsTalk *talk, gpointer handle);
/* REQUEST has got a signal; may be called under FUSE's locks. */
void virfs_talk_interrupt (VirfsTalk *talk, gpointer request);
