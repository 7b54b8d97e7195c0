/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the registry tells.  Under its lock no more is done than to remember which infos and jobs are to
 * be written; the writer makes records of them.  What is in the store already is not written again: a
 * hash of all that is known of a guest is beside it.
 */
#include "error.h"
#include "private.h"
#include "vm_record.h"

#include <string.h>

/* From the first change to its being written. */
#define DELAY (250 * G_TIME_SPAN_MILLISECOND)
/* Guests that one transaction writes. */
#define PORTION 500
/* Finished jobs that are kept. */
#define ENDED_JOBS G_GINT64_CONSTANT (100)

/* Of a guest: what is not kept, or is not its own. */
#define PASSING                                                                                    \
  (VIRFS_BIT (VIRFS_VM_READY) | VIRFS_BIT (VIRFS_VM_ERROR) | VIRFS_BIT (VIRFS_VM_ALARMS)           \
   | VIRFS_BIT (VIRFS_VM_EVENTS) | VIRFS_BIT (VIRFS_VM_CONSOLE)                                    \
   | VIRFS_BIT (VIRFS_VM_SHUTDOWN_TIMEOUT))

/* Notes. */

void
store_notes_init (StoreNotes *notes)
{
  notes->vms
    = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) virfs_vm_info_unref);
  notes->jobs = g_hash_table_new_full (NULL, NULL, virfs_object_unref, NULL);
  notes->events = FALSE;
}

void
store_notes_clear (StoreNotes *notes)
{
  g_clear_pointer (&notes->vms, g_hash_table_unref);
  g_clear_pointer (&notes->jobs, g_hash_table_unref);
}

gboolean
store_notes_is_empty (const StoreNotes *notes)
{
  return !notes->events && g_hash_table_size (notes->vms) == 0
         && g_hash_table_size (notes->jobs) == 0;
}

void
store_notes_take (StoreNotes *from, StoreNotes *to)
{
  GHashTableIter iter;
  gpointer key, info;

  to->events = from->events;
  from->events = FALSE;
  g_hash_table_unref (to->jobs);
  to->jobs = g_steal_pointer (&from->jobs);
  from->jobs = g_hash_table_new_full (NULL, NULL, virfs_object_unref, NULL);
  if (g_hash_table_size (from->vms) <= PORTION) {
    g_hash_table_unref (to->vms);
    to->vms = g_steal_pointer (&from->vms);
    from->vms = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                       (GDestroyNotify) virfs_vm_info_unref);
    return;
  }
  g_hash_table_iter_init (&iter, from->vms);
  while (g_hash_table_size (to->vms) < PORTION && g_hash_table_iter_next (&iter, &key, &info)) {
    g_hash_table_iter_steal (&iter);
    g_hash_table_insert (to->vms, key, info);
  }
}

void
store_notes_give_back (StoreNotes *to, StoreNotes *from)
{
  GHashTableIter iter;
  gpointer key, info;

  to->events |= from->events;
  g_hash_table_iter_init (&iter, from->vms);
  while (g_hash_table_iter_next (&iter, &key, &info))
    if (!g_hash_table_contains (to->vms, key)) {
      g_hash_table_iter_steal (&iter);
      g_hash_table_insert (to->vms, key, info);
    }
  g_hash_table_iter_init (&iter, from->jobs);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (!g_hash_table_contains (to->jobs, key))
      g_hash_table_add (to->jobs, virfs_object_ref (key));
}

/* The listener. */

static void
note_vm (StoreNotes *notes, const VirfsChange *change)
{
  const VirfsVmInfo *info = change->after ? change->after : change->before;
  VirfsVmInfo *now = (VirfsVmInfo *) change->after;

  if (change->kind == VIRFS_CHANGED && (change->fields & ~PASSING) == 0)
    return;
  if (!virfs_infra_is_news (change->object->infra))
    return;
  if (now != NULL)
    g_atomic_ref_count_inc (&now->refs);
  g_hash_table_replace (notes->vms, g_strconcat (info->host->name, "/", info->uuid, NULL), now);
}

static void
note_job (StoreNotes *notes, const VirfsChange *change)
{
  gboolean matters
    = change->kind == VIRFS_ADDED
      || (change->kind == VIRFS_CHANGED && change->fields & VIRFS_BIT (VIRFS_JOB_STATE));

  if (matters && !g_hash_table_contains (notes->jobs, change->object))
    g_hash_table_add (notes->jobs, virfs_object_ref (change->object));
}

/* Whether numbers of jobs run out, so that the writer must not take its time. */
static gboolean
is_urgent (VirfsStore *store, const VirfsChange *change)
{
  return change->object->kind == VIRFS_KIND_JOB && change->kind == VIRFS_ADDED
         && virfs_job_number ((VirfsJob *) change->object) + STORE_JOB_NUMBERS / 2
              > store->job_limit;
}

void
store_listen (const VirfsChange *change, gpointer data)
{
  VirfsStore *store = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);

  if (change->object->kind == VIRFS_KIND_VM)
    note_vm (&store->notes, change);
  else if (change->object->kind == VIRFS_KIND_JOB)
    note_job (&store->notes, change);
  else if (change->object->kind == VIRFS_KIND_ROOT)
    store->notes.events |= (change->fields & VIRFS_BIT (VIRFS_ROOT_EVENTS)) != 0;
  if (store_notes_is_empty (&store->notes) || (store->due != 0 && !is_urgent (store, change)))
    return;
  store->due = g_get_monotonic_time () + (is_urgent (store, change) ? 0 : DELAY);
  g_cond_signal (&store->wake);
}

/* Writing. */

static guint64
hash_bytes (guint64 hash, const void *bytes, gsize size)
{
  const guchar *byte = bytes;

  for (gsize i = 0; i < size; i++)
    hash = (hash ^ byte[i]) * G_GUINT64_CONSTANT (0x100000001b3);
  return hash;
}

static gboolean
write_vm (VirfsStore *store, const char *host, const char *uuid, const VirfsVmInfo *info,
          GError **error)
{
  g_autoptr (GVariant) record = virfs_vm_record_new (info);
  gboolean same = info->xml_inactive == info->xml;
  gsize size, xml_size, inactive_size;
  const void *bytes = g_variant_get_data (record);
  const void *xml = virfs_blob_packed (info->xml, &xml_size);
  const void *inactive = virfs_blob_packed (same ? NULL : info->xml_inactive, &inactive_size);
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);

  size = g_variant_get_size (record);
  hash = hash_bytes (hash, bytes, size);
  hash = hash_bytes (hash, xml, xml_size);
  hash = hash_bytes (hash, inactive, inactive_size);
  return store_db_run (store->db, error,
                       "INSERT INTO hosts (name) VALUES (?) ON CONFLICT DO NOTHING", "s", host)
         && store_db_run (
           store->db, error,
           "INSERT INTO guests SELECT id, ?, ?, ?, ?, ?, ?, ? FROM hosts WHERE name = ?"
           " ON CONFLICT (host, uuid) DO UPDATE SET hash = excluded.hash,"
           "  record = excluded.record, xml = excluded.xml, xml_size = excluded.xml_size,"
           "  xml_inactive = excluded.xml_inactive,"
           "  xml_inactive_size = excluded.xml_inactive_size"
           " WHERE hash IS NOT excluded.hash",
           "sibbibis", uuid, (gint64) hash, bytes, size, xml, xml_size,
           (gint64) virfs_blob_size (info->xml), inactive, inactive_size,
           (gint64) virfs_blob_size (same ? NULL : info->xml_inactive), host);
}

static gboolean
write_vms (VirfsStore *store, GHashTable *vms, GError **error)
{
  gboolean lost = FALSE;
  GHashTableIter iter;
  gpointer key, info;

  g_hash_table_iter_init (&iter, vms);
  while (g_hash_table_iter_next (&iter, &key, &info)) {
    g_auto (GStrv) words = g_strsplit (key, "/", 2);
    gboolean done;

    if (info != NULL)
      done = write_vm (store, words[0], words[1], info, error);
    else
      done = store_db_run (
        store->db, error,
        "DELETE FROM guests WHERE host = (SELECT id FROM hosts WHERE name = ?) AND uuid = ?", "ss",
        words[0], words[1]);
    if (!done)
      return FALSE;
    lost |= info == NULL;
  }
  return !lost
         || store_db_run (store->db, error,
                          "DELETE FROM hosts WHERE id NOT IN (SELECT host FROM guests)", "");
}

static gboolean
write_job (VirfsStore *store, VirfsJob *job, GError **error)
{
  g_autoptr (VirfsJobInfo) info = virfs_job_info (job);

  return store_db_run (
    store->db, error,
    "INSERT OR REPLACE INTO jobs (number, operation, object, uid, state, started,"
    " ended, done, total, error, failure) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    "issisiiiisi", (gint64) info->number, info->operation, info->object, (gint64) info->uid,
    virfs_job_state_name (info->state), info->started, info->ended, (gint64) info->done,
    (gint64) info->total, info->error, (gint64) info->failure);
}

static gboolean
write_jobs (VirfsStore *store, GHashTable *jobs, GError **error)
{
  GHashTableIter iter;
  gpointer job;

  g_hash_table_iter_init (&iter, jobs);
  while (g_hash_table_iter_next (&iter, &job, NULL))
    if (!write_job (store, job, error))
      return FALSE;
  return g_hash_table_size (jobs) == 0
         || store_db_run (store->db, error,
                          "DELETE FROM jobs WHERE ended != 0 AND number NOT IN"
                          " (SELECT number FROM jobs WHERE ended != 0"
                          "  ORDER BY ended DESC, number DESC LIMIT ?)",
                          "i", ENDED_JOBS);
}

static gboolean
write_limit (VirfsStore *store, guint64 limit, GError **error)
{
  return store_db_run (store->db, error, "INSERT OR REPLACE INTO counters VALUES ('job', ?)", "i",
                       (gint64) limit);
}

static void
set_limit (VirfsStore *store, guint64 limit)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);

  store->job_limit = limit;
}

gboolean
store_write_job_limit (VirfsStore *store, guint64 limit, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->db_lock);

  return write_limit (store, limit, error);
}

gboolean
store_notes_write (VirfsStore *store, const StoreNotes *notes, GError **error)
{
  guint64 limit = virfs_infra_last_job (store->infra) + STORE_JOB_NUMBERS;
  StoreLink head = store->log_head, anchor = store->log_anchor;

  if (!store_db_begin (store->db, error))
    return FALSE;
  if (!write_vms (store, notes->vms, error) || !write_jobs (store, notes->jobs, error)
      || (notes->events
          && (!store_log_write (store, &head, error)
              || !store_log_rotate (store, &head, &anchor, error)))
      || (g_hash_table_size (notes->jobs) > 0 && !write_limit (store, limit, error))) {
    store_db_rollback (store->db);
    return FALSE;
  }
  if (!store_db_commit (store->db, error))
    return FALSE;
  store->log_head = head;
  store->log_anchor = anchor;
  if (notes->events)
    virfs_infra_set_log_head (store->infra, head.position, head.hash);
  if (g_hash_table_size (notes->jobs) > 0)
    set_limit (store, limit);
  return TRUE;
}
