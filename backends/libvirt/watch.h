/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching a call that takes long in libvirt (a migration, a save) from beside it: tells its
 * progress, and stops it when the task is cancelled.
 */
#pragma once

#include "task.h"

typedef struct LvWatch LvWatch;

/* Called, in a thread of the watch, each time that it looks: JOB is what libvirt tells of it. */
typedef void (*LvWatchLook) (virDomainPtr domain, const LvParams *job, gpointer data);

/* To be begun before the call and freed after it, when the task cannot be cancelled any more; whether it can
 * meanwhile is said by the caller.  LOOK may be NULL. */
LvWatch *lv_watch_new (LvTask *task, LvWatchLook look, gpointer data);
void lv_watch_free (LvWatch *watch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvWatch, lv_watch_free)
