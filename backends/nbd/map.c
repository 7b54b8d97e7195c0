/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the server tells of its blocks.  One walk asks for all contexts at once, one question after
 * the other: each answer asks the next, as long as somebody waits.  Who comes later goes on where
 * the walk was left.
 *
 * The runs belong to the walk until the maps are complete, then they do not change any more.
 */
#include "private.h"

#include "error.h"

#include <errno.h>

#define MOST_AT_ONCE (1u << 31) /* bytes; a power of two keeps what the server wants aligned */

void
nbd_maps_clear (VirfsNbd *nbd)
{
  for (guint i = 0; i < G_N_ELEMENTS (nbd->maps.runs); i++)
    g_clear_pointer (&nbd->maps.runs[i], g_array_unref);
}

static guint64
end_of (const GArray *runs)
{
  const VirfsNbdRun *last;

  if (runs->len == 0)
    return 0;
  last = &g_array_index (runs, VirfsNbdRun, runs->len - 1);
  return last->start + last->length;
}

static void
append (GArray *runs, guint64 end, guint32 flags)
{
  guint64 start = end_of (runs);
  VirfsNbdRun *last = runs->len ? &g_array_index (runs, VirfsNbdRun, runs->len - 1) : NULL;
  VirfsNbdRun run = { start, end - start, flags };

  if (end <= start)
    return;
  if (last != NULL && last->flags == flags)
    last->length += run.length;
  else
    g_array_append_val (runs, run);
}

void
nbd_maps_add (VirfsNbd *nbd, const char *context, guint64 offset, const guint32 *entries,
              gsize n_entries)
{
  guint i = g_strcmp0 (context, nbd->contexts[VIRFS_NBD_CHANGES]) == 0 ? VIRFS_NBD_CHANGES
                                                                       : VIRFS_NBD_ALLOCATION;
  GArray *runs = nbd->maps.runs[i];

  /* one context may be told further than another, and is then told again */
  if (runs == NULL || offset > end_of (runs))
    return;
  for (gsize e = 0; e + 1 < n_entries; e += 2) {
    offset += entries[e];
    append (runs, MIN (offset, nbd->facts.size), entries[e + 1]);
  }
}

/* Up to where all is known. */
static guint64
position_of (const VirfsNbd *nbd)
{
  guint64 position = nbd->facts.size;

  for (guint i = 0; i < G_N_ELEMENTS (nbd->maps.runs); i++)
    if (nbd->maps.runs[i] != NULL)
      position = MIN (position, end_of (nbd->maps.runs[i]));
  return position;
}

static void on_answer (int error, gpointer data);

static void
ask (VirfsNbd *nbd, guint64 position)
{
  NbdRequest *request = g_new0 (NbdRequest, 1);

  nbd->maps.asked = position;
  request->offset = position;
  request->length = (guint32) MIN (MOST_AT_ONCE, nbd->facts.size - position);
  request->done = on_answer;
  request->data = nbd;
  nbd_submit (nbd, request);
}

/* Returns whether there is more to be asked.  ERROR is of the answer that has come. */
static gboolean
conclude (VirfsNbd *nbd, int error)
{
  NbdMaps *maps = &nbd->maps;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&nbd->lock);

  maps->complete = !error && position_of (nbd) == nbd->facts.size;
  maps->running = !error && !maps->complete && maps->waiters > 0;
  if (error) {
    maps->error = error;
    maps->failures++;
  }
  if (!maps->running)
    g_cond_broadcast (&nbd->changed);
  return maps->running;
}

static void
on_answer (int error, gpointer data)
{
  VirfsNbd *nbd = data;
  guint64 position = position_of (nbd);

  if (!error && position == nbd->maps.asked)
    error = EPROTO;
  if (conclude (nbd, error))
    ask (nbd, position);
}

/* Where the server does not tell all is data. */
static void
begin (VirfsNbd *nbd)
{
  for (guint i = 0; i < G_N_ELEMENTS (nbd->maps.runs); i++)
    if (nbd->contexts[i] != NULL && nbd->maps.runs[i] == NULL) {
      nbd->maps.runs[i] = g_array_new (FALSE, FALSE, sizeof (VirfsNbdRun));
      if (!nbd->facts.contexts[i])
        append (nbd->maps.runs[i], nbd->facts.size, 0);
    }
}

/* Under the lock, which it leaves for moments. */
static void
make_run (VirfsNbd *nbd)
{
  NbdMaps *maps = &nbd->maps;
  guint64 position;

  begin (nbd);
  position = position_of (nbd);
  maps->complete = position == nbd->facts.size;
  if (maps->complete)
    return;
  maps->running = TRUE;
  g_mutex_unlock (&nbd->lock);
  ask (nbd, position);
  g_mutex_lock (&nbd->lock);
}

static gboolean
wait_for_maps (VirfsNbd *nbd, GCancellable *cancellable, GError **error)
{
  NbdMaps *maps = &nbd->maps;
  guint64 failures = maps->failures;

  while (!maps->complete && maps->failures == failures
         && !g_cancellable_is_cancelled (cancellable)) {
    if (!maps->running)
      make_run (nbd);
    else
      g_cond_wait (&nbd->changed, &nbd->lock);
  }
  if (maps->complete)
    return TRUE;
  if (maps->failures != failures)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "%s does not say what its blocks are: %s",
                 nbd->uri, g_strerror (maps->error));
  else
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED, "%s: cancelled", nbd->uri);
  return FALSE;
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  VirfsNbd *nbd = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&nbd->lock);

  g_cond_broadcast (&nbd->changed);
}

GArray *
virfs_nbd_map (VirfsNbd *nbd, VirfsNbdContext context, GCancellable *cancellable, GError **error)
{
  gulong handler = 0;
  gboolean known;

  if (nbd->contexts[context] == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_UNSUPPORTED, "%s: there is no bitmap", nbd->uri);
    return NULL;
  }
  if (cancellable != NULL)
    handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), nbd, NULL);
  g_mutex_lock (&nbd->lock);
  nbd->maps.waiters++;
  known = wait_for_maps (nbd, cancellable, error);
  nbd->maps.waiters--;
  g_mutex_unlock (&nbd->lock);
  g_cancellable_disconnect (cancellable, handler);
  return known ? g_array_ref (nbd->maps.runs[context]) : NULL;
}
