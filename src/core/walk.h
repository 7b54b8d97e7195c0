/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading what is large from its beginning to its end, some pieces ahead, in a thread that has nothing
 * else to do.
 */
#pragma once

#include "content.h"
#include "job.h"
#include "sum.h"

/* What comes next; BYTES is borrowed.  FALSE with an error ends it. */
typedef gboolean (*VirfsWalkTake) (guint64 offset, GBytes *bytes, gpointer data, GError **error);

/* All LENGTH bytes of CONTENT (taken), called WHAT in messages, unless JOB is cancelled, whose progress it is.
 * FAILED also if there are not as many. */
gboolean virfs_walk (VirfsContent *content, guint64 length, const char *what, VirfsJob *job,
                     VirfsWalkTake take, gpointer data, GError **error);

/* A VirfsWalkTake whose data is a VirfsSum. */
gboolean virfs_walk_add_to_sum (guint64 offset, GBytes *bytes, gpointer sum, GError **error);
