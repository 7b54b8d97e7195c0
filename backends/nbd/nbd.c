/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An export: its life, and which connection gets a request. */
#include "private.h"

#include "error.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BUSY 4 /* requests that a connection has when another one is worth while */

static void
init_connections (VirfsNbd *nbd, guint n)
{
  nbd->connections = g_new0 (NbdConnection, n);
  nbd->n_connections = n;
  for (guint i = 0; i < n; i++) {
    NbdConnection *connection = &nbd->connections[i];

    connection->nbd = nbd;
    connection->wake = -1;
    connection->state = NBD_DEAD;
    g_queue_init (&connection->waiting);
  }
}

static VirfsNbd *
nbd_new (const VirfsNbdSpec *spec)
{
  VirfsNbd *nbd = g_new0 (VirfsNbd, 1);

  nbd->uri = g_strdup (spec->uri);
  nbd->bitmap = g_strdup (spec->bitmap);
  nbd->tls_certificates = g_strdup (spec->tls_certificates);
  nbd->contexts[VIRFS_NBD_ALLOCATION] = g_strdup ("base:allocation");
  if (spec->bitmap != NULL)
    nbd->contexts[VIRFS_NBD_CHANGES] = g_strconcat ("qemu:dirty-bitmap:", spec->bitmap, NULL);
  nbd->timeout = spec->timeout ? spec->timeout : VIRFS_NBD_TIMEOUT;
  g_mutex_init (&nbd->lock);
  g_cond_init (&nbd->changed);
  init_connections (nbd, spec->connections ? spec->connections : VIRFS_NBD_CONNECTIONS);
  return nbd;
}

static gboolean
start_next (VirfsNbd *nbd, GError **error)
{
  NbdConnection *connection = &nbd->connections[nbd->n_started++];

  connection->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (connection->wake < 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "no connection can be begun: %s",
                 g_strerror (errno));
    return FALSE;
  }
  connection->state = NBD_CONNECTING;
  connection->thread = g_thread_try_new ("nbd", nbd_connection_run, connection, error);
  if (connection->thread == NULL)
    connection->state = NBD_DEAD;
  return connection->thread != NULL;
}

/* Waits for the first connection, whose thread looks at the time. */
static gboolean
start_first (VirfsNbd *nbd, GError **error)
{
  const NbdConnection *first = &nbd->connections[0];
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&nbd->lock);

  if (!start_next (nbd, error))
    return FALSE;
  while (first->state == NBD_CONNECTING)
    g_cond_wait (&nbd->changed, &nbd->lock);
  if (first->state == NBD_READY)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&nbd->failure));
  return FALSE;
}

VirfsNbd *
virfs_nbd_open (const VirfsNbdSpec *spec, GError **error)
{
  g_autoptr (VirfsNbd) nbd = nbd_new (spec);

  if (!start_first (nbd, error))
    return NULL;
  return g_steal_pointer (&nbd);
}

static void
stop (NbdConnection *connection)
{
  if (connection->thread != NULL) {
    nbd_connection_wake (connection);
    g_thread_join (connection->thread);
  }
  if (connection->wake >= 0)
    close (connection->wake);
}

void
virfs_nbd_close (VirfsNbd *nbd)
{
  if (nbd == NULL)
    return;
  g_mutex_lock (&nbd->lock);
  nbd->closing = TRUE;
  g_mutex_unlock (&nbd->lock);
  for (guint i = 0; i < nbd->n_connections; i++)
    stop (&nbd->connections[i]);
  nbd_maps_clear (nbd);
  g_clear_error (&nbd->failure);
  g_mutex_clear (&nbd->lock);
  g_cond_clear (&nbd->changed);
  g_free (nbd->connections);
  g_free (nbd->contexts[VIRFS_NBD_ALLOCATION]);
  g_free (nbd->contexts[VIRFS_NBD_CHANGES]);
  g_free (nbd->tls_certificates);
  g_free (nbd->bitmap);
  g_free (nbd->uri);
  g_free (nbd);
}

guint64
virfs_nbd_size (const VirfsNbd *nbd)
{
  return nbd->facts.size;
}

/* Under the lock. */
static guint
count_ready (const VirfsNbd *nbd)
{
  guint n = 0;

  for (guint i = 0; i < nbd->n_connections; i++)
    n += nbd->connections[i].state == NBD_READY;
  return n;
}

guint
virfs_nbd_connections (VirfsNbd *nbd)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&nbd->lock);

  return count_ready (nbd);
}

char *
virfs_nbd_failure (VirfsNbd *nbd)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&nbd->lock);

  return nbd->failure != NULL && count_ready (nbd) == 0 ? g_strdup (nbd->failure->message) : NULL;
}

/* Under the lock. */
static gboolean
is_same_export (const VirfsNbd *nbd, const NbdConnection *connection, const NbdFacts *facts)
{
  return connection == &nbd->connections[0]
         || (facts->size == nbd->facts.size && facts->minimum <= nbd->facts.minimum
             && facts->maximum >= nbd->facts.maximum
             && memcmp (facts->contexts, nbd->facts.contexts, sizeof facts->contexts) == 0);
}

gboolean
nbd_welcome (NbdConnection *connection, const NbdFacts *facts, GError **error)
{
  VirfsNbd *nbd = connection->nbd;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&nbd->lock);

  if (!is_same_export (nbd, connection, facts)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s is another now", nbd->uri);
    return FALSE;
  }
  if (connection == &nbd->connections[0])
    nbd->facts = *facts;
  connection->state = NBD_READY;
  g_cond_broadcast (&nbd->changed);
  return TRUE;
}

GQueue
nbd_farewell (NbdConnection *connection, GError *error)
{
  VirfsNbd *nbd = connection->nbd;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&nbd->lock);
  GQueue left = connection->waiting;

  g_queue_init (&connection->waiting);
  connection->state = NBD_DEAD;
  /* as long as another works this is nobody's concern */
  if (nbd->failure == NULL && count_ready (nbd) == 0)
    nbd->failure = error;
  else
    g_clear_error (&error);
  g_cond_broadcast (&nbd->changed);
  return left;
}

/* Under the lock, as the next: the one that has least to do; NULL if there is none. */
static NbdConnection *
least_busy (VirfsNbd *nbd)
{
  NbdConnection *best = NULL;

  for (guint i = 0; i < nbd->n_connections && !nbd->closing; i++) {
    NbdConnection *each = &nbd->connections[i];

    if (each->state == NBD_READY
        && (best == NULL || g_atomic_int_get (&each->load) < g_atomic_int_get (&best->load)))
      best = each;
  }
  return best;
}

/* Where all have much to do there will be one more.  Nobody waits for it, and it works without. */
static NbdConnection *
choose (VirfsNbd *nbd)
{
  NbdConnection *best = least_busy (nbd);

  if (best != NULL && g_atomic_int_get (&best->load) >= BUSY && nbd->facts.multiple
      && nbd->n_started < nbd->n_connections)
    start_next (nbd, NULL);
  return best;
}

void
nbd_submit (VirfsNbd *nbd, NbdRequest *request)
{
  gboolean first = FALSE;
  NbdConnection *connection;

  g_mutex_lock (&nbd->lock);
  connection = choose (nbd);
  if (connection != NULL) {
    g_atomic_int_inc (&connection->load);
    request->connection = connection;
    first = g_queue_is_empty (&connection->waiting);
    g_queue_push_tail (&connection->waiting, request);
  }
  g_mutex_unlock (&nbd->lock);
  if (connection == NULL) {
    request->done (EIO, request->data);
    g_free (request);
  } else if (first) {
    nbd_connection_wake (connection);
  }
}

/* Reads of more than the server takes at once. */

typedef struct {
  gint pending; /* atomic */
  gint error;   /* atomic: the first */
  VirfsNbdDone done;
  gpointer data;
} Split;

static void
part_done (int error, gpointer data)
{
  Split *split = data;

  if (error)
    g_atomic_int_compare_and_exchange (&split->error, 0, error);
  if (!g_atomic_int_dec_and_test (&split->pending))
    return;
  split->done (g_atomic_int_get (&split->error), split->data);
  g_free (split);
}

static void
read_part (VirfsNbd *nbd, guint8 *buffer, gsize length, guint64 offset, VirfsNbdDone done,
           gpointer data)
{
  NbdRequest *request = g_new0 (NbdRequest, 1);

  request->buffer = buffer;
  request->length = length;
  request->offset = offset;
  request->done = done;
  request->data = data;
  nbd_submit (nbd, request);
}

static void
read_aligned (VirfsNbd *nbd, guint8 *buffer, gsize length, guint64 offset, VirfsNbdDone done,
              gpointer data)
{
  gsize most = nbd->facts.maximum;
  Split *split;

  if (length <= most) {
    read_part (nbd, buffer, length, offset, done, data);
    return;
  }
  split = g_new (Split, 1);
  *split = (Split){ (gint) ((length + most - 1) / most), 0, done, data };
  for (gsize at = 0; at < length; at += most)
    read_part (nbd, buffer + at, MIN (most, length - at), offset + at, part_done, split);
}

/* Reads that the server does not take because of their borders. */

typedef struct {
  guint8 *bytes, *buffer;
  gsize skip, length;
  VirfsNbdDone done;
  gpointer data;
} Detour;

static void
detour_done (int error, gpointer data)
{
  Detour *detour = data;

  if (!error)
    memcpy (detour->buffer, detour->bytes + detour->skip, detour->length);
  detour->done (error, detour->data);
  g_free (detour->bytes);
  g_free (detour);
}

static void
read_unaligned (VirfsNbd *nbd, guint8 *buffer, gsize length, guint64 offset, VirfsNbdDone done,
                gpointer data)
{
  guint64 unit = nbd->facts.minimum;
  gsize skip = offset % unit;
  gsize whole = MIN ((skip + length + unit - 1) / unit * unit, nbd->facts.size - (offset - skip));
  Detour *detour = g_new (Detour, 1);

  *detour = (Detour){ g_try_malloc (whole), buffer, skip, length, done, data };
  if (detour->bytes == NULL)
    detour_done (ENOMEM, detour);
  else
    read_aligned (nbd, detour->bytes, whole, offset - skip, detour_done, detour);
}

void
virfs_nbd_read (VirfsNbd *nbd, guint8 *buffer, gsize length, guint64 offset, VirfsNbdDone done,
                gpointer data)
{
  guint64 size = nbd->facts.size, unit = nbd->facts.minimum;

  if (offset > size || length > size - offset)
    done (EINVAL, data);
  else if (length == 0)
    done (0, data);
  else if (offset % unit || (length % unit && offset + length != size))
    read_unaligned (nbd, buffer, length, offset, done, data);
  else
    read_aligned (nbd, buffer, length, offset, done, data);
}
