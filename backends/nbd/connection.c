/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection and its thread; the only file that calls libnbd.
 *
 * A request ends when libnbd lets go of it, which it does exactly once, whatever happens: an
 * answer, a connection that breaks, a handle that is closed.
 */
#include "private.h"

#include "error.h"

#include <errno.h>
#include <libnbd.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define MOST_AT_ONCE (32u << 20) /* bytes that any server takes, if it does not say */

void
nbd_connection_wake (NbdConnection *self)
{
  guint64 one = 1;

  /* it cannot be full, and if it were it would be awake */
  while (write (self->wake, &one, sizeof one) < 0 && errno == EINTR)
    continue;
}

static gboolean
is_stopped (NbdConnection *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->nbd->lock);

  return self->nbd->closing;
}

static VirfsError
code_of (int errnum)
{
  switch (errnum) {
  case ENOENT:
    return VIRFS_ERROR_NOT_FOUND;
  case EACCES:
  case EPERM:
    return VIRFS_ERROR_DENIED;
  case EINVAL:
    return VIRFS_ERROR_INVALID;
  case ENOMEM:
    return VIRFS_ERROR_NO_MEMORY;
  case ENOTSUP:
    return VIRFS_ERROR_UNSUPPORTED;
  case ETIMEDOUT:
    return VIRFS_ERROR_TIMED_OUT;
  case ECONNREFUSED:
  case ECONNRESET:
  case EHOSTDOWN:
  case EHOSTUNREACH:
  case ENETUNREACH:
    return VIRFS_ERROR_HOST_DOWN;
  default:
    return VIRFS_ERROR_FAILED;
  }
}

/* What libnbd says of its last call in this thread. */
static gboolean
fail (NbdConnection *self, GError **error)
{
  const char *sentence = nbd_get_error ();

  g_set_error (error, VIRFS_ERROR, code_of (nbd_get_errno ()), "%s: %s", self->nbd->uri,
               sentence ? sentence : "the connection has ended");
  return FALSE;
}

/* Moving on. */

static gboolean
is_alive (NbdConnection *self, GError **error)
{
  return !(nbd_aio_is_dead (self->handle) || nbd_aio_is_closed (self->handle))
         || fail (self, error);
}

static gint64
deadline_of (NbdConnection *self)
{
  return self->heard + self->nbd->timeout * G_TIME_SPAN_SECOND;
}

/* Milliseconds, rounded up. */
static int
time_left (NbdConnection *self)
{
  gint64 left = deadline_of (self) - g_get_monotonic_time ();

  return left <= 0 ? 0 : (int) MIN ((left + 999) / 1000, G_MAXINT);
}

static short
wanted_events (NbdConnection *self)
{
  unsigned direction = nbd_aio_get_direction (self->handle);

  return (direction & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0)
         | (direction & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0);
}

/* Tells libnbd what it wants to know.  Reading may change what there is to write, so only one of
 * them; answers come first. */
static gboolean
notify (NbdConnection *self, const struct pollfd *fd)
{
  const short broken = POLLHUP | POLLERR | POLLNVAL;

  if (!fd->revents)
    return TRUE;
  self->heard = g_get_monotonic_time ();
  if (fd->events & POLLIN && fd->revents & (POLLIN | broken))
    return nbd_aio_notify_read (self->handle) == 0;
  return nbd_aio_notify_write (self->handle) == 0;
}

/* Waits for the server, or for somebody who wants something, and if IN_TIME no longer than allowed.
 * FALSE if the connection is of no use any more. */
static gboolean
move_on (NbdConnection *self, gboolean in_time, GError **error)
{
  struct pollfd fds[]
    = { { nbd_aio_get_fd (self->handle), wanted_events (self), 0 }, { self->wake, POLLIN, 0 } };
  int n = poll (fds, G_N_ELEMENTS (fds), in_time ? time_left (self) : -1);
  guint64 calls;

  if (n < 0 && errno == EINTR)
    return TRUE;
  if (in_time && !fds[0].revents && deadline_of (self) <= g_get_monotonic_time ()) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_TIMED_OUT, "%s has not answered for %u s",
                 self->nbd->uri, self->nbd->timeout);
    return FALSE;
  }
  if (fds[1].revents && read (self->wake, &calls, sizeof calls) < 0 && errno != EAGAIN)
    return FALSE;
  return notify (self, &fds[0]) || fail (self, error);
}

/* Connecting. */

static gboolean
set_up (NbdConnection *self)
{
  struct nbd_handle *handle = self->handle;
  const VirfsNbd *nbd = self->nbd;

  for (guint i = 0; i < G_N_ELEMENTS (nbd->contexts); i++)
    if (nbd->contexts[i] != NULL && nbd_add_meta_context (handle, nbd->contexts[i]) < 0)
      return FALSE;
  if (nbd->tls_certificates != NULL && nbd_set_tls_certificates (handle, nbd->tls_certificates) < 0)
    return FALSE;
  /* what it would guard against is looked at here: see on_chunk() */
  return nbd_set_pread_initialize (handle, false) == 0
         && nbd_set_uri_allow_transports (handle,
                                          LIBNBD_ALLOW_TRANSPORT_TCP | LIBNBD_ALLOW_TRANSPORT_UNIX)
              == 0;
}

/* How large requests may be; -1 and 0 stand for what the server has not said. */
static guint32
block_size (NbdConnection *self, int kind, guint32 otherwise)
{
  gint64 size = nbd_get_block_size (self->handle, kind);

  return size > 0 && size <= G_MAXUINT32 ? (guint32) size : otherwise;
}

static gboolean
learn (NbdConnection *self, NbdFacts *facts, GError **error)
{
  const VirfsNbd *nbd = self->nbd;
  gint64 size = nbd_get_size (self->handle);

  if (size < 0)
    return fail (self, error);
  facts->size = (guint64) size;
  facts->minimum = block_size (self, LIBNBD_SIZE_MINIMUM, 1);
  facts->maximum = MIN (block_size (self, LIBNBD_SIZE_MAXIMUM, MOST_AT_ONCE), MOST_AT_ONCE);
  facts->maximum = MAX (facts->maximum / facts->minimum, 1) * facts->minimum;
  facts->multiple = nbd_can_multi_conn (self->handle) == 1;
  for (guint i = 0; i < G_N_ELEMENTS (nbd->contexts); i++)
    facts->contexts[i]
      = nbd->contexts[i] != NULL && nbd_can_meta_context (self->handle, nbd->contexts[i]) == 1;
  if (nbd->bitmap != NULL && !facts->contexts[VIRFS_NBD_CHANGES]) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s has no bitmap %s", nbd->uri,
                 nbd->bitmap);
    return FALSE;
  }
  return TRUE;
}

static gboolean
connect_in_time (NbdConnection *self, GError **error)
{
  gint64 begun = g_get_monotonic_time ();

  self->handle = nbd_create ();
  if (self->handle == NULL || !set_up (self)
      || nbd_aio_connect_uri (self->handle, self->nbd->uri) < 0)
    return fail (self, error);
  while (!nbd_aio_is_ready (self->handle)) {
    self->heard = begun; /* a server that says little, again and again, has no longer */
    if (is_stopped (self) || !move_on (self, TRUE, error) || !is_alive (self, error))
      return FALSE;
  }
  return TRUE;
}

/* Requests. */

/* A reader of what has gone finds an I/O error. */
static int
errno_of (int error)
{
  return error == ENOTCONN || error == ESHUTDOWN ? EIO : error;
}

static gboolean
is_whole (const NbdRequest *request)
{
  return request->buffer == NULL || request->seen == request->length;
}

/* Once more, into a buffer that holds nothing of others.  FALSE if it is too late for that. */
static gboolean
ask_again (NbdRequest *request)
{
  NbdConnection *self = request->connection;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->nbd->lock);

  if (self->nbd->closing || self->state != NBD_READY)
    return FALSE;
  memset (request->buffer, 0, request->length);
  request->cleared = TRUE;
  g_queue_push_tail (&self->waiting, request);
  return TRUE;
}

/* libnbd has let go of it. */
static void
on_end (void *data)
{
  NbdRequest *request = data;
  int error = errno_of (request->error);

  if (!error && !is_whole (request))
    error = EIO;
  if (!error && request->buffer != NULL && !request->in_order && !request->cleared) {
    if (ask_again (request))
      return;
    error = EIO;
  }
  g_atomic_int_add (&request->connection->load, -1);
  request->done (error, request->data);
  g_free (request);
}

/* There is an answer, or there will be none; on_end() comes next. */
static int
on_completion (void *data, int *error)
{
  NbdRequest *request = data;

  request->error = *error;
  return 1;
}

/* libnbd looks that it is inside of what was asked for, but not that it is all of that, and the
 * buffer may hold what was read from another disk. */
static int
on_chunk (void *data, const void *bytes, size_t count, uint64_t offset, unsigned status, int *error)
{
  NbdRequest *request = data;

  if (offset != request->offset + request->seen)
    request->in_order = FALSE;
  request->seen += count;
  return 0;
}

static int
on_extents (void *data, const char *context, uint64_t offset, uint32_t *entries, size_t n,
            int *error)
{
  NbdRequest *request = data;

  nbd_maps_add (request->connection->nbd, context, offset, entries, n);
  return 0;
}

/* Also if it fails libnbd lets go of it. */
static void
issue (NbdConnection *self, NbdRequest *request)
{
  nbd_completion_callback completion = { on_completion, request, on_end };

  request->error = EIO;
  request->seen = 0;
  request->in_order = TRUE;
  if (request->buffer != NULL) {
    nbd_chunk_callback chunk = { on_chunk, request, NULL };

    nbd_aio_pread_structured (self->handle, request->buffer, request->length, request->offset,
                              chunk, completion, 0);
  } else {
    nbd_extent_callback extent = { on_extents, request, NULL };

    nbd_aio_block_status (self->handle, request->length, request->offset, extent, completion, 0);
  }
}

static void
issue_waiting (NbdConnection *self)
{
  GQueue requests;
  NbdRequest *request;

  g_mutex_lock (&self->nbd->lock);
  requests = self->waiting;
  g_queue_init (&self->waiting);
  g_mutex_unlock (&self->nbd->lock);
  if (!g_queue_is_empty (&requests) && nbd_aio_in_flight (self->handle) == 0)
    self->heard = g_get_monotonic_time ();
  while ((request = g_queue_pop_head (&requests)) != NULL)
    issue (self, request);
}

static void
serve (NbdConnection *self, GError **error)
{
  do
    issue_waiting (self);
  while (!is_stopped (self) && is_alive (self, error)
         && move_on (self, nbd_aio_in_flight (self->handle) > 0, error));
}

/* Sends what a polite client sends, if nothing is under way. */
static void
hang_up (NbdConnection *self)
{
  if (self->handle != NULL && nbd_aio_is_ready (self->handle)
      && nbd_aio_in_flight (self->handle) == 0)
    nbd_aio_disconnect (self->handle, 0);
  nbd_close (self->handle);
  self->handle = NULL;
}

gpointer
nbd_connection_run (gpointer data)
{
  NbdConnection *self = data;
  NbdFacts facts = { 0 };
  GError *error = NULL;
  NbdRequest *request;
  GQueue left;

  if (connect_in_time (self, &error) && learn (self, &facts, &error)
      && nbd_welcome (self, &facts, &error))
    serve (self, &error);
  left = nbd_farewell (self, error);
  hang_up (self);
  while ((request = g_queue_pop_head (&left)) != NULL) {
    request->error = EIO;
    on_end (request);
  }
  return NULL;
}
