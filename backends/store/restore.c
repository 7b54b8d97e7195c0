/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes back when the program starts. */
#include "draft.h"
#include "kept.h"
#include "part_draft.h"
#include "error.h"
#include "private.h"
#include "vm_record.h"

/* Guests. */

static VirfsBlob *
read_blob (StoreRow *row, int column)
{
  gsize size;
  const void *bytes = store_row_bytes (row, column, &size);

  return virfs_blob_new_packed (bytes, size, store_row_int (row, column + 1));
}

/* What cannot be read is left out: the host will tell it again. */
static void
take_vm (StoreRow *row, gpointer infos)
{
  gsize size;
  gconstpointer data = store_row_bytes (row, 1, &size);
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GVariant) record
    = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, bytes, FALSE));
  VirfsVmInfo *info = virfs_vm_record_read (record, store_row_text (row, 0));

  if (info == NULL)
    return;
  info->xml = read_blob (row, 2);
  info->xml_inactive = read_blob (row, 4);
  if (info->xml_inactive == NULL)
    info->xml_inactive = virfs_blob_ref (info->xml);
  g_ptr_array_add (infos, info);
}

GPtrArray *
store_recall_vms (gpointer data, const char *host)
{
  VirfsStore *store = data;
  g_autoptr (GPtrArray) infos = g_ptr_array_new ();
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->db_lock);
  g_autoptr (GError) error = NULL;

  if (!store_db_each (store->db, take_vm, infos, &error,
                      "SELECT uuid, record, xml, xml_size, xml_inactive, xml_inactive_size"
                      " FROM guests JOIN hosts ON host = id WHERE name = ?",
                      "s", host))
    g_warning ("what was last known of the guests of %s cannot be read: %s", host, error->message);
  return infos->len > 0 ? g_steal_pointer (&infos) : NULL;
}

/* Jobs. */

/* What had not ended was cut off with the program. */
static void
take_job (StoreRow *row, gpointer infra)
{
  const char *error = store_row_text (row, 9);
  VirfsJobInfo info = {
    .number = store_row_int (row, 0),
    .operation = store_row_text (row, 1),
    .object = (char *) store_row_text (row, 2),
    .uid = store_row_int (row, 3),
    .state = virfs_job_state_parse (store_row_text (row, 4)),
    .started = store_row_int (row, 5),
    .ended = store_row_int (row, 6),
    .done = store_row_int (row, 7),
    .total = store_row_int (row, 8),
    .error = (char *) error,
    .failure = (int) store_row_int (row, 10),
  };

  virfs_job_restore (infra, &info);
}

static void
take_number (StoreRow *row, gpointer number)
{
  *(gint64 *) number = store_row_int (row, 0);
}

static void
take_lost (StoreRow *row, gpointer numbers)
{
  guint number = (guint) store_row_int (row, 0);

  g_array_append_val (numbers, number);
}

/* LOST: is given the numbers of those that were cut off. */
static gboolean
restore_jobs (VirfsStore *store, GArray *lost, GError **error)
{
  gint64 last = 0;

  if (!store_db_each (store->db, take_lost, lost, error,
                      "SELECT number FROM jobs WHERE ended = 0 ORDER BY number", "")
      || !store_db_run (store->db, error,
                        "UPDATE jobs SET state = ?, error = ?, ended = ? WHERE ended = 0", "ssi",
                        virfs_job_state_name (VIRFS_JOB_FAILED),
                        "virfs was ended while this ran; how far it came is what the tree shows",
                        g_get_real_time ())
      || !store_db_each (store->db, take_job, store->infra, error,
                         "SELECT number, operation, object, uid, state, started, ended, done,"
                         " total, error, failure FROM jobs ORDER BY ended, number",
                         "")
      || !store_db_each (store->db, take_number, &last, error,
                         "SELECT value FROM counters WHERE name = 'job'", ""))
    return FALSE;
  virfs_infra_set_last_job (store->infra, last);
  store->job_limit = last + STORE_JOB_NUMBERS;
  return TRUE;
}

gboolean
store_restore_jobs (VirfsStore *store, GArray *lost, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->db_lock);
  gboolean restored = restore_jobs (store, lost, error);

  g_clear_pointer (&locker, g_mutex_locker_free);
  return restored && store_write_job_limit (store, store->job_limit, error);
}

void
store_tell_lost_jobs (VirfsStore *store, const GArray *lost)
{
  for (guint i = 0; i < lost->len; i++) {
    g_autoptr (VirfsJob) job = virfs_infra_job (store->infra, g_array_index (lost, guint, i));

    if (job != NULL)
      virfs_job_tell_lost (job);
  }
}

/* Hosts. */

static void
restore_host (const char *name, const char *uri, gpointer infra)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (VirfsHost) host = virfs_infra_restore_host (infra, name, *uri ? uri : NULL, &error);

  if (host == NULL)
    g_message ("the host %s that was made with mkdir does not come back: %s", name, error->message);
}

static void
take_name (StoreRow *row, gpointer names)
{
  g_ptr_array_add (names, g_strdup (store_row_text (row, 0)));
}

/* Those that were taken out of the configuration. */
static gboolean
forget_lost_hosts (VirfsStore *store, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->db_lock);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);

  if (!store_db_each (store->db, take_name, names, error, "SELECT name FROM hosts", ""))
    return FALSE;
  for (guint i = 0; i < names->len; i++) {
    g_autoptr (VirfsHost) host = virfs_infra_host (store->infra, names->pdata[i]);

    if (host == NULL
        && !store_db_run (store->db, error, "DELETE FROM hosts WHERE name = ?", "s",
                          (const char *) names->pdata[i]))
      return FALSE;
  }
  return TRUE;
}

static void
restore_kept (const char *uuid, const char *text, gpointer infra)
{
  virfs_infra_restore_kept (infra, uuid, text);
}

static void
restore_part (const char *key, const char *text, gpointer infra)
{
  virfs_infra_restore_part_draft (infra, key, text);
}

static void
restore_draft (const char *uuid, const char *text, gpointer infra)
{
  virfs_infra_restore_draft (infra, uuid, text);
}

void
virfs_store_restore (VirfsStore *store)
{
  g_autoptr (GError) error = NULL;

  if (!virfs_store_foreach (store, VIRFS_RECORD_DRAFT, restore_draft, store->infra, &error))
    g_warning ("the drafts cannot be read: %s", error->message);
  g_clear_error (&error);
  if (!virfs_store_foreach (store, VIRFS_RECORD_PART, restore_part, store->infra, &error))
    g_warning ("drafts of disks, NICs, pools and volumes cannot be read: %s", error->message);
  g_clear_error (&error);
  if (!virfs_store_foreach (store, VIRFS_RECORD_GUEST, restore_kept, store->infra, &error))
    g_warning ("what was kept of guests cannot be read: %s", error->message);
  g_clear_error (&error);
  if (!virfs_store_foreach (store, VIRFS_RECORD_HOST, restore_host, store->infra, &error)
      || !forget_lost_hosts (store, &error))
    g_warning ("the hosts that were made with mkdir cannot be read: %s", error->message);
}
