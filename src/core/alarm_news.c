/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has happened: noted while it does, and told, to the log and to hooks, when all can be seen. */
#include "alarms_private.h"

#include "text.h"

#include <string.h>

struct VirfsAlarmNews {
  VirfsAlarm *alarm; /* a reference */
  guint64 object;
  const char *what; /* raised, cleared or acknowledged */
  char *name, *path, *value, *by;
  gint64 since;
  VirfsRule *rule; /* a reference */
};

void
virfs_alarm_news_free (gpointer data)
{
  VirfsAlarmNews *news = data;

  virfs_object_unref (news->alarm);
  virfs_rule_unref (news->rule);
  g_free (news->name);
  g_free (news->path);
  g_free (news->value);
  g_free (news->by);
  g_free (news);
}

void
virfs_alarm_note_news (VirfsAlarms *self, VirfsAlarmEntry *entry, const VirfsWatched *watched,
                       const char *what)
{
  VirfsAlarmNews *news = g_new0 (VirfsAlarmNews, 1);

  news->alarm = virfs_object_ref (entry->alarm);
  news->rule = virfs_rule_ref (entry->alarm->info->rule);
  news->name = g_strdup (entry->alarm->info->name);
  news->object = watched->id;
  news->what = what;
  news->path = g_strdup (watched->path);
  news->value = g_strdup (watched->value ? watched->value : "");
  news->by = g_strdup (watched->by);
  news->since = watched->c.since;
  g_ptr_array_add (self->news, news);
}

static char *
condition_of (const VirfsAlarmNews *news)
{
  g_autoptr (GString) text = g_string_new (NULL);

  virfs_condition_append (&news->rule->condition, text);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* What is gone is told of under the alarm. */
static void
tell_event (VirfsAlarms *self, const VirfsAlarmNews *news)
{
  g_autoptr (GString) details = g_string_new (NULL);
  g_autofree char *condition = condition_of (news);
  gpointer object = virfs_infra_object (self->infra, news->object);

  virfs_event_append (details, "value", news->what);
  virfs_event_append (details, "name", news->name);
  virfs_event_append (details, "object", object ? NULL : news->path);
  virfs_event_append (details, "severity", virfs_severity_name (news->rule->severity));
  virfs_event_append (details, "metric", news->rule->metric);
  virfs_event_append (details, "is", news->value);
  virfs_event_append (details, "condition", condition);
  if (g_str_equal (news->what, "acknowledged"))
    virfs_event_append (details, "by", news->by);
  virfs_infra_event (self->infra, object ? object : news->alarm, "alarm", details->str);
  virfs_object_unref (object);
}

static void
run_hook (VirfsAlarms *self, const VirfsAlarmNews *news)
{
  g_autoptr (GString) since = g_string_new (NULL);
  g_autofree char *condition = condition_of (news);
  const char *const facts[] = {
    "VIRFS_ALARM",
    news->name,
    "VIRFS_OBJECT",
    news->path,
    "VIRFS_STATE",
    news->what,
    "VIRFS_SEVERITY",
    virfs_severity_name (news->rule->severity),
    "VIRFS_METRIC",
    news->rule->metric,
    "VIRFS_VALUE",
    news->value,
    "VIRFS_CONDITION",
    condition,
    "VIRFS_SINCE",
    since->str,
    "VIRFS_DESCRIPTION",
    news->rule->description ? news->rule->description : "",
    NULL,
  };

  virfs_text_append_time (since, news->since);
  virfs_hooks_run (self->hooks, news->rule->hook, news->name, news->path, facts);
}

void
virfs_alarms_tell_news (VirfsAlarms *self)
{
  for (guint i = 0; i < self->news->len; i++) {
    const VirfsAlarmNews *news = self->news->pdata[i];

    tell_event (self, news);
    if (news->rule->hook != NULL && !g_str_equal (news->what, "acknowledged"))
      run_hook (self, news);
  }
  g_ptr_array_set_size (self->news, 0);
}
