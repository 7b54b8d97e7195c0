/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection: what keeps one host true in the registry, from host_open to host_close.
 *
 * It has a control thread, which connects and reconnects, and follows events: they queue the guest
 * that they are about, and the thread reads it again.  A call may hang with the host; then only this
 * thread hangs, and whoever closes the connection does not wait for it.  What takes longer the more
 * guests there are is done beside it (poll.h).
 *
 * Locks: `gate` (see gate.h) comes before `node` and `order`, and all before the registry's.
 * `lock` is held for moments, with nothing else.
 */
#pragma once

#include "host.h"
#include "libvirt.h"
#include "link.h"

struct LvConnection {
  gatomicrefcount refs;
  char *name; /* the host's */
  char *uri;

  GRWLock gate;
  VirfsHost *host; /* under gate: NULL once closed */

  GMutex node; /* held while something is told of the host itself */

  GMutex order;
  /* under order, see gate.c */
  guint64 ticket;
  guint readings;
  GHashTable *told;
  gint64 next_forgetting;

  GMutex lock;
  GCond wake;
  /* under lock */
  gboolean closed;
  LvLink *link;         /* NULL while there is none */
  char *failure;        /* why there is none */
  const char *lost;     /* static: why LINK is no good any more, NULL while it is */
  GQueue due;           /* of LvDue*: guests to be read again */
  GHashTable *queued;   /* uuid -> its LvDue* */
  gint64 resources_due; /* when (monotonic time) networks … are to be read; 0: not */
  GPtrArray *waits;     /* of LvWait*, see wait.c */
  gboolean waits_due;
  gint64 next_poll; /* monotonic time; G_MAXINT64 while one is under way */
};

typedef struct {
  char uuid[37];
  gint64 born;
} LvDue;

/* What the program has chosen (libvirt.c). */
const VirfsLibvirtOptions *lv_options (void);

/* The backend's host_open and host_close. */
void lv_host_open (VirfsHost *host);
void lv_host_close (VirfsHost *host);
/* The link that there is now, a new reference; NULL with HOST_DOWN if there is none. */
LvLink *lv_host_link (VirfsHost *host, GError **error);

LvConnection *lv_connection_ref (LvConnection *self);
void lv_connection_unref (LvConnection *self);

/* From any thread, at once: LINK is no good any more.  REASON is static. */
void lv_connection_lose (LvLink *link, const char *reason);
/* The guest is to be read again.  BORN: when it was defined, 0 if it was not. */
void lv_connection_queue (LvLink *link, const char *uuid, gint64 born);
/* So are networks and interfaces: at once, or a little later if such changes come in SWARMS. */
void lv_connection_queue_resources (LvLink *link, gboolean swarms);
/* Somebody who waits may have to be told; see wait.h. */
void lv_connection_queue_waits (LvConnection *self);

/* For the threads that do it (control.c, poll.c). */

/* What the last link left, before a new one is opened: all will be read anyway. */
void lv_connection_forget_work (LvConnection *self);
/* From now on others may use LINK; FALSE if the host has been closed meanwhile. */
gboolean lv_connection_install (LvConnection *self, LvLink *link);
/* Whether LINK is the one that others use. */
gboolean lv_connection_has (LvConnection *self, LvLink *link);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LvConnection, lv_connection_unref)
