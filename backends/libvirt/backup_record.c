/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is begun is recorded before (keeper.h), so that whoever comes after an end of the program
 * finds it again, or ends it: a guest must neither stay frozen nor paused for a backup that
 * nobody knows.
 */
#include "backup_work.h"
#include "connection.h"
#include "domain.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"
#include "storage.h"

#include <glib/gstdio.h>

#define GROUP "backup"
/* Seconds that beginning one may take: libvirt waits 30 for the end of what else is done to the
 * guest. */
#define BEGIN_TIMEOUT 40

/* The record. */

static gboolean
store_record (LvTask *task, const char *text, GError **error)
{
  VirfsHost *host = lv_gate_enter (task->link->connection);
  gboolean kept;

  if (host == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "the host is gone");
    return FALSE;
  }
  kept = virfs_infra_keep (host->object.infra, VIRFS_RECORD_BACKUP, task->uuid, text, error);
  lv_gate_leave (task->link->connection);
  return kept;
}

gboolean
lv_backup_keep (LvTask *task, const VirfsBackupInfo *info, gboolean freezes, GPtrArray *files,
                GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *text = NULL;

  g_key_file_set_string (file, GROUP, "name", task->wanted->name);
  g_key_file_set_string (file, GROUP, "host", task->link->connection->name);
  virfs_part_info_save (info, file, GROUP);
  g_key_file_set_boolean (file, GROUP, "freezes", freezes);
  g_key_file_set_boolean (file, GROUP, "open", info->part.parts != NULL);
  if (files != NULL)
    g_key_file_set_string_list (file, GROUP, "files", (const char *const *) files->pdata,
                                files->len);
  text = g_key_file_to_data (file, NULL, NULL);
  return store_record (task, text, error);
}

/* On the host; here, where that is the same place. */
static void
remove_file (LvLink *link, virConnectPtr conn, const char *path)
{
  LvSeat seat = { link, conn, LV_OWN_NAME };
  g_autoptr (LvPool) pool = NULL;
  g_autoptr (virStorageVol) volume = NULL;

  if (link->uri->local) {
    g_unlink (path);
    return;
  }
  volume = lv_pool_find_path (&seat, path, &pool);
  if (volume != NULL)
    LV (virStorageVolDelete (volume, 0));
}

static void
remove_files (LvLink *link, virConnectPtr conn, GKeyFile *record)
{
  g_auto (GStrv) paths = g_key_file_get_string_list (record, GROUP, "files", NULL, NULL);

  for (char **path = paths; path && *path; path++)
    remove_file (link, conn, *path);
}

static void
forget_record (LvLink *link, const char *uuid)
{
  VirfsHost *host = lv_gate_enter (link->connection);
  g_autoptr (GError) error = NULL;

  if (host == NULL)
    return;
  if (!virfs_infra_forget (host->object.infra, VIRFS_RECORD_BACKUP, uuid, &error))
    g_warning ("the record of a backup of %s stays: %s", uuid, error->message);
  lv_gate_leave (link->connection);
}

/* After an end of the program, or of the connection. */

/* A guest that was started for a backup; one that somebody has resumed meanwhile is his. */
static void
stop_again (virDomainPtr domain)
{
  LvFacts facts;

  if (lv_domain_ask_facts (domain, &facts) && facts.state == VIRFS_VM_PAUSED)
    LV (virDomainDestroy (domain));
}

typedef struct {
  const char *host;
  GPtrArray *uuids; /* of char* */
  GPtrArray *files; /* of GKeyFile* */
} Records;

static void
add_record (const char *uuid, const char *text, gpointer data)
{
  Records *records = data;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *host = NULL;

  if (!g_key_file_load_from_data (file, text, (gsize) -1, G_KEY_FILE_NONE, NULL))
    return;
  host = g_key_file_get_string (file, GROUP, "host", NULL);
  if (g_strcmp0 (host, records->host) != 0)
    return;
  g_ptr_array_add (records->uuids, g_strdup (uuid));
  g_ptr_array_add (records->files, g_steal_pointer (&file));
}

/* Whether it was begun to the end, and whoever wanted it knows. */
static gboolean
was_told (GKeyFile *record)
{
  return g_key_file_get_boolean (record, GROUP, "open", NULL);
}

static void
clean_up (LvLink *link, virDomainPtr domain, const char *uuid, GKeyFile *record,
          const VirfsBackupInfo *info, const char *reason)
{
  /* nothing is put aside any more: QEMU writes what it could not */
  if (was_told (record) && lv_backup_stops_guest (domain) && LV (virDomainResume (domain)) < 0)
    g_warning ("%s was stopped when it could not write, and cannot go on",
               virDomainGetName (domain));
  if (reason != NULL && was_told (record))
    lv_backup_lose (link, domain, uuid, info, reason);
  if (info->started)
    stop_again (domain);
  /* libvirt has done so, unless its hypervisor has crashed */
  if (reason != NULL || link->uri->local)
    remove_files (link, virDomainGetConnect (domain), record);
  lv_backup_show (link, uuid, NULL);
  forget_record (link, uuid);
}

/* What is known of it, as far as the record tells. */
static VirfsPartInfo *
read_info (GKeyFile *record)
{
  g_autofree char *name = g_key_file_get_string (record, GROUP, "name", NULL);
  VirfsPartInfo *info = virfs_part_info_new (&virfs_backup_class, name ? name : "");

  virfs_part_info_load (info, record, GROUP);
  return info;
}

/* Nobody knows of it: its beginner was killed before he could tell. */
static LvBackupState
end_untold (LvLink *link, virDomainPtr domain, const char *uuid, const char *name)
{
  if (LV (virDomainAbortJob (domain)) < 0 || !lv_backup_wait_until_closed (link, domain, uuid))
    return LV_BACKUP_UNKNOWN;
  lv_backup_forsake (link, domain, uuid, name);
  return LV_BACKUP_GONE;
}

/* A host goes on with a call whose caller was killed. */
static gboolean
may_still_begin (GKeyFile *record, const char *reason)
{
  guint64 created = g_key_file_get_uint64 (record, GROUP, "created", NULL);

  return reason != NULL && !was_told (record)
         && (guint64) g_get_real_time () < created + BEGIN_TIMEOUT * G_TIME_SPAN_SECOND;
}

static void
show_again (LvLink *link, virDomainPtr domain, const char *uuid, VirfsPartInfo *info)
{
  g_autoptr (GError) error = NULL;

  info->parts = lv_backup_disks (link, domain, uuid);
  if (info->parts == NULL)
    return;
  if (!lv_backup_open_disks (link, uuid, (VirfsBackupInfo *) info, info->parts, &error))
    g_warning ("%s: its backup %s is open, but cannot be read from here: %s",
               virDomainGetName (domain), info->name, error->message);
  lv_backup_show (link, uuid, (VirfsBackupInfo *) info);
}

static void
recover (LvLink *link, virConnectPtr conn, const char *uuid, GKeyFile *record, const char *reason)
{
  g_autoptr (virDomain) domain = LV (virDomainLookupByUUIDString (conn, uuid));
  g_autoptr (VirfsPartInfo) info = NULL;
  LvBackupState state;

  if (domain == NULL) {
    if (lv_last_code () == VIR_ERR_NO_DOMAIN) {
      remove_files (link, conn, record);
      forget_record (link, uuid);
    }
    return;
  }
  info = read_info (record);
  /* it was killed in that moment */
  if (g_key_file_get_boolean (record, GROUP, "freezes", NULL))
    LV (virDomainFSThaw (domain, NULL, 0, 0));
  state = lv_backup_state (domain, uuid);
  if (state == LV_BACKUP_OPEN && !was_told (record))
    state = end_untold (link, domain, uuid, info->name);
  if (state == LV_BACKUP_OPEN)
    show_again (link, domain, uuid, info);
  else if (state == LV_BACKUP_GONE && !may_still_begin (record, reason))
    clean_up (link, domain, uuid, record, (VirfsBackupInfo *) info, reason);
}

static void
unref_file (gpointer file)
{
  g_key_file_unref (file);
}

static void
read_records (LvLink *link, Records *records)
{
  VirfsHost *host = lv_gate_enter (link->connection);

  *records = (Records){ link->connection->name, g_ptr_array_new_with_free_func (g_free),
                        g_ptr_array_new_with_free_func (unref_file) };
  if (host == NULL)
    return;
  virfs_infra_recall (host->object.infra, VIRFS_RECORD_BACKUP, add_record, records);
  lv_gate_leave (link->connection);
}

static void
clear_records (Records *records)
{
  g_ptr_array_unref (records->uuids);
  g_ptr_array_unref (records->files);
}

/* In the guest's turn. */
void
lv_backup_recover_one (LvLink *link, virConnectPtr conn, const char *uuid, const char *reason)
{
  Records records;

  read_records (link, &records);
  for (guint i = 0; i < records.uuids->len; i++)
    if (g_str_equal (uuid, records.uuids->pdata[i]))
      recover (link, conn, uuid, records.files->pdata[i], reason);
  clear_records (&records);
}

/* What is being begun or closed is not for us to judge: hence the turns. */
void
lv_backup_recover (LvLink *link, virConnectPtr conn)
{
  Records records;

  read_records (link, &records);
  for (guint i = 0; i < records.uuids->len; i++) {
    lv_operate_take_turn (records.uuids->pdata[i]);
    lv_backup_recover_one (link, conn, records.uuids->pdata[i],
                           "it ended while virfs could not see it");
    lv_operate_end_turn (records.uuids->pdata[i]);
    lv_backup_look (link, records.uuids->pdata[i], TRUE);
  }
  clear_records (&records);
}

void
lv_backup_poll (LvLink *link)
{
  Records records;

  read_records (link, &records);
  for (guint i = 0; i < records.uuids->len; i++)
    lv_backup_look (link, records.uuids->pdata[i], FALSE);
  clear_records (&records);
}
