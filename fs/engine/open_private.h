/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What open.c, open_write.c and open_wait.c have in common. */
#pragma once

#include "talk.h"

struct VirfsOpen {
  gatomicrefcount refs;
  guint64 ino;
  VirfsContent *content; /* NULL: the file shows a text */
  VirfsSink *sink;       /* where it is written to; NULL: it is no such file */
  VirfsTalk *talk;       /* what it talks to; NULL: it is no such file */
  gint64 changed;        /* when it was opened: the change that it shows */
  gboolean direct;       /* the text is made once, at the first read */
  GMutex lock;
  VirfsNode told;   /* under lock: as the kernel was told last through this file */
  gboolean fresh;   /* under lock: it was told, and has not read since */
  GString *text;    /* under lock: what a direct reader sees */
  GString *written; /* under lock: not carried out yet, or the document so far */
  gboolean dirty;   /* under lock: written has changed since it was carried out */
  gboolean spoilt;  /* under lock: more was written than fits; nothing of it counts */

  /* under the session's waiting_lock */
  gint64 seen;      /* the change that poll has told last */
  guint64 position; /* in a stream */
  gpointer request; /* a reader that waits */
  gsize request_size;
  gpointer poll_handle;
};

void virfs_open_unref (VirfsOpen *open);
