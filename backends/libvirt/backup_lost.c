/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Backups that have ended before they were to.  Nobody can tell whether their disks had been
 * copied, so the checkpoint of such a one must not become the parent of the next.  A guest that
 * does not run keeps its checkpoints; these are noted until it does.
 */
#include "backup_work.h"

#include "connection.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "operate.h"

#include <string.h>

/* UUID/NAME */
static char *
key_of (const char *uuid, const char *name)
{
  return g_strdup_printf ("%s/%s", uuid, name);
}

static void
note_checkpoint (LvLink *link, const char *uuid, const char *name)
{
  g_autofree char *key = key_of (uuid, name);
  VirfsHost *host = lv_gate_enter (link->connection);
  g_autoptr (GError) error = NULL;

  if (host == NULL)
    return;
  if (!virfs_infra_keep (host->object.infra, VIRFS_RECORD_LOST, key, "", &error))
    g_warning ("the checkpoint %s is of no use, and stays: %s", name, error->message);
  lv_gate_leave (link->connection);
}

static void
forget_checkpoint (LvLink *link, const char *key)
{
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_infra_forget (host->object.infra, VIRFS_RECORD_LOST, key, NULL);
  lv_gate_leave (link->connection);
}

typedef struct {
  const char *prefix;
  GPtrArray *keys; /* of char* */
} Search;

static void
add_key (const char *key, const char *text, gpointer data)
{
  Search *search = data;

  if (g_str_has_prefix (key, search->prefix))
    g_ptr_array_add (search->keys, g_strdup (key));
}

static GPtrArray *
list_keys (LvLink *link, const char *prefix)
{
  Search search = { prefix, g_ptr_array_new_with_free_func (g_free) };
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host != NULL) {
    virfs_infra_recall (host->object.infra, VIRFS_RECORD_LOST, add_key, &search);
    lv_gate_leave (link->connection);
  }
  return search.keys;
}

void
lv_backup_forgive (LvLink *link, const char *uuid, const char *checkpoint)
{
  g_autofree char *key = key_of (uuid, checkpoint);

  if (lv_backup_is_lost (link, uuid, checkpoint))
    forget_checkpoint (link, key);
}

gboolean
lv_backup_is_lost (LvLink *link, const char *uuid, const char *checkpoint)
{
  g_autofree char *key = key_of (uuid, checkpoint);
  g_autoptr (GPtrArray) keys = list_keys (link, key);

  return g_ptr_array_find_with_equal_func (keys, key, g_str_equal, NULL);
}

void
lv_backup_drop_lost (LvLink *link, virDomainPtr domain, const char *uuid)
{
  g_autofree char *prefix = key_of (uuid, "");
  g_autoptr (GPtrArray) keys = list_keys (link, prefix);

  for (guint i = 0; i < keys->len; i++) {
    const char *name = (char *) keys->pdata[i] + strlen (prefix);
    g_autoptr (virDomainCheckpoint) checkpoint
      = LV (virDomainCheckpointLookupByName (domain, name, 0));

    if (checkpoint == NULL ? lv_last_code () == VIR_ERR_NO_DOMAIN_CHECKPOINT
                           : lv_checkpoint_remove (checkpoint) == 0)
      forget_checkpoint (link, keys->pdata[i]);
  }
}

static void
tell (LvLink *link, const char *uuid, const char *name, const char *reason)
{
  g_autoptr (GString) details = g_string_new (NULL);
  g_autoptr (GError) error
    = g_error_new (VIRFS_ERROR, VIRFS_ERROR_FAILED,
                   "the backup %s has ended: %s; what was not copied of it is lost", name, reason);

  virfs_event_append (details, "name", name);
  virfs_event_append (details, "reason", reason);
  lv_gate_tell_event (link, uuid, "backup-lost", details->str);
  lv_gate_report (link, uuid, error);
}

void
lv_backup_forsake (LvLink *link, virDomainPtr domain, const char *uuid, const char *checkpoint)
{
  if (checkpoint == NULL)
    return;
  note_checkpoint (link, uuid, checkpoint);
  if (LV (virDomainIsActive (domain)) == 1)
    lv_backup_drop_lost (link, domain, uuid);
}

void
lv_backup_lose (LvLink *link, virDomainPtr domain, const char *uuid, const VirfsBackupInfo *info,
                const char *reason)
{
  lv_backup_forsake (link, domain, uuid, info->checkpoint);
  tell (link, uuid, info->part.name, reason);
  /* its checkpoint has gone without an event */
  lv_connection_queue (link, uuid, 0);
}
