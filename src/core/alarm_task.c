/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others want of alarms: made by whoever asks, carried out in turn by the thread. */
#include "alarms_private.h"

#include "error.h"
#include "text.h"

#include <string.h>

#define LONGEST_NAME 64
#define MOST_ALARMS  1000

struct VirfsAlarmTask {
  void (*run) (VirfsAlarms *self, VirfsAlarmTask *task);
  char *name, *text; /* what these are is the function's */
  VirfsAlarm *alarm;
  VirfsRuleField field;
  guint uid;
  VirfsAlarmDone done;
  gpointer data;
  GError *error; /* what came of it */
};

static void
free_task (VirfsAlarmTask *task)
{
  g_free (task->name);
  g_free (task->text);
  virfs_object_unref (task->alarm);
  g_clear_error (&task->error);
  g_free (task);
}

void
virfs_alarm_task_run (VirfsAlarms *self, VirfsAlarmTask *task)
{
  task->run (self, task);
}

void
virfs_alarm_task_end (VirfsAlarmTask *task)
{
  task->done (task->error, task->data);
  free_task (task);
}

void
virfs_alarm_task_refuse (VirfsAlarmTask *task)
{
  g_set_error (&task->error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "virfs ends");
  virfs_alarm_task_end (task);
}

/* TASK is copied; its texts are taken. */
static void
ask (VirfsInfra *infra, const VirfsAlarmTask *wanted)
{
  VirfsAlarms *self = infra->alarms;
  VirfsAlarmTask *task = g_memdup2 (wanted, sizeof *wanted);
  gboolean running;

  g_mutex_lock (&self->lock);
  running = self->running;
  if (running)
    g_queue_push_tail (&self->tasks, task);
  g_cond_signal (&self->wake);
  g_mutex_unlock (&self->lock);
  if (!running)
    virfs_alarm_task_refuse (task);
}

/* The entry that the task is about; NULL with its error. */
static VirfsAlarmEntry *
find_named (VirfsAlarms *self, VirfsAlarmTask *task)
{
  for (guint i = 0; i < self->entries->len; i++) {
    VirfsAlarmEntry *entry = self->entries->pdata[i];

    if (strcmp (entry->alarm->info->name, task->name) == 0)
      return entry;
  }
  g_set_error (&task->error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "there is no alarm %s",
               task->name);
  return NULL;
}

static VirfsAlarmEntry *
find_alarm (VirfsAlarms *self, VirfsAlarmTask *task)
{
  VirfsAlarmEntry *entry = virfs_alarms_find (self, task->alarm);

  if (entry == NULL)
    g_set_error (&task->error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "the alarm is gone");
  return entry;
}

/* Names. */

static gboolean
check_name (VirfsAlarms *self, const char *name, GError **error)
{
  g_autofree char *encoded = virfs_name_encode (name);
  g_autoptr (VirfsAlarm) same = virfs_infra_alarm (self->infra, name);

  if (same != NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_EXISTS, "there is an alarm %s already", name);
  else if (!g_str_equal (name, encoded) || strchr (name, '~') != NULL
           || strlen (name) > LONGEST_NAME || g_str_equal (name, "firing")
           || g_str_equal (name, "metrics"))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "an alarm's name has at most %d bytes, no `%%`, `~` or control characters and no"
                 " leading dot, and is not firing or metrics",
                 LONGEST_NAME);
  else
    return TRUE;
  return FALSE;
}

/* The name, if no other alarm was made under it. */
static char *
new_key (VirfsAlarms *self, const char *name)
{
  char *key = g_strdup (name);

  for (guint i = 2; virfs_alarm_key_is_taken (self, key); i++) {
    g_free (key);
    key = g_strdup_printf ("%s~%u", name, i);
  }
  return key;
}

static void
make (VirfsAlarms *self, VirfsAlarmTask *task)
{
  g_autoptr (VirfsRule) rule = virfs_rule_new ();
  g_autofree char *key = NULL;

  if (!check_name (self, task->name, &task->error))
    return;
  if (self->entries->len >= MOST_ALARMS) {
    g_set_error (&task->error, VIRFS_ERROR, VIRFS_ERROR_NO_SPACE, "there are %d alarms already",
                 MOST_ALARMS);
    return;
  }
  key = new_key (self, task->name);
  if (virfs_alarm_keep_rule (self->infra, key, task->name, rule, &task->error))
    virfs_alarm_entry_new (self, key, task->name, rule);
}

static void
remove_entry (VirfsAlarms *self, VirfsAlarmEntry *entry)
{
  g_autoptr (GError) error = NULL;

  virfs_alarm_entry_end (self, entry);
  if (!virfs_alarm_keep_firing (self, entry, &error))
    g_message ("what the alarm %s fired for stays in the store: %s", entry->alarm->info->name,
               error->message);
  virfs_registry_remove_alarm (entry->alarm);
  g_ptr_array_remove (self->entries, entry);
  self->rules_changed = TRUE;
}

static void
remove_alarm (VirfsAlarms *self, VirfsAlarmTask *task)
{
  VirfsAlarmEntry *entry = find_named (self, task);

  if (entry != NULL && virfs_alarm_forget_rule (self->infra, entry->alarm->key, &task->error))
    remove_entry (self, entry);
}

static void
touch_firing (VirfsAlarms *self, VirfsAlarmEntry *entry)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, entry->watched);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const VirfsWatched *watched = value;
    guint64 id = watched->kind == VIRFS_KIND_POOL ? watched->host : watched->id;

    if (watched->c.state == VIRFS_CASE_FIRES)
      g_hash_table_add (self->touched, g_memdup2 (&id, sizeof id));
  }
}

/* What fires is shown with it at the end of the round. */
static void
publish (VirfsAlarmEntry *entry, const char *name, VirfsRule *rule)
{
  const VirfsAlarmInfo *known = entry->alarm->info;
  VirfsAlarmInfo *info = virfs_alarm_info_new (name, rule);

  info->state = known->state;
  info->since = known->since;
  g_ptr_array_unref (info->firing);
  info->firing = g_ptr_array_ref (known->firing);
  virfs_registry_publish_alarm (entry->alarm, info);
  entry->changed = TRUE;
}

static void
rename_alarm (VirfsAlarms *self, VirfsAlarmTask *task)
{
  VirfsAlarmEntry *entry = find_named (self, task);

  if (entry == NULL || !check_name (self, task->text, &task->error)
      || !virfs_alarm_keep_rule (self->infra, entry->alarm->key, task->text,
                                 entry->alarm->info->rule, &task->error))
    return;
  publish (entry, task->text, entry->alarm->info->rule);
  touch_firing (self, entry);
}

/* Rules. */

static void
set (VirfsAlarms *self, VirfsAlarmTask *task)
{
  VirfsAlarmEntry *entry = find_alarm (self, task);
  g_autoptr (VirfsRule) rule = NULL;
  VirfsMoment now = { g_get_monotonic_time (), g_get_real_time () };

  if (entry == NULL)
    return;
  rule = virfs_rule_set (entry->alarm->info->rule, task->field, task->text, &task->error);
  if (rule == NULL
      || !virfs_alarm_keep_rule (self->infra, entry->alarm->key, entry->alarm->info->name, rule,
                                 &task->error))
    return;
  /* what was wrong with one thing says nothing of another */
  if (!virfs_rule_is_active (rule) || rule->measure != entry->alarm->info->rule->measure)
    virfs_alarm_entry_end (self, entry);
  publish (entry, entry->alarm->info->name, rule);
  self->rules_changed = TRUE;
  if (virfs_rule_is_active (rule))
    virfs_alarms_look_all (self, entry, &now);
}

/* Acknowledging. */

typedef struct {
  VirfsAlarms *self;
  VirfsAlarmEntry *entry;
  const char *object, *by;
  guint found;
} Acknowledging;

static void
acknowledge_in (Acknowledging *a, GHashTable *table)
{
  gboolean all = g_str_equal (a->object, "all");
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    VirfsWatched *watched = value;

    if (watched->c.state != VIRFS_CASE_FIRES || !(all || g_str_equal (watched->path, a->object)))
      continue;
    a->found++;
    if (watched->by != NULL)
      continue;
    watched->by = g_strdup (a->by);
    virfs_alarm_note_news (a->self, a->entry, watched, "acknowledged");
    a->entry->changed = TRUE;
  }
}

static void
acknowledge (VirfsAlarms *self, VirfsAlarmTask *task)
{
  VirfsAlarmEntry *entry = find_alarm (self, task);
  Acknowledging a = { self, entry, task->text, virfs_user_name (task->uid), 0 };

  if (entry == NULL)
    return;
  acknowledge_in (&a, entry->watched);
  acknowledge_in (&a, entry->dormant);
  if (a.found > 0)
    virfs_alarm_keep_firing (self, entry, &task->error);
  else if (!g_str_equal (task->text, "all"))
    g_set_error (&task->error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND,
                 "%s does not fire for %.100s; `firing` tells for what it does",
                 entry->alarm->info->name, task->text);
}

/* For others. */

void
virfs_infra_make_alarm (VirfsInfra *infra, const char *name, VirfsAlarmDone done, gpointer data)
{
  ask (infra,
       &(VirfsAlarmTask){ .run = make, .name = g_strdup (name), .done = done, .data = data });
}

void
virfs_infra_remove_alarm (VirfsInfra *infra, const char *name, VirfsAlarmDone done, gpointer data)
{
  ask (infra, &(VirfsAlarmTask){
                .run = remove_alarm, .name = g_strdup (name), .done = done, .data = data });
}

void
virfs_infra_rename_alarm (VirfsInfra *infra, const char *name, const char *new_name,
                          VirfsAlarmDone done, gpointer data)
{
  ask (infra, &(VirfsAlarmTask){ .run = rename_alarm,
                                 .name = g_strdup (name),
                                 .text = g_strdup (new_name),
                                 .done = done,
                                 .data = data });
}

void
virfs_alarm_set (VirfsAlarm *alarm, VirfsRuleField field, const char *text, VirfsAlarmDone done,
                 gpointer data)
{
  ask (alarm->object.infra, &(VirfsAlarmTask){ .run = set,
                                               .alarm = virfs_object_ref (alarm),
                                               .field = field,
                                               .text = g_strdup (text),
                                               .done = done,
                                               .data = data });
}

void
virfs_alarm_acknowledge (VirfsAlarm *alarm, const char *object, guint uid, VirfsAlarmDone done,
                         gpointer data)
{
  ask (alarm->object.infra, &(VirfsAlarmTask){ .run = acknowledge,
                                               .alarm = virfs_object_ref (alarm),
                                               .text = g_strdup (object),
                                               .uid = uid,
                                               .done = done,
                                               .data = data });
}
