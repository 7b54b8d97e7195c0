/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What console_wish.c and console_work.c have of each other: what is wanted, and having it done. */
#pragma once

#include "console_stream.h"

typedef enum {
  LV_WORK_OPEN,
  LV_WORK_SEND,
  LV_WORK_CLOSE, /* unless it is wanted again */
  LV_WORK_DROP,  /* STREAM has ended */
} LvConsoleWork;

/* Has the link's thread do it.  Takes references to JOB (of who waits for it) and STREAM (that has ended); NULL: none.
 * FALSE: the link is closed. */
gboolean lv_console_push (LvLink *link, LvConsoleWork kind, const char *uuid, VirfsJob *job,
                          LvStream *stream);
/* The one that is open, a reference; NULL: none. */
LvStream *lv_console_stream (LvConsoles *consoles, const char *uuid);

typedef enum { LV_WISH_NONE, LV_WISH_OPEN, LV_WISH_CLOSE, LV_WISH_END } LvConsoleWish;

LvConsoleWish lv_console_wish (LvLink *link, const char *uuid);
/* Those who talk to it hear no more: because of ERROR, an errno; < 0: they go on. */
void lv_console_tell (LvLink *link, const char *uuid, VirfsConsoleState state, int error);
/* It cannot be opened: those who have talked to it hear no more. */
void lv_console_tell_failure (LvLink *link, const char *uuid, VirfsConsoleState state);
/* Those who talk to any of the host hear no more: it is gone. */
void lv_console_end_used (LvLink *link);
