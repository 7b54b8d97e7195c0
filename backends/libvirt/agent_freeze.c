/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody has frozen.  The record of it, whose key is HOST/UUID, is written before, and goes when the guest
 * is thawed for certain.
 */
#include "agent_freeze.h"

#include "agent.h"
#include "connection.h"
#include "error.h"
#include "fail.h"
#include "freeze.h"
#include "gate.h"

#include <string.h>

/* One that is frozen. */
typedef struct {
  char uuid[VIR_UUID_STRING_BUFLEN];
  LvLink *link;     /* a reference */
  LvFreeze *freeze; /* its own */
} Frozen;

static GMutex lock;
static GHashTable *frozen; /* under lock: UUID -> Frozen* */

static void
free_frozen (Frozen *self)
{
  lv_freeze_leave (self->freeze);
  lv_link_unref (self->link);
  g_free (self);
}

gboolean
lv_agent_is_frozen (const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  return frozen != NULL && g_hash_table_contains (frozen, uuid);
}

/* Takes FREEZE; what was known of an earlier link is no more. */
static void
enlist (LvLink *link, const char *uuid, LvFreeze *freeze)
{
  Frozen *self = g_new0 (Frozen, 1);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  g_strlcpy (self->uuid, uuid, sizeof self->uuid);
  self->link = lv_link_ref (link);
  self->freeze = freeze;
  if (frozen == NULL)
    frozen = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) free_frozen);
  g_hash_table_replace (frozen, self->uuid, self);
}

/* The one of LINK (NULL: of any); the caller owns it, NULL: none. */
static Frozen *
strike (LvLink *link, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  Frozen *self = frozen ? g_hash_table_lookup (frozen, uuid) : NULL;

  if (self == NULL || (link != NULL && self->link != link))
    return NULL;
  g_hash_table_steal (frozen, uuid);
  return self;
}

/* Records. */

static char *
key_of (LvLink *link, const char *uuid)
{
  return g_strdup_printf ("%s/%s", link->connection->name, uuid);
}

static gboolean
keep_record (LvLink *link, const char *uuid, GError **error)
{
  g_autofree char *key = key_of (link, uuid);
  VirfsHost *host = lv_gate_enter (link->connection);
  gboolean kept;

  if (host == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s was closed",
                 link->connection->name);
    return FALSE;
  }
  kept = virfs_infra_keep (host->object.infra, VIRFS_RECORD_FROZEN, key, "", error);
  lv_gate_leave (link->connection);
  return kept;
}

static void
forget_record (LvLink *link, const char *uuid)
{
  g_autofree char *key = key_of (link, uuid);
  VirfsHost *host = lv_gate_enter (link->connection);
  g_autoptr (GError) error = NULL;

  if (host == NULL)
    return;
  if (!virfs_infra_forget (host->object.infra, VIRFS_RECORD_FROZEN, key, &error))
    g_warning ("that a guest was frozen is kept on: %s", error->message);
  lv_gate_leave (link->connection);
}

/* Freezing and thawing. */

/* In the thread that watches: it has thawed it. */
static void
on_thawed (LvLink *link, const char *uuid)
{
  Frozen *self = strike (link, uuid);

  forget_record (link, uuid);
  lv_connection_queue (link, uuid, 0);
  if (self != NULL)
    free_frozen (self);
}

gboolean
lv_agent_freeze (LvLink *link, virDomainPtr domain, GError **error)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autoptr (GError) failure = NULL;
  LvFreeze *freeze;

  virDomainGetUUIDString (domain, uuid);
  if (lv_agent_is_frozen (uuid))
    return TRUE;
  if (!keep_record (link, uuid, error))
    return FALSE;
  freeze = lv_freeze_begin_for (link, domain, on_thawed, &failure);
  if (freeze != NULL) {
    enlist (link, uuid, freeze);
    return TRUE;
  }
  if (!g_error_matches (failure, VIRFS_ERROR, VIRFS_ERROR_AGAIN))
    forget_record (link, uuid);
  g_propagate_prefixed_error (error, g_steal_pointer (&failure),
                              "cannot freeze %s: ", virDomainGetName (domain));
  return FALSE;
}

gboolean
lv_agent_thaw (LvLink *link, virDomainPtr domain, GError **error)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  Frozen *self;

  virDomainGetUUIDString (domain, uuid);
  if (LV (virDomainFSThaw (domain, NULL, 0, 0)) < 0)
    return lv_fail (error, "cannot thaw %s", lv_domain_name (domain));
  self = strike (NULL, uuid);
  if (self == NULL)
    return TRUE;
  forget_record (link, uuid);
  lv_freeze_is_over (self->freeze);
  free_frozen (self);
  return TRUE;
}

/* Recovering. */

typedef struct {
  const char *host;
  GPtrArray *uuids; /* of char* */
} Search;

static void
add_uuid (const char *key, const char *text, gpointer data)
{
  Search *search = data;
  const char *slash = strrchr (key, '/');

  if (slash != NULL && strlen (search->host) == (gsize) (slash - key)
      && g_str_has_prefix (key, search->host))
    g_ptr_array_add (search->uuids, g_strdup (slash + 1));
}

static void
thaw_left (LvLink *link, virConnectPtr conn, const char *uuid)
{
  g_autoptr (virDomain) domain = LV (virDomainLookupByUUIDString (conn, uuid));
  LvFreeze *freeze = domain ? lv_freeze_adopt (link, domain, on_thawed) : NULL;

  if (freeze != NULL) {
    enlist (link, uuid, freeze);
  } else if (domain == NULL && lv_last_code () == VIR_ERR_NO_DOMAIN) {
    Frozen *old = strike (NULL, uuid);

    forget_record (link, uuid);
    g_clear_pointer (&old, free_frozen);
  }
}

void
lv_agent_thaw_left (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GPtrArray) uuids = g_ptr_array_new_with_free_func (g_free);
  Search search = { link->connection->name, uuids };
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_infra_recall (host->object.infra, VIRFS_RECORD_FROZEN, add_uuid, &search);
  lv_gate_leave (link->connection);
  for (guint i = 0; i < uuids->len; i++)
    thaw_left (link, conn, uuids->pdata[i]);
}
