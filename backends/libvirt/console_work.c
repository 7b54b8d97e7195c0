/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which consoles are open, and what is to be done with them. */
#include "console_stream.h"

#include "connection.h"
#include "error.h"
#include "gate.h"

#include <errno.h>
#include <string.h>

/* As of operations: a console may be silent for long. */
#define KEEPALIVE 5, 5

typedef enum {
  WORK_OPEN,
  WORK_SEND,
  WORK_CLOSE, /* unless it is wanted again */
  WORK_DROP,  /* STREAM has ended */
} WorkKind;

typedef struct {
  WorkKind kind;
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

/* Telling. */

/* Those who talk to it hear no more: because of ERROR, an errno; < 0: they go on. */
static void
tell (LvLink *link, const char *uuid, VirfsConsoleState state, int error)
{
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_console_tell (host->object.infra, uuid, link, state);
  if (error >= 0)
    virfs_console_end (host->object.infra, uuid, error);
  lv_gate_leave (link->connection);
}

/* What is wanted. */

typedef enum { WISH_NONE, WISH_OPEN, WISH_CLOSE, WISH_END } Wish;

/* While a guest moves it has a console on either host; the one that it leaves says nothing of its end. */
static gboolean
is_at_home (VirfsHost *host, const char *uuid)
{
  VirfsInfra *infra = host->object.infra;
  g_autoptr (VirfsVm) vm = virfs_infra_vm_by_uuid (infra, uuid);
  g_autoptr (VirfsVmInfo) info = vm ? virfs_vm_info (vm) : NULL;

  return info != NULL && info->host == host && !virfs_infra_is_moving (infra, vm);
}

static Wish
wish (VirfsHost *host, const char *uuid, const VirfsVmInfo *info)
{
  gboolean used = virfs_console_is_used (host->object.infra, uuid);

  if (info == NULL)
    return WISH_CLOSE;
  if (!virfs_vm_state_active (info->state))
    return used && is_at_home (host, uuid) ? WISH_END : WISH_CLOSE;
  return used || info->record ? WISH_OPEN : WISH_CLOSE;
}

static Wish
wish_of (LvLink *link, const char *uuid)
{
  g_autoptr (VirfsVmInfo) info = lv_gate_known_vm (link, uuid);
  VirfsHost *host = lv_gate_enter (link->connection);
  Wish is;

  if (host == NULL)
    return WISH_NONE;
  is = wish (host, uuid, info);
  lv_gate_leave (link->connection);
  return is;
}

/* The thread. */

static LvStream *
stream_of (LvConsoles *self, const char *uuid)
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
  tell (link, stream->uuid, VIRFS_CONSOLE_OPEN, -1);
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

/* Those who have talked to it hear no more, unless it is where the guest is to come. */
static void
tell_failure (LvLink *link, const char *uuid, VirfsConsoleState state)
{
  VirfsHost *host = lv_gate_enter (link->connection);
  gboolean at_home;

  if (host == NULL)
    return;
  at_home = is_at_home (host, uuid);
  lv_gate_leave (link->connection);
  if (at_home)
    tell (link, uuid, state, EIO);
}

static void
do_close (LvLink *link, Work *work)
{
  g_autoptr (LvStream) stream = NULL;

  if (wish_of (link, work->uuid) == WISH_OPEN)
    return;
  stream = take_out (link->consoles, work->uuid, NULL);
  if (stream == NULL)
    return;
  lv_stream_close (stream);
  tell (link, work->uuid, VIRFS_CONSOLE_CLOSED, -1);
}

/* Whoever waits for it is told by his job why it fails. */
static void
do_open (LvLink *link, Work *work)
{
  g_autoptr (LvStream) known = stream_of (link->consoles, work->uuid);
  LvConnection *connection = link->connection;
  VirfsConsoleState state;
  g_autoptr (GError) error = NULL;

  if (work->job ? !lv_gate_start_job (connection, work->job)
                : wish_of (link, work->uuid) != WISH_OPEN)
    return;
  if (known == NULL && !open_stream (link, work->uuid, &state, &error)) {
    if (work->job != NULL)
      tell (link, work->uuid, state, -1);
    else
      tell_failure (link, work->uuid, state);
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
  case WORK_OPEN:
    do_open (link, work);
    break;
  case WORK_SEND:
    stream = stream_of (link->consoles, work->uuid);
    if (stream != NULL)
      lv_stream_send (stream);
    break;
  case WORK_CLOSE:
    do_close (link, work);
    break;
  case WORK_DROP:
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

/* Takes references to JOB and STREAM.  FALSE: the link is closed. */
static gboolean
push (LvLink *link, WorkKind kind, const char *uuid, VirfsJob *job, LvStream *stream)
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

static void
add_guest (VirfsVm *vm, const VirfsVmInfo *info, gpointer guests)
{
  g_ptr_array_add (guests, g_strdup (info->uuid));
}

/* The streams may have ended before, which tells nobody that nothing will come any more. */
static void
end_used (LvLink *link)
{
  g_autoptr (GPtrArray) guests = g_ptr_array_new_with_free_func (g_free);
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_infra_foreach_vm (host->object.infra, host, add_guest, guests);
  for (guint i = 0; i < guests->len; i++)
    if (virfs_console_is_used (host->object.infra, guests->pdata[i])
        && is_at_home (host, guests->pdata[i]))
      virfs_console_end (host->object.infra, guests->pdata[i], EIO);
  lv_gate_leave (link->connection);
}

/* What is queued is not done any more; its jobs end with the host. */
void
lv_consoles_close (LvLink *link)
{
  g_autoptr (GPtrArray) open = g_ptr_array_new_with_free_func (g_free);

  stop (link, open);
  for (guint i = 0; i < open->len; i++)
    tell (link, open->pdata[i], VIRFS_CONSOLE_CLOSED, EIO);
  end_used (link);
}

/* From streams. */

void
lv_console_writable (LvStream *stream)
{
  push (stream->link, WORK_SEND, stream->uuid, NULL, NULL);
}

/* Reading the guest again tells why, and what is to be done. */
void
lv_console_ended (LvStream *stream)
{
  g_autoptr (LvStream) known = take_out (stream->link->consoles, stream->uuid, stream);

  if (known == NULL)
    return;
  push (stream->link, WORK_DROP, stream->uuid, NULL, stream);
  tell (stream->link, stream->uuid, VIRFS_CONSOLE_CLOSED, -1);
  lv_connection_queue (stream->link, stream->uuid, 0);
}

/* Looking. */

void
lv_console_look (LvLink *link, const char *uuid)
{
  g_autoptr (LvStream) stream = stream_of (link->consoles, uuid);
  Wish is = wish_of (link, uuid);

  if (is == WISH_OPEN && stream == NULL)
    push (link, WORK_OPEN, uuid, NULL, NULL);
  else if ((is == WISH_CLOSE || is == WISH_END) && stream != NULL)
    push (link, WORK_CLOSE, uuid, NULL, NULL);
  if (is == WISH_END)
    tell (link, uuid, VIRFS_CONSOLE_CLOSED, 0);
}

static void
add_recorded (VirfsVm *vm, const VirfsVmInfo *info, gpointer guests)
{
  if (info->record)
    g_ptr_array_add (guests, g_strdup (info->uuid));
}

void
lv_console_poll (LvLink *link)
{
  g_autoptr (GPtrArray) guests = g_ptr_array_new_with_free_func (g_free);
  VirfsHost *host = lv_gate_enter (link->connection);

  if (host == NULL)
    return;
  virfs_infra_foreach_vm (host->object.infra, host, add_recorded, guests);
  lv_gate_leave (link->connection);
  for (guint i = 0; i < guests->len; i++)
    lv_console_look (link, guests->pdata[i]);
}

/* The backend's functions. */

static LvLink *
link_of (VirfsVm *vm, GError **error)
{
  g_autoptr (VirfsVmInfo) info = virfs_vm_info (vm);

  return lv_host_link (info->host, error);
}

void
lv_console_open (VirfsVm *vm, VirfsJob *job)
{
  GError *error = NULL;
  g_autoptr (LvLink) link = link_of (vm, &error);

  if (link == NULL)
    virfs_job_finish (job, error);
  else if (!push (link, WORK_OPEN, vm->uuid, job, NULL))
    lv_gate_finish_job (link->connection, job,
                        g_error_new (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN, "%s is not reachable",
                                     link->connection->name));
}

void
lv_console_send (VirfsVm *vm)
{
  g_autoptr (LvLink) link = link_of (vm, NULL);

  if (link != NULL)
    push (link, WORK_SEND, vm->uuid, NULL, NULL);
}

void
lv_console_leave (VirfsVm *vm)
{
  g_autoptr (LvLink) link = link_of (vm, NULL);

  if (link != NULL)
    lv_console_look (link, vm->uuid);
}
