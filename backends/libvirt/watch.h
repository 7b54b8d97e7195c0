/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watching a call that takes long in libvirt (a migration, a save) from beside it: tells its
 * progress, and stops it when the task is cancelled.
 */
#pragma once

#include "task.h"

typedef struct LvWatch LvWatch;

/* To be begun before the call and freed after it. */
LvWatch *lv_watch_new (LvTask *task);
void lv_watch_free (LvWatch *watch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvWatch, lv_watch_free)
