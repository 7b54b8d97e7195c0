/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has come of a round, made to what is shown: of the alarms, and of the objects that they fire for. */
#include "alarms_private.h"

#include <string.h>

static VirfsAlarmState
state_of (const VirfsRule *rule, const VirfsAlarmEntry *entry, const GPtrArray *firing)
{
  GHashTableIter iter;
  gpointer watched;
  gboolean acknowledged = TRUE;

  if (!virfs_rule_is_complete (rule))
    return VIRFS_ALARM_DRAFT;
  if (!rule->enabled)
    return VIRFS_ALARM_DISABLED;
  for (guint i = 0; i < firing->len; i++)
    acknowledged &= ((const VirfsFiring *) firing->pdata[i])->by != NULL;
  if (firing->len > 0)
    return acknowledged ? VIRFS_ALARM_ACKNOWLEDGED : VIRFS_ALARM_FIRES;
  g_hash_table_iter_init (&iter, entry->watched);
  while (g_hash_table_iter_next (&iter, NULL, &watched))
    if (((const VirfsWatched *) watched)->c.state == VIRFS_CASE_PENDING)
      return VIRFS_ALARM_PENDING;
  return VIRFS_ALARM_OK;
}

static void
add_firing (GPtrArray *firing, GHashTable *table, const char *alarm)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((const VirfsWatched *) value)->c.state == VIRFS_CASE_FIRES)
      g_ptr_array_add (firing, virfs_firing_new (value, alarm));
}

static gint
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(VirfsFiring *const *) a)->path, (*(VirfsFiring *const *) b)->path);
}

/* What fires since an earlier run does not begin now. */
static gint64
began (const VirfsAlarmEntry *entry, const VirfsAlarmInfo *info)
{
  gint64 latest = 0;

  if (g_hash_table_size (entry->dormant) == 0)
    return g_get_real_time ();
  for (guint i = 0; i < info->firing->len; i++)
    latest = MAX (latest, ((const VirfsFiring *) info->firing->pdata[i])->since);
  return latest;
}

/* The rule and the name may have been published by a task; nobody else does. */
static void
show (VirfsAlarmEntry *entry)
{
  const VirfsAlarmInfo *known = entry->alarm->info;
  VirfsAlarmInfo *info = virfs_alarm_info_new (known->name, known->rule);

  add_firing (info->firing, entry->watched, known->name);
  add_firing (info->firing, entry->dormant, known->name);
  g_ptr_array_sort (info->firing, compare_paths);
  info->state = state_of (known->rule, entry, info->firing);
  info->since = info->state == known->state ? known->since : began (entry, info);
  virfs_registry_publish_alarm (entry->alarm, info);
  entry->changed = FALSE;
}

static gboolean
fires_for (VirfsAlarmEntry *entry, guint64 id)
{
  const VirfsWatched *own = g_hash_table_lookup (entry->watched, &id);
  GHashTableIter iter;
  gpointer value;

  if (own != NULL && own->c.state == VIRFS_CASE_FIRES)
    return TRUE;
  if (entry->alarm->info->rule->measure == NULL
      || entry->alarm->info->rule->measure->kind != VIRFS_KIND_POOL)
    return FALSE;
  g_hash_table_iter_init (&iter, entry->watched);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const VirfsWatched *watched = value;

    if (watched->host == id && watched->c.state == VIRFS_CASE_FIRES)
      return TRUE;
  }
  return FALSE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* In `alarms` of the object itself. */
static void
show_object (VirfsAlarms *self, guint64 id)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autofree char *text = NULL;

  for (guint i = 0; i < self->entries->len; i++)
    if (fires_for (self->entries->pdata[i], id))
      g_ptr_array_add (names, ((VirfsAlarmEntry *) self->entries->pdata[i])->alarm->info->name);
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  text = g_strjoinv ("\n", (char **) names->pdata);
  virfs_registry_set_alarms (self->infra, id, text);
}

void
virfs_alarms_show (VirfsAlarms *self)
{
  GHashTableIter iter;
  gpointer id;

  for (guint i = 0; i < self->entries->len; i++)
    if (((VirfsAlarmEntry *) self->entries->pdata[i])->changed)
      show (self->entries->pdata[i]);
  g_hash_table_iter_init (&iter, self->touched);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    show_object (self, *(const guint64 *) id);
  g_hash_table_remove_all (self->touched);
}
