/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where messages go: to stderr until the program has gone to the background, then to the journal, or
 * to syslog where there is none. */
#pragma once

#include <glib.h>

/* Once, at the start. */
void virfs_log_to_stderr (void);
void virfs_log_verbosely (void);
void virfs_log_to_system (void);
