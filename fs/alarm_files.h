/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alarms/, for the tables of others (alarm.c). */
#pragma once

#include "alarm.h"
#include "classes.h"

extern VirfsClass virfs_alarm_files;
extern const VirfsDir virfs_alarms_dir;
extern const VirfsDir virfs_firing_dir;

/* What there is that an alarm can be about. */
void virfs_show_measures (const VirfsNode *node, GString *out);

/* The inode number of the link to what an alarm fires for; 0: that is not there yet. */
guint64 virfs_firing_link (const VirfsFiring *firing);
