/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of the program: from the mount to the unmount. */
#pragma once

#include "config.h"

typedef struct {
  const VirfsConfig *config;
  const char *mountpoint;
  const char *options; /* for FUSE; may be NULL */
  /* Called when the tree is mounted and the hosts have answered or were given up on for now. */
  void (*ready) (gpointer data);
  gpointer data;
} VirfsDaemon;

/* Serves until the tree is unmounted or a signal ends it. */
gboolean virfs_daemon_run (const VirfsDaemon *daemon, GError **error);
