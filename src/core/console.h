/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The consoles of guests: what a guest writes to its serial console, and who talks to it there.
 *
 * A guest has one, by its UUID, wherever it runs.  What it writes is added to its log, a text that is safe to be
 * shown, loses its older half when it is full, and stays when the guest stops; and as it is, to whoever
 * talks to it from now on.  What he writes waits in the console until the backend sends it.
 *
 * All have one lock, which may be taken under the registry's; under it only the news of terminals are told.
 */
#pragma once

#include "terminal.h"
#include "vm.h"

typedef enum {
  VIRFS_CONSOLE_CLOSED,
  VIRFS_CONSOLE_OPEN,
  VIRFS_CONSOLE_BUSY, /* it is somebody else's: libvirt gives it to one at a time */
  VIRFS_CONSOLE_NONE, /* the guest has none, or the driver cannot give it */
  VIRFS_CONSOLE_N_STATES,
} VirfsConsoleState;

const char *virfs_console_state_name (VirfsConsoleState state);

/* For the registry. */
struct VirfsConsoles *virfs_consoles_new (void);
void virfs_consoles_free (struct VirfsConsoles *consoles);
/* The guest with that UUID is gone, and its log with it. */
void virfs_consoles_forget (struct VirfsConsoles *consoles, const char *uuid);

/* How many bytes of log a guest has at most; to be said before there are hosts. */
void virfs_console_set_limit (VirfsInfra *infra, guint bytes);

/* What is known of the console of the guest with that UUID. */
VirfsConsoleState virfs_console_state (VirfsInfra *infra, const char *uuid);
/* When that or the log has changed last, microseconds since the epoch; 0: never. */
gint64 virfs_console_changed (VirfsInfra *infra, const char *uuid);
gsize virfs_console_log_size (VirfsInfra *infra, const char *uuid);
gsize virfs_console_log_read (VirfsInfra *infra, const char *uuid, goffset offset, char *buffer,
                              gsize size);
void virfs_console_clear_log (VirfsInfra *infra, const char *uuid);

/* Somebody more who talks to it, from now on, as soon as the backend has opened it (console_open). */
VirfsTerminal *virfs_console_attach (VirfsVm *vm);

/* For backends. */

/* Whether somebody talks to it. */
gboolean virfs_console_is_used (VirfsInfra *infra, const char *uuid);
/* The guest has written these bytes. */
void virfs_console_take (VirfsInfra *infra, const char *uuid, const char *bytes, gsize size);
/* Takes up to SIZE bytes that are to be sent to it; returns how many. */
gsize virfs_console_pull (VirfsInfra *infra, const char *uuid, char *buffer, gsize size);
/* BY is whoever opens it, on a host say: while one has it open what others say does not count, as it may
 * move. */
void virfs_console_tell (VirfsInfra *infra, const char *uuid, gconstpointer by,
                         VirfsConsoleState state);
/* Nobody who talks to it now will hear more: that is the end (0), or an ERROR (an errno). */
void virfs_console_end (VirfsInfra *infra, const char *uuid, int error);

/* What BYTES, behind those in CARRY, add to a log; CARRY (of bytes) keeps those that cannot be told yet.
 * Control characters but newline and tab become escapes as those of virfs_text_escape(), and so does what is not
 * UTF-8 (console_text.c). */
void virfs_console_escape (GString *log, GString *carry, const char *bytes, gsize size);
