/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks: programs that are run when an alarm is raised or cleared.  Each is a process in a session of its own,
 * gets its facts in the environment and nothing else, and is killed when it takes too long.  A few run at a
 * time; of one alarm and object one after the other.
 */
#pragma once

#include "infra.h"

#define VIRFS_HOOK_TIMEOUT 30 /* seconds, if nobody says otherwise */

typedef struct VirfsHooks VirfsHooks;

/* For alarms. */
VirfsHooks *virfs_hooks_new (VirfsInfra *infra);
void virfs_hooks_set (VirfsHooks *hooks, const char *mountpoint, guint timeout);
/* FACTS: names and values of variables by turns, NULL behind the last.  What comes of it is in the log, and
 * a failure where failures of ALARM's file `hook` are told. */
void virfs_hooks_run (VirfsHooks *hooks, const char *program, const char *alarm, const char *object,
                      const char *const *facts);
/* Those that have not begun are dropped, those that run have a moment to end. */
void virfs_hooks_stop (VirfsHooks *hooks);
void virfs_hooks_free (VirfsHooks *hooks);

/* Whether PATH may be run: a full path to a program that nobody can change or replace but root and the user
 * who runs virfs.  INVALID, NOT_FOUND, PERMITTED. */
gboolean virfs_hook_check (const char *path, GError **error);
