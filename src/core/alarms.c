/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thread of alarms, and those who wake it: the registry and the samples, by taking note of what has
 * changed; whoever wants a rule changed; and the time, when something is due.
 */
#include "alarms_private.h"

#include "error.h"

#include <string.h>

/* Of what the registry tells, what facts depend on. */
#define VM_FIELDS                                                                                  \
  (VIRFS_BIT (VIRFS_VM_NAME) | VIRFS_BIT (VIRFS_VM_HOST) | VIRFS_BIT (VIRFS_VM_STATE)              \
   | VIRFS_BIT (VIRFS_VM_REASON) | VIRFS_BIT (VIRFS_VM_TAGS) | VIRFS_BIT (VIRFS_VM_PARTS)          \
   | VIRFS_BIT (VIRFS_VM_READY))
#define PROMISE_FIELDS                                                                             \
  (VIRFS_BIT (VIRFS_VM_HOST) | VIRFS_BIT (VIRFS_VM_STATE) | VIRFS_BIT (VIRFS_VM_MEMORY)            \
   | VIRFS_BIT (VIRFS_VM_VCPUS))
#define HOST_FIELDS                                                                                \
  (VIRFS_BIT (VIRFS_HOST_STATE) | VIRFS_BIT (VIRFS_HOST_CPUS) | VIRFS_BIT (VIRFS_HOST_MEMORY)      \
   | VIRFS_BIT (VIRFS_HOST_MEMORY_FREE) | VIRFS_BIT (VIRFS_HOST_CPU_LOAD))
#define POOL_FIELDS                                                                                \
  (VIRFS_BIT (VIRFS_PART_STATE) | VIRFS_BIT (VIRFS_PART_SIZE) | VIRFS_BIT (VIRFS_PART_USE)         \
   | VIRFS_BIT (VIRFS_PART_READY))

/* Entries. */

void
virfs_watched_free (gpointer data)
{
  VirfsWatched *watched = data;

  g_free (watched->key);
  g_free (watched->path);
  g_free (watched->value);
  g_free (watched->by);
  g_free (watched);
}

VirfsAlarmEntry *
virfs_alarm_entry_new (VirfsAlarms *self, const char *key, const char *name, VirfsRule *rule)
{
  VirfsAlarmEntry *entry = g_new0 (VirfsAlarmEntry, 1);
  VirfsAlarmInfo *info = virfs_alarm_info_new (name, rule);

  info->since = g_get_real_time ();
  entry->watched = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, virfs_watched_free);
  entry->dormant = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, virfs_watched_free);
  entry->due = G_MAXINT64;
  entry->changed = TRUE;
  entry->alarm = virfs_registry_add_alarm (self->infra, key, info);
  g_ptr_array_add (self->entries, entry);
  self->rules_changed = TRUE;
  return entry;
}

void
virfs_alarm_entry_free (gpointer data)
{
  VirfsAlarmEntry *entry = data;

  virfs_object_unref (entry->alarm);
  g_hash_table_unref (entry->watched);
  g_hash_table_unref (entry->dormant);
  g_free (entry);
}

VirfsAlarmEntry *
virfs_alarms_find (VirfsAlarms *self, const VirfsAlarm *alarm)
{
  for (guint i = 0; i < self->entries->len; i++)
    if (((VirfsAlarmEntry *) self->entries->pdata[i])->alarm == alarm)
      return self->entries->pdata[i];
  return NULL;
}

/* Taking note, under the registry's lock. */

static void
note (VirfsAlarms *self, GHashTable *ids, guint64 id)
{
  if (!g_hash_table_contains (ids, &id))
    g_hash_table_add (ids, g_memdup2 (&id, sizeof id));
  g_cond_signal (&self->wake);
}

static void
note_promises (VirfsAlarms *self, const VirfsVmInfo *info)
{
  if (info != NULL && info->host != NULL)
    note (self, self->noted, info->host->object.id);
}

static void
note_vm (VirfsAlarms *self, const VirfsChange *change)
{
  guint64 fields = change->kind == VIRFS_CHANGED ? change->fields : VM_FIELDS | PROMISE_FIELDS;

  if (fields & VM_FIELDS)
    note (self, self->noted, change->object->id);
  if (fields & PROMISE_FIELDS) {
    note_promises (self, change->before);
    note_promises (self, change->after);
  }
}

static void
listen (const VirfsChange *change, gpointer data)
{
  VirfsAlarms *self = data;
  gboolean whole = change->kind != VIRFS_CHANGED;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (change->object->kind == VIRFS_KIND_VM)
    note_vm (self, change);
  else if ((change->object->kind == VIRFS_KIND_HOST && (whole || change->fields & HOST_FIELDS))
           || (change->object->kind == VIRFS_KIND_POOL && (whole || change->fields & POOL_FIELDS)))
    note (self, self->noted, change->object->id);
}

/* Under the metrics' lock. */
static void
listen_samples (VirfsHost *host, gpointer data)
{
  VirfsAlarms *self = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  note (self, self->sampled, host->object.id);
}

void
virfs_alarms_settle (VirfsAlarms *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->settled = self->poked = TRUE;
  g_cond_signal (&self->wake);
}

/* Keeping. */

static void
save_all (VirfsAlarms *self)
{
  for (guint i = 0; i < self->entries->len; i++) {
    VirfsAlarmEntry *entry = self->entries->pdata[i];
    g_autoptr (GError) error = NULL;

    if (entry->unsaved && !virfs_alarm_keep_firing (self, entry, &error))
      g_warning ("what the alarm %s fires for is not kept: %s", entry->alarm->info->name,
                 error->message);
    /* as soon as something changes again */
    entry->unsaved = FALSE;
  }
}

/* Sampling. */

static gboolean
wants (VirfsAlarms *self, gboolean (*what) (const VirfsMeasure *measure))
{
  for (guint i = 0; i < self->entries->len; i++) {
    const VirfsRule *rule = ((VirfsAlarmEntry *) self->entries->pdata[i])->alarm->info->rule;

    if (virfs_rule_is_active (rule) && what (rule->measure))
      return TRUE;
  }
  return FALSE;
}

static void
hold_samples (VirfsAlarms *self)
{
  virfs_metrics_hold (virfs_infra_metrics (self->infra), VIRFS_METRICS_FOR_ALARMS,
                      wants (self, virfs_measure_is_sampled));
  if (!wants (self, virfs_measure_is_counter))
    g_hash_table_remove_all (self->samples);
}

/* The thread. */

typedef struct {
  GHashTable *noted, *sampled;
  GQueue tasks;
  gboolean settled;
} Work;

static GHashTable *
new_ids (void)
{
  return g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
}

/* Under the lock. */
static void
take_work (VirfsAlarms *self, Work *work)
{
  work->noted = g_steal_pointer (&self->noted);
  self->noted = new_ids ();
  work->sampled = g_steal_pointer (&self->sampled);
  self->sampled = new_ids ();
  work->tasks = self->tasks;
  g_queue_init (&self->tasks);
  work->settled = self->settled;
  self->poked = FALSE;
}

static void
look_noted (VirfsAlarms *self, const Work *work, const VirfsMoment *now)
{
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init (&iter, work->noted);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    virfs_alarms_look (self, *(const guint64 *) id, VIRFS_LOOK_FACTS, NULL, now);
  g_hash_table_iter_init (&iter, work->sampled);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    virfs_alarms_look_sampled (self, *(const guint64 *) id, now);
}

/* One round; when the next is due. */
static gint64
carry_out (VirfsAlarms *self, Work *work)
{
  VirfsMoment now = { g_get_monotonic_time (), g_get_real_time () };
  gint64 due;

  for (GList *l = work->tasks.head; l; l = l->next)
    virfs_alarm_task_run (self, l->data);
  if (self->rules_changed)
    hold_samples (self);
  self->rules_changed = FALSE;
  look_noted (self, work, &now);
  if (work->settled)
    virfs_alarms_drop_dormant (self);
  due = virfs_alarms_look_due (self, &now);
  virfs_alarms_show (self);
  save_all (self);
  virfs_alarms_tell_news (self);
  for (GList *l = work->tasks.head; l; l = l->next)
    virfs_alarm_task_end (l->data);
  return due;
}

static void
clear_work (Work *work)
{
  g_hash_table_unref (work->noted);
  g_hash_table_unref (work->sampled);
  g_queue_clear (&work->tasks);
}

/* Under the lock. */
static gboolean
has_work (VirfsAlarms *self)
{
  return self->poked || self->tasks.length > 0 || g_hash_table_size (self->noted) > 0
         || g_hash_table_size (self->sampled) > 0;
}

static gpointer
run (gpointer data)
{
  VirfsAlarms *self = data;
  gint64 due = 0;

  g_mutex_lock (&self->lock);
  while (!self->stopping) {
    Work work;

    if (!has_work (self) && g_get_monotonic_time () < due) {
      if (due == G_MAXINT64)
        g_cond_wait (&self->wake, &self->lock);
      else
        g_cond_wait_until (&self->wake, &self->lock, due);
      continue;
    }
    take_work (self, &work);
    g_mutex_unlock (&self->lock);
    due = carry_out (self, &work);
    clear_work (&work);
    g_mutex_lock (&self->lock);
  }
  g_mutex_unlock (&self->lock);
  return NULL;
}

/* Its life. */

VirfsAlarms *
virfs_alarms_new (VirfsInfra *infra)
{
  VirfsAlarms *self = g_new0 (VirfsAlarms, 1);

  self->infra = infra;
  g_mutex_init (&self->lock);
  g_cond_init (&self->wake);
  g_queue_init (&self->tasks);
  self->noted = new_ids ();
  self->sampled = new_ids ();
  self->touched = new_ids ();
  self->samples
    = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, virfs_alarm_pair_free);
  self->entries = g_ptr_array_new_with_free_func (virfs_alarm_entry_free);
  self->news = g_ptr_array_new_with_free_func (virfs_alarm_news_free);
  self->hooks = virfs_hooks_new (infra);
  return self;
}

void
virfs_infra_start_alarms (VirfsInfra *infra, gboolean sampled)
{
  VirfsAlarms *self = infra->alarms;

  virfs_alarms_restore (self, sampled);
  self->running = TRUE;
  self->thread = g_thread_new ("virfs-alarms", run, self);
  virfs_infra_listen (infra, listen, self);
  virfs_metrics_listen (virfs_infra_metrics (infra), listen_samples, self);
}

void
virfs_infra_set_hooks (VirfsInfra *infra, const char *mountpoint, guint timeout)
{
  virfs_hooks_set (infra->alarms->hooks, mountpoint, timeout);
}

static void
refuse_tasks (VirfsAlarms *self)
{
  g_mutex_lock (&self->lock);
  self->running = FALSE;
  while (self->tasks.length > 0) {
    VirfsAlarmTask *task = g_queue_pop_head (&self->tasks);

    g_mutex_unlock (&self->lock);
    virfs_alarm_task_refuse (task);
    g_mutex_lock (&self->lock);
  }
  g_mutex_unlock (&self->lock);
}

void
virfs_alarms_stop (VirfsAlarms *self)
{
  if (self->thread != NULL) {
    virfs_infra_unlisten (self->infra, listen, self);
    virfs_metrics_unlisten (virfs_infra_metrics (self->infra), listen_samples, self);
    g_mutex_lock (&self->lock);
    self->stopping = TRUE;
    g_cond_signal (&self->wake);
    g_mutex_unlock (&self->lock);
    g_thread_join (g_steal_pointer (&self->thread));
  }
  refuse_tasks (self);
  virfs_hooks_stop (self->hooks);
}

void
virfs_alarms_free (VirfsAlarms *self)
{
  virfs_hooks_free (self->hooks);
  g_ptr_array_unref (self->news);
  g_ptr_array_unref (self->entries);
  g_hash_table_unref (self->samples);
  g_hash_table_unref (self->touched);
  g_hash_table_unref (self->noted);
  g_hash_table_unref (self->sampled);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->wake);
  g_free (self);
}
