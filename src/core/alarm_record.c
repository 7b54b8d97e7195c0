/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the program.  A rule's record has its key, the name that it was made under, and what it
 * says; that of a rule that was there from the beginning and was removed is empty.  Beside it is, under the
 * same key, what the rule fires for: a group for each object, by number, for its key may be no name of a group.
 */
#include "alarm_default.h"
#include "alarms_private.h"

#include <string.h>

/* Rules. */

static const VirfsDefaultAlarm *
find_default (const char *key)
{
  for (guint i = 0; i < virfs_n_default_alarms; i++)
    if (strcmp (virfs_default_alarms[i].name, key) == 0)
      return &virfs_default_alarms[i];
  return NULL;
}

gboolean
virfs_alarm_key_is_taken (VirfsAlarms *self, const char *key)
{
  for (guint i = 0; i < self->entries->len; i++)
    if (strcmp (((VirfsAlarmEntry *) self->entries->pdata[i])->alarm->key, key) == 0)
      return TRUE;
  return FALSE;
}

gboolean
virfs_alarm_keep_rule (VirfsInfra *infra, const char *key, const char *name, const VirfsRule *rule,
                       GError **error)
{
  g_autofree char *text = virfs_rule_print (rule, name);

  return virfs_infra_keep (infra, VIRFS_RECORD_ALARM, key, text, error);
}

gboolean
virfs_alarm_forget_rule (VirfsInfra *infra, const char *key, GError **error)
{
  return find_default (key) ? virfs_infra_keep (infra, VIRFS_RECORD_ALARM, key, "", error)
                            : virfs_infra_forget (infra, VIRFS_RECORD_ALARM, key, error);
}

static void
restore_rule (const char *key, const char *text, gpointer data)
{
  VirfsAlarms *self = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  g_autoptr (VirfsRule) rule = NULL;

  if (*text == '\0')
    return;
  rule = virfs_rule_parse (text, &name, &error);
  if (rule == NULL)
    g_warning ("the alarm %s is not known any more: %s", key, error->message);
  else
    virfs_alarm_entry_new (self, key, name, rule);
}

static void
note_key (const char *key, const char *text, gpointer keys)
{
  g_hash_table_add (keys, g_strdup (key));
}

/* Those that nobody has changed or removed. */
static void
add_defaults (VirfsAlarms *self, GHashTable *kept, gboolean sampled)
{
  for (guint i = 0; i < virfs_n_default_alarms; i++) {
    const VirfsDefaultAlarm *alarm = &virfs_default_alarms[i];
    g_autoptr (VirfsRule) rule = NULL;
    g_autoptr (VirfsAlarm) same = virfs_infra_alarm (self->infra, alarm->name);

    if (g_hash_table_contains (kept, alarm->name) || same != NULL)
      continue;
    rule = virfs_default_alarm_rule (alarm, sampled);
    virfs_alarm_entry_new (self, alarm->name, alarm->name, rule);
  }
}

/* What fires. */

static void
save_object (GKeyFile *file, guint number, const VirfsWatched *watched)
{
  g_autofree char *group = g_strdup_printf ("%u", number);

  g_key_file_set_string (file, group, "key", watched->key);
  g_key_file_set_string (file, group, "path", watched->path);
  g_key_file_set_int64 (file, group, "since", watched->c.since);
  g_key_file_set_string (file, group, "value", watched->value ? watched->value : "");
  if (watched->by != NULL)
    g_key_file_set_string (file, group, "by", watched->by);
}

/* N were saved before. */
static guint
save_firing (GKeyFile *file, GHashTable *table, guint n)
{
  GHashTableIter iter;
  gpointer watched;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, NULL, &watched))
    if (((const VirfsWatched *) watched)->c.state == VIRFS_CASE_FIRES)
      save_object (file, ++n, watched);
  return n;
}

gboolean
virfs_alarm_keep_firing (VirfsAlarms *self, VirfsAlarmEntry *entry, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *text = NULL;
  gsize size;

  save_firing (file, entry->dormant, save_firing (file, entry->watched, 0));
  text = g_key_file_to_data (file, &size, NULL);
  entry->unsaved = FALSE;
  if (size == 0)
    return virfs_infra_forget (self->infra, VIRFS_RECORD_FIRING, entry->alarm->key, error);
  return virfs_infra_keep (self->infra, VIRFS_RECORD_FIRING, entry->alarm->key, text, error);
}

static VirfsKind
kind_of_key (const char *key)
{
  if (g_str_has_prefix (key, "vm/"))
    return VIRFS_KIND_VM;
  return strstr (key, "/pools/") ? VIRFS_KIND_POOL : VIRFS_KIND_HOST;
}

static void
restore_object (VirfsAlarmEntry *entry, GKeyFile *file, const char *group)
{
  g_autofree char *key = g_key_file_get_string (file, group, "key", NULL);
  g_autofree char *path = g_key_file_get_string (file, group, "path", NULL);
  VirfsWatched *watched;

  if (key == NULL || path == NULL || strchr (path, '/') == NULL)
    return;
  watched = g_new0 (VirfsWatched, 1);
  watched->c.state = VIRFS_CASE_FIRES;
  watched->c.since = g_key_file_get_int64 (file, group, "since", NULL);
  watched->c.due = G_MAXINT64;
  watched->kind = kind_of_key (key);
  watched->key = g_steal_pointer (&key);
  watched->path = g_steal_pointer (&path);
  watched->value = g_key_file_get_string (file, group, "value", NULL);
  watched->by = g_key_file_get_string (file, group, "by", NULL);
  g_hash_table_replace (entry->dormant, watched->key, watched);
}

static void
restore_firing (const char *key, const char *text, gpointer data)
{
  VirfsAlarms *self = data;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;

  if (!g_key_file_load_from_data (file, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
    return;
  groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; i < self->entries->len; i++) {
    VirfsAlarmEntry *entry = self->entries->pdata[i];

    if (strcmp (entry->alarm->key, key) != 0 || !virfs_rule_is_active (entry->alarm->info->rule))
      continue;
    for (char **group = groups; *group; group++)
      restore_object (entry, file, *group);
  }
}

void
virfs_alarms_restore (VirfsAlarms *self, gboolean sampled)
{
  g_autoptr (GHashTable) kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  virfs_infra_recall (self->infra, VIRFS_RECORD_ALARM, note_key, kept);
  virfs_infra_recall (self->infra, VIRFS_RECORD_ALARM, restore_rule, self);
  add_defaults (self, kept, sampled);
  virfs_infra_recall (self->infra, VIRFS_RECORD_FIRING, restore_firing, self);
  virfs_alarms_show (self);
}
