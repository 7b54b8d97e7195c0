/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks and pools of the fleet: defined once, for all hosts or for some.
 *
 * A definition makes a host have what it defines where the host has nothing of that name and has not had it under
 * this definition: when it is defined, when a host joins, and when one comes back empty (profile.h).  All else
 * that differs is drift, which is told and stays until somebody has it repaired; so what was removed from a
 * host on purpose, or is there under that name for another reason, is not overridden by itself.
 *
 * What hosts have and nobody has defined is seen here, too.
 *
 * One thread of its own does all of it in turn (fleet_private.h); the functions below only ask it.
 */
#pragma once

#include "infra.h"

#define VIRFS_FLEET_DRAFT   "draft" /* nobody has defined it yet */
#define VIRFS_FLEET_SEEN    "seen"  /* hosts have it, the fleet does not define it */
#define VIRFS_FLEET_DEFINED "defined"

typedef struct {
  const char *state;   /* one of the above */
  GRefString *wanted;  /* names of hosts, with spaces; NULL: all */
  GRefString *present; /* HOST STATE, one a line: who has it */
  GRefString *drift;   /* HOST and what differs, one a line; NULL: nothing */
} VirfsFleetFacts;

/* They begin as what hosts have, so that both are shown alike. */
typedef struct {
  VirfsNetworkInfo network;
  VirfsFleetFacts fleet;
} VirfsFleetNetworkInfo;

typedef struct {
  VirfsPoolInfo pool;
  VirfsFleetFacts fleet;
} VirfsFleetPoolInfo;

extern const VirfsPartClass virfs_fleet_network_class; /* of the fleet itself */
extern const VirfsPartClass virfs_fleet_pool_class;

/* NETWORK or POOL. */
VirfsDefined virfs_fleet_kind (const VirfsPartClass *class);
const VirfsFleetFacts *virfs_fleet_facts (gconstpointer info);
VirfsBlob *virfs_fleet_xml (gconstpointer info);

/* What there is of them, sorted, of the infos above; the caller owns the reference, NULL: none. */
GPtrArray *virfs_infra_fleet (VirfsInfra *infra, const VirfsPartClass *class);

/* The guests that use the network or pool NAME (of VirfsVm*, references), and whether VM does. */
GPtrArray *virfs_fleet_users (VirfsInfra *infra, const VirfsPartClass *class, const char *name);
gboolean virfs_fleet_is_user (VirfsVm *vm, const VirfsPartClass *class, const char *name);

/* Begins; before there are hosts. */
void virfs_infra_start_fleet (VirfsInfra *infra);

/* The host of that NAME is there no more: what was kept of it goes. */
void virfs_fleet_forget_host (VirfsInfra *infra, const char *name);

/* Called once, in any thread, with what has come of it; ERROR is borrowed. */
typedef void (*VirfsFleetDone) (const GError *error, gpointer data);

/* What somebody wants of the network or pool NAME. */
typedef struct {
  const VirfsPartClass *class;
  const char *name;
  const char *text; /* see below */
  gsize member;
  guint64 number;
  guint uid;
  VirfsFleetDone done;
  gpointer data;
} VirfsFleetWish;

/* A draft; EXISTS. */
void virfs_fleet_make (VirfsInfra *infra, const VirfsFleetWish *wish);
/* Takes it from the hosts and from the fleet: BUSY while a guest uses it, HOST_DOWN. */
void virfs_fleet_remove (VirfsInfra *infra, const VirfsFleetWish *wish);
/* By the XML text, or if that is NULL by what a draft says; INVALID.  It ends when the hosts have it. */
void virfs_fleet_define (VirfsInfra *infra, const VirfsFleetWish *wish);
/* By what the host TEXT has ("": the first that has it). */
void virfs_fleet_adopt (VirfsInfra *infra, const VirfsFleetWish *wish);
/* The fleet defines it no more; hosts keep it. */
void virfs_fleet_forget (VirfsInfra *infra, const VirfsFleetWish *wish);
/* Makes the host TEXT ("": all) have it as it is defined. */
void virfs_fleet_repair (VirfsInfra *infra, const VirfsFleetWish *wish);
/* Sets MEMBER (an offset) to the text or NUMBER. */
void virfs_fleet_set (VirfsInfra *infra, const VirfsFleetWish *wish);
/* Names of hosts with spaces; "": all. */
void virfs_fleet_set_hosts (VirfsInfra *infra, const VirfsFleetWish *wish);
