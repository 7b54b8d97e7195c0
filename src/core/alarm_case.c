/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "alarm_case.h"

VirfsCaseChange
virfs_case_end (VirfsCase *self)
{
  VirfsCaseChange change = self->state == VIRFS_CASE_FIRES ? VIRFS_CASE_CLEARED : VIRFS_CASE_SAME;

  self->state = VIRFS_CASE_OK;
  self->due = G_MAXINT64;
  return change;
}

static gint64
due_after (gint64 seconds, const VirfsMoment *now)
{
  return seconds == G_MAXINT64 ? seconds : now->monotonic + seconds * G_USEC_PER_SEC;
}

/* The condition holds: it is raised when it has done so for long enough. */
static VirfsCaseChange
hold (VirfsCase *self, const VirfsRule *rule, const VirfsMoment *now)
{
  if (self->state == VIRFS_CASE_OK) {
    self->state = VIRFS_CASE_PENDING;
    self->begun = now->monotonic;
    self->since = now->real;
  }
  self->due = due_after (rule->duration, &(VirfsMoment){ .monotonic = self->begun });
  if (now->monotonic < self->due)
    return VIRFS_CASE_SAME;
  self->state = VIRFS_CASE_FIRES;
  self->due = G_MAXINT64;
  return VIRFS_CASE_RAISED;
}

static gboolean
has_ended (const VirfsRule *rule, const VirfsValue *value)
{
  VirfsCondition clear = virfs_rule_clear (rule);

  return value->kind == VIRFS_VALUE_NONE
         || (virfs_condition_holds (&clear, value)
             && !virfs_condition_holds (&rule->condition, value));
}

VirfsCaseChange
virfs_case_step (VirfsCase *self, const VirfsRule *rule, const VirfsValue *value,
                 const VirfsMoment *now)
{
  VirfsCaseChange change = VIRFS_CASE_SAME;

  if (value->kind == VIRFS_VALUE_UNKNOWN) {
    self->due = G_MAXINT64;
    return VIRFS_CASE_SAME;
  }
  if (self->state == VIRFS_CASE_FIRES) {
    if (!has_ended (rule, value))
      return VIRFS_CASE_SAME;
    change = virfs_case_end (self);
  } else if (virfs_condition_holds (&rule->condition, value)) {
    return hold (self, rule, now);
  } else {
    virfs_case_end (self);
  }
  self->due = due_after (virfs_condition_wait (&rule->condition, value), now);
  return change;
}
