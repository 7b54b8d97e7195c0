/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One object under one rule: whether the rule is broken, for how long, and whether that is told. */
#pragma once

#include "alarm_rule.h"

typedef struct {
  gint64 monotonic;
  gint64 real; /* since the epoch; both in microseconds */
} VirfsMoment;

typedef enum { VIRFS_CASE_OK, VIRFS_CASE_PENDING, VIRFS_CASE_FIRES } VirfsCaseState;

typedef struct {
  VirfsCaseState state;
  gint64 begun; /* monotonic: of a pending one */
  gint64 since; /* since the epoch: when the condition began to hold */
  gint64 due;   /* monotonic: when to look again though nothing has happened; G_MAXINT64: never */
} VirfsCase;

typedef enum { VIRFS_CASE_SAME, VIRFS_CASE_RAISED, VIRFS_CASE_CLEARED } VirfsCaseChange;

/* An object of which nothing is known yet is { .due = G_MAXINT64 }. */
VirfsCaseChange virfs_case_step (VirfsCase *self, const VirfsRule *rule, const VirfsValue *value,
                                 const VirfsMoment *now);
/* Nothing is wrong any more, whatever the rule says. */
VirfsCaseChange virfs_case_end (VirfsCase *self);
