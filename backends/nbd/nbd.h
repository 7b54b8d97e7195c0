/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One export of an NBD server, read-only: a running guest's disk at one point in time, or an image.
 *
 * Several connections, where the server allows them, with a thread each, carry any number of
 * requests at once.  A server that goes away, or does not answer for the time that was given, fails
 * what is under way and all that comes later; there is no second try, because a point in time that
 * is gone does not come back.
 */
#pragma once

#include <gio/gio.h>

typedef struct VirfsNbd VirfsNbd;

/* Strings are borrowed for the time of the call. */
typedef struct {
  const char *uri;    /* nbd+unix:///EXPORT?socket=PATH, nbd://HOST/EXPORT, nbds://HOST/EXPORT */
  const char *bitmap; /* of QEMU's: what has changed; NULL: none */
  const char *tls_certificates; /* a directory with those for nbds://; NULL: the system's */
  guint connections;            /* at most; 0: VIRFS_NBD_CONNECTIONS */
  guint timeout;                /* seconds without a word of the server; 0: VIRFS_NBD_TIMEOUT */
} VirfsNbdSpec;

#define VIRFS_NBD_CONNECTIONS 4
#define VIRFS_NBD_TIMEOUT     30

/* Blocks until the server has answered or the time is up, and as long as it takes to look up a
 * name.  NOT_FOUND: no such socket, export or bitmap; HOST_DOWN, TIMED_OUT, DENIED, INVALID (the
 * URI), FAILED. */
VirfsNbd *virfs_nbd_open (const VirfsNbdSpec *spec, GError **error);
/* Fails what is under way and waits until all of it has been told; not in a VirfsNbdDone. */
void virfs_nbd_close (VirfsNbd *nbd);

guint64 virfs_nbd_size (const VirfsNbd *nbd); /* bytes */
/* How many connections there are that work, now. */
guint virfs_nbd_connections (VirfsNbd *nbd);
/* Why all reads fail; the caller owns it.  NULL: they do not. */
char *virfs_nbd_failure (VirfsNbd *nbd);

/* ERROR is 0, or an errno: the server's, EIO if it has gone.  In a thread of ours, which must not
 * block, or in that of the caller, if it has failed already. */
typedef void (*VirfsNbdDone) (int error, gpointer data);
/* Reads into BUFFER, which has to stay until DONE.  EINVAL if that is not all inside of the
 * export. */
void virfs_nbd_read (VirfsNbd *nbd, guint8 *buffer, gsize length, guint64 offset, VirfsNbdDone done,
                     gpointer data);

/* What the server tells of its blocks. */
typedef enum {
  VIRFS_NBD_ALLOCATION, /* base:allocation; all data, if the server does not know */
  VIRFS_NBD_CHANGES,    /* the bitmap */
} VirfsNbdContext;

#define VIRFS_NBD_HOLE    1 /* allocation: takes no space */
#define VIRFS_NBD_ZERO    2 /* allocation: reads as zeroes */
#define VIRFS_NBD_CHANGED 1 /* changes: it has */

typedef struct {
  guint64 start, length; /* bytes */
  guint32 flags;
} VirfsNbdRun;

/* The map of the whole export: VirfsNbdRun, sorted, without gaps, neighbours differ.  It is asked
 * for once and remembered; the caller owns a reference and must not change it.  Blocks; CANCELLED
 * through CANCELLABLE (may be NULL), UNSUPPORTED without a bitmap. */
GArray *virfs_nbd_map (VirfsNbd *nbd, VirfsNbdContext context, GCancellable *cancellable,
                       GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsNbd, virfs_nbd_close)
