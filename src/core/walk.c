/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading in order. */
#include "walk.h"

#include "error.h"

#include <errno.h>

#define PIECE (1024 * 1024)
#define AHEAD 4

/* One reading, of PIECE bytes. */
typedef struct {
  struct Walk *walk;
  gboolean done; /* under the walk's lock, as the next */
  int error;
  GPtrArray *pieces;
} Read;

typedef struct Walk {
  VirfsContent *content;
  VirfsJob *job;
  const char *what;
  guint64 length;
  GMutex lock;
  GCond changed;
  Read reads[AHEAD]; /* a ring */
} Walk;

static void
read_done (int error, GPtrArray *pieces, gpointer data)
{
  Read *read = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&read->walk->lock);

  read->error = error;
  read->pieces = error ? NULL : g_ptr_array_ref (pieces);
  read->done = TRUE;
  g_cond_broadcast (&read->walk->changed);
}

static void
begin_read (Walk *walk, guint64 number)
{
  Read *read = &walk->reads[number % AHEAD];

  if (number * PIECE >= walk->length)
    return;
  *read = (Read){ .walk = walk };
  walk->content->class->read (walk->content, number * PIECE,
                              (gsize) MIN (PIECE, walk->length - number * PIECE), read_done, read);
}

/* What read NUMBER has brought; the caller owns it.  NULL with ERROR. */
static GPtrArray *
end_read (Walk *walk, guint64 number, GError **error)
{
  Read *read = &walk->reads[number % AHEAD];
  GPtrArray *pieces;

  g_mutex_lock (&walk->lock);
  while (!read->done)
    g_cond_wait (&walk->changed, &walk->lock);
  pieces = g_steal_pointer (&read->pieces);
  g_mutex_unlock (&walk->lock);
  if (pieces == NULL)
    g_set_error (error, VIRFS_ERROR,
                 read->error == ENOSPC ? VIRFS_ERROR_NO_SPACE : VIRFS_ERROR_FAILED,
                 "cannot read %s: %s", walk->what, g_strerror (read->error));
  return pieces;
}

static gboolean
take_all (Walk *walk, GPtrArray *pieces, guint64 *offset, VirfsWalkTake take, gpointer data,
          GError **error)
{
  for (guint i = 0; i < pieces->len; i++) {
    if (!take (*offset, pieces->pdata[i], data, error))
      return FALSE;
    *offset += g_bytes_get_size (pieces->pdata[i]);
  }
  return TRUE;
}

static gboolean
check_cancelled (Walk *walk, GError **error)
{
  if (!virfs_job_is_cancelled (walk->job))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

static gboolean
walk_pieces (Walk *walk, VirfsWalkTake take, gpointer data, GError **error)
{
  guint64 pieces = (walk->length + PIECE - 1) / PIECE, offset = 0;
  gboolean ok = TRUE;

  for (guint64 i = 0; i < AHEAD; i++)
    begin_read (walk, i);
  for (guint64 i = 0; i < pieces; i++) {
    /* those that have begun end, whatever becomes of it */
    g_autoptr (GPtrArray) got = ok || i < pieces ? end_read (walk, i, ok ? error : NULL) : NULL;

    ok = ok && got != NULL && check_cancelled (walk, error)
         && take_all (walk, got, &offset, take, data, error);
    if (!ok)
      pieces = MIN (pieces, i + AHEAD);
    else
      begin_read (walk, i + AHEAD);
    virfs_job_progress (walk->job, offset, walk->length);
  }
  if (ok && offset != walk->length) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s has changed meanwhile", walk->what);
    ok = FALSE;
  }
  return ok;
}

gboolean
virfs_walk (VirfsContent *content, guint64 length, const char *what, VirfsJob *job,
            VirfsWalkTake take, gpointer data, GError **error)
{
  Walk walk = { .content = content, .job = job, .what = what, .length = length };
  gboolean ok;

  g_mutex_init (&walk.lock);
  g_cond_init (&walk.changed);
  ok = walk_pieces (&walk, take, data, error);
  content->class->close (content);
  g_cond_clear (&walk.changed);
  g_mutex_clear (&walk.lock);
  return ok;
}

gboolean
virfs_walk_add_to_sum (guint64 offset, GBytes *bytes, gpointer sum, GError **error)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  virfs_sum_add (sum, data, length);
  return TRUE;
}
