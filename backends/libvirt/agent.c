/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking agents, through connections of their own. */
#include "agent.h"

#include "connection.h"
#include "device.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "seat.h"
#include "task.h"

#include <string.h>

/* Seconds that an agent has for an answer that nobody waits for. */
#define ASK_TIMEOUT 2

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

/* Telling the time is the least that can be wanted of an agent, so that shows whether it answers: FALSE if it does
 * not within SECONDS.  Its clock is as of the middle of the call. */
static gboolean
call (LvLink *link, virDomainPtr domain, int seconds, VirfsAgentInfo *said, GError **error)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  gint64 before = g_get_real_time ();
  long long time = 0;
  unsigned int nanoseconds = 0;
  gboolean told, answered;

  LV (virDomainAgentSetResponseTimeout (domain, seconds, 0));
  told = LV (virDomainGetTime (domain, &time, &nanoseconds, 0)) >= 0;
  answered = told || lv_last_code () != VIR_ERR_AGENT_UNRESPONSIVE;
  if (!answered)
    lv_fail (error, "the agent in %s does not answer", lv_domain_name (domain));
  said->asked = before;
  if (told) {
    said->asked = before + (g_get_real_time () - before) / 2;
    said->time = time * G_USEC_PER_SEC + nanoseconds / 1000;
  }
  virDomainGetUUIDString (domain, uuid);
  lv_lanes_note (link->agents, uuid, answered);
  return answered;
}

static gboolean
ask_within (LvLink *link, virDomainPtr domain, int seconds, GError **error)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_auto (LvParams) params = { 0 };
  g_autoptr (VirfsAgentInfo) clock = virfs_agent_info_new ();
  g_autoptr (VirfsAgentInfo) said = NULL;

  if (!call (link, domain, seconds, clock, error))
    return FALSE;
  if (LV (virDomainGetGuestInfo (domain, 0, &params.items, &params.n, 0)) < 0)
    return lv_fail (error, "the agent in %s does not answer", lv_domain_name (domain));
  said = lv_agent_info_read (&params);
  said->asked = clock->asked;
  said->time = clock->time;
  virDomainGetUUIDString (domain, uuid);
  tell (link, uuid, said);
  return TRUE;
}

gboolean
lv_agent_ask (LvLink *link, virDomainPtr domain, GError **error)
{
  return ask_within (link, domain, LV_AGENT_TIMEOUT, error);
}

gboolean
lv_agent_call (LvLink *link, virDomainPtr domain, GError **error)
{
  g_autoptr (VirfsAgentInfo) said = virfs_agent_info_new ();

  return call (link, domain, LV_AGENT_TIMEOUT, said, error);
}

static guint
failures_of (LvLink *link, virDomainPtr domain)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";

  virDomainGetUUIDString (domain, uuid);
  return lv_lanes_failures (link->agents, uuid);
}

gboolean
lv_agent_is_silent (LvLink *link, virDomainPtr domain)
{
  return failures_of (link, domain) > 0;
}

gboolean
lv_agent_may_freeze (LvLink *link, virDomainPtr domain)
{
  return failures_of (link, domain) <= 1;
}

/* Lanes. */

static void
run (gpointer task, gpointer link)
{
  lv_task_run (task);
}

static void
refuse (gpointer data, GError *error)
{
  LvTask *task = data;

  if (error->code == VIRFS_ERROR_AGAIN && lv_agent_exec_goes_on (task)) {
    g_error_free (error);
    lv_task_unref (task);
    return;
  }
  if (task->without_agent && error->code != VIRFS_ERROR_HOST_DOWN) {
    g_error_free (error);
    task->lane = LV_LANE_SHORT;
    lv_task_submit (task);
    return;
  }
  lv_task_finish (task, error);
  lv_task_unref (task);
}

static void
ask (gpointer link, const char *uuid)
{
  LvSeat seat = { 0 };
  g_autoptr (virDomain) domain = NULL;
  g_autoptr (GError) error = NULL;

  if (!lv_seat_take (&seat, link, NULL))
    return;
  domain = LV (virDomainLookupByUUIDString (seat.conn, uuid));
  if (domain != NULL && !ask_within (link, domain, ASK_TIMEOUT, &error))
    g_debug ("%s", error->message);
  lv_seat_leave (&seat);
}

LvLanes *
lv_agents_new (LvLink *link)
{
  static const LvLanesFuncs funcs = {
    .ref = (gpointer (*) (gpointer)) lv_link_ref,
    .unref = (void (*) (gpointer)) lv_link_unref,
    .run = run,
    .refuse = refuse,
    .ask = ask,
  };

  return lv_lanes_new (&funcs, link);
}

/* One that comes anew may be another than the one that did not answer. */
void
lv_agent_queue (LvLink *link, const char *uuid)
{
  lv_lanes_forgive (link->agents, uuid);
  lv_lanes_ask (link->agents, uuid);
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
  GHashTable *all; /* of char*, UUIDs: all guests */
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

  g_hash_table_add (round->all, g_strdup (info->uuid));
  if (has_agent (info))
    g_ptr_array_add (said && !(has_address (said) && knows_nics (said, info)) ? round->early
                                                                              : round->guests,
                     g_strdup (info->uuid));
}

void
lv_agent_poll (LvLink *link)
{
  g_autoptr (GPtrArray) guests = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) early = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable) all = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Round round = { early, guests, all };
  guint seconds = lv_options ()->agent_interval;
  gint64 interval = seconds ? seconds * G_TIME_SPAN_SECOND : G_MAXINT64;
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_infra_foreach_vm (host->object.infra, host, add_guest, &round);
  lv_gate_leave (link->connection);
  lv_lanes_forget_others (link->agents, all);
  for (guint i = 0; i < early->len; i++)
    lv_lanes_due (link->agents, early->pdata[i], interval == G_MAXINT64 ? interval : 0);
  for (guint i = 0; i < guests->len; i++)
    lv_lanes_due (link->agents, guests->pdata[i], interval);
}
