/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking at objects: each rule that is about one has its say.  Only those are remembered that break a
 * rule, or will do so by themselves.
 */
#include "alarm_see.h"

#include <string.h>

/* What comes of it. */

static void
touch (VirfsAlarms *self, const VirfsWatched *watched)
{
  guint64 id = watched->kind == VIRFS_KIND_POOL ? watched->host : watched->id;

  if (!g_hash_table_contains (self->touched, &id))
    g_hash_table_add (self->touched, g_memdup2 (&id, sizeof id));
}

static void
take_change (VirfsAlarms *self, VirfsAlarmEntry *entry, VirfsWatched *watched,
             VirfsCaseChange change)
{
  if (change == VIRFS_CASE_SAME)
    return;
  if (change == VIRFS_CASE_RAISED)
    g_clear_pointer (&watched->by, g_free);
  entry->changed = entry->unsaved = TRUE;
  touch (self, watched);
  virfs_alarm_note_news (self, entry, watched, change == VIRFS_CASE_RAISED ? "raised" : "cleared");
}

static VirfsWatched *
watch (VirfsAlarms *self, VirfsAlarmEntry *entry, const VirfsSeen *seen)
{
  VirfsWatched *watched = g_hash_table_lookup (entry->watched, &seen->id);
  g_autofree char *key = NULL;
  gboolean is_back;

  if (watched != NULL)
    return watched;
  key = virfs_seen_key (seen);
  watched = g_hash_table_lookup (entry->dormant, key);
  is_back = watched != NULL;
  if (is_back) {
    g_hash_table_steal (entry->dormant, key);
    entry->changed = TRUE;
  } else {
    watched = g_new0 (VirfsWatched, 1);
    watched->c.due = G_MAXINT64;
    watched->key = g_steal_pointer (&key);
  }
  watched->id = seen->id;
  watched->kind = seen->subject.kind;
  watched->host = seen->host;
  g_hash_table_insert (entry->watched, &watched->id, watched);
  if (is_back)
    touch (self, watched);
  return watched;
}

/* A twin that has exchanged hosts with the guest. */
static void
follow_host (VirfsAlarmEntry *entry, VirfsWatched *watched, const VirfsSeen *seen)
{
  if (watched->host == seen->host)
    return;
  watched->host = seen->host;
  g_free (watched->key);
  watched->key = virfs_seen_key (seen);
  entry->unsaved |= watched->c.state == VIRFS_CASE_FIRES;
}

/* The object may have another name, and another value. */
static void
refresh (VirfsAlarmEntry *entry, VirfsWatched *watched, const VirfsSeen *seen,
         const VirfsValue *value)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (g_strcmp0 (watched->path, seen->path) != 0) {
    g_free (watched->path);
    watched->path = g_strdup (seen->path);
    entry->changed = TRUE;
    entry->unsaved |= watched->c.state == VIRFS_CASE_FIRES;
  }
  follow_host (entry, watched, seen);
  virfs_value_append (entry->alarm->info->rule->measure, value, text);
  if (value->kind != VIRFS_VALUE_UNKNOWN && g_strcmp0 (watched->value, text->str) != 0) {
    g_free (watched->value);
    watched->value = g_string_free (g_steal_pointer (&text), FALSE);
    entry->changed |= watched->c.state == VIRFS_CASE_FIRES;
  }
}

static void
forget_if_idle (VirfsAlarmEntry *entry, VirfsWatched *watched)
{
  if (watched->c.state == VIRFS_CASE_OK && watched->c.due == G_MAXINT64)
    g_hash_table_remove (entry->watched, &watched->id);
  else
    entry->due = MIN (entry->due, watched->c.due);
}

/* Most objects break no rule, and of those nothing is to be remembered. */
static gboolean
is_idle (VirfsAlarmEntry *entry, const VirfsSeen *seen, const VirfsValue *value)
{
  const VirfsRule *rule = entry->alarm->info->rule;

  return g_hash_table_size (entry->dormant) == 0 && !virfs_condition_holds (&rule->condition, value)
         && virfs_condition_wait (&rule->condition, value) == G_MAXINT64
         && !g_hash_table_contains (entry->watched, &seen->id);
}

static void
judge (VirfsAlarms *self, VirfsAlarmEntry *entry, VirfsSeen *seen, const VirfsMoment *now)
{
  const VirfsRule *rule = entry->alarm->info->rule;
  VirfsCaseState before;
  VirfsCaseChange change;
  VirfsWatched *watched;
  VirfsValue value;

  virfs_measure_get (rule->measure, &seen->subject, &value);
  if (is_idle (entry, seen, &value))
    return;
  watched = watch (self, entry, seen);
  before = watched->c.state;
  refresh (entry, watched, seen, &value);
  change = virfs_case_step (&watched->c, rule, &value, now);
  entry->changed |= watched->c.state != before;
  take_change (self, entry, watched, change);
  forget_if_idle (entry, watched);
}

/* The rule is not, or no longer, about the object, or there is no such object any more. */
static void
leave (VirfsAlarms *self, VirfsAlarmEntry *entry, guint64 id)
{
  VirfsWatched *watched = g_hash_table_lookup (entry->watched, &id);

  if (watched == NULL)
    return;
  entry->changed |= watched->c.state != VIRFS_CASE_OK;
  take_change (self, entry, watched, virfs_case_end (&watched->c));
  g_hash_table_remove (entry->watched, &id);
}

static VirfsLook
look_of (const VirfsMeasure *measure)
{
  return virfs_measure_is_sampled (measure) ? VIRFS_LOOK_METRICS : VIRFS_LOOK_FACTS;
}

/* Whether what has changed of objects of KIND can be all the same to the rule. */
static gboolean
is_indifferent (const VirfsAlarmEntry *entry, VirfsKind kind, VirfsLook what)
{
  const VirfsRule *rule = entry->alarm->info->rule;

  if (g_hash_table_size (entry->watched) > 0 || g_hash_table_size (entry->dormant) > 0)
    return FALSE;
  return !virfs_rule_is_active (rule) || rule->measure->kind != kind
         || !(what & look_of (rule->measure));
}

static void
look (VirfsAlarms *self, VirfsAlarmEntry *entry, VirfsSeen *seen, VirfsLook what,
      const VirfsMoment *now)
{
  const VirfsRule *rule = entry->alarm->info->rule;

  if (is_indifferent (entry, seen->subject.kind, what))
    return;
  if (!virfs_rule_is_active (rule)
      || !virfs_rule_covers (rule, seen->subject.kind, seen->path, seen->tags)) {
    leave (self, entry, seen->id);
    return;
  }
  if (!(what & look_of (rule->measure)))
    return;
  if (virfs_measure_is_sampled (rule->measure))
    virfs_alarms_see_sample (self, seen);
  if (virfs_measure_is_counter (rule->measure))
    virfs_alarms_see_growth (self, seen);
  judge (self, entry, seen, now);
}

static void
leave_all (VirfsAlarms *self, guint64 id)
{
  for (guint i = 0; i < self->entries->len; i++)
    leave (self, self->entries->pdata[i], id);
  g_hash_table_remove (self->samples, &id);
}

void
virfs_alarms_look (VirfsAlarms *self, guint64 id, VirfsLook what, VirfsAlarmEntry *entry,
                   const VirfsMoment *now)
{
  g_auto (VirfsSeen) seen = { 0 };

  if (!virfs_alarms_see (self, id, now, &seen)) {
    leave_all (self, id);
    return;
  }
  if (entry != NULL) {
    look (self, entry, &seen, what, now);
    return;
  }
  for (guint i = 0; i < self->entries->len; i++)
    look (self, self->entries->pdata[i], &seen, what, now);
}

/* Many objects. */

static void
add_vm (VirfsVm *vm, const VirfsVmInfo *info, gpointer ids)
{
  g_array_append_val ((GArray *) ids, vm->object.id);
}

static void
add_host (VirfsHost *host, const VirfsHostInfo *info, gpointer ids)
{
  g_array_append_val ((GArray *) ids, host->object.id);
}

static void
add_pools (VirfsHost *host, const VirfsHostInfo *info, gpointer ids)
{
  GPtrArray *pools = info->parts[VIRFS_HOST_POOLS];

  for (guint i = 0; pools && i < pools->len; i++) {
    VirfsPart *part = virfs_registry_part_of (&host->object, pools->pdata[i]);

    if (part != NULL)
      g_array_append_val ((GArray *) ids, part->object.id);
  }
}

static void
look_each (VirfsAlarms *self, GArray *ids, VirfsLook what, VirfsAlarmEntry *entry,
           const VirfsMoment *now)
{
  for (guint i = 0; i < ids->len; i++)
    virfs_alarms_look (self, g_array_index (ids, guint64, i), what, entry, now);
}

static gboolean
any_is_sampled (VirfsAlarms *self)
{
  for (guint i = 0; i < self->entries->len; i++) {
    const VirfsRule *rule = ((VirfsAlarmEntry *) self->entries->pdata[i])->alarm->info->rule;

    if (virfs_rule_is_active (rule) && virfs_measure_is_sampled (rule->measure))
      return TRUE;
  }
  return FALSE;
}

void
virfs_alarms_look_sampled (VirfsAlarms *self, guint64 id, const VirfsMoment *now)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autoptr (VirfsHost) host = NULL;

  if (!any_is_sampled (self))
    return;
  host = virfs_infra_object (self->infra, id);
  if (host == NULL)
    return;
  g_array_append_val (ids, id);
  virfs_infra_foreach_vm (self->infra, host, add_vm, ids);
  look_each (self, ids, VIRFS_LOOK_METRICS, NULL, now);
}

/* Those that it is about no more come first. */
void
virfs_alarms_look_all (VirfsAlarms *self, VirfsAlarmEntry *entry, const VirfsMoment *now)
{
  VirfsKind kind = entry->alarm->info->rule->measure->kind;
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  GHashTableIter iter;
  gpointer id;

  g_hash_table_iter_init (&iter, entry->watched);
  while (g_hash_table_iter_next (&iter, &id, NULL))
    g_array_append_val (ids, *(guint64 *) id);
  if (kind == VIRFS_KIND_VM)
    virfs_infra_foreach_vm (self->infra, NULL, add_vm, ids);
  else
    virfs_infra_foreach_host (self->infra, kind == VIRFS_KIND_HOST ? add_host : add_pools, ids);
  look_each (self, ids, VIRFS_LOOK_ALL, entry, now);
}

/* What is due. */

static void
look_due (VirfsAlarms *self, VirfsAlarmEntry *entry, const VirfsMoment *now)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (guint64));
  GHashTableIter iter;
  gpointer value;

  entry->due = G_MAXINT64;
  g_hash_table_iter_init (&iter, entry->watched);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const VirfsWatched *watched = value;

    if (watched->c.due <= now->monotonic)
      g_array_append_val (ids, watched->id);
    else
      entry->due = MIN (entry->due, watched->c.due);
  }
  look_each (self, ids, VIRFS_LOOK_ALL, entry, now);
}

gint64
virfs_alarms_look_due (VirfsAlarms *self, const VirfsMoment *now)
{
  gint64 due = G_MAXINT64;

  for (guint i = 0; i < self->entries->len; i++) {
    VirfsAlarmEntry *entry = self->entries->pdata[i];

    if (entry->due <= now->monotonic)
      look_due (self, entry, now);
    due = MIN (due, entry->due);
  }
  return due;
}

/* Ends. */

static void
end_in (VirfsAlarms *self, VirfsAlarmEntry *entry, GHashTable *table)
{
  GHashTableIter iter;
  gpointer watched;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, NULL, &watched)) {
    take_change (self, entry, watched, virfs_case_end (&((VirfsWatched *) watched)->c));
    g_hash_table_iter_remove (&iter);
  }
}

void
virfs_alarm_entry_end (VirfsAlarms *self, VirfsAlarmEntry *entry)
{
  end_in (self, entry, entry->watched);
  end_in (self, entry, entry->dormant);
  entry->changed = TRUE;
  entry->due = G_MAXINT64;
}

static void
is_missing (VirfsHost *host, const VirfsHostInfo *info, gpointer missing)
{
  if (info->uri != NULL && (info->state != VIRFS_HOST_UP || info->parts[VIRFS_HOST_POOLS] == NULL))
    *(gboolean *) missing = TRUE;
}

/* Whether something was told that no round has looked at. */
static gboolean
has_notes (VirfsAlarms *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_hash_table_size (self->noted) > 0;
}

/* As long as a host has not told what it has, its guests and pools may come.  What has come since this
 * round began is looked at in the next. */
void
virfs_alarms_drop_dormant (VirfsAlarms *self)
{
  gboolean missing = FALSE, any = FALSE;

  for (guint i = 0; i < self->entries->len; i++)
    any |= g_hash_table_size (((VirfsAlarmEntry *) self->entries->pdata[i])->dormant) > 0;
  if (!any)
    return;
  virfs_infra_foreach_host (self->infra, is_missing, &missing);
  if (missing || has_notes (self))
    return;
  for (guint i = 0; i < self->entries->len; i++)
    end_in (self, self->entries->pdata[i], ((VirfsAlarmEntry *) self->entries->pdata[i])->dormant);
}
