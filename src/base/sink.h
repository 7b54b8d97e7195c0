/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an open file that is large is written to; the counterpart of content.h.  Whoever takes the bytes
 * fills in a class; a sink begins with this struct, and belongs to one open file.
 *
 * Nothing here blocks.  What was called first is carried out first.  Each answer comes once, in any
 * thread, also in the caller's before the call returns.
 */
#pragma once

#include "content.h"

typedef struct VirfsSink VirfsSink;

/* ERROR is of VIRFS_ERROR and borrowed; NULL for success. */
typedef void (*VirfsSinkDone) (const GError *error, gpointer data);

typedef enum {
  VIRFS_SINK_SYNC,   /* all is to be where it outlives the host's end */
  VIRFS_SINK_CLOSED, /* somebody closes the file: what he has written is complete for him */
  VIRFS_SINK_KILLED, /* likewise, because a signal has killed him: it need not be complete */
} VirfsSinkFlush;

typedef struct {
  /* Takes a reference to BYTES.  It may be answered before they are written; a later call then has the
   * error. */
  void (*write) (VirfsSink *sink, guint64 offset, GBytes *bytes, VirfsSinkDone done, gpointer data);
  /* Sees what was written. */
  void (*read) (VirfsSink *sink, guint64 offset, gsize length, VirfsContentDone done,
                gpointer data);
  void (*cut) (VirfsSink *sink, guint64 size, VirfsSinkDone done, gpointer data);
  void (*flush) (VirfsSink *sink, VirfsSinkFlush why, VirfsSinkDone done, gpointer data);
  /* All calls have ended.  There is no answer. */
  void (*close) (VirfsSink *sink);
} VirfsSinkClass;

struct VirfsSink {
  const VirfsSinkClass *class;
};
