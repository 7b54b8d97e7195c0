/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far to read ahead of one open file: more the longer it is read in order, less, and soon
 * nothing, when it is not.  Kernels send reads of one file side by side, so "in order" is about
 * where they are, not how they come.
 */
#pragma once

#include "data_map.h"

typedef struct {
  guint64 next; /* where the reader is */
  guint64 size; /* bytes of data to be there ahead of it; 0: it does not read in order */
  guint64 used; /* bytes of it that were read since it was made larger */
} VirfsWindow;

#define VIRFS_WINDOW_LEAST (512 << 10)
#define VIRFS_WINDOW_SLACK (1 << 20) /* bytes that a read in order may be off */

/* Takes note of a read; at most MOST bytes ahead will do.  Returns whether it was in order. */
gboolean virfs_window_note (VirfsWindow *window, const VirfsDataMap *map, guint64 offset,
                            gsize length, guint64 most);
