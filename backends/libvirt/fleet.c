/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All guests of a host in a few calls, whatever their number: their states, and which of them have
 * a property.  Only the XML takes a call for each.
 */
#include "fleet.h"

#include "domain.h"
#include "error.h"
#include "fail.h"
#include "gate.h"
#include "snapshot_list.h"
#include "measure.h"
#include "stats.h"
#include "state.h"

#include <malloc.h>

/* Definitions that one poll reads again. */
#define POLLED_XML 200
/* Snapshots that it does. */
#define POLLED_SNAPSHOTS 200
/* Guests whose disks it measures. */
#define POLLED_DISKS 100

/* One guest as the calls for all of them show it. */
typedef struct {
  virDomainPtr domain;
  char uuid[VIR_UUID_STRING_BUFLEN];
  gboolean has_facts;
  LvFacts facts;
  guint vcpus;    /* 0: not told */
  guint64 memory; /* bytes, 0: not told */
  /* or checkpoints; whether it is certain which guests have any */
  gboolean has_snapshots, snapshots_told;
} Seen;

static void
clear_seen (gpointer item)
{
  virDomainFree (((Seen *) item)->domain);
}

static GArray *
new_array (guint n)
{
  GArray *array = g_array_sized_new (FALSE, TRUE, sizeof (Seen), n);

  g_array_set_clear_func (array, clear_seen);
  return array;
}

static void
add_seen (GArray *array, virDomainPtr domain)
{
  Seen seen = { .domain = domain };

  virDomainRef (domain);
  virDomainGetUUIDString (domain, seen.uuid);
  g_array_append_val (array, seen);
}

static void
read_stats (Seen *seen, virDomainStatsRecordPtr record)
{
  int state = -1, reason = 0;
  unsigned int vcpus = 0;
  unsigned long long balloon = 0;

  virTypedParamsGetInt (record->params, record->nparams, "state.state", &state);
  virTypedParamsGetInt (record->params, record->nparams, "state.reason", &reason);
  virTypedParamsGetUInt (record->params, record->nparams, "vcpu.current", &vcpus);
  virTypedParamsGetULLong (record->params, record->nparams, "balloon.current", &balloon);
  seen->has_facts = state >= 0;
  seen->facts.state = lv_state (state);
  seen->facts.reason = lv_state_reason (state, reason);
  seen->vcpus = vcpus;
  seen->memory = balloon * 1024;
}

static GArray *
list_with_stats (LvLink *link, virConnectPtr conn, guint groups)
{
  g_autoptr (virDomainStatsRecordPtr) records = NULL;
  int n = lv_stats_all (link, conn, groups, &records);
  GArray *array;

  if (n < 0)
    return NULL;
  array = new_array (n);
  for (int i = 0; i < n; i++) {
    add_seen (array, records[i]->dom);
    read_stats (&g_array_index (array, Seen, i), records[i]);
  }
  return array;
}

static GPtrArray *
list_domains (virConnectPtr conn, guint flags)
{
  virDomainPtr *items = NULL;
  int n = LV (virConnectListAllDomains (conn, &items, flags));

  return lv_take_domains (items, n);
}

static GArray *
list_alone (virConnectPtr conn, GError **error)
{
  g_autoptr (GPtrArray) domains = list_domains (conn, 0);
  GArray *array;

  if (domains == NULL) {
    lv_fail (error, "cannot list the guests");
    return NULL;
  }
  array = new_array (domains->len);
  for (guint i = 0; i < domains->len; i++)
    add_seen (array, domains->pdata[i]);
  return array;
}

static GArray *
list (LvLink *link, virConnectPtr conn, guint groups, GError **error)
{
  GArray *array = NULL;

  if (!lv_link_lacks (link, LV_CALL_STATS)) {
    array = list_with_stats (link, conn, groups);
    if (array == NULL)
      lv_link_note (link, LV_CALL_STATS);
  }
  return array ? array : list_alone (conn, error);
}

/* The UUIDs of the guests that FLAGS filter; NULL if the driver cannot tell. */
static GHashTable *
list_set (LvLink *link, virConnectPtr conn, LvCall call, guint flags)
{
  g_autoptr (GPtrArray) domains = NULL;
  GHashTable *set;

  if (lv_link_lacks (link, call))
    return NULL;
  domains = list_domains (conn, flags);
  if (domains == NULL) {
    lv_link_note (link, call);
    return NULL;
  }
  set = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < domains->len; i++) {
    char uuid[VIR_UUID_STRING_BUFLEN] = "";

    virDomainGetUUIDString (domains->pdata[i], uuid);
    g_hash_table_add (set, g_strdup (uuid));
  }
  return set;
}

/* Completes what the list has told; guest by guest only where the driver has no such lists. */
static void
add_properties (LvLink *link, virConnectPtr conn, GArray *array)
{
  const LvCall call = LV_CALL_LISTS;
  g_autoptr (GHashTable) autostart
    = list_set (link, conn, call, VIR_CONNECT_LIST_DOMAINS_AUTOSTART);
  g_autoptr (GHashTable) transient
    = list_set (link, conn, call, VIR_CONNECT_LIST_DOMAINS_TRANSIENT);
  g_autoptr (GHashTable) saved = list_set (link, conn, call, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE);

  for (guint i = 0; i < array->len; i++) {
    Seen *seen = &g_array_index (array, Seen, i);

    if (!seen->has_facts || !autostart || !transient || !saved) {
      seen->has_facts = lv_domain_ask_facts (seen->domain, &seen->facts);
    } else {
      seen->facts.autostart = g_hash_table_contains (autostart, seen->uuid);
      seen->facts.persistent = !g_hash_table_contains (transient, seen->uuid);
      seen->facts.saved = g_hash_table_contains (saved, seen->uuid);
    }
  }
}

static void
add_snapshots (LvLink *link, virConnectPtr conn, GArray *array)
{
  g_autoptr (GHashTable) snapshots
    = list_set (link, conn, LV_CALL_SNAPSHOT_LISTS, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT);
  g_autoptr (GHashTable) checkpoints
    = list_set (link, conn, LV_CALL_SNAPSHOT_LISTS, VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT);

  for (guint i = 0; i < array->len; i++) {
    Seen *seen = &g_array_index (array, Seen, i);

    seen->snapshots_told = snapshots != NULL;
    seen->has_snapshots = !snapshots || g_hash_table_contains (snapshots, seen->uuid)
                          || (checkpoints && g_hash_table_contains (checkpoints, seen->uuid));
  }
}

/* Snapshots take a call each, so nobody waits for them when a host is seen first. */
static void
leave_snapshots (LvLink *link, const Seen *seen, VirfsVmInfo *info)
{
  g_autoptr (VirfsVmInfo) known = lv_gate_known_vm (link, seen->uuid);

  if (!seen->has_snapshots) {
    lv_snapshots_tell_none (known, info);
    return;
  }
  if (link->unread == NULL)
    link->unread = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (link->unread, g_strdup (seen->uuid));
}

void
lv_fleet_read_snapshots (LvLink *link, virConnectPtr conn)
{
  g_autoptr (GHashTable) unread = g_steal_pointer (&link->unread);
  GHashTableIter iter;
  gpointer uuid;

  if (unread == NULL)
    return;
  g_hash_table_iter_init (&iter, unread);
  while (!g_atomic_int_get (&link->dead) && g_hash_table_iter_next (&iter, &uuid, NULL)) {
    g_autoptr (virDomain) domain = LV (virDomainLookupByUUIDString (conn, uuid));

    if (domain != NULL)
      lv_snapshots_refresh (link, domain);
  }
}

static void
keep_measures (LvLink *link, VirfsVmInfo *info)
{
  g_autoptr (VirfsVmInfo) known = lv_gate_known_vm (link, info->uuid);

  if (known != NULL)
    lv_measure_keep (known, info);
}

gboolean
lv_fleet_sync (LvLink *link, virConnectPtr conn, GError **error)
{
  g_autoptr (GArray) array = list (link, conn, VIR_DOMAIN_STATS_STATE, error);
  GPtrArray *infos;

  if (array == NULL)
    return FALSE;
  add_properties (link, conn, array);
  add_snapshots (link, conn, array);
  infos = g_ptr_array_new ();
  for (guint i = 0; i < array->len; i++) {
    Seen *seen = &g_array_index (array, Seen, i);
    VirfsVmInfo *info = lv_domain_read (link, seen->domain, &seen->facts);

    if (info == NULL)
      continue;
    keep_measures (link, info);
    leave_snapshots (link, seen, info);
    g_ptr_array_add (infos, info);
  }
  if (LV (virConnectIsAlive (conn)) == 0) {
    g_ptr_array_set_free_func (infos, (GDestroyNotify) virfs_vm_info_unref);
    g_ptr_array_unref (infos);
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "the connection broke");
    return FALSE;
  }
  lv_gate_tell_all (link, infos);
  g_clear_pointer (&array, g_array_unref);
  /* all the XML has come and gone */
  malloc_trim (0);
  return TRUE;
}

/* Polling. */

static void
take_numbers (VirfsVmInfo *info, gpointer data)
{
  const Seen *seen = data;

  info->autostart = seen->facts.autostart;
  if (seen->vcpus != 0)
    info->vcpus = seen->vcpus;
  if (seen->memory != 0)
    info->memory = seen->memory;
}

static gboolean
numbers_differ (const VirfsVmInfo *known, const Seen *seen)
{
  return known->autostart != seen->facts.autostart
         || (seen->vcpus != 0 && known->vcpus != seen->vcpus)
         || (seen->memory != 0 && known->memory != seen->memory);
}

/* What changes the rest of the guest, too, and should have had an event. */
static gboolean
must_be_read (const VirfsVmInfo *known, const Seen *seen)
{
  return known == NULL || known->state != seen->facts.state
         || known->persistent != seen->facts.persistent || known->saved != seen->facts.saved;
}

static void
compare (LvLink *link, virConnectPtr conn, guint64 ticket, Seen *seen)
{
  g_autoptr (VirfsVmInfo) known = lv_gate_known_vm (link, seen->uuid);

  if (!seen->has_facts || must_be_read (known, seen))
    lv_domain_refresh (link, conn, seen->uuid, 0);
  else if (numbers_differ (known, seen))
    lv_gate_edit_vm (link, ticket, seen->uuid, take_numbers, seen);
  if (known != NULL && seen->snapshots_told && seen->has_snapshots != lv_snapshots_known (known))
    lv_snapshots_refresh (link, seen->domain);
}

/* Of those that have any, where the last poll has left off. */
static void
check_snapshots (LvLink *link, GArray *array)
{
  guint left = POLLED_SNAPSHOTS;

  for (guint i = 0; i < array->len && left > 0; i++, link->snapshot_cursor++) {
    Seen *seen = &g_array_index (array, Seen, link->snapshot_cursor % array->len);

    if (seen->has_snapshots)
      left -= MIN (left, 1 + lv_snapshots_refresh (link, seen->domain));
  }
}

static void
note_missing (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  gpointer *sets = data;

  if (!g_hash_table_contains (sets[0], info->uuid))
    g_ptr_array_add (sets[1], g_strdup (info->uuid));
}

/* Guests that are known and were not in the list. */
static void
refresh_missing (LvLink *link, virConnectPtr conn, GArray *array)
{
  g_autoptr (GHashTable) present = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) missing = g_ptr_array_new_with_free_func (g_free);
  gpointer sets[] = { present, missing };
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  for (guint i = 0; i < array->len; i++)
    g_hash_table_add (present, g_array_index (array, Seen, i).uuid);
  virfs_infra_foreach_vm (host->object.infra, host, note_missing, sets);
  lv_gate_leave (link->connection);
  for (guint i = 0; i < missing->len; i++)
    lv_domain_refresh (link, conn, missing->pdata[i], 0);
}

/* Of the guests whose turn it is. */
static void
measure_disks (LvLink *link, GArray *array)
{
  g_autoptr (GPtrArray) domains = g_ptr_array_new ();

  for (guint i = 0; i < MIN (array->len, POLLED_DISKS); i++, link->disk_cursor++)
    g_ptr_array_add (domains, g_array_index (array, Seen, link->disk_cursor % array->len).domain);
  lv_measure_disks (link, domains, FALSE);
}

gboolean
lv_fleet_poll (LvLink *link, virConnectPtr conn, guint *cursor, GError **error)
{
  guint64 ticket = lv_gate_begin_reading (link);
  g_autoptr (GArray) array = list (
    link, conn, VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU, error);

  if (array != NULL) {
    add_properties (link, conn, array);
    add_snapshots (link, conn, array);
    for (guint i = 0; i < array->len; i++)
      compare (link, conn, ticket, &g_array_index (array, Seen, i));
    refresh_missing (link, conn, array);
    check_snapshots (link, array);
    for (guint i = 0; i < MIN (array->len, POLLED_XML); i++, ++*cursor)
      lv_domain_check (link, conn, g_array_index (array, Seen, *cursor % array->len).domain);
    measure_disks (link, array);
  }
  lv_gate_end_reading (link);
  return array != NULL;
}
