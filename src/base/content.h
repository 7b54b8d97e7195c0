/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an open file reads that has its bytes from elsewhere: a disk, an image, a file of a guest.
 * Whoever has them fills in a class; content begins with this struct.
 */
#pragma once

#include <glib.h>

typedef struct VirfsContent VirfsContent;

/* PIECES are GBytes, one behind the other what was asked for, or less where the file ends; none if
 * there is an ERROR (an errno).  They are borrowed, but may be referenced.  It comes once, in any
 * thread, also in the caller's before the call returns; it must not block. */
typedef void (*VirfsContentDone) (int error, GPtrArray *pieces, gpointer data);

typedef struct {
  /* Any number of them go on at once; does not block. */
  void (*read) (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done,
                gpointer data);
  /* As lseek(2) has it: the first offset from OFFSET on that is in no hole, and the first that is
   * in one; the size of the file where there is none.  They do not block.  NULL: there are no
   * holes. */
  guint64 (*next_data) (VirfsContent *content, guint64 offset);
  guint64 (*next_hole) (VirfsContent *content, guint64 offset);
  /* All reads have ended. */
  void (*close) (VirfsContent *content);
  /* Of a file that may have another size by now: how much there is to be read.  NULL: what the file
   * says. */
  guint64 (*size) (VirfsContent *content);
} VirfsContentClass;

struct VirfsContent {
  const VirfsContentClass *class;
};

/* What is all there: BYTES (taken). */
VirfsContent *virfs_content_new_bytes (GBytes *bytes);
