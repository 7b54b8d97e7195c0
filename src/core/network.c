/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of networks, and what they must say. */
#include "network.h"

#include "error.h"

#include <string.h>

#define NETWORK(member, type, field) VIRFS_MEMBER (VirfsNetworkInfo, member, type, field)
#define MEMBER(member)               G_STRUCT_OFFSET (VirfsNetworkInfo, member)

static const VirfsMember members[] = {
  NETWORK (uuid, TEXT, CONFIG),       NETWORK (active, BOOL, STATE),
  NETWORK (autostart, BOOL, CONFIG),  NETWORK (persistent, BOOL, CONFIG),
  NETWORK (forward, WORD, CONFIG),    NETWORK (dev, TEXT, CONFIG),
  NETWORK (bridge, TEXT, CONFIG),     NETWORK (domain, TEXT, CONFIG),
  NETWORK (mtu, NUMBER, CONFIG),      NETWORK (address, TEXT, CONFIG),
  NETWORK (dhcp, TEXT, CONFIG),       NETWORK (hosts, TEXT, CONFIG),
  NETWORK (dns, TEXT, CONFIG),        NETWORK (vlan, TEXT, CONFIG),
  NETWORK (portgroups, TEXT, CONFIG), NETWORK (rx_max, NUMBER, CONFIG),
  NETWORK (rx_peak, NUMBER, CONFIG),  NETWORK (rx_burst, NUMBER, CONFIG),
  NETWORK (tx_max, NUMBER, CONFIG),   NETWORK (tx_peak, NUMBER, CONFIG),
  NETWORK (tx_burst, NUMBER, CONFIG), NETWORK (leases, TEXT, USE),
  NETWORK (xml, BLOB, XML),           NETWORK (definition, BLOB, XML),
};

const VirfsPartClass virfs_network_class = {
  .kind = VIRFS_KIND_NETWORK,
  .directory = "networks",
  .size = sizeof (VirfsNetworkInfo),
  .members = members,
  .n_members = G_N_ELEMENTS (members),
};

gboolean
virfs_network_is_live (gsize member)
{
  return member == MEMBER (autostart) || member == MEMBER (dhcp) || member == MEMBER (hosts)
         || member == MEMBER (dns) || member == MEMBER (portgroups);
}

/* Kinds of networks, and what each needs. */
static const struct {
  const char *forward;
  gboolean address, bridge, dev;
} kinds[] = {
  { "isolated", FALSE, FALSE, FALSE },   { "nat", TRUE, FALSE, FALSE },
  { "route", TRUE, FALSE, FALSE },       { "open", TRUE, FALSE, FALSE },
  { "bridge", FALSE, TRUE, FALSE },      { "macvtap", FALSE, FALSE, TRUE },
  { "private", FALSE, FALSE, TRUE },     { "vepa", FALSE, FALSE, TRUE },
  { "passthrough", FALSE, FALSE, TRUE }, { "hostdev", FALSE, FALSE, TRUE },
};

/* G_N_ELEMENTS (kinds) for none. */
static guint
find_kind (const char *forward)
{
  guint i = 0;

  while (i < G_N_ELEMENTS (kinds) && g_strcmp0 (kinds[i].forward, forward) != 0)
    i++;
  return i;
}

gboolean
virfs_network_check_forward (const char *forward, GError **error)
{
  if (find_kind (forward) < G_N_ELEMENTS (kinds))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "a network cannot be \"%s\"; write isolated, nat, route, open, bridge, macvtap,"
               " private, vepa, passthrough or hostdev",
               forward);
  return FALSE;
}

static gboolean
check_kind (const VirfsNetworkInfo *network, GError **error)
{
  guint i = find_kind (network->forward);
  const char *missing = NULL;

  if (i == G_N_ELEMENTS (kinds)) /* of a newer libvirt */
    return TRUE;
  if (kinds[i].address && network->address == NULL)
    missing = "an address, as in 192.168.150.1/24";
  else if (kinds[i].bridge && network->bridge == NULL)
    missing = "a bridge of the host, as in br0";
  else if (kinds[i].dev && network->dev == NULL)
    missing = "a dev, an interface of the host, as in eth0";
  if (missing == NULL)
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "a network that is %s needs %s: write that there first", network->forward, missing);
  return FALSE;
}

/* WORD of each line of TEXT is an address in one of the subnets. */
static gboolean
check_places (const VirfsNetworkInfo *network, const char *text, guint word, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (text ? text : "", "\n", -1);

  for (char **line = lines; *line && **line; line++) {
    g_auto (GStrv) words = g_strsplit (*line, " ", -1);

    if (strcmp (words[word], "-") == 0 || virfs_network_subnet (network->address, words[word]) >= 0)
      continue;
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
                 "%s is in no subnet of the network: its addresses are %s", words[word],
                 network->address ? network->address : "not set");
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_rate (const char *way, guint64 max, guint64 peak, guint64 burst, GError **error)
{
  if (max != 0 || (peak == 0 && burst == 0))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "a peak and a burst go with a limit: write %s_max first, and 0 to it last", way);
  return FALSE;
}

/* Whether a line of PORTGROUPS has the tag of a VLAN. */
static gboolean
has_tags (const char *portgroups)
{
  g_auto (GStrv) lines = g_strsplit (portgroups ? portgroups : "", "\n", -1);

  for (char **line = lines; *line; line++) {
    const char *second = strchr (*line, ' ');

    if (second != NULL && g_ascii_isdigit (second[1]))
      return TRUE;
  }
  return FALSE;
}

/* libvirt would take them into an active network, and its definition for broken then. */
static gboolean
check_tags (const VirfsNetworkInfo *network, GError **error)
{
  static const char *const tagged[] = { "bridge", "passthrough", "hostdev", NULL };

  if (network->forward == NULL || g_strv_contains (tagged, network->forward)
      || (network->vlan == NULL && !has_tags (network->portgroups)))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID,
               "a network that is %s has no VLANs: those that are bridge (of Open vSwitch),"
               " passthrough or hostdev have",
               network->forward);
  return FALSE;
}

gboolean
virfs_network_check (const VirfsNetworkInfo *network, GError **error)
{
  return check_kind (network, error) && check_places (network, network->dhcp, 0, error)
         && check_places (network, network->dhcp, 1, error)
         && check_places (network, network->hosts, 1, error) && check_tags (network, error)
         && check_rate ("rx", network->rx_max, network->rx_peak, network->rx_burst, error)
         && check_rate ("tx", network->tx_max, network->tx_peak, network->tx_burst, error);
}
