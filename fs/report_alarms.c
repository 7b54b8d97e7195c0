/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The alarms that fire, for the page, each with the first of its objects: the worst first, then the newest. */
#include "report_page.h"

#include "alarm.h"

#define MOST_OBJECTS 12

/* Under the registry's lock. */
static void
collect (VirfsAlarm *alarm, const VirfsAlarmInfo *info, gpointer alarms)
{
  if (info->firing->len > 0)
    g_ptr_array_add (alarms, virfs_object_ref (alarm));
}

static gint
compare (gconstpointer a, gconstpointer b)
{
  const VirfsAlarmInfo *p = *(VirfsAlarmInfo *const *) a, *q = *(VirfsAlarmInfo *const *) b;

  if (p->rule->severity != q->rule->severity)
    return p->rule->severity > q->rule->severity ? -1 : 1;
  return p->since > q->since ? -1 : p->since < q->since;
}

static void
add_text (JsonBuilder *json, const char *name, const char *text)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, text ? text : "");
}

static void
add_number (JsonBuilder *json, const char *name, gint64 number)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, number);
}

static void
add_alarm (JsonBuilder *json, const VirfsAlarmInfo *info)
{
  guint acknowledged = 0;

  for (guint i = 0; i < info->firing->len; i++)
    acknowledged += ((const VirfsFiring *) info->firing->pdata[i])->by != NULL;
  json_builder_begin_object (json);
  add_text (json, "level", virfs_severity_name (info->rule->severity));
  add_text (json, "name", info->name);
  add_text (json, "text", info->rule->description);
  add_number (json, "since", info->since / G_USEC_PER_SEC);
  add_number (json, "count", info->firing->len);
  add_number (json, "acknowledged", acknowledged);
  json_builder_set_member_name (json, "objects");
  json_builder_begin_array (json);
  for (guint i = 0; i < MIN (info->firing->len, MOST_OBJECTS); i++)
    json_builder_add_string_value (json, ((const VirfsFiring *) info->firing->pdata[i])->path);
  json_builder_end_array (json);
  json_builder_end_object (json);
}

void
virfs_report_add_alarms (JsonBuilder *json, const VirfsReportFleet *fleet)
{
  g_autoptr (GPtrArray) alarms = g_ptr_array_new_with_free_func (virfs_object_unref);
  g_autoptr (GPtrArray) infos
    = g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_alarm_info_unref);

  virfs_infra_foreach_alarm (fleet->infra, collect, alarms);
  for (guint i = 0; i < alarms->len; i++)
    g_ptr_array_add (infos, virfs_alarm_info (alarms->pdata[i]));
  g_ptr_array_sort (infos, compare);
  json_builder_set_member_name (json, "alarms");
  json_builder_begin_array (json);
  for (guint i = 0; i < infos->len; i++)
    add_alarm (json, infos->pdata[i]);
  json_builder_end_array (json);
}
