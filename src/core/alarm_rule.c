/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules, and setting them: one function for each field, in a table. */
#include "alarm_rule.h"

#include "alarm_objects.h"
#include "text.h"

#include <string.h>

#define LONGEST_DURATION (30 * 86400)

static const char *const severities[] = { "info", "warning", "critical", NULL };

const char *
virfs_severity_name (VirfsSeverity severity)
{
  return severities[severity];
}

VirfsRule *
virfs_rule_new (void)
{
  VirfsRule *rule = g_new0 (VirfsRule, 1);

  g_atomic_ref_count_init (&rule->refs);
  rule->severity = VIRFS_SEVERITY_WARNING;
  rule->enabled = TRUE;
  return rule;
}

static VirfsRule *
copy (const VirfsRule *rule)
{
  VirfsRule *made = g_memdup2 (rule, sizeof *rule);

  g_atomic_ref_count_init (&made->refs);
  made->metric = g_strdup (rule->metric);
  made->objects = g_strdup (rule->objects);
  made->description = g_strdup (rule->description);
  made->hook = g_strdup (rule->hook);
  if (made->patterns != NULL)
    g_ptr_array_ref (made->patterns);
  return made;
}

VirfsRule *
virfs_rule_ref (VirfsRule *rule)
{
  g_atomic_ref_count_inc (&rule->refs);
  return rule;
}

void
virfs_rule_unref (VirfsRule *rule)
{
  if (rule == NULL || !g_atomic_ref_count_dec (&rule->refs))
    return;
  g_free (rule->metric);
  g_free (rule->objects);
  g_free (rule->description);
  g_free (rule->hook);
  g_clear_pointer (&rule->patterns, g_ptr_array_unref);
  g_free (rule);
}

static void
set_string (char **member, const char *text)
{
  g_free (*member);
  *member = text && *text ? g_strdup (text) : NULL;
}

/* What goes together. */

static gboolean
fits (const VirfsMeasure *measure, const VirfsCondition *condition)
{
  if (condition->compare == VIRFS_COMPARE_NONE)
    return TRUE;
  if (!measure->is_word)
    return virfs_condition_is_number (condition);
  return (condition->compare == VIRFS_COMPARE_EQUAL
          || condition->compare == VIRFS_COMPARE_NOT_EQUAL)
         && (measure->words == NULL || g_strv_contains (measure->words, condition->operand));
}

static gboolean
check_fits (const VirfsRule *rule, const VirfsCondition *condition, GError **error)
{
  const VirfsMeasure *measure = rule->measure;
  g_autofree char *words = NULL;

  if (measure == NULL || fits (measure, condition))
    return TRUE;
  words = measure->words ? g_strjoinv (", ", (char **) measure->words) : NULL;
  if (!measure->is_word)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%s is a number: it is compared as in > 90", rule->metric);
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%s is a word: it is compared by == and !=%s%s", rule->metric,
                 words ? ", and is one of " : "", words ? words : "");
  return FALSE;
}

static void
drop_conditions (VirfsRule *rule)
{
  rule->condition = rule->clear = (VirfsCondition){ 0 };
}

/* The fields. */

static gboolean
set_objects (VirfsRule *rule, const char *text, GError **error)
{
  VirfsKind kind;
  g_autofree char *lines = NULL;
  g_autoptr (GPtrArray) patterns = NULL;
  const VirfsMeasure *measure;

  if (*text == '\0') {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a rule is about something: vms, hosts, pools, vms/NAME or tag:TAG");
    return FALSE;
  }
  patterns = virfs_objects_parse (text, &kind, &lines, error);
  if (patterns == NULL)
    return FALSE;
  measure = rule->metric ? virfs_measure_find (rule->metric, kind) : NULL;
  if (rule->metric != NULL && measure == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "%s have no %s (see alarms/metrics)",
                 virfs_measure_objects (kind), rule->metric);
    return FALSE;
  }
  set_string (&rule->objects, lines);
  g_clear_pointer (&rule->patterns, g_ptr_array_unref);
  rule->patterns = g_steal_pointer (&patterns);
  rule->measure = measure;
  if (measure != NULL && !(fits (measure, &rule->condition) && fits (measure, &rule->clear)))
    drop_conditions (rule);
  return TRUE;
}

/* Those objects that there are, if they have it; else all that have, if it is clear which these are. */
static gboolean
set_metric (VirfsRule *rule, const char *text, GError **error)
{
  gboolean several;
  const VirfsMeasure *any = virfs_measure_find_any (text, &several);
  g_autofree char *objects = g_strdup (rule->objects);

  if (any == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "there is no metric %.40s; alarms/metrics lists them", text);
    return FALSE;
  }
  set_string (&rule->metric, text);
  if (objects != NULL && set_objects (rule, objects, NULL))
    return TRUE;
  rule->measure = NULL;
  g_clear_pointer (&rule->objects, g_free);
  g_clear_pointer (&rule->patterns, g_ptr_array_unref);
  if (several)
    return TRUE;
  return set_objects (rule, virfs_measure_objects (any->kind), error);
}

static gboolean
set_condition (VirfsRule *rule, const char *text, GError **error)
{
  VirfsCondition condition;

  if (!virfs_condition_parse (text, &condition, error) || !check_fits (rule, &condition, error))
    return FALSE;
  rule->condition = condition;
  /* what was to end another condition may never end this */
  rule->clear = (VirfsCondition){ 0 };
  return TRUE;
}

static gboolean
set_clear (VirfsRule *rule, const char *text, GError **error)
{
  VirfsCondition usual = virfs_condition_opposite (&rule->condition);
  VirfsCondition clear = { 0 };

  if (*text != '\0'
      && (!virfs_condition_parse_clear (text, &rule->condition, &clear, error)
          || !check_fits (rule, &clear, error)))
    return FALSE;
  /* what is shown unasked can be written back, and stays unsaid */
  if (clear.compare == usual.compare && strcmp (clear.operand, usual.operand) == 0)
    clear = (VirfsCondition){ 0 };
  rule->clear = clear;
  return TRUE;
}

static gboolean
set_duration (VirfsRule *rule, const char *text, GError **error)
{
  guint64 seconds;

  if (!virfs_parse_u64 (text, &seconds, NULL) || seconds > LONGEST_DURATION) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "a number of seconds is wanted, at most %d", LONGEST_DURATION);
    return FALSE;
  }
  rule->duration = (guint) seconds;
  return TRUE;
}

static gboolean
set_severity (VirfsRule *rule, const char *text, GError **error)
{
  for (guint i = 0; severities[i] != NULL; i++)
    if (g_str_equal (severities[i], text)) {
      rule->severity = i;
      return TRUE;
    }
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "a severity is info, warning or critical, not \"%.40s\"", text);
  return FALSE;
}

static gboolean
set_description (VirfsRule *rule, const char *text, GError **error)
{
  set_string (&rule->description, text);
  return TRUE;
}

static gboolean
set_enabled (VirfsRule *rule, const char *text, GError **error)
{
  return virfs_parse_bool (text, &rule->enabled, error);
}

static gboolean
set_hook (VirfsRule *rule, const char *text, GError **error)
{
  set_string (&rule->hook, text);
  return TRUE;
}

static void
append_metric (const VirfsRule *rule, GString *out)
{
  g_string_append (out, rule->metric ? rule->metric : "");
}

static void
append_objects (const VirfsRule *rule, GString *out)
{
  g_string_append (out, rule->objects ? rule->objects : "");
}

static void
append_condition (const VirfsRule *rule, GString *out)
{
  virfs_condition_append (&rule->condition, out);
}

static void
append_clear (const VirfsRule *rule, GString *out)
{
  VirfsCondition clear = virfs_rule_clear (rule);

  virfs_condition_append (&clear, out);
}

static void
append_duration (const VirfsRule *rule, GString *out)
{
  g_string_append_printf (out, "%u", rule->duration);
}

static void
append_severity (const VirfsRule *rule, GString *out)
{
  g_string_append (out, virfs_severity_name (rule->severity));
}

static void
append_description (const VirfsRule *rule, GString *out)
{
  g_string_append (out, rule->description ? rule->description : "");
}

static void
append_enabled (const VirfsRule *rule, GString *out)
{
  g_string_append_c (out, rule->enabled ? '1' : '0');
}

static void
append_hook (const VirfsRule *rule, GString *out)
{
  g_string_append (out, rule->hook ? rule->hook : "");
}

static const struct {
  const char *name;
  gboolean (*set) (VirfsRule *rule, const char *text, GError **error);
  void (*append) (const VirfsRule *rule, GString *out);
} fields[] = {
  [VIRFS_RULE_METRIC] = { "metric", set_metric, append_metric },
  [VIRFS_RULE_OBJECTS] = { "objects", set_objects, append_objects },
  [VIRFS_RULE_CONDITION] = { "condition", set_condition, append_condition },
  [VIRFS_RULE_CLEAR] = { "clear", set_clear, append_clear },
  [VIRFS_RULE_DURATION] = { "duration", set_duration, append_duration },
  [VIRFS_RULE_SEVERITY] = { "severity", set_severity, append_severity },
  [VIRFS_RULE_DESCRIPTION] = { "description", set_description, append_description },
  [VIRFS_RULE_ENABLED] = { "enabled", set_enabled, append_enabled },
  [VIRFS_RULE_HOOK] = { "hook", set_hook, append_hook },
};

VirfsRule *
virfs_rule_set (const VirfsRule *rule, VirfsRuleField field, const char *text, GError **error)
{
  g_autoptr (VirfsRule) made = copy (rule);

  return fields[field].set (made, text, error) ? g_steal_pointer (&made) : NULL;
}

void
virfs_rule_append (const VirfsRule *rule, VirfsRuleField field, GString *out)
{
  fields[field].append (rule, out);
}

const char *
virfs_rule_field_name (VirfsRuleField field)
{
  return fields[field].name;
}

/* What it says. */

VirfsCondition
virfs_rule_clear (const VirfsRule *rule)
{
  return rule->clear.compare != VIRFS_COMPARE_NONE ? rule->clear
                                                   : virfs_condition_opposite (&rule->condition);
}

gboolean
virfs_rule_is_complete (const VirfsRule *rule)
{
  return rule->measure != NULL && rule->condition.compare != VIRFS_COMPARE_NONE;
}

gboolean
virfs_rule_is_active (const VirfsRule *rule)
{
  return rule->enabled && virfs_rule_is_complete (rule);
}

gboolean
virfs_rule_covers (const VirfsRule *rule, VirfsKind kind, const char *path, const char *tags)
{
  return rule->measure != NULL && rule->measure->kind == kind
         && virfs_objects_cover (rule->patterns, path, tags);
}

/* Records. */

#define GROUP "alarm"

char *
virfs_rule_print (const VirfsRule *rule, const char *name)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();

  g_key_file_set_string (file, GROUP, "name", name);
  for (guint i = 0; i < VIRFS_RULE_N_FIELDS; i++) {
    g_autoptr (GString) text = g_string_new (NULL);

    if (i == VIRFS_RULE_CLEAR)
      virfs_condition_append (&rule->clear, text);
    else
      fields[i].append (rule, text);
    if (text->len > 0)
      g_key_file_set_string (file, GROUP, fields[i].name, text->str);
  }
  return g_key_file_to_data (file, NULL, NULL);
}

VirfsRule *
virfs_rule_parse (const char *text, char **name, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (VirfsRule) rule = virfs_rule_new ();
  g_autofree char *called = NULL;

  if (!g_key_file_load_from_data (file, text, (gsize) -1, G_KEY_FILE_NONE, error))
    return NULL;
  called = g_key_file_get_string (file, GROUP, "name", error);
  if (called == NULL)
    return NULL;
  for (guint i = 0; i < VIRFS_RULE_N_FIELDS; i++) {
    g_autofree char *value = g_key_file_get_string (file, GROUP, fields[i].name, NULL);

    if (value != NULL && !fields[i].set (rule, value, error))
      return NULL;
  }
  *name = g_steal_pointer (&called);
  return g_steal_pointer (&rule);
}
