/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bulk call for all guests of a host.
 *
 * When statistics of virtual CPUs are asked for, libvirtd since 8.9 asks QEMU once for what it can tell
 * (qemuDomainRefreshStatsSchema), and does so even if another operation has the guest and is talking to
 * the same monitor: the two take each other's answers, and libvirtd crashes.  Seen with 9.0 when guests are
 * backed up right after they were started.  Once that has been asked there is no danger.  So these come in
 * a call of their own, for guests that have been asked safely before: when they were there at the last look,
 * too, and nobody was at their monitor.
 */
#include "stats.h"

#include "fail.h"

#define FIRST_VERSION 8009000
#define NOWAIT        VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT

/* In LvLink.asked, which does not change any more: by the number that a guest has until it stops. */
enum { SEEN = 1, ASKED };

static gboolean
is_endangered (LvLink *link, virConnectPtr conn)
{
  unsigned long version = 0;

  return g_strcmp0 (link->type, "QEMU") == 0 && LV (virConnectGetLibVersion (conn, &version)) == 0
         && version >= FIRST_VERSION;
}

/* The copy keeps what TO has, if it cannot be enlarged. */
static void
append (virDomainStatsRecordPtr to, const virDomainStatsRecordPtr from)
{
  int room = to->nparams;

  for (int i = 0; i < from->nparams; i++) {
    virTypedParameterPtr param = &from->params[i];

    if (param->type == VIR_TYPED_PARAM_UINT)
      virTypedParamsAddUInt (&to->params, &to->nparams, &room, param->field, param->value.ui);
    else if (param->type == VIR_TYPED_PARAM_INT)
      virTypedParamsAddInt (&to->params, &to->nparams, &room, param->field, param->value.i);
    else if (param->type == VIR_TYPED_PARAM_ULLONG)
      virTypedParamsAddULLong (&to->params, &to->nparams, &room, param->field, param->value.ul);
  }
}

static gpointer
key_of (virDomainPtr domain)
{
  return GUINT_TO_POINTER (virDomainGetID (domain));
}

static gboolean
runs (virDomainPtr domain)
{
  return virDomainGetID (domain) != (unsigned int) -1;
}

/* Asks for those of DOMAINS (NULL at the end), and adds what there is to the RECORDS by number. */
static void
ask (GPtrArray *domains, GHashTable *records)
{
  g_autoptr (virDomainStatsRecordPtr) told = NULL;
  int n;

  g_ptr_array_add (domains, NULL);
  n = LV (
    virDomainListGetStats ((virDomainPtr *) domains->pdata, VIR_DOMAIN_STATS_VCPU, &told, NOWAIT));
  for (int i = 0; i < n; i++) {
    virDomainStatsRecordPtr record = g_hash_table_lookup (records, key_of (told[i]->dom));

    if (record != NULL)
      append (record, told[i]);
  }
}

static gboolean
ask_first (virDomainPtr domain, GHashTable *records)
{
  g_autoptr (GPtrArray) alone = g_ptr_array_new ();
  virDomainControlInfo info;

  if (LV (virDomainGetControlInfo (domain, &info, 0)) != 0 || info.state != VIR_DOMAIN_CONTROL_OK)
    return FALSE;
  g_ptr_array_add (alone, domain);
  ask (alone, records);
  return TRUE;
}

static void
add_cpus (LvLink *link, virDomainStatsRecordPtr *records, int n)
{
  g_autoptr (GHashTable) by_number = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) before = NULL;
  g_autoptr (GPtrArray) asked = g_ptr_array_new ();
  GHashTable *now = g_hash_table_new (NULL, NULL);

  g_mutex_lock (&link->lock);
  before = link->asked ? g_hash_table_ref (link->asked) : NULL;
  g_mutex_unlock (&link->lock);
  for (int i = 0; i < n; i++) {
    virDomainPtr domain = records[i]->dom;
    gpointer key = key_of (domain);
    guint state = before ? GPOINTER_TO_UINT (g_hash_table_lookup (before, key)) : 0;

    if (!runs (domain))
      continue;
    g_hash_table_insert (by_number, key, records[i]);
    if (state == ASKED)
      g_ptr_array_add (asked, domain);
    else if (state == SEEN && ask_first (domain, by_number))
      state = ASKED;
    g_hash_table_insert (now, key, GUINT_TO_POINTER (MAX (state, SEEN)));
  }
  if (asked->len > 0)
    ask (asked, by_number);
  g_mutex_lock (&link->lock);
  g_clear_pointer (&link->asked, g_hash_table_unref);
  link->asked = now;
  g_mutex_unlock (&link->lock);
}

int
lv_stats_all (LvLink *link, virConnectPtr conn, guint groups, virDomainStatsRecordPtr **records)
{
  gboolean apart = groups & VIR_DOMAIN_STATS_VCPU && is_endangered (link, conn);
  /* without NOWAIT a guest in a long job would block them all */
  int n = LV (virConnectGetAllDomainStats (
    conn, apart ? groups & ~(guint) VIR_DOMAIN_STATS_VCPU : groups, records, NOWAIT));

  if (apart && n > 0)
    add_cpus (link, *records, n);
  return n;
}
