/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which addresses NICs have.  The leases of a network tell of all its guests in one call; for who has
 * none there is what its agent has said (agent.h), or the host's ARP table.
 */
#include "connection.h"
#include "device.h"
#include "fail.h"
#include "gate.h"
#include "measure.h"
#include "xml_snapshot.h"

#include <stdlib.h>
#include <string.h>

/* Guests that are asked at one poll. */
#define ASKED 20

/* MAC address in lower case -> addresses, one a line. */
static GHashTable *
new_table (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static gboolean
has_line (const char *lines, const char *line)
{
  g_auto (GStrv) each = g_strsplit (lines, "\n", -1);

  return g_strv_contains ((const char *const *) each, line);
}

static void
add_address (GHashTable *table, const char *mac, const char *address)
{
  g_autofree char *key = mac ? g_ascii_strdown (mac, -1) : NULL;
  const char *before = key ? g_hash_table_lookup (table, key) : NULL;
  static const char letters[] = G_CSET_DIGITS "abcdefABCDEF.:";

  /* an agent may say anything */
  if (key == NULL || address == NULL || *address == '\0' || strlen (address) > 45
      || address[strspn (address, letters)] != '\0' || (before && has_line (before, address)))
    return;
  g_hash_table_insert (table, g_strdup (key),
                       before ? g_strconcat (before, "\n", address, NULL) : g_strdup (address));
}

/* Leases. */

static void
add_leases (virConnectPtr conn, const char *name, GHashTable *table)
{
  virNetworkPtr network = LV (virNetworkLookupByName (conn, name));
  virNetworkDHCPLeasePtr *leases = NULL;
  int n = network ? LV (virNetworkGetDHCPLeases (network, NULL, &leases, 0)) : 0;

  for (int i = 0; i < n; i++) {
    add_address (table, leases[i]->mac, leases[i]->ipaddr);
    virNetworkDHCPLeaseFree (leases[i]);
  }
  free (leases);
  if (network != NULL)
    virNetworkFree (network);
}

static GHashTable *
read_leases (LvLink *link, virConnectPtr conn)
{
  g_autoptr (VirfsHostInfo) host = lv_gate_copy_host (link->connection);
  GHashTable *table = new_table ();

  for (guint i = 0; host && host->networks && i < host->networks->len; i++)
    add_leases (conn, host->networks->pdata[i], table);
  return table;
}

/* One guest. */

static void
ask (virDomainPtr domain, guint source, GHashTable *table)
{
  virDomainInterfacePtr *interfaces = NULL;
  int n = LV (virDomainInterfaceAddresses (domain, &interfaces, source, 0));

  for (int i = 0; i < n; i++) {
    for (guint j = 0; j < interfaces[i]->naddrs; j++)
      add_address (table, interfaces[i]->hwaddr, interfaces[i]->addrs[j].addr);
    virDomainInterfaceFree (interfaces[i]);
  }
  free (interfaces);
}

/* Lines as in VirfsAgentInfo. */
static void
add_said (GHashTable *table, const char *lines)
{
  g_auto (GStrv) each = g_strsplit (lines ? lines : "", "\n", -1);

  for (char **line = each; *line; line++) {
    g_auto (GStrv) words = g_strsplit (*line, " ", 3);

    if (g_strv_length (words) == 3) {
      words[2][strcspn (words[2], "/")] = '\0';
      add_address (table, words[1], words[2]);
    }
  }
}

/* libvirt's test driver dies of a guest in a network that has no addresses (testDomainInterfaceAddresses,
 * libvirt 9.0). */
static gboolean
can_be_asked (virConnectPtr conn)
{
  return g_strcmp0 (LV (virConnectGetType (conn)), "TEST") != 0;
}

static GHashTable *
ask_guest (virConnectPtr conn, const VirfsVmInfo *info)
{
  g_autoptr (virDomain) domain = LV (virDomainLookupByUUIDString (conn, info->uuid));
  GHashTable *table = new_table ();

  if (domain == NULL || !can_be_asked (conn))
    return table;
  ask (domain, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, table);
  if (info->agent_info != NULL)
    add_said (table, info->agent_info->addresses);
  else
    ask (domain, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP, table);
  return table;
}

/* Telling. */

static const char *
found (const VirfsNicInfo *nic, GHashTable *table)
{
  g_autofree char *mac = nic->mac && nic->live ? g_ascii_strdown (nic->mac, -1) : NULL;

  return mac ? g_hash_table_lookup (table, mac) : NULL;
}

static void
take_addresses (VirfsVmInfo *info, gpointer data)
{
  GPtrArray *nics = info->parts[VIRFS_VM_NICS], *list = virfs_part_list_new ();

  for (guint i = 0; nics && i < nics->len; i++) {
    VirfsNicInfo *copy = virfs_part_info_copy (nics->pdata[i]);

    virfs_ref_string_set (&copy->addresses, found (copy, data));
    g_ptr_array_add (list, copy);
  }
  virfs_part_lists_set (info->parts, VIRFS_VM_NICS, list);
}

static gboolean
any_differs (GPtrArray *nics, GHashTable *table)
{
  for (guint i = 0; nics && i < nics->len; i++) {
    const VirfsNicInfo *nic = nics->pdata[i];

    if (g_strcmp0 (nic->addresses, found (nic, table)) != 0)
      return TRUE;
  }
  return FALSE;
}

/* The ticket is drawn after the asking: no definition tells this, so nobody knows better. */
static void
tell (LvLink *link, const char *uuid, GHashTable *table)
{
  guint64 ticket = lv_gate_begin_reading (link);
  g_autoptr (VirfsVmInfo) info = lv_gate_known_vm (link, uuid);

  if (info != NULL && any_differs (info->parts[VIRFS_VM_NICS], table))
    lv_gate_edit_vm (link, ticket, uuid, take_addresses, table);
  lv_gate_end_reading (link);
}

/* All guests. */

/* Running guests: those of which the leases say all, and the others. */
typedef struct {
  GHashTable *leases;
  GPtrArray *told, *others; /* of char*: UUIDs */
} Guests;

static void
sort_guest (VirfsVm *vm, const VirfsVmInfo *info, gpointer data)
{
  Guests *guests = data;
  GPtrArray *nics = info->parts[VIRFS_VM_NICS];
  guint told = 0, live = 0;

  for (guint i = 0; nics && i < nics->len; i++) {
    told += found (nics->pdata[i], guests->leases) != NULL;
    live += ((VirfsNicInfo *) nics->pdata[i])->live;
  }
  if (live > 0)
    g_ptr_array_add (told == live ? guests->told : guests->others, g_strdup (info->uuid));
}

static void
sort_guests (LvLink *link, Guests *guests)
{
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_infra_foreach_vm (host->object.infra, host, sort_guest, guests);
  lv_gate_leave (link->connection);
}

static void
ask_and_tell (LvLink *link, virConnectPtr conn, const char *uuid)
{
  g_autoptr (VirfsVmInfo) info = lv_gate_known_vm (link, uuid);
  g_autoptr (GHashTable) answers = info ? ask_guest (conn, info) : NULL;

  if (answers != NULL)
    tell (link, uuid, answers);
}

void
lv_measure_addresses (LvLink *link, virConnectPtr conn, guint *cursor)
{
  g_autoptr (GHashTable) leases = read_leases (link, conn);
  g_autoptr (GPtrArray) told = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) others = g_ptr_array_new_with_free_func (g_free);
  Guests guests = { leases, told, others };

  sort_guests (link, &guests);
  for (guint i = 0; i < told->len; i++)
    tell (link, told->pdata[i], leases);
  for (guint i = 0; i < MIN (others->len, ASKED); i++, ++*cursor)
    ask_and_tell (link, conn, others->pdata[*cursor % others->len]);
}
