/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an open file talks to that goes both ways and has no end of its own, as a guest's console.  Whoever
 * has it fills in a class; a terminal begins with this struct, and belongs to one open file.
 *
 * Nothing here blocks, and calls come one at a time.
 */
#pragma once

#include <glib.h>

typedef struct VirfsTerminal VirfsTerminal;

/* From any thread and under any lock: it must do no more than take note. */
typedef void (*VirfsTerminalNews) (gpointer data);

typedef struct {
  /* Copies up to SIZE bytes of what has come since the last time: how many, -EAGAIN if there is nothing yet,
   * 0 if nothing will come any more, or another negative errno. */
  gssize (*read) (VirfsTerminal *terminal, char *buffer, gsize size);
  /* Takes as much of DATA as there is room for: how many bytes, -EAGAIN if none, or another negative
   * errno. */
  gssize (*write) (VirfsTerminal *terminal, const char *data, gsize size);
  /* Which of POLLIN, POLLOUT and POLLHUP hold. */
  short (*poll) (VirfsTerminal *terminal);
  /* NEWS is called with DATA whenever one of the above may have another answer; not after `close`. */
  void (*watch) (VirfsTerminal *terminal, VirfsTerminalNews news, gpointer data);
  void (*close) (VirfsTerminal *terminal);
} VirfsTerminalClass;

struct VirfsTerminal {
  const VirfsTerminalClass *class;
};
