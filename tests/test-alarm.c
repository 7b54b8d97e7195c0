/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of alarms: conditions, objects, and what comes of values in the course of time. */
#include "alarm_case.h"
#include "alarm_default.h"
#include "alarm_objects.h"

#include <math.h>

/* Conditions. */

static VirfsCondition
condition (const char *text)
{
  VirfsCondition parsed = { 0 };
  g_autoptr (GError) error = NULL;

  virfs_condition_parse (text, &parsed, &error);
  g_assert_no_error (error);
  return parsed;
}

static VirfsValue
number (double value)
{
  return (VirfsValue){ .kind = VIRFS_VALUE_NUMBER, .number = value };
}

static VirfsValue
word (const char *value)
{
  return (VirfsValue){ .kind = VIRFS_VALUE_WORD, .word = value };
}

static gboolean
holds (const char *text, VirfsValue value)
{
  VirfsCondition parsed = condition (text);

  return virfs_condition_holds (&parsed, &value);
}

static void
test_conditions (void)
{
  g_assert_true (holds ("> 90", number (90.5)));
  g_assert_false (holds ("> 90", number (90)));
  g_assert_true (holds (">=90", number (90)));
  g_assert_true (holds ("< 1G", number (1073741823)));
  g_assert_false (holds ("< 1G", number (1073741824)));
  g_assert_true (holds ("<= 1GiB", number (1073741824)));
  g_assert_true (holds ("> 2d", number (2 * 86400 + 1)));
  g_assert_true (holds ("> 10min", number (601)));
  g_assert_true (holds ("> 150.5", number (151)));
  g_assert_true (holds ("> 4 %", number (5)));
  g_assert_true (holds ("== crashed", word ("crashed")));
  g_assert_true (holds ("== I/O error", word ("I/O error")));
  g_assert_true (holds ("!= running", word ("paused")));
  g_assert_false (holds ("!= running", word ("running")));
  g_assert_false (holds ("> 1", (VirfsValue){ .kind = VIRFS_VALUE_NONE }));
  g_assert_false (holds ("!= x", (VirfsValue){ .kind = VIRFS_VALUE_UNKNOWN }));
}

static void
test_no_conditions (void)
{
  static const char *const texts[]
    = { "",      "90",      "> ",      ">",     "=< 3",    "> many", "< inf",  "> nan",   "> 0x10",
        "> 1 X", "> 1e999", "== a\nb", "=== 3", "> 90 %%", ">> 3",   "== a<b", "crashed", "> 1MK" };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    VirfsCondition parsed;
    g_autoptr (GError) error = NULL;

    if (virfs_condition_parse (texts[i], &parsed, &error))
      g_error ("\"%s\" is a condition", texts[i]);
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  }
}

static char *
printed (const VirfsCondition *parsed)
{
  GString *text = g_string_new (NULL);

  virfs_condition_append (parsed, text);
  return g_string_free (text, FALSE);
}

static void
test_opposites (void)
{
  static const char *const pairs[][2]
    = { { "> 90", "<= 85.5" }, { ">= 100", "< 95" },           { "< 1G", ">= 1127428915.2" },
        { "> 0", "<= 0" },     { "== crashed", "!= crashed" }, { "!= 3", "== 3" },
        { "< 100", ">= 105" }, { "> 2d", "<= 164160" },        { "< 1T", ">= 1154487209165" } };

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++) {
    VirfsCondition parsed = condition (pairs[i][0]);
    VirfsCondition opposite = virfs_condition_opposite (&parsed);
    g_autofree char *text = printed (&opposite);

    g_assert_cmpstr (text, ==, pairs[i][1]);
  }
}

/* Nothing is kept of operands when their condition is gone. */
static void
test_operands (void)
{
  VirfsCondition parsed = condition ("> 98765.4321");
  VirfsCondition opposite = virfs_condition_opposite (&parsed);

  g_assert_cmpuint (g_quark_try_string (parsed.operand), ==, 0);
  g_assert_cmpuint (g_quark_try_string (opposite.operand), ==, 0);
}

/* Objects. */

static gboolean
covers (const char *lines, const char *path, const char *tags)
{
  VirfsKind kind;
  g_autofree char *said = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) patterns = virfs_objects_parse (lines, &kind, &said, &error);

  g_assert_no_error (error);
  return virfs_objects_cover (patterns, path, tags);
}

static void
test_objects (void)
{
  g_assert_true (covers ("vms", "vms/web", NULL));
  g_assert_true (covers ("vms/web*", "vms/web1", NULL));
  g_assert_false (covers ("vms/web*", "vms/db", NULL));
  g_assert_true (covers ("vms/web*\nvms/db", "vms/db", NULL));
  g_assert_true (covers ("vms\n!vms/test-*", "vms/db", NULL));
  g_assert_false (covers ("vms\n!vms/test-*", "vms/test-1", NULL));
  g_assert_true (covers ("tag:prod", "vms/db", "old\nprod"));
  g_assert_false (covers ("tag:prod", "vms/db", "production"));
  g_assert_true (covers ("tag:prod*", "vms/db", "production"));
  g_assert_false (covers ("vms\n!tag:test", "vms/db", "test"));
  g_assert_true (covers ("hosts/h?", "hosts/h1", NULL));
  g_assert_true (covers ("pools/fast", "hosts/h1/pools/fast", NULL));
  g_assert_false (covers ("pools/fast", "hosts/h1/pools/default", NULL));
  g_assert_true (covers ("hosts/h1/pools/*", "hosts/h1/pools/default", NULL));
  g_assert_false (covers ("hosts/h1/pools/*", "hosts/h2/pools/default", NULL));
}

static void
test_no_objects (void)
{
  static const char *const texts[] = {
    "",         "web",   "vms/", "tag:", "!vms", "vms\nhosts", "/etc", "hosts/h1/pools/x\nhosts/h1",
    "vms/\xff", "images"
  };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    VirfsKind kind;
    g_autofree char *lines = NULL;
    g_autoptr (GError) error = NULL;

    g_assert_null (virfs_objects_parse (texts[i], &kind, &lines, &error));
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
  }
}

/* Rules. */

/* Replaces it; whether it has taken TEXT. */
static gboolean
set (VirfsRule **rule, VirfsRuleField field, const char *text)
{
  g_autoptr (GError) error = NULL;
  VirfsRule *with = virfs_rule_set (*rule, field, text, &error);

  if (with == NULL) {
    g_assert_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID);
    return FALSE;
  }
  virfs_rule_unref (*rule);
  *rule = with;
  return TRUE;
}

static VirfsRule *
make_rule (const char *metric, const char *objects, const char *holds_when, const char *duration)
{
  VirfsRule *rule = virfs_rule_new ();

  g_assert_true (set (&rule, VIRFS_RULE_METRIC, metric));
  g_assert_true (set (&rule, VIRFS_RULE_OBJECTS, objects));
  g_assert_true (set (&rule, VIRFS_RULE_CONDITION, holds_when));
  g_assert_true (set (&rule, VIRFS_RULE_DURATION, duration));
  g_assert_true (virfs_rule_is_active (rule));
  return rule;
}

static char *
field (const VirfsRule *rule, VirfsRuleField which)
{
  GString *text = g_string_new (NULL);

  virfs_rule_append (rule, which, text);
  return g_string_free (text, FALSE);
}

#define assert_field(rule, which, expected)                                                        \
  do {                                                                                             \
    g_autofree char *got_ = field (rule, VIRFS_RULE_##which);                                      \
    g_assert_cmpstr (got_, ==, expected);                                                          \
  } while (0)

static void
test_rules (void)
{
  g_autoptr (VirfsRule) rule = virfs_rule_new ();

  g_assert_false (set (&rule, VIRFS_RULE_METRIC, "nonsense"));
  g_assert_true (set (&rule, VIRFS_RULE_METRIC, "usage"));
  assert_field (rule, OBJECTS, "pools"); /* nothing else has it */
  g_assert_false (virfs_rule_is_complete (rule));
  g_assert_false (set (&rule, VIRFS_RULE_CONDITION, "== full"));
  g_assert_true (set (&rule, VIRFS_RULE_CONDITION, "> 80"));
  g_assert_true (virfs_rule_is_complete (rule));
  assert_field (rule, CLEAR, "<= 76");
  g_assert_true (set (&rule, VIRFS_RULE_CLEAR, "70"));
  assert_field (rule, CLEAR, "<= 70");
  g_assert_false (set (&rule, VIRFS_RULE_OBJECTS, "vms"));
  /* what does not go with another metric has to be said anew */
  g_assert_true (set (&rule, VIRFS_RULE_METRIC, "state"));
  assert_field (rule, OBJECTS, "pools");
  assert_field (rule, CONDITION, "");
  g_assert_false (set (&rule, VIRFS_RULE_CONDITION, "== crashed")); /* no pool is */
  g_assert_true (set (&rule, VIRFS_RULE_OBJECTS, "vms"));
  g_assert_true (set (&rule, VIRFS_RULE_CONDITION, "== crashed"));
  g_assert_true (set (&rule, VIRFS_RULE_METRIC, "reason"));
  assert_field (rule, CONDITION, "== crashed");
  g_assert_true (set (&rule, VIRFS_RULE_ENABLED, "0"));
  g_assert_false (virfs_rule_is_active (rule));
  g_assert_false (set (&rule, VIRFS_RULE_SEVERITY, "terrible"));
  g_assert_false (set (&rule, VIRFS_RULE_DURATION, "-1"));
}

static void
test_records (void)
{
  g_autoptr (VirfsRule) rule = make_rule ("cpu_percent", "vms/a*\n!vms/ab", "> 90", "60");
  g_autofree char *text = NULL;
  g_autofree char *again = NULL;
  g_autofree char *name = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsRule) back = NULL;

  g_assert_true (set (&rule, VIRFS_RULE_DESCRIPTION, "it\nis; busy\\"));
  g_assert_true (set (&rule, VIRFS_RULE_CLEAR, "< 50"));
  text = virfs_rule_print (rule, "busy");
  back = virfs_rule_parse (text, &name, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (name, ==, "busy");
  again = virfs_rule_print (back, name);
  g_assert_cmpstr (again, ==, text);
  assert_field (back, DESCRIPTION, "it\nis; busy\\");
}

static void
test_defaults (void)
{
  for (guint i = 0; i < virfs_n_default_alarms; i++) {
    g_autoptr (VirfsRule) rule = virfs_default_alarm_rule (&virfs_default_alarms[i], FALSE);
    g_autoptr (VirfsRule) sampled = virfs_default_alarm_rule (&virfs_default_alarms[i], TRUE);

    g_assert_true (virfs_rule_is_complete (rule));
    g_assert_cmpint (rule->enabled, ==, !virfs_measure_is_sampled (rule->measure));
    g_assert_true (sampled->enabled);
    g_assert_nonnull (rule->description);
  }
}

/* In the course of time; each step is a second of value, as told. */

typedef struct {
  VirfsCase c;
  VirfsRule *rule;
  gint64 second;
} Course;

static VirfsCaseChange
step_at (Course *course, gint64 second, VirfsValue value)
{
  VirfsMoment now = { second * G_USEC_PER_SEC, (1000 + second) * G_USEC_PER_SEC };

  course->second = second;
  return virfs_case_step (&course->c, course->rule, &value, &now);
}

static Course
course_of (VirfsRule *rule)
{
  return (Course){ .c = { .due = G_MAXINT64 }, .rule = rule };
}

static void
test_at_once (void)
{
  g_autoptr (VirfsRule) rule = make_rule ("state", "vms", "== crashed", "0");
  Course course = course_of (rule);

  g_assert_cmpint (step_at (&course, 1, word ("running")), ==, VIRFS_CASE_SAME);
  g_assert_cmpint (step_at (&course, 2, word ("crashed")), ==, VIRFS_CASE_RAISED);
  g_assert_cmpint (step_at (&course, 3, word ("crashed")), ==, VIRFS_CASE_SAME);
  g_assert_cmpint (course.c.since, ==, 1002 * G_USEC_PER_SEC);
  g_assert_cmpint (step_at (&course, 4, word ("running")), ==, VIRFS_CASE_CLEARED);
  g_assert_cmpint (course.c.state, ==, VIRFS_CASE_OK);
}

static void
test_hysteresis (void)
{
  g_autoptr (VirfsRule) rule = make_rule ("cpu_load", "hosts", "> 90", "0");
  Course course = course_of (rule);

  g_assert_cmpint (step_at (&course, 1, number (91)), ==, VIRFS_CASE_RAISED);
  g_assert_cmpint (step_at (&course, 2, number (89)), ==, VIRFS_CASE_SAME);
  g_assert_cmpint (step_at (&course, 3, number (95)), ==, VIRFS_CASE_SAME);
  g_assert_cmpint (step_at (&course, 4, number (85.5)), ==, VIRFS_CASE_CLEARED);
  g_assert_cmpint (step_at (&course, 5, number (90)), ==, VIRFS_CASE_SAME);
  /* what would end it at once never does */
  g_assert_true (set (&course.rule, VIRFS_RULE_CLEAR, "< 200"));
  g_assert_cmpint (step_at (&course, 6, number (95)), ==, VIRFS_CASE_RAISED);
  g_assert_cmpint (step_at (&course, 7, number (95)), ==, VIRFS_CASE_SAME);
  g_assert_cmpint (step_at (&course, 8, number (90)), ==, VIRFS_CASE_CLEARED);
  rule = course.rule;
}

static void
test_duration (void)
{
  g_autoptr (VirfsRule) rule = make_rule ("cpu_load", "hosts", "> 90", "10");
  Course course = course_of (rule);

  g_assert_cmpint (step_at (&course, 1, number (99)), ==, VIRFS_CASE_SAME);
  g_assert_cmpint (course.c.state, ==, VIRFS_CASE_PENDING);
  g_assert_cmpint (course.c.due, ==, 11 * G_USEC_PER_SEC);
  g_assert_cmpint (step_at (&course, 5, number (50)), ==, VIRFS_CASE_SAME);
  g_assert_cmpint (course.c.state, ==, VIRFS_CASE_OK);
  g_assert_cmpint (course.c.due, ==, G_MAXINT64);
  g_assert_cmpint (step_at (&course, 6, number (99)), ==, VIRFS_CASE_SAME);
  g_assert_cmpint (step_at (&course, 15, number (99)), ==, VIRFS_CASE_SAME);
  /* that nothing is known neither raises nor ends it */
  g_assert_cmpint (step_at (&course, 16, (VirfsValue){ .kind = VIRFS_VALUE_UNKNOWN }), ==,
                   VIRFS_CASE_SAME);
  g_assert_cmpint (course.c.state, ==, VIRFS_CASE_PENDING);
  g_assert_cmpint (step_at (&course, 17, number (99)), ==, VIRFS_CASE_RAISED);
  g_assert_cmpint (course.c.since, ==, 1006 * G_USEC_PER_SEC);
  g_assert_cmpint (step_at (&course, 18, (VirfsValue){ .kind = VIRFS_VALUE_UNKNOWN }), ==,
                   VIRFS_CASE_SAME);
  g_assert_cmpint (course.c.state, ==, VIRFS_CASE_FIRES);
  /* that there is no such value ends it */
  g_assert_cmpint (step_at (&course, 19, (VirfsValue){ .kind = VIRFS_VALUE_NONE }), ==,
                   VIRFS_CASE_CLEARED);
}

/* What grows by itself is looked at again when it breaks the rule, not before. */
static void
test_ages (void)
{
  g_autoptr (VirfsRule) rule = make_rule ("backup_age", "vms", "> 1h", "0");
  Course course = course_of (rule);
  VirfsValue age = number (3000);

  age.grows = TRUE;
  g_assert_cmpint (step_at (&course, 10, age), ==, VIRFS_CASE_SAME);
  g_assert_cmpint (course.c.due, ==, (10 + 601) * G_USEC_PER_SEC);
  age.number = 3601;
  g_assert_cmpint (step_at (&course, 611, age), ==, VIRFS_CASE_RAISED);
  g_assert_cmpint (course.c.due, ==, G_MAXINT64);
  age.number = 5;
  g_assert_cmpint (step_at (&course, 620, age), ==, VIRFS_CASE_CLEARED);
  g_assert_cmpint (course.c.due, ==, (gint64) (620 + 3596) * G_USEC_PER_SEC);
}

/* Values of objects. */

static double
value_of (const char *name, VirfsSubject *subject, VirfsValueKind kind)
{
  const VirfsMeasure *measure = virfs_measure_find (name, subject->kind);
  VirfsValue value;

  g_assert_nonnull (measure);
  virfs_measure_get (measure, subject, &value);
  g_assert_cmpint (value.kind, ==, kind);
  return value.number;
}

static void
test_samples (void)
{
  g_autoptr (VirfsSample) before = virfs_sample_new (7);
  g_autoptr (VirfsSample) sample = virfs_sample_new (7);
  VirfsSubject subject = { .kind = VIRFS_KIND_VM, .reachable = TRUE };

  value_of ("memory_rss", &subject, VIRFS_VALUE_UNKNOWN); /* nobody has looked */
  subject.sample = sample;
  value_of ("memory_rss", &subject, VIRFS_VALUE_NONE); /* it does not run */
  sample->values[VIRFS_VM_METRIC_MEMORY_RSS] = 4096;
  g_assert_cmpfloat (value_of ("memory_rss", &subject, VIRFS_VALUE_NUMBER), ==, 4096);
  sample->rates[VIRFS_VM_RATE_CPU_PERCENT] = 99.5;
  g_assert_cmpfloat (value_of ("cpu_percent", &subject, VIRFS_VALUE_NUMBER), ==, 99.5);
  /* counters: how much they have grown a second */
  sample->values[VIRFS_VM_METRIC_DISK_ERRORS] = 30;
  value_of ("disk_errors", &subject, VIRFS_VALUE_UNKNOWN);
  before->time = sample->time - 10 * G_USEC_PER_SEC;
  before->values[VIRFS_VM_METRIC_DISK_ERRORS] = 10;
  subject.before = before;
  g_assert_cmpfloat (value_of ("disk_errors", &subject, VIRFS_VALUE_NUMBER), ==, 2);
  subject.reachable = FALSE;
  value_of ("cpu_percent", &subject, VIRFS_VALUE_UNKNOWN);
}

static void
test_host (void)
{
  g_autoptr (VirfsHostInfo) info = virfs_host_info_new ();
  VirfsSubject subject = { .kind = VIRFS_KIND_HOST, .reachable = TRUE, .host = info };

  info->cpu_load = -1;
  value_of ("cpu_load", &subject, VIRFS_VALUE_NONE);
  value_of ("memory_used", &subject, VIRFS_VALUE_NONE);
  info->cpu_load = 12;
  info->memory = 1000;
  info->memory_free = 250;
  subject.promised.memory = 1500;
  g_assert_cmpfloat (value_of ("cpu_load", &subject, VIRFS_VALUE_NUMBER), ==, 12);
  g_assert_cmpfloat (value_of ("memory_used", &subject, VIRFS_VALUE_NUMBER), ==, 75);
  g_assert_cmpfloat (value_of ("memory_committed", &subject, VIRFS_VALUE_NUMBER), ==, 150);
  subject.reachable = FALSE;
  value_of ("cpu_load", &subject, VIRFS_VALUE_UNKNOWN);
  value_of ("state", &subject, VIRFS_VALUE_WORD);
}

static double
in_a_day (VirfsInfra *infra, VirfsPart *pool)
{
  return 86400;
}

static double
unknown (VirfsInfra *infra, VirfsPart *pool)
{
  return NAN;
}

static void
test_pool (void)
{
  g_autoptr (VirfsPartInfo) info = virfs_part_info_new (&virfs_pool_class, "default");
  VirfsPoolInfo *pool = (VirfsPoolInfo *) info;
  VirfsPart part = { 0 };
  VirfsSubject subject
    = { .kind = VIRFS_KIND_POOL, .reachable = TRUE, .pool = &part, .pool_info = pool };

  pool->state = "inactive";
  value_of ("usage", &subject, VIRFS_VALUE_NONE);
  pool->state = "running";
  pool->capacity = 1000;
  pool->available = 250;
  g_assert_cmpfloat (value_of ("usage", &subject, VIRFS_VALUE_NUMBER), ==, 75);
  /* without a history nothing is known */
  value_of ("full_in", &subject, VIRFS_VALUE_NONE);
  virfs_measure_set_forecast (in_a_day);
  g_assert_cmpfloat (value_of ("full_in", &subject, VIRFS_VALUE_NUMBER), ==, 86400);
  virfs_measure_set_forecast (unknown);
  value_of ("full_in", &subject, VIRFS_VALUE_UNKNOWN);
  virfs_measure_set_forecast (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/alarm/conditions", test_conditions);
  g_test_add_func ("/alarm/no-conditions", test_no_conditions);
  g_test_add_func ("/alarm/opposites", test_opposites);
  g_test_add_func ("/alarm/operands", test_operands);
  g_test_add_func ("/alarm/objects", test_objects);
  g_test_add_func ("/alarm/no-objects", test_no_objects);
  g_test_add_func ("/alarm/rules", test_rules);
  g_test_add_func ("/alarm/records", test_records);
  g_test_add_func ("/alarm/defaults", test_defaults);
  g_test_add_func ("/alarm/at-once", test_at_once);
  g_test_add_func ("/alarm/hysteresis", test_hysteresis);
  g_test_add_func ("/alarm/duration", test_duration);
  g_test_add_func ("/alarm/ages", test_ages);
  g_test_add_func ("/alarm/samples", test_samples);
  g_test_add_func ("/alarm/host", test_host);
  g_test_add_func ("/alarm/pool", test_pool);
  return g_test_run ();
}
