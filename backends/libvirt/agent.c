/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking agents, in threads and through connections of their own. */
#include "agent.h"

#include "connection.h"
#include "device.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "seat.h"

#include <string.h>

/* Agents of a host that are asked at once. */
#define ASKERS 4

/* Seconds that an agent has for each answer when nobody waits for it: one that hangs is asked for all of
 * them, and who wants something of it waits meanwhile. */
#define ASK_TIMEOUT 2

struct LvAgents {
  GMutex lock;
  /* under lock */
  gboolean closed;
  guint n_askers;     /* threads that ask */
  GQueue due;         /* of char*: UUIDs of guests to be asked */
  GHashTable *queued; /* those in DUE; borrowed */
  GHashTable *asked;  /* UUID -> when (monotonic time, gint64*), of all that have been queued */
};

LvAgents *
lv_agents_new (void)
{
  LvAgents *self = g_new0 (LvAgents, 1);

  g_mutex_init (&self->lock);
  g_queue_init (&self->due);
  self->queued = g_hash_table_new (g_str_hash, g_str_equal);
  self->asked = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
lv_agents_close (LvAgents *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  self->closed = TRUE;
  g_hash_table_remove_all (self->queued);
  g_queue_clear_full (&self->due, g_free);
}

void
lv_agents_free (LvAgents *self)
{
  g_queue_clear_full (&self->due, g_free);
  g_hash_table_unref (self->queued);
  g_hash_table_unref (self->asked);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* Asking. */

static void
take_info (VirfsVmInfo *info, gpointer data)
{
  virfs_agent_info_unref (info->agent_info);
  info->agent_info = virfs_agent_info_ref (data);
}

/* The ticket is drawn after the asking, as no definition tells this. */
static void
tell (LvLink *link, const char *uuid, VirfsAgentInfo *said)
{
  guint64 ticket = lv_gate_begin_reading (link);

  lv_gate_edit_vm (link, ticket, uuid, take_info, said);
  lv_gate_end_reading (link);
}

/* As of the middle of the call. */
static void
read_clock (virDomainPtr domain, VirfsAgentInfo *said)
{
  gint64 before = g_get_real_time ();
  long long seconds = 0;
  unsigned int nanoseconds = 0;

  said->asked = before;
  if (LV (virDomainGetTime (domain, &seconds, &nanoseconds, 0)) < 0)
    return;
  said->asked = before + (g_get_real_time () - before) / 2;
  said->time = seconds * G_USEC_PER_SEC + nanoseconds / 1000;
}

gboolean
lv_agent_ask (LvLink *link, virDomainPtr domain, GError **error)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_auto (LvParams) params = { 0 };
  g_autoptr (VirfsAgentInfo) said = NULL;

  virDomainGetUUIDString (domain, uuid);
  LV (virDomainAgentSetResponseTimeout (domain, ASK_TIMEOUT, 0));
  if (LV (virDomainGetGuestInfo (domain, 0, &params.items, &params.n, 0)) < 0)
    return lv_fail (error, "the agent in %s does not answer", lv_domain_name (domain));
  said = lv_agent_info_read (&params);
  read_clock (domain, said);
  tell (link, uuid, said);
  return TRUE;
}

/* The next guest to be asked; NULL: none, and the thread counts no more.  The caller owns it. */
static char *
next (LvAgents *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  char *uuid = g_queue_pop_head (&self->due);

  if (uuid == NULL)
    self->n_askers--;
  else
    g_hash_table_remove (self->queued, uuid);
  return uuid;
}

static void
ask (LvLink *link, virConnectPtr conn, const char *uuid)
{
  g_autoptr (virDomain) domain = conn ? LV (virDomainLookupByUUIDString (conn, uuid)) : NULL;
  g_autoptr (GError) error = NULL;

  if (domain != NULL && !lv_agent_ask (link, domain, &error))
    g_debug ("%s", error->message);
}

static gpointer
run (gpointer data)
{
  g_autoptr (LvLink) link = data;
  LvSeat seat = { 0 };
  char *uuid;

  lv_seat_take (&seat, link, NULL);
  while ((uuid = next (link->agents)) != NULL) {
    ask (link, seat.conn, uuid);
    g_free (uuid);
  }
  lv_seat_leave (&seat);
  return NULL;
}

/* Under the lock. */
static void
add_due (LvAgents *self, LvLink *link, const char *uuid)
{
  gint64 now = g_get_monotonic_time ();
  char *due;

  if (self->closed || g_hash_table_contains (self->queued, uuid))
    return;
  due = g_strdup (uuid);
  g_queue_push_tail (&self->due, due);
  g_hash_table_add (self->queued, due);
  g_hash_table_insert (self->asked, g_strdup (uuid), g_memdup2 (&now, sizeof now));
  if (self->n_askers == ASKERS)
    return;
  self->n_askers++;
  g_thread_unref (g_thread_new ("virfs-agent", run, lv_link_ref (link)));
}

void
lv_agent_queue (LvLink *link, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&link->agents->lock);

  add_due (link->agents, link, uuid);
}

/* When. */

static gboolean
has_agent (const VirfsVmInfo *info)
{
  return g_strcmp0 (info->agent, VIRFS_AGENT_CONNECTED) == 0 && info->state == VIRFS_VM_RUNNING;
}

void
lv_agent_look (LvLink *link, const VirfsVmInfo *known, const VirfsVmInfo *info)
{
  if (has_agent (info) && (known == NULL || !has_agent (known) || known->id != info->id))
    lv_agent_queue (link, info->uuid);
}

typedef struct {
  /* of char*, UUIDs: guests that had no address when they were asked, and the others */
  GPtrArray *early, *guests;
} Round;

/* Whether one of them leads to it from elsewhere. */
static gboolean
has_address (const VirfsAgentInfo *said)
{
  g_auto (GStrv) lines = g_strsplit (said->addresses ? said->addresses : "", "\n", -1);

  for (char **line = lines; *line; line++) {
    const char *address = strrchr (*line, ' ');

    if (address != NULL && !g_str_has_prefix (address, " fe80:")
        && !g_str_has_prefix (address, " 127.") && !g_str_has_prefix (address, " ::1/"))
      return TRUE;
  }
  return FALSE;
}

/* Whether it has told of each NIC; one may have come since. */
static gboolean
knows_nics (const VirfsAgentInfo *said, const VirfsVmInfo *info)
{
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];

  for (guint i = 0; nics && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    if (!nic->part.draft && nic->mac != NULL
        && (said->addresses == NULL || strcasestr (said->addresses, nic->mac) == NULL))
      return FALSE;
  }
  return TRUE;
}

static void
add_guest (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Round *round = data;
  const VirfsAgentInfo *said = info->agent_info;

  if (has_agent (info))
    g_ptr_array_add (said && !(has_address (said) && knows_nics (said, info)) ? round->early
                                                                              : round->guests,
                     g_strdup (info->uuid));
}

static void
ask_if_due (LvLink *link, const char *uuid, gint64 interval)
{
  LvAgents *self = link->agents;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  const gint64 *asked = g_hash_table_lookup (self->asked, uuid);

  if (asked == NULL
      || (lv_options ()->agent_interval != 0 && g_get_monotonic_time () - *asked >= interval))
    add_due (self, link, uuid);
}

void
lv_agent_poll (LvLink *link)
{
  g_autoptr (GPtrArray) guests = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) early = g_ptr_array_new_with_free_func (g_free);
  Round round = { early, guests };
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_infra_foreach_vm (host->object.infra, host, add_guest, &round);
  lv_gate_leave (link->connection);
  for (guint i = 0; i < early->len; i++)
    ask_if_due (link, early->pdata[i], 0);
  for (guint i = 0; i < guests->len; i++)
    ask_if_due (link, guests->pdata[i], lv_options ()->agent_interval * G_TIME_SPAN_SECOND);
}
