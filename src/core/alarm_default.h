/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules that there are from the beginning. */
#pragma once

#include "alarm_rule.h"

typedef struct {
  const char *name; /* also what it is known by, whatever it is called later */
  const char *fields[VIRFS_RULE_N_FIELDS];
} VirfsDefaultAlarm;

extern const VirfsDefaultAlarm virfs_default_alarms[];
extern const guint virfs_n_default_alarms;

/* The caller owns it.  SAMPLED: those that have to be sampled are enabled, too. */
VirfsRule *virfs_default_alarm_rule (const VirfsDefaultAlarm *alarm, gboolean sampled);
