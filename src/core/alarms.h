/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alarms, for the registry: see alarm.h for all others. */
#pragma once

#include "alarm.h"

typedef struct VirfsAlarms VirfsAlarms;

VirfsAlarms *virfs_alarms_new (VirfsInfra *infra);
/* Whatever is asked for from now on is refused; ends hooks that do not end by themselves. */
void virfs_alarms_stop (VirfsAlarms *alarms);
void virfs_alarms_free (VirfsAlarms *alarms);
/* All hosts have answered or were given up on: what is not there any more is gone. */
void virfs_alarms_settle (VirfsAlarms *alarms);
