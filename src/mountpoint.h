/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory to mount at, before anything is begun.
 *
 * A virfs that was killed leaves its mount behind (see guard.h), and the kernel mounts on that without a word:
 * so what is dead is taken away first, and what is alive stays alone.
 */
#pragma once

#include <glib.h>

/* No other virfs gets PATH until it is released: when it is mounted, or cannot be.  What keeps PATH from being a
 * mountpoint at all is for who mounts to say.  BUSY: it is another's. */
gboolean virfs_mountpoint_take (const char *path, int *hold, GError **error);
/* Once is enough. */
void virfs_mountpoint_release (int *hold);
