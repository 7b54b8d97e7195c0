/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link: the open connections to a host, from the moment it answers until it does not any more.
 * Reconnecting makes a new one, so whatever was found out about a host and its driver, and may be
 * different next time, is kept here.
 *
 * One connection is for events and questions; operations have theirs, see seat.h.
 */
#pragma once

#include "types.h"
#include "vm.h"
#include "uri.h"

typedef struct LvConnection LvConnection;

/* Calls that a driver may lack; those of operations stand for verbs and settings. */
typedef enum {
  LV_CALL_STATS,
  LV_CALL_LISTS,
  LV_CALL_SYSINFO,
  LV_CALL_CPU_MAP,
  LV_CALL_CPU_STATS,
  LV_CALL_MEMORY_STATS,
  LV_CALL_NETWORKS,
  LV_CALL_LEASES,
  LV_CALL_FILTERS,
  LV_CALL_SECRETS,
  LV_CALL_INTERFACES,
  LV_CALL_POOLS,
  LV_CALL_SNAPSHOT_LISTS,
  LV_CALL_SNAPSHOTS,
  LV_CALL_CHECKPOINTS,
  LV_CALL_BACKUPS,
  LV_CALL_VALIDATE,
  LV_CALL_BLOCK_STATS,
  LV_CALL_MIGRATE,
  LV_CALL_VERB,                                  /* + VirfsVmVerb */
  LV_CALL_SET = LV_CALL_VERB + VIRFS_VM_N_VERBS, /* + VirfsVmField */
  LV_N_CALLS = LV_CALL_SET + VIRFS_VM_N_FIELDS,
} LvCall;

/* Processor time so far, to tell the load between two looks. */
typedef struct {
  guint64 busy, total; /* nanoseconds */
} LvLoad;

typedef struct LvInventory LvInventory;

typedef struct LvLink {
  gatomicrefcount refs;
  guint64 serial;           /* no other link has had it */
  LvConnection *connection; /* whose link it is; a reference */
  char *type;               /* the driver, as in `QEMU` */
  GThreadPool *lanes[2];    /* of LvTask*; see task.h */
  gboolean has_events;      /* of guests' lives */
  LvUri *uri;
  gboolean as_caller;          /* operations are in the name of who asks; see identity.h */
  gint cpus;                   /* atomic: see lv_node_cpus() */
  LvInventory *inventory;      /* of its storage; see inventory.h */
  struct LvLanes *agents;      /* see agent.h */
  struct LvConsoles *consoles; /* see console_stream.h */

  /* of who polls, one at a time */
  LvLoad load;
  guint cursor, disk_cursor, address_cursor;

  guint snapshot_cursor;
  GHashTable *unread; /* of UUIDs: guests whose snapshots have not been read; NULL: none */

  gint recovers;              /* atomic: see migrate_snapshots.h */
  gint sampling;              /* atomic: see stats.c */
  gint cpu_read;              /* atomic: see host_cpu.c */
  gint dead;                  /* atomic: lost or closed */
  guint8 missing[LV_N_CALLS]; /* atomic: whether the driver has no such call */

  GMutex lock;
  GCond ended;
  /* under lock */
  guint ports_tried;       /* see backup_begin.c */
  GHashTable *asked;       /* see stats_all.c; NULL: none */
  guint64 n_ended;         /* jobs of the hypervisor, as far as events have told */
  virConnectPtr events;    /* NULL once closed */
  GArray *spares;          /* see seat.c */
  GArray *registrations;   /* of LvRegistration, to be undone */
  GHashTable *shared;      /* see storage.c: what is known of shared directories */
  GHashTable *devices_due; /* names of devices, see node_device.c */
  guint card;              /* number of the network card that is looked at next, see there */
  GHashTable *stale;       /* names of pools, see share.h; NULL: none */

  GMutex resources; /* comes first, and is held while the host is asked; see lv_poll_resources() */

  GMutex storage; /* comes first, and is held while the host is asked */
  /* under storage */
  GHashTable *pools; /* see storage.c: pools made for operations */
} LvLink;

typedef struct {
  int (*deregister) (virConnectPtr conn, int id);
  int id;
} LvRegistration;

/* Connects.  May hang as long as the host does. */
LvLink *lv_link_open (LvConnection *connection, GError **error);
/* Ends it without waiting for the host: what is under way ends when its call does. */
void lv_link_close (LvLink *link);

LvLink *lv_link_ref (LvLink *link);
void lv_link_unref (LvLink *link);

/* A new reference; NULL once it is closed. */
virConnectPtr lv_link_events (LvLink *link);
/* One more connection, whose end is the link's; COUNT signs of life may be missed, one every
 * INTERVAL seconds.  May hang as long as the host does. */
virConnectPtr lv_link_connect (LvLink *link, int interval, guint count, GError **error);
void lv_link_disconnect (LvLink *link, virConnectPtr conn);
/* Whether it still stands, as far as is known here. */
gboolean lv_link_is_alive (LvLink *link);

/* A job of some guest's has ended: the event that tells it, how many there have been, and
 * waiting for one more than SEEN; FALSE at END (monotonic time), or when the link is closed. */
void lv_link_job_ended (LvLink *link);
guint64 lv_link_jobs_ended (LvLink *link);
gboolean lv_link_await_job (LvLink *link, guint64 seen, gint64 end);

/* Whether it is known that the driver has no such call. */
gboolean lv_link_lacks (LvLink *link, LvCall call);
/* Remembers it if that is why the last call failed. */
void lv_link_note (LvLink *link, LvCall call);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvLink, lv_link_unref)
