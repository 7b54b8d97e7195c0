/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a sample.  A host that hangs keeps its own thread, until its connection breaks. */
#include "stats.h"

#include "connection.h"
#include "fail.h"
#include "gate.h"
#include "seat.h"

/* A guest that is busy tells less, instead of letting all wait for it. */
#define GROUPS                                                                                     \
  (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON                  \
   | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK)

/* Whether the driver has told of a guest that runs no more than its state. */
static gboolean
is_bare (const VirfsSample *sample)
{
  return sample->epoch != 0 && sample->values[VIRFS_VM_METRIC_CPU_TIME] == VIRFS_ABSENT
         && sample->values[VIRFS_VM_METRIC_MEMORY_CURRENT] == VIRFS_ABSENT;
}

/* The guest of DOMAIN, with what is known of it; NULL if nothing is, or if it is on its way here. */
static VirfsVm *
guest_of (LvLink *link, virDomainPtr domain, VirfsVmInfo **info)
{
  VirfsHost *host = lv_gate_enter (link->connection);
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  g_autoptr (VirfsVm) vm = NULL;
  gboolean here = FALSE;

  if (host == NULL)
    return NULL;
  virDomainGetUUIDString (domain, uuid);
  vm = virfs_infra_vm_on_host (host->object.infra, host, uuid);
  if (vm != NULL) {
    *info = virfs_vm_info (vm);
    here = (*info)->host == host;
  }
  lv_gate_leave (link->connection);
  return here ? g_steal_pointer (&vm) : NULL;
}

/* RECORD may be NULL: there is only DOMAIN. */
static void
add_guest (LvLink *link, GPtrArray *samples, virDomainPtr domain, virDomainStatsRecordPtr record)
{
  g_autoptr (VirfsVmInfo) info = NULL;
  g_autoptr (VirfsVm) vm = guest_of (link, domain, &info);
  virDomainStatsRecord empty = { .dom = domain };
  VirfsSample *sample;

  if (vm == NULL)
    return;
  sample = lv_stats_read (record ? record : &empty, info->host, vm, info);
  if (is_bare (sample))
    lv_stats_ask (domain, info, sample);
  g_ptr_array_add (samples, sample);
}

static void
ask_together (LvLink *link, virConnectPtr conn, GPtrArray *samples)
{
  g_autoptr (virDomainStatsRecordPtr) records = NULL;
  int n;

  if (lv_link_lacks (link, LV_CALL_STATS))
    return;
  n = lv_stats_all (link, conn, GROUPS, &records);
  if (n < 0)
    lv_link_note (link, LV_CALL_STATS);
  for (int i = 0; i < n; i++)
    add_guest (link, samples, records[i]->dom, records[i]);
}

static void
ask_one_by_one (LvLink *link, virConnectPtr conn, GPtrArray *samples)
{
  virDomainPtr *items = NULL;
  int n = LV (virConnectListAllDomains (conn, &items, 0));
  g_autoptr (GPtrArray) domains = lv_take_domains (items, n);

  for (guint i = 0; domains && i < domains->len; i++)
    add_guest (link, samples, domains->pdata[i], NULL);
}

static void
tell (LvLink *link, VirfsSample *of_host, GPtrArray *guests)
{
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host != NULL) {
    virfs_metrics_tell (virfs_infra_metrics (host->object.infra), host, of_host, guests);
    lv_gate_leave (link->connection);
  } else {
    virfs_sample_unref (of_host);
    g_ptr_array_unref (guests);
  }
}

static void
take_sample (gpointer data, gpointer unused)
{
  g_autoptr (LvLink) link = data;
  GPtrArray *guests = g_ptr_array_new_with_free_func ((GDestroyNotify) virfs_sample_unref);
  VirfsSample *of_host = NULL;
  LvSeat seat = { 0 };

  if (lv_link_is_alive (link) && lv_seat_take (&seat, link, NULL)) {
    ask_together (link, seat.conn, guests);
    if (lv_link_lacks (link, LV_CALL_STATS))
      ask_one_by_one (link, seat.conn, guests);
    of_host = lv_stats_node (link, seat.conn);
    lv_seat_leave (&seat);
  }
  g_atomic_int_set (&link->sampling, FALSE);
  tell (link, of_host, guests);
}

void
lv_host_sample (VirfsHost *host)
{
  static GThreadPool *threads;
  static gsize once;
  g_autoptr (LvLink) link = lv_host_link (host, NULL);

  if (g_once_init_enter (&once)) {
    threads = g_thread_pool_new (take_sample, NULL, -1, FALSE, NULL);
    g_once_init_leave (&once, 1);
  }
  if (link == NULL)
    virfs_metrics_tell (virfs_infra_metrics (host->object.infra), host, NULL, NULL);
  else if (g_atomic_int_compare_and_exchange (&link->sampling, FALSE, TRUE))
    g_thread_pool_push (threads, lv_link_ref (link), NULL);
}
