/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alarms as objects of the registry: what is known of them, and telling it. */
#include "alarms_private.h"

#include "error.h"
#include "text.h"

#include <string.h>

static const char *const states[] = {
  [VIRFS_ALARM_DRAFT] = "draft",  [VIRFS_ALARM_DISABLED] = "disabled",
  [VIRFS_ALARM_OK] = "ok",        [VIRFS_ALARM_PENDING] = "pending",
  [VIRFS_ALARM_FIRES] = "firing", [VIRFS_ALARM_ACKNOWLEDGED] = "acknowledged",
};

const char *
virfs_alarm_state_name (VirfsAlarmState state)
{
  return states[state];
}

/* What fires. */

/* Names of guests and of pools are told apart by what comes before them: hosts and alarms have no ~. */
static GRefString *
link_name (const char *alarm, const VirfsWatched *watched)
{
  g_auto (GStrv) words = g_strsplit (watched->path, "/", -1);
  g_autofree char *name = NULL;
  g_autofree char *encoded = NULL;

  if (watched->kind == VIRFS_KIND_POOL && g_strv_length (words) == 4)
    name = g_strdup_printf ("%s~%s~%s", alarm, words[1], words[3]);
  else
    name = g_strdup_printf ("%s~%s", alarm, strchr (watched->path, '/') + 1);
  if (strlen (name) > VIRFS_NAME_MAX)
    encoded = virfs_name_encode (name);
  return g_ref_string_new (encoded ? encoded : name);
}

VirfsFiring *
virfs_firing_new (const VirfsWatched *watched, const char *alarm)
{
  VirfsFiring *firing = g_new0 (VirfsFiring, 1);

  firing->object = watched->id;
  firing->kind = watched->kind;
  firing->path = g_ref_string_new (watched->path);
  firing->link = link_name (alarm, watched);
  firing->since = watched->c.since;
  firing->value = g_ref_string_new (watched->value ? watched->value : "");
  firing->by = watched->by ? g_ref_string_new (watched->by) : NULL;
  return firing;
}

void
virfs_firing_free (gpointer data)
{
  VirfsFiring *firing = data;

  g_ref_string_release (firing->path);
  g_ref_string_release (firing->link);
  g_ref_string_release (firing->value);
  g_clear_pointer (&firing->by, g_ref_string_release);
  g_free (firing);
}

const VirfsFiring *
virfs_alarm_info_find_link (const VirfsAlarmInfo *info, const char *link)
{
  return g_hash_table_lookup (info->links, link);
}

static void
index_links (VirfsAlarmInfo *info)
{
  for (guint i = 0; i < info->firing->len; i++) {
    VirfsFiring *firing = info->firing->pdata[i];

    g_hash_table_insert (info->links, firing->link, firing);
  }
}

/* What is known. */

VirfsAlarmInfo *
virfs_alarm_info_new (const char *name, VirfsRule *rule)
{
  VirfsAlarmInfo *info = g_new0 (VirfsAlarmInfo, 1);

  g_atomic_ref_count_init (&info->refs);
  info->name = g_ref_string_new (name);
  info->rule = virfs_rule_ref (rule);
  info->firing = g_ptr_array_new_with_free_func (virfs_firing_free);
  info->links = g_hash_table_new (g_str_hash, g_str_equal);
  return info;
}

void
virfs_alarm_info_unref (VirfsAlarmInfo *info)
{
  if (!g_atomic_ref_count_dec (&info->refs))
    return;
  g_ref_string_release (info->name);
  virfs_rule_unref (info->rule);
  g_hash_table_unref (info->links);
  g_ptr_array_unref (info->firing);
  g_free (info);
}

VirfsAlarmInfo *
virfs_alarm_info (VirfsAlarm *alarm)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&alarm->object.infra->lock);

  g_atomic_ref_count_inc (&alarm->info->refs);
  return alarm->info;
}

VirfsAlarm *
virfs_infra_alarm (VirfsInfra *infra, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsAlarm *alarm = g_hash_table_lookup (infra->alarm_names, name);

  return alarm ? virfs_object_ref (alarm) : NULL;
}

void
virfs_infra_foreach_alarm (VirfsInfra *infra, VirfsAlarmFunc func, gpointer data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  GHashTableIter iter;
  gpointer alarm;

  g_hash_table_iter_init (&iter, infra->alarm_names);
  while (g_hash_table_iter_next (&iter, NULL, &alarm))
    func (alarm, ((VirfsAlarm *) alarm)->info, data);
}

/* Coming, changing and going. */

static void
free_alarm (gpointer object)
{
  VirfsAlarm *alarm = object;

  virfs_alarm_info_unref (alarm->info);
  g_free (alarm->key);
  g_free (alarm);
}

VirfsAlarm *
virfs_registry_add_alarm (VirfsInfra *infra, const char *key, VirfsAlarmInfo *info)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsAlarm *alarm = g_new0 (VirfsAlarm, 1);
  gint64 now = g_get_real_time ();

  alarm->key = g_strdup (key);
  alarm->info = info;
  for (guint i = 0; i < VIRFS_ALARM_N_FIELDS; i++)
    info->changed[i] = now;
  virfs_registry_add (infra, alarm, VIRFS_KIND_ALARM, virfs_object_hash_id (VIRFS_KIND_ALARM, key),
                      free_alarm);
  g_hash_table_insert (infra->alarm_names, info->name, alarm);
  virfs_registry_emit (infra, VIRFS_ADDED, alarm, 0, NULL, info);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_ALARMS));
  return virfs_object_ref (alarm);
}

void
virfs_registry_remove_alarm (VirfsAlarm *alarm)
{
  VirfsInfra *infra = alarm->object.infra;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);

  g_hash_table_remove (infra->alarm_names, alarm->info->name);
  virfs_registry_emit (infra, VIRFS_REMOVED, alarm, 0, alarm->info, NULL);
  virfs_registry_remove (infra, alarm);
  virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_ALARMS) | VIRFS_BIT (VIRFS_ROOT_FIRING));
}

static gboolean
same_firing (const VirfsFiring *a, const VirfsFiring *b)
{
  return a->object == b->object && strcmp (a->link, b->link) == 0 && strcmp (a->path, b->path) == 0
         && strcmp (a->value, b->value) == 0 && a->since == b->since
         && g_strcmp0 (a->by, b->by) == 0;
}

static gboolean
fires_alike (const GPtrArray *a, const GPtrArray *b)
{
  if (a->len != b->len)
    return FALSE;
  for (guint i = 0; i < a->len; i++)
    if (!same_firing (a->pdata[i], b->pdata[i]))
      return FALSE;
  return TRUE;
}

static guint64
diff (const VirfsAlarmInfo *a, const VirfsAlarmInfo *b)
{
  guint64 fields = 0;

  if (strcmp (a->name, b->name) != 0)
    fields |= VIRFS_BIT (VIRFS_ALARM_NAME);
  if (a->rule != b->rule)
    fields |= VIRFS_BIT (VIRFS_ALARM_RULE);
  if (a->state != b->state || a->since != b->since)
    fields |= VIRFS_BIT (VIRFS_ALARM_STATE);
  if (!fires_alike (a->firing, b->firing))
    fields |= VIRFS_BIT (VIRFS_ALARM_FIRING);
  return fields;
}

static void
rename_alarm (VirfsAlarm *alarm, const VirfsAlarmInfo *before, VirfsAlarmInfo *info)
{
  GHashTable *names = alarm->object.infra->alarm_names;

  g_hash_table_remove (names, before->name);
  g_hash_table_insert (names, info->name, alarm);
}

void
virfs_registry_publish_alarm (VirfsAlarm *alarm, VirfsAlarmInfo *info)
{
  VirfsInfra *infra = alarm->object.infra;
  g_autoptr (GMutexLocker) locker = NULL;
  g_autoptr (VirfsAlarmInfo) before = alarm->info; /* our thread alone replaces it */
  guint64 fields = diff (before, info);
  gint64 now = g_get_real_time ();

  index_links (info);
  locker = g_mutex_locker_new (&infra->lock);
  memcpy (info->changed, before->changed, sizeof info->changed);
  for (guint i = 0; i < VIRFS_ALARM_N_FIELDS; i++)
    if (fields & VIRFS_BIT (i))
      info->changed[i] = now;
  /* the table has the name of an info, which must be there as long as that is */
  rename_alarm (alarm, before, info);
  alarm->info = info;
  if (fields == 0)
    return;
  virfs_registry_emit (infra, VIRFS_CHANGED, alarm, fields, before, info);
  if (fields & VIRFS_BIT (VIRFS_ALARM_NAME))
    virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_ALARMS));
  if (fields & (VIRFS_BIT (VIRFS_ALARM_FIRING) | VIRFS_BIT (VIRFS_ALARM_NAME)))
    virfs_registry_touch (infra, VIRFS_BIT (VIRFS_ROOT_FIRING));
}

void
virfs_registry_set_alarms (VirfsInfra *infra, guint64 id, const char *names)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&infra->lock);
  VirfsObject *object = g_hash_table_lookup (infra->objects, &id);

  if (object != NULL && object->kind == VIRFS_KIND_VM) {
    VirfsVmInfo *info = virfs_vm_info_copy (((VirfsVm *) object)->info);

    virfs_ref_string_set (&info->alarms, names);
    virfs_registry_publish_vm ((VirfsVm *) object, info);
  } else if (object != NULL && object->kind == VIRFS_KIND_HOST) {
    VirfsHostInfo *info = virfs_host_info_copy (((VirfsHost *) object)->info);

    virfs_ref_string_set (&info->alarms, names);
    virfs_registry_publish_host ((VirfsHost *) object, info);
  }
}
