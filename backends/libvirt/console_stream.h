/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Consoles of guests as libvirt gives them: one stream a guest, through a connection that a link has for all of
 * its consoles.  What comes is taken by libvirt's event thread; all else that has to do with streams is
 * done by a thread of the link, one thing after the other, which is there as long as there is something to do:
 * opening and sending may let it wait for the host, or for a guest that does not read.
 *
 *   console_stream.c  one stream
 *   console_wish.c    which are to be open
 *   console_work.c    which are, and the thread
 */
#pragma once

#include "backend.h"
#include "console.h"
#include "link.h"

/* The backend's functions. */
void lv_console_open (VirfsVm *vm, VirfsJob *job);
void lv_console_send (VirfsVm *vm);
void lv_console_leave (VirfsVm *vm);

/* The guest may have to be heard, or not any more: it was read, or somebody has left.  lv_console_poll(): all of
 * the host. */
void lv_console_look (LvLink *link, const char *uuid);
void lv_console_poll (LvLink *link);

/* For link.c: of a link.  Closing it does not wait; it drops what is open when nothing is done any more, in a
 * thread that may wait. */
typedef struct LvConsoles LvConsoles;
LvConsoles *lv_consoles_new (void);
void lv_consoles_close (LvLink *link);
void lv_consoles_free (LvConsoles *consoles);

/* One stream. */

typedef struct LvStream {
  gatomicrefcount refs;
  LvLink *link; /* a reference */
  char uuid[37];
  virStreamPtr stream;
  GString *unsent; /* of the link's thread */
} LvStream;

/* NULL with ERROR: *STATE tells what the console is. */
LvStream *lv_stream_open (LvLink *link, virConnectPtr conn, const char *uuid,
                          VirfsConsoleState *state, GError **error);
LvStream *lv_stream_ref (LvStream *stream);
void lv_stream_unref (LvStream *stream);
/* From now on it is heard; to be called once. */
gboolean lv_stream_listen (LvStream *stream, GError **error);
/* Sends what there is to be sent, as much as goes now. */
void lv_stream_send (LvStream *stream);
/* Ends it: nothing comes any more. */
void lv_stream_close (LvStream *stream);

/* For streams: it has ended by itself; it can be sent to again. */
void lv_console_ended (LvStream *stream);
void lv_console_writable (LvStream *stream);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvStream, lv_stream_unref)
