/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the fleet's definitions.
 *
 *   fleet.c         the thread, and what wakes it
 *   fleet_task.c    what somebody wants, carried out in turn
 *   fleet_define.c  how it comes to be defined
 *   fleet_look.c    what hosts have: drift, and what is to be given to them
 *   fleet_differ.c  how one host differs
 *   fleet_apply.c   jobs that give it to them
 *   fleet_use.c     which guests use it
 *   fleet_record.c  what outlives the program
 *   fleet_class.c   what is known of a definition
 *   profile*.c      what hosts are to have back, see profile.h
 *
 * Entries, waits and profiles belong to the thread alone, as far as nothing else is said.  The lock may be taken under the
 * registry's; under it nothing is called.
 */
#pragma once

#include "fleetwide.h"
#include "registry.h"
#include "use.h"

typedef struct VirfsFleet VirfsFleet;
typedef struct VirfsFleetTask VirfsFleetTask;

/* Somebody waits until so many jobs have ended. */
typedef struct {
  guint left;
  guint uid;
  GError *error; /* the first */
  VirfsFleetDone done;
  gpointer data;
} VirfsFleetWait;

typedef struct {
  VirfsDefined kind;
  GRefString *name;
  VirfsPartInfo *info;  /* what is defined or drafted, without `present` and `drift`; immutable */
  VirfsBlob *made;      /* what hosts make of its XML; NULL: not known yet */
  GHashTable *own;      /* name of a host -> VirfsBlob*: what it makes of it if that is something else */
  GHashTable *applied;  /* set of names: hosts that have or had it under this definition */
  GHashTable *failed;   /* name of a host -> why it could not be given it */
  GHashTable *pending;  /* set of names: a job for that host runs */
  GHashTable *looks;    /* name of a host -> VirfsFleetLook* */
  gboolean removing;    /* jobs take it from hosts; then it goes */
  char *repair;         /* the host that is to be repaired at the next look, "": all; NULL: none */
  VirfsFleetWait *wait; /* for the jobs that the next look begins; NULL: nobody */
} VirfsFleetEntry;

/* How a host was when it was looked at, and what differed. */
typedef struct {
  VirfsBlob *wanted, *definition, *live;
  char *differ, *running; /* NULL: nothing */
} VirfsFleetLook;

/* Sets of names of hosts: those that have come up, of whose guests or parts something is new, that are there no
 * more, or others, and that are to be empty. */
typedef struct {
  GHashTable *arrived, *altered, *departed, *accepted;
} VirfsProfileNews;

/* A job for one host. */
typedef struct {
  VirfsFleet *self;
  VirfsDefined kind;
  char *name, *host;
  VirfsFleetWait *wait; /* NULL: nobody waits */
  GError *error;        /* what has come of it */
} VirfsFleetApply;

struct VirfsFleet {
  VirfsInfra *infra;
  GThread *thread;
  GPtrArray *entries;   /* of VirfsFleetEntry* */
  GHashTable *profiles; /* name of a host -> GPtrArray of VirfsDefinition*, sorted */
  GHashTable *emptied;  /* set of names: hosts that have come back empty */
  GHashTable *suspects; /* set of names: hosts that seem to, as far as they have been read */
  GMutex lock;
  GCond wake;
  /* under the lock */
  GQueue tasks; /* of VirfsFleetTask* */
  GQueue ended; /* of VirfsFleetApply* */
  VirfsProfileNews news;
  gint64 due;     /* monotonic time at which what has altered is to be looked at; 0: nothing has */
  gboolean poked; /* something of networks, pools or hosts is new */
  gboolean running, draining, stopping;
};

VirfsFleet *virfs_fleet_new (VirfsInfra *infra);
/* No more jobs are begun. */
void virfs_fleet_drain (VirfsFleet *self);
/* After those that were have ended. */
void virfs_fleet_stop (VirfsFleet *self);
void virfs_fleet_free (VirfsFleet *self);

/* fleet_task.c */
void virfs_fleet_task_run (VirfsFleet *self, VirfsFleetTask *task);
void virfs_fleet_task_refuse (VirfsFleetTask *task);

/* Entries (fleet_class.c); INFO is taken. */
VirfsFleetEntry *virfs_fleet_entry_new (VirfsFleet *self, VirfsDefined kind, const char *name,
                                        gpointer info);
void virfs_fleet_entry_free (gpointer entry);
VirfsFleetEntry *virfs_fleet_entry_find (VirfsFleet *self, VirfsDefined kind, const char *name);
gboolean virfs_fleet_entry_is_defined (const VirfsFleetEntry *entry);
/* Whether HOST is to have it. */
gboolean virfs_fleet_entry_wants (const VirfsFleetEntry *entry, const char *host);
const VirfsPartClass *virfs_fleet_class (VirfsDefined kind);
VirfsFleetFacts *virfs_fleet_facts_of (gpointer info);
/* Makes what INFO (of the fleet) says what XML says; FALSE: broken. */
gboolean virfs_fleet_info_take (VirfsInfra *infra, gpointer info, const char *xml);
/* What a host has of that name: VirfsNetworkInfo or VirfsPoolInfo, borrowed; NULL: nothing. */
gpointer virfs_fleet_part_of (const VirfsHostInfo *host, VirfsDefined kind, const char *name);
GPtrArray *virfs_fleet_parts_of (const VirfsHostInfo *host, VirfsDefined kind);
gboolean virfs_fleet_part_is_active (VirfsDefined kind, gconstpointer part);

/* fleet_differ.c: HOST has just been given it: what it has is what hosts make of that. */
void virfs_fleet_learn (VirfsFleet *self, VirfsFleetEntry *entry, const char *host);
/* One line of DRIFT for each thing in which HOST differs. */
void virfs_fleet_differ (VirfsFleet *self, VirfsFleetEntry *entry, VirfsHost *host,
                         const VirfsHostInfo *info, GString *drift);
void virfs_fleet_look_free (gpointer look);

/* fleet_look.c */
void virfs_fleet_look (VirfsFleet *self);

/* fleet_apply.c */
void virfs_fleet_apply (VirfsFleet *self, VirfsFleetEntry *entry, VirfsHost *host);
void virfs_fleet_take_end (VirfsFleet *self, VirfsFleetApply *apply);
void virfs_fleet_apply_free (VirfsFleetApply *apply);
/* Ends WAIT if nothing is left that it waits for. */
void virfs_fleet_wait_settle (VirfsFleetWait *wait);

/* fleet_record.c */
gboolean virfs_fleet_keep (VirfsFleet *self, VirfsFleetEntry *entry, GError **error);
gboolean virfs_fleet_drop (VirfsFleet *self, VirfsFleetEntry *entry, GError **error);
void virfs_fleet_restore (VirfsFleet *self);

/* profile.c: the first under the registry's lock and that of the fleet's definitions. */
void virfs_profile_note (VirfsFleet *self, const VirfsChange *change);
void virfs_profile_look (VirfsFleet *self, const VirfsProfileNews *news);

/* profile_record.c: what differs of NOW (NULL: nothing is kept any more) from BEFORE. */
gboolean virfs_profile_keep (VirfsInfra *infra, const char *host, GPtrArray *before, GPtrArray *now,
                             GError **error);
void virfs_profile_restore (VirfsFleet *self);
