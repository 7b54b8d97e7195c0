/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule of an alarm: what is looked at, of which objects, and when that is wrong.  Rules are immutable;
 * setting something makes another.
 */
#pragma once

#include "alarm_condition.h"
#include "alarm_measure.h"
#include "error.h"

typedef enum { VIRFS_SEVERITY_INFO, VIRFS_SEVERITY_WARNING, VIRFS_SEVERITY_CRITICAL } VirfsSeverity;

const char *virfs_severity_name (VirfsSeverity severity);

/* In the order in which they are to be set: each goes with those before it. */
typedef enum {
  VIRFS_RULE_METRIC,
  VIRFS_RULE_OBJECTS,
  VIRFS_RULE_CONDITION,
  VIRFS_RULE_CLEAR,
  VIRFS_RULE_DURATION,
  VIRFS_RULE_SEVERITY,
  VIRFS_RULE_DESCRIPTION,
  VIRFS_RULE_ENABLED,
  VIRFS_RULE_HOOK,
  VIRFS_RULE_N_FIELDS,
} VirfsRuleField;

typedef struct {
  gatomicrefcount refs;
  char *metric;                /* NULL: not said yet */
  const VirfsMeasure *measure; /* what that is of such objects; NULL: not known yet */
  char *objects;               /* lines as in vms/web*; NULL: not said yet */
  GPtrArray *patterns;         /* made of these */
  VirfsCondition condition;    /* NONE: not said yet */
  VirfsCondition clear;        /* NONE: virfs_condition_opposite() */
  guint duration;              /* seconds that the condition must hold */
  VirfsSeverity severity;
  char *description; /* NULL: none */
  gboolean enabled;
  char *hook; /* full path of a program; NULL: none */
} VirfsRule;

/* One that is enabled and says nothing else; the caller owns it. */
VirfsRule *virfs_rule_new (void);
VirfsRule *virfs_rule_ref (VirfsRule *rule);
void virfs_rule_unref (VirfsRule *rule);

/*
 * A copy of RULE with FIELD set to what TEXT says ("" removes it); the caller owns it.  A metric that does
 * not go with the condition or the objects that there are makes them be said anew.  NULL: INVALID, with the
 * reason.
 */
VirfsRule *virfs_rule_set (const VirfsRule *rule, VirfsRuleField field, const char *text,
                           GError **error);
/* What FIELD is, as text that can be set; nothing if it was not said. */
void virfs_rule_append (const VirfsRule *rule, VirfsRuleField field, GString *out);
/* What is in effect as `clear`. */
VirfsCondition virfs_rule_clear (const VirfsRule *rule);
/* The name of FIELD, as of its file. */
const char *virfs_rule_field_name (VirfsRuleField field);

gboolean virfs_rule_is_complete (const VirfsRule *rule);
/* Complete and enabled. */
gboolean virfs_rule_is_active (const VirfsRule *rule);
/* Whether it is about the object with PATH (as in vms/web) and those tags (see tags.h; NULL: none). */
gboolean virfs_rule_covers (const VirfsRule *rule, VirfsKind kind, const char *path,
                            const char *tags);

/* As records, and back; a broken record is INVALID. */
char *virfs_rule_print (const VirfsRule *rule, const char *name);
VirfsRule *virfs_rule_parse (const char *text, char **name, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsRule, virfs_rule_unref)
