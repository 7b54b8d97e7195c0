/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `virfs --verify-log`: see virfs(8). */
#pragma once

#include "config.h"

/* The exit status: the log is as it was written; it is not; the command line is wrong; it cannot be told. */
enum {
  VIRFS_VERIFY_WHOLE = 0,
  VIRFS_VERIFY_BROKEN = 1,
  VIRFS_VERIFY_USAGE = 2,
  VIRFS_VERIFY_UNKNOWN = 3
};

/* SAVED: what events/head said once; NULL: nothing.  Prints what it finds.  The exit status. */
int virfs_verify_log (const VirfsConfig *config, const char *saved);
