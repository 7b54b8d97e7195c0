/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network interfaces of a host: its cards, and the bonds and bridges that are made of them.  Those that
 * the hypervisor makes for guests are not among them: a NIC shows its own (device.h).
 */
#pragma once

#include "part.h"

/* Values of `state`. */
#define VIRFS_INTERFACE_UP       "up"
#define VIRFS_INTERFACE_DOWN     "down"
#define VIRFS_INTERFACE_DEGRADED "degraded" /* a bond that is up, one of whose slaves is not */

typedef struct {
  VirfsPartInfo part;
  const char *type;      /* ethernet, bridge, bond, vlan */
  const char *state;     /* one of the above */
  GRefString *mac;       /* NULL: not known, as of all texts here */
  guint64 speed;         /* bits a second; 0: not known */
  guint64 mtu;           /* bytes; 0: not known */
  const char *mode;      /* of a bond: how it uses its slaves, as in active-backup */
  GRefString *master;    /* the bond or bridge that it is in */
  GRefString *slaves;    /* of a bond or bridge: NAME STATE, one a line */
  GRefString *addresses; /* ADDRESS/PREFIX, one a line */
  VirfsBlob *xml;
} VirfsInterfaceInfo;

extern const VirfsPartClass virfs_interface_class; /* of hosts */

/* Whether it is none of the above: the hypervisor has made it for a guest, or it is the host's way to itself. */
gboolean virfs_interface_is_hidden (const char *name);
/* The names of its slaves; the caller owns them. */
char **virfs_interface_slaves (const VirfsInterfaceInfo *self);

/* Of a complete list (VirfsInterfaceInfo*, not published yet, sorted): who is in whom, and which bonds are
 * degraded. */
void virfs_interfaces_relate (GPtrArray *interfaces);

/* The slaves of a bond that are not up, as in `eth1, eth3`; the caller owns it, NULL: there are none. */
char *virfs_interface_failed (const VirfsInterfaceInfo *bond);
