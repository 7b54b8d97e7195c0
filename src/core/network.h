/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks of a host; see libvirt's formatnetwork for the words.  What is a list is a text, one item a
 * line; the functions below read what users write, and tell of it as it is kept.
 */
#pragma once

#include "part.h"

typedef struct {
  VirfsPartInfo part;
  GRefString *uuid;
  gboolean active;
  gboolean autostart;
  gboolean persistent;
  const char *forward; /* isolated, nat, route, open, bridge, macvtap, private, vepa, passthrough,
                             hostdev */
  GRefString *dev;     /* the host's interfaces that it goes out by, with spaces; NULL: any */
  GRefString *bridge;  /* of the host; NULL: none */
  GRefString *domain;  /* of names; NULL: none, as of all texts here */
  guint64 mtu;         /* bytes; 0: the hypervisor's choice */
  GRefString *address; /* the host's in it: ADDRESS/PREFIX */
  GRefString *dhcp;    /* FIRST LAST */
  GRefString *hosts;   /* MAC IP [NAME]; in IPv6 a DUID for the MAC; `-` for none of it */
  GRefString *dns;     /* IP NAME... */
  GRefString *vlan;    /* tags with spaces between them, all on one line */
  GRefString *portgroups; /* NAME [TAG...] [default] */
  guint64 rx_max,
    rx_peak; /* bytes a second that its guests get, and send, altogether; 0: no limit */
  guint64 tx_max, tx_peak;
  guint64 rx_burst, tx_burst; /* bytes that may come at the peak's speed */
  GRefString *leases;         /* EXPIRY MAC IP NAME */
  VirfsBlob *xml;
  VirfsBlob *definition; /* as it will start next; NULL: it is not persistent */
} VirfsNetworkInfo;

/* What can be done to a network. */
typedef enum {
  VIRFS_NETWORK_DEFINE, /* makes an inactive network of a draft */
  VIRFS_NETWORK_START,  /* of a draft too, which it defines */
  VIRFS_NETWORK_STOP,
  VIRFS_NETWORK_UNDEFINE,
  VIRFS_NETWORK_N_VERBS,
} VirfsNetworkVerb;

extern const VirfsPartClass virfs_network_class; /* of hosts */

/* Whether the member at that offset can be changed while the network is active. */
gboolean virfs_network_is_live (gsize member);
/* Whether all of it goes together; INVALID with what does not, or is missing. */
gboolean virfs_network_check (const VirfsNetworkInfo *network, GError **error);
gboolean virfs_network_check_forward (const char *forward, GError **error);

/* The member at that offset (one of the texts above) as it is to be kept, of what somebody has written:
 * one space between words, no empty lines.  The caller owns it, "" for nothing; NULL: INVALID. */
char *virfs_network_parse (gsize member, const char *text, GError **error);

/* Which line of ADDRESSES has a subnet with IP in it; -1: none. */
int virfs_network_subnet (const char *addresses, const char *ip);
