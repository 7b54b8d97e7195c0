/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which consoles are open, and the thread that opens, sends and closes. */
#include "console_work.h"

#include "connection.h"
#include "error.h"
#include "gate.h"

#include <errno.h>
#include <string.h>

/* As of operations: a console may be silent for long. */
#define KEEPALIVE 5, 5

typedef struct {
  LvConsoleWork kind;
  char *uuid;
  VirfsJob *job;    /* of who waits for it; NULL: nobody */
  LvStream *stream; /* NULL: that of the guest */
} Work;

struct LvConsoles {
  virConnectPtr conn; /* of the thread, which takes it out under the lock; NULL: not yet */
  GMutex lock;
  /* under lock */
  gboolean closed, working; /* its thread is there */
  GQueue work;              /* of Work* */
  GHashTable *streams;      /* UUID -> LvStream*, a reference */
};

static void
free_work (gpointer data)
{
  Work *work = data;

  virfs_object_unref (work->job);
  if (work->stream != NULL)
    lv_stream_unref (work->stream);
  g_free (work->uuid);
  g_free (work);
}

LvConsoles *
lv_consoles_new (void)
{
  LvConsoles *self = g_new0 (LvConsoles, 1);

  g_mutex_init (&self->lock);
  g_queue_init (&self->work);
  self->streams = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

/* Nothing is open any more: streams have references to their link. */
void
lv_consoles_free (LvConsoles *self)
{
  g_queue_clear_full (&self->work, free_work);
  g_hash_table_unref (self->streams);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* The thread. */

LvStream *
lv_console_stream (LvConsoles *self, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  LvStream *stream = g_hash_table_lookup (self->streams, uuid);

  return stream ? lv_stream_ref (stream) : NULL;
}

/* STREAM (NULL: whichever it is) is not the guest's any more; what was is the caller's. */
static LvStream *
take_out (LvConsoles *self, const char *uuid, LvStream *stream)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  LvStream *known = g_hash_table_lookup (self->streams, uuid);

  if (known == NULL || (stream != NULL && stream != known))
    return NULL;
  g_hash_table_remove (self->streams, uuid);
  return known;
}

/* FALSE: the link was closed. */
static gboolean
put_in (LvConsoles *self, LvStream *stream)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (!self->closed)
    g_hash_table_insert (self->streams, stream->uuid, lv_stream_ref (stream));
  return !self->closed;
}

/* It is heard when it is known to be open: so its end comes later. */
static gboolean
install (LvLink *link, LvStream *stream, GError **error)
{
  if (!put_in (link->consoles, stream)) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is not reachable",
                 link->connection->name);
    return FALSE;
  }
  lv_console_tell (link, stream->uuid, VIRFS_CONSOLE_OPEN, -1);
  if (lv_stream_listen (stream, error))
    return TRUE;
  lv_stream_unref (take_out (link->consoles, stream->uuid, stream));
  return FALSE;
}

static gboolean
open_stream (LvLink *link, const char *uuid, VirfsConsoleState *state, GError **error)
{
  LvConsoles *self = link->consoles;
  g_autoptr (LvStream) stream = NULL;

  *state = VIRFS_CONSOLE_CLOSED;
  if (self->conn == NULL)
    self->conn = lv_link_connect (link, KEEPALIVE, error);
  if (self->conn != NULL)
    stream = lv_stream_open (link, self->conn, uuid, state, error);
  if (stream == NULL)
    return FALSE;
  if (install (link, stream, error))
    return TRUE;
  lv_stream_close (stream);
  return FALSE;
}

static void
do_close (LvLink *link, Work *work)
{
  g_autoptr (LvStream) stream = NULL;

  if (lv_console_wish (link, work->uuid) == LV_WISH_OPEN)
    return;
  stream = take_out (link->consoles, work->uuid, NULL);
  if (stream == NULL)
    return;
  lv_stream_close (stream);
  lv_console_tell (link, work->uuid, VIRFS_CONSOLE_CLOSED, -1);
}

/* Whoever waits for it is told by his job why it fails. */
static void
do_open (LvLink *link, Work *work)
{
  g_autoptr (LvStream) known = lv_console_stream (link->consoles, work->uuid);
  LvConnection *connection = link->connection;
  VirfsConsoleState state;
  g_autoptr (GError) error = NULL;

  if (work->job ? !lv_gate_start_job (connection, work->job)
                : lv_console_wish (link, work->uuid) != LV_WISH_OPEN)
    return;
  if (known == NULL && !open_stream (link, work->uuid, &state, &error)) {
    if (work->job != NULL)
      lv_console_tell (link, work->uuid, state, -1);
    else
      lv_console_tell_failure (link, work->uuid, state);
  }
  if (work->job != NULL)
    lv_gate_finish_job (connection, work->job, g_steal_pointer (&error));
  /* who has left meanwhile has found nothing to close */
  do_close (link, work);
}

static void
do_work (LvLink *link, Work *work)
{
  g_autoptr (LvStream) stream = NULL;

  switch (work->kind) {
  case LV_WORK_OPEN:
    do_open (link, work);
    break;
  case LV_WORK_SEND:
    stream = lv_console_stream (link->consoles, work->uuid);
    if (stream != NULL)
      lv_stream_send (stream);
    break;
  case LV_WORK_CLOSE:
    do_close (link, work);
    break;
  case LV_WORK_DROP:
    lv_stream_close (work->stream);
    break;
  }
}

/* All that is open, which is the caller's from now on, and what it is open through. */
static GPtrArray *
take_all_out (LvConsoles *self, virConnectPtr *conn)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GPtrArray *streams = g_ptr_array_new_with_free_func ((GDestroyNotify) lv_stream_unref);
  GHashTableIter iter;
  gpointer stream;

  g_hash_table_iter_init (&iter, self->streams);
  while (g_hash_table_iter_next (&iter, NULL, &stream))
    g_ptr_array_add (streams, stream);
  g_hash_table_remove_all (self->streams);
  *conn = g_steal_pointer (&self->conn);
  return streams;
}

static void
drop_all (LvLink *link)
{
  virConnectPtr conn;
  g_autoptr (GPtrArray) streams = take_all_out (link->consoles, &conn);

  for (guint i = 0; i < streams->len; i++)
    LV (virStreamEventRemoveCallback (((LvStream *) streams->pdata[i])->stream));
  if (conn != NULL)
    lv_link_disconnect (link, conn);
}

/* NULL: there is none, and the thread ends; *CLOSED: it is the last, and drops what is open. */
static Work *
next (LvConsoles *self, gboolean *closed)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  Work *work = g_queue_pop_head (&self->work);

  *closed = self->closed;
  if (work == NULL)
    self->working = FALSE;
  return work;
}

static gpointer
run (gpointer data)
{
  g_autoptr (LvLink) link = data;
  gboolean closed;
  Work *work;

  while ((work = next (link->consoles, &closed)) != NULL) {
    do_work (link, work);
    free_work (work);
  }
  if (closed)
    drop_all (link);
  return NULL;
}

/* Under the lock. */
static void
start (LvLink *link)
{
  if (link->consoles->working)
    return;
  link->consoles->working = TRUE;
  g_thread_unref (g_thread_new ("virfs-console", run, lv_link_ref (link)));
}

gboolean
lv_console_push (LvLink *link, LvConsoleWork kind, const char *uuid, VirfsJob *job,
                 LvStream *stream)
{
  LvConsoles *self = link->consoles;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  Work *work;

  if (self->closed)
    return FALSE;
  work = g_new0 (Work, 1);
  *work = (Work){ kind, g_strdup (uuid), job ? virfs_object_ref (job) : NULL,
                  stream ? lv_stream_ref (stream) : NULL };
  g_queue_push_tail (&self->work, work);
  start (link);
  return TRUE;
}

static void
stop (LvLink *link, GPtrArray *open)
{
  LvConsoles *self = link->consoles;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  GHashTableIter iter;
  gpointer uuid;

  self->closed = TRUE;
  g_hash_table_iter_init (&iter, self->streams);
  while (g_hash_table_iter_next (&iter, &uuid, NULL))
    g_ptr_array_add (open, g_strdup (uuid));
  g_queue_clear_full (&self->work, free_work);
  start (link);
}

/* What is queued is not done any more; its jobs end with the host. */
void
lv_consoles_close (LvLink *link)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new_with_free_func (g_free);

  stop (link, open);
  for (guint i = 0; i < open->len; i++)
    lv_console_tell (link, open->pdata[i], VIRFS_CONSOLE_CLOSED, EIO);
  lv_console_end_used (link);
}

/* From streams. */

void
lv_console_writable (LvStream *stream)
{
  lv_console_push (stream->link, LV_WORK_SEND, stream->uuid, NULL, NULL);
}

/* Reading the guest again tells why, and what is to be done. */
void
lv_console_ended (LvStream *stream)
{
  g_autoptr (LvStream) known = take_out (stream->link->consoles, stream->uuid, stream);

  if (known == NULL)
    return;
  lv_console_push (stream->link, LV_WORK_DROP, stream->uuid, NULL, stream);
  lv_console_tell (stream->link, stream->uuid, VIRFS_CONSOLE_CLOSED, -1);
  lv_connection_queue (stream->link, stream->uuid, 0);
}
