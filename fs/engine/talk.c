/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files that talk to a terminal (terminal.h): a reader and a writer may wait, each is answered when the
 * terminal has news, and let go by a signal.
 *
 * The terminal is asked under the talk's lock, so that no news between its answer and the waiting is lost; the
 * news themselves are taken by another thread.  FUSE is answered without the lock.  A talk has one reference
 * for its open file, and one for each piece of work that is deferred.
 */
#include "talk.h"

#include <errno.h>
#include <poll.h>

struct VirfsTalk {
  gatomicrefcount refs;
  VirfsSession *session;
  gint waking; /* atomic: news will be looked at */

  GMutex lock;
  /* under lock */
  VirfsTerminal *terminal; /* NULL: closed */
  gpointer reader, writer; /* requests that wait */
  gsize wanted;            /* bytes by the reader */
  GBytes *offered;         /* by the writer */
  gpointer poll_handle;
};

/* What became of a request; an answer of a reader has DATA. */
typedef struct {
  gpointer request;
  gssize result;
  char *data;
} Answer;

static VirfsTalk *
talk_ref (VirfsTalk *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

static void
talk_unref (VirfsTalk *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_clear_pointer (&self->offered, g_bytes_unref);
  g_mutex_clear (&self->lock);
  g_free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (VirfsTalk, talk_unref)

/* Answering. */

static void
give_answer (Answer *answer)
{
  if (answer->request == NULL)
    return;
  virfs_request_watch_talk (answer->request, NULL);
  if (answer->result < 0)
    virfs_reply_error (answer->request, (int) -answer->result);
  else if (answer->data != NULL)
    virfs_reply_data (answer->request, answer->data, (gsize) answer->result);
  else
    virfs_reply_written (answer->request, (gsize) answer->result);
  g_free (answer->data);
}

/* Under the lock, as the next; -EAGAIN: there is nothing to answer yet. */
static gssize
try_read (VirfsTalk *self, gsize size, char **data)
{
  g_autofree char *buffer = g_malloc (size);
  gssize got = self->terminal ? self->terminal->class->read (self->terminal, buffer, size) : -EIO;

  if (got >= 0)
    *data = g_steal_pointer (&buffer);
  return got;
}

static gssize
try_write (VirfsTalk *self, GBytes *bytes)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);

  return self->terminal ? self->terminal->class->write (self->terminal, data, size) : -EIO;
}

static Answer
answer_reader (VirfsTalk *self)
{
  Answer answer = { 0 };

  if (self->reader == NULL)
    return answer;
  answer.result = try_read (self, self->wanted, &answer.data);
  if (answer.result != -EAGAIN)
    answer.request = g_steal_pointer (&self->reader);
  return answer;
}

static Answer
answer_writer (VirfsTalk *self)
{
  Answer answer = { 0 };

  if (self->writer == NULL)
    return answer;
  answer.result = try_write (self, self->offered);
  if (answer.result == -EAGAIN)
    return answer;
  answer.request = g_steal_pointer (&self->writer);
  g_clear_pointer (&self->offered, g_bytes_unref);
  return answer;
}

/* Deferred: whoever waits tries again. */
static void
wake (gpointer data)
{
  g_autoptr (VirfsTalk) self = data;
  Answer read, written;
  gpointer handle;

  g_atomic_int_set (&self->waking, FALSE);
  g_mutex_lock (&self->lock);
  read = answer_reader (self);
  written = answer_writer (self);
  handle = g_steal_pointer (&self->poll_handle);
  g_mutex_unlock (&self->lock);
  give_answer (&read);
  give_answer (&written);
  if (handle != NULL) {
    virfs_kernel_wake_poll (handle);
    virfs_kernel_drop_poll (handle);
  }
}

static void
take_news (gpointer data)
{
  VirfsTalk *self = data;

  if (!g_atomic_int_exchange (&self->waking, TRUE))
    virfs_session_defer (self->session, wake, talk_ref (self));
}

/* Its life. */

VirfsTalk *
virfs_talk_new (VirfsSession *session, VirfsTerminal *terminal)
{
  VirfsTalk *self = g_new0 (VirfsTalk, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  self->session = session;
  self->terminal = terminal;
  g_mutex_lock (&session->waiting_lock);
  g_hash_table_add (session->talks, talk_ref (self));
  g_mutex_unlock (&session->waiting_lock);
  terminal->class->watch (terminal, take_news, self);
  return self;
}

/* Who waits is answered with an error. */
static void
close_terminal (VirfsTalk *self)
{
  Answer read = { .result = -EIO }, written = { .result = -EIO };
  VirfsTerminal *terminal;
  gpointer handle;

  g_mutex_lock (&self->lock);
  terminal = g_steal_pointer (&self->terminal);
  read.request = g_steal_pointer (&self->reader);
  written.request = g_steal_pointer (&self->writer);
  handle = g_steal_pointer (&self->poll_handle);
  g_mutex_unlock (&self->lock);
  if (terminal != NULL)
    terminal->class->close (terminal);
  give_answer (&read);
  give_answer (&written);
  if (handle != NULL)
    virfs_kernel_drop_poll (handle);
}

void
virfs_talk_close (VirfsTalk *self)
{
  gboolean known;

  g_mutex_lock (&self->session->waiting_lock);
  known = g_hash_table_remove (self->session->talks, self);
  g_mutex_unlock (&self->session->waiting_lock);
  close_terminal (self);
  if (known)
    talk_unref (self);
  talk_unref (self);
}

void
virfs_talks_end (VirfsSession *session)
{
  g_autoptr (GList) talks = NULL;

  g_mutex_lock (&session->waiting_lock);
  talks = g_hash_table_get_keys (session->talks);
  g_hash_table_remove_all (session->talks);
  g_mutex_unlock (&session->waiting_lock);
  for (GList *l = talks; l; l = l->next) {
    close_terminal (l->data);
    talk_unref (l->data);
  }
}

/* What is asked of it. */

void
virfs_talk_read (VirfsTalk *self, gpointer request, gsize size, gboolean block)
{
  Answer answer = { .request = request };

  g_mutex_lock (&self->lock);
  answer.result = try_read (self, size, &answer.data);
  /* of several who read one open file only one waits */
  if (answer.result == -EAGAIN && block && self->reader == NULL) {
    self->reader = request;
    self->wanted = size;
    answer.request = NULL;
    virfs_request_watch_talk (request, self);
  }
  g_mutex_unlock (&self->lock);
  give_answer (&answer);
}

void
virfs_talk_write (VirfsTalk *self, gpointer request, const char *data, gsize size, gboolean block)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  Answer answer = { .request = request };

  g_mutex_lock (&self->lock);
  answer.result = try_write (self, bytes);
  if (answer.result == -EAGAIN && block && self->writer == NULL) {
    self->writer = request;
    self->offered = g_steal_pointer (&bytes);
    answer.request = NULL;
    virfs_request_watch_talk (request, self);
  }
  g_mutex_unlock (&self->lock);
  give_answer (&answer);
}

short
virfs_talk_poll (VirfsTalk *self, gpointer handle)
{
  gpointer old = NULL;
  short events = POLLERR | POLLHUP;

  g_mutex_lock (&self->lock);
  if (self->terminal != NULL)
    events = self->terminal->class->poll (self->terminal);
  if (handle != NULL) {
    old = self->poll_handle;
    self->poll_handle = handle;
  }
  g_mutex_unlock (&self->lock);
  if (old != NULL)
    virfs_kernel_drop_poll (old);
  return events;
}

/* Signals. */

typedef struct {
  VirfsTalk *talk;
  gpointer request;
} Interrupt;

static void
interrupt (gpointer data)
{
  g_autofree Interrupt *wish = data;
  g_autoptr (VirfsTalk) self = wish->talk;
  Answer answer = { .result = -EINTR };

  g_mutex_lock (&self->lock);
  if (self->reader == wish->request) {
    answer.request = g_steal_pointer (&self->reader);
  } else if (self->writer == wish->request) {
    answer.request = g_steal_pointer (&self->writer);
    g_clear_pointer (&self->offered, g_bytes_unref);
  }
  g_mutex_unlock (&self->lock);
  give_answer (&answer);
}

void
virfs_talk_interrupt (VirfsTalk *self, gpointer request)
{
  Interrupt *wish = g_new (Interrupt, 1);

  *wish = (Interrupt){ talk_ref (self), request };
  virfs_session_defer (self->session, interrupt, wish);
}
