/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in a volume by streams.  Each comes in order; so there is a window of what has come, which is
 * read ahead of who reads in order, and begins anew somewhere else for who does not.
 *
 * A thread receives as long as somebody reads, and some time longer; it has a connection of its own
 * meanwhile.  The window is the thread's.
 */
#include "image_open.h"

#include "connection.h"
#include "error.h"
#include "fail.h"

#include <errno.h>
#include <string.h>

#define CHUNK  (256 * 1024) /* what libvirt sends in one message */
#define AHEAD  (8 * 1024 * 1024)
#define BEHIND (4 * 1024 * 1024) /* kept, for requests of the kernel do not come in order */
#define SKIP   (4 * 1024 * 1024) /* received rather than begun anew */
#define IDLE   (5 * G_TIME_SPAN_SECOND)
#define HOLE   (-3)

typedef struct {
  guint64 offset;
  gsize length;
  VirfsContentDone done;
  gpointer data;
} Request;

typedef struct {
  guint64 length;
  GBytes *bytes; /* NULL: a hole */
} Piece;

typedef struct {
  VirfsContent content;
  gatomicrefcount refs;
  VirfsPart *volume;

  GMutex lock;
  GCond changed;
  /* under lock */
  GQueue requests; /* of Request* */
  gboolean running, closing;

  /* of the thread */
  LvSeat seat;
  virStreamPtr stream; /* NULL: none */
  gboolean ended;      /* all has come */
  GQueue window;       /* of Piece* */
  guint64 begin, end;  /* of it */
  guint64 wanted;      /* the end of what was asked for last */
} Stream;

static void
free_piece (gpointer data)
{
  Piece *piece = data;

  if (piece->bytes != NULL)
    g_bytes_unref (piece->bytes);
  g_free (piece);
}

static void
unref (Stream *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_queue_clear_full (&self->window, free_piece);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  virfs_object_unref (self->volume);
  g_free (self);
}

/* Streams. */

static void
end_stream (Stream *self)
{
  if (self->stream == NULL)
    return;
  if (!self->ended)
    LV (virStreamAbort (self->stream));
  LV (virStreamFree (g_steal_pointer (&self->stream)));
}

static gboolean
take_seat (Stream *self)
{
  g_autoptr (LvLink) link = NULL;

  if (self->seat.link != NULL)
    return TRUE;
  link = lv_host_link ((VirfsHost *) virfs_part_root (self->volume), NULL);
  return link != NULL && lv_seat_take (&self->seat, link, NULL);
}

static virStorageVolPtr
find_volume (Stream *self)
{
  g_autoptr (virStoragePool) pool
    = LV (virStoragePoolLookupByName (self->seat.conn, ((VirfsPart *) self->volume->owner)->name));

  return pool ? LV (virStorageVolLookupByName (pool, self->volume->name)) : NULL;
}

/* The window begins anew at OFFSET. */
static gboolean
begin_at (Stream *self, guint64 offset)
{
  g_autoptr (virStorageVol) volume = NULL;

  end_stream (self);
  g_queue_clear_full (&self->window, free_piece);
  self->begin = self->end = offset;
  self->ended = FALSE;
  if (!take_seat (self))
    return FALSE;
  volume = find_volume (self);
  self->stream = volume ? LV (virStreamNew (self->seat.conn, 0)) : NULL;
  if (self->stream != NULL
      && LV (virStorageVolDownload (volume, self->stream, offset, 0,
                                    VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM))
           == 0)
    return TRUE;
  if (self->stream != NULL)
    LV (virStreamFree (g_steal_pointer (&self->stream)));
  return FALSE;
}

/* Takes BYTES. */
static void
add_piece (Stream *self, GBytes *bytes, guint64 length)
{
  Piece *piece = g_new (Piece, 1);

  *piece = (Piece){ length, bytes };
  g_queue_push_tail (&self->window, piece);
  self->end += length;
}

static gboolean
receive_hole (Stream *self)
{
  long long length = 0;

  if (LV (virStreamRecvHole (self->stream, &length, 0)) < 0 || length < 0)
    return FALSE;
  add_piece (self, NULL, (guint64) length);
  return TRUE;
}

/* One more piece; FALSE for a failure. */
static gboolean
receive (Stream *self)
{
  g_autofree char *buffer = g_malloc (CHUNK);
  int n;

  if (self->stream == NULL)
    return FALSE;
  n = LV (virStreamRecvFlags (self->stream, buffer, CHUNK, VIR_STREAM_RECV_STOP_AT_HOLE));
  if (n == HOLE)
    return receive_hole (self);
  if (n < 0)
    return FALSE;
  if (n > 0) {
    add_piece (self, g_bytes_new_take (g_steal_pointer (&buffer), (gsize) n), (guint64) n);
    return TRUE;
  }
  self->ended = LV (virStreamFinish (self->stream)) == 0;
  return self->ended;
}

/* Forgets what is far behind OFFSET. */
static void
trim (Stream *self, guint64 offset)
{
  for (;;) {
    Piece *piece = g_queue_peek_head (&self->window);

    if (piece == NULL || self->begin + piece->length + BEHIND > offset)
      return;
    self->begin += piece->length;
    free_piece (g_queue_pop_head (&self->window));
  }
}

/* Answers. */

static GBytes *
zeros (gsize length)
{
  static const guint8 none[CHUNK];

  return g_bytes_new_static (none, MIN (length, sizeof none));
}

static void
add_part (GPtrArray *pieces, const Piece *piece, guint64 from, guint64 length)
{
  if (piece->bytes != NULL) {
    g_ptr_array_add (pieces, g_bytes_new_from_bytes (piece->bytes, from, length));
    return;
  }
  while (length > 0) {
    GBytes *some = zeros ((gsize) MIN (length, CHUNK));

    length -= g_bytes_get_size (some);
    g_ptr_array_add (pieces, some);
  }
}

static GPtrArray *
cut_pieces (Stream *self, guint64 offset, guint64 length)
{
  GPtrArray *pieces = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  guint64 at = self->begin, end = MIN (offset + length, self->end);

  for (GList *l = self->window.head; l && at < end; l = l->next) {
    const Piece *piece = l->data;
    guint64 from = MAX (offset, at), to = MIN (end, at + piece->length);

    if (from < to)
      add_part (pieces, piece, from - at, to - from);
    at += piece->length;
  }
  return pieces;
}

static gboolean
has_come (const Stream *self, const Request *request)
{
  return self->ended || self->end >= request->offset + request->length;
}

/* Whether it is better begun anew than waited for. */
static gboolean
is_elsewhere (const Stream *self, const Request *request)
{
  return request->offset < self->begin
         || (!self->ended && (self->stream == NULL || request->offset > self->end + SKIP));
}

static void
serve (Stream *self, Request *request)
{
  g_autoptr (GPtrArray) pieces = NULL;
  gboolean ok = !is_elsewhere (self, request) || begin_at (self, request->offset);

  while (ok && !has_come (self, request))
    ok = receive (self);
  if (!ok)
    end_stream (self);
  pieces = ok ? cut_pieces (self, request->offset, request->length) : g_ptr_array_new ();
  self->wanted = request->offset + request->length;
  trim (self, request->offset);
  request->done (ok ? 0 : EIO, pieces, request->data);
  g_free (request);
}

/* The thread. */

static gboolean
wants_more (const Stream *self)
{
  return self->stream != NULL && !self->ended && self->end < self->wanted + AHEAD;
}

/* The next that is asked for; NULL: nothing, *GO_ON if something is to be read ahead. */
static Request *
next_request (Stream *self, gboolean *go_on)
{
  gint64 end = g_get_monotonic_time () + IDLE;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  *go_on = wants_more (self);
  while (self->requests.length == 0 && !self->closing && !*go_on
         && g_cond_wait_until (&self->changed, &self->lock, end))
    ;
  *go_on = *go_on && !self->closing;
  return g_queue_pop_head (&self->requests);
}

/* FALSE: somebody has asked for something meanwhile. */
static gboolean
stop (Stream *self)
{
  g_autoptr (GMutexLocker) locker = NULL;

  end_stream (self);
  lv_seat_leave (&self->seat);
  locker = g_mutex_locker_new (&self->lock);
  self->running = self->requests.length > 0;
  return !self->running;
}

static void
run (gpointer data, gpointer unused)
{
  Stream *self = data;
  gboolean go_on;

  for (;;) {
    Request *request = next_request (self, &go_on);

    if (request != NULL)
      serve (self, request);
    else if (!go_on && stop (self))
      break;
    else if (go_on && !receive (self))
      end_stream (self);
  }
  unref (self);
}

static void
stream_read (VirfsContent *content, guint64 offset, gsize length, VirfsContentDone done,
             gpointer data)
{
  static GThreadPool *threads;
  static gsize once;
  Stream *self = (Stream *) content;
  Request *request = g_new (Request, 1);
  g_autoptr (GMutexLocker) locker = NULL;

  if (g_once_init_enter (&once)) {
    threads = g_thread_pool_new (run, NULL, -1, FALSE, NULL);
    g_once_init_leave (&once, 1);
  }
  *request = (Request){ offset, length, done, data };
  locker = g_mutex_locker_new (&self->lock);
  g_queue_push_tail (&self->requests, request);
  g_cond_signal (&self->changed);
  if (self->running)
    return;
  self->running = TRUE;
  g_atomic_ref_count_inc (&self->refs);
  g_thread_pool_push (threads, self, NULL);
}

static void
stream_close (VirfsContent *content)
{
  Stream *self = (Stream *) content;

  g_mutex_lock (&self->lock);
  self->closing = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
  unref (self);
}

VirfsContent *
lv_image_stream (VirfsPart *volume)
{
  static const VirfsContentClass class = { stream_read, NULL, NULL, stream_close };
  Stream *self = g_new0 (Stream, 1);

  self->content.class = &class;
  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->volume = virfs_object_ref (volume);
  return &self->content;
}
