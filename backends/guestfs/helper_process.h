/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process of one helper: starting it, its socket, and its end, after which neither it nor its QEMU nor
 * its temporary files are there.
 */
#pragma once

#include "wire.h"

typedef struct VirfsHelperProcess VirfsHelperProcess;

/* PROGRAM: the path.  FAILED. */
VirfsHelperProcess *virfs_helper_process_new (const char *program, GError **error);
/* It ends by itself when it sees that nobody talks to it; if it does not, it is killed. */
void virfs_helper_process_end (VirfsHelperProcess *process);
/* From another thread: whoever waits for its answers is told that it has gone. */
void virfs_helper_process_interrupt (VirfsHelperProcess *process);

/* Whether it has ended, with no answer left to be received. */
gboolean virfs_helper_process_is_gone (VirfsHelperProcess *process);
int virfs_helper_process_pid (const VirfsHelperProcess *process);
const char *virfs_helper_process_scratch (const VirfsHelperProcess *process);
/* How long an answer, or its next part, may take: seconds. */
void virfs_helper_process_limit (VirfsHelperProcess *process, guint seconds);
/* See virfs_wire_send() and virfs_wire_receive(). */
gboolean virfs_helper_process_send (VirfsHelperProcess *process, const VirfsWireHeader *header,
                                    const GByteArray *payload);
gboolean virfs_helper_process_receive (VirfsHelperProcess *process, VirfsWireHeader *header,
                                       GByteArray *payload);
