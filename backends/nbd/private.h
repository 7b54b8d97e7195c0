/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of an export.
 *
 *   nbd.c         its life, and which connection gets a request
 *   connection.c  a connection and its thread; the only file that calls libnbd
 *   map.c         what the server tells of its blocks
 *
 * One lock for an export and its connections, held for moments.  What libnbd calls is called in the
 * connection's thread under the handle's lock; it may queue requests, but never touches a handle.
 */
#pragma once

#include "nbd.h"

typedef struct NbdConnection NbdConnection;

/* What a connection learns of the export when it is made. */
typedef struct {
  guint64 size;
  guint32 minimum, maximum; /* bytes of a request */
  gboolean multiple;        /* more connections see the same */
  gboolean contexts[2];     /* by VirfsNbdContext: whether the server tells */
} NbdFacts;

/* A read, or with no BUFFER the question what the blocks are. */
typedef struct {
  guint8 *buffer;
  guint32 length;
  guint64 offset;
  VirfsNbdDone done;
  gpointer data;
  /* of the connection */
  NbdConnection *connection;
  gsize seen;        /* bytes that the server has sent */
  gboolean in_order; /* one after the other: then none is missing if the sum is right */
  gboolean cleared;  /* the buffer was cleared before, so that any order will do */
  int error;
} NbdRequest;

typedef enum { NBD_CONNECTING, NBD_READY, NBD_DEAD } NbdState;

struct NbdConnection {
  VirfsNbd *nbd;
  GThread *thread;           /* NULL: not begun */
  int wake;                  /* eventfd */
  gint load;                 /* atomic: requests that it has */
  NbdState state;            /* under the export's lock */
  GQueue waiting;            /* under the export's lock: NbdRequest* to be sent */
  struct nbd_handle *handle; /* of the thread */
  gint64 heard;              /* of the thread: monotonic time when the server last did something */
};

/* A map that is being asked for, and later its result. */
typedef struct {
  GArray *runs[2];   /* by VirfsNbdContext; NULL: not asked for */
  gboolean running;  /* under the lock: a question is under way */
  gboolean complete; /* under the lock */
  guint waiters;     /* under the lock: if nobody waits nothing more is asked */
  guint64 failures;  /* under the lock */
  int error;         /* under the lock: of the last failure */
  guint64 asked;     /* up to where there was an answer before the question under way */
} NbdMaps;

struct VirfsNbd {
  char *uri, *bitmap, *tls_certificates;
  char *contexts[2]; /* names by VirfsNbdContext; NULL: not asked for */
  guint timeout;     /* seconds */
  NbdFacts facts;    /* since the first connection, then for ever */

  GMutex lock;
  GCond changed;    /* a connection's state, or the maps */
  gboolean closing; /* under lock */
  GError *failure;  /* under lock: why there is no connection any more */
  NbdMaps maps;
  NbdConnection *connections;
  guint n_connections;
  guint n_started; /* under lock */
};

/* nbd.c */

/* Gives REQUEST (taken) to a connection; or fails it at once. */
void nbd_submit (VirfsNbd *nbd, NbdRequest *request);
/* A connection has been made; FALSE if it leads to something else than the others. */
gboolean nbd_welcome (NbdConnection *connection, const NbdFacts *facts, GError **error);
/* It has ended; returns what was still waiting for it. */
GQueue nbd_farewell (NbdConnection *connection, GError *error);

/* connection.c */

gpointer nbd_connection_run (gpointer connection);
void nbd_connection_wake (NbdConnection *connection);

/* map.c */

void nbd_maps_clear (VirfsNbd *nbd);
/* The server says of the blocks from OFFSET on: pairs of a length and flags. */
void nbd_maps_add (VirfsNbd *nbd, const char *context, guint64 offset, const guint32 *entries,
                   gsize n_entries);
