/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who waits for an open file: for more of a stream, or in poll.
 *
 * They stand in the session's table `waiting` until the notifier wakes them.  The session's waiting_lock
 * is the only lock here; answers are given without it, because they take locks of FUSE's that are held
 * when interrupts come in.
 */
#include "open_private.h"

#include <errno.h>
#include <poll.h>

static GPtrArray *
waiting_for (VirfsSession *session, guint64 ino, gboolean make)
{
  GPtrArray *opens = g_hash_table_lookup (session->waiting, (gpointer) ino);

  if (opens == NULL && make) {
    opens = g_ptr_array_new ();
    g_hash_table_insert (session->waiting, (gpointer) ino, opens);
  }
  return opens;
}

static void
wait_for_change (VirfsSession *session, VirfsOpen *open)
{
  GPtrArray *opens = waiting_for (session, open->ino, TRUE);

  if (!g_ptr_array_find (opens, open, NULL))
    g_ptr_array_add (opens, open);
}

static void
stop_waiting (VirfsSession *session, VirfsOpen *open)
{
  GPtrArray *opens = waiting_for (session, open->ino, FALSE);

  if (opens != NULL && open->request == NULL && open->poll_handle == NULL) {
    g_ptr_array_remove_fast (opens, open);
    if (opens->len == 0)
      g_hash_table_remove (session->waiting, (gpointer) open->ino);
  }
}

gsize
virfs_open_follow (VirfsSession *session, VirfsOpen *open, const VirfsNode *node, gsize size,
                   gboolean block, gpointer request, char **buffer)
{
  g_autofree char *data = g_malloc (size);
  gsize got;

  g_mutex_lock (&session->waiting_lock);
  got = node->row->follow (node, &open->position, data, size);
  /* of several who read one open file only one waits */
  if (got == 0 && block && open->request == NULL) {
    open->request = request;
    open->request_size = size;
    wait_for_change (session, open);
    virfs_request_watch_open (request, open);
    got = G_MAXSIZE;
  }
  g_mutex_unlock (&session->waiting_lock);
  *buffer = got > 0 && got != G_MAXSIZE ? g_steal_pointer (&data) : NULL;
  return got;
}

static gboolean
has_news (VirfsOpen *open, const VirfsNode *node)
{
  guint64 position = open->position;
  gint64 changed;
  char byte[256];

  if (node->row->follow != NULL)
    return node->row->follow (node, &position, byte, sizeof byte) > 0;
  changed = virfs_node_changed (node);
  if (changed == open->seen)
    return FALSE;
  open->seen = changed;
  return TRUE;
}

unsigned
virfs_open_poll (VirfsSession *session, VirfsOpen *open, const VirfsNode *node, gpointer handle)
{
  gpointer old = NULL;
  unsigned events = 0;

  g_mutex_lock (&session->waiting_lock);
  if (handle != NULL) {
    old = open->poll_handle;
    open->poll_handle = handle;
    wait_for_change (session, open);
  }
  if (has_news (open, node))
    events = POLLIN | POLLRDNORM | POLLPRI;
  g_mutex_unlock (&session->waiting_lock);
  if (old != NULL)
    virfs_kernel_drop_poll (old);
  return events;
}

/* One reader that waits, taken out of the table. */
typedef struct {
  gpointer request;
  char *data;
  gsize size;
  gpointer poll_handle;
} Woken;

static void
wake_one (VirfsSession *session, VirfsOpen *open, const VirfsNode *node, GArray *woken)
{
  Woken one = { .poll_handle = g_steal_pointer (&open->poll_handle) };

  if (open->request != NULL) {
    one.data = g_malloc (open->request_size);
    if (node->row != NULL)
      one.size = node->row->follow (node, &open->position, one.data, open->request_size);
    if (one.size > 0 || node->row == NULL)
      one.request = g_steal_pointer (&open->request);
  }
  g_array_append_val (woken, one);
}

static void
answer_woken (Woken *one)
{
  if (one->request != NULL) {
    virfs_request_watch_open (one->request, NULL);
    virfs_reply_data (one->request, one->data, one->size);
  }
  if (one->poll_handle != NULL) {
    virfs_kernel_wake_poll (one->poll_handle);
    virfs_kernel_drop_poll (one->poll_handle);
  }
  g_free (one->data);
}

void
virfs_open_wake (VirfsSession *session, guint64 ino)
{
  g_autoptr (GArray) woken = NULL;
  g_autoptr (GPtrArray) opens = NULL;
  g_auto (VirfsNode) node = { 0 };

  g_mutex_lock (&session->waiting_lock);
  if (waiting_for (session, ino, FALSE) == NULL) {
    g_mutex_unlock (&session->waiting_lock);
    return;
  }
  /* an object that is gone ends what its readers wait for */
  if (!virfs_node_get (session, ino, &node))
    node = (VirfsNode){ 0 };
  woken = g_array_new (FALSE, FALSE, sizeof (Woken));
  opens = g_ptr_array_copy (waiting_for (session, ino, FALSE), NULL, NULL);
  for (guint i = 0; i < opens->len; i++) {
    wake_one (session, opens->pdata[i], &node, woken);
    stop_waiting (session, opens->pdata[i]);
  }
  g_mutex_unlock (&session->waiting_lock);
  for (guint i = 0; i < woken->len; i++)
    answer_woken (&g_array_index (woken, Woken, i));
}

typedef struct {
  VirfsSession *session;
  VirfsOpen *open;
} Interrupt;

static void
interrupt (gpointer data)
{
  g_autofree Interrupt *self = data;
  gpointer request;

  g_mutex_lock (&self->session->waiting_lock);
  request = g_steal_pointer (&self->open->request);
  stop_waiting (self->session, self->open);
  g_mutex_unlock (&self->session->waiting_lock);
  if (request != NULL) {
    virfs_request_watch_open (request, NULL);
    virfs_reply_error (request, EINTR);
  }
  virfs_open_unref (self->open);
}

void
virfs_open_interrupt (VirfsSession *session, VirfsOpen *open)
{
  Interrupt *data = g_new (Interrupt, 1);

  g_atomic_ref_count_inc (&open->refs);
  *data = (Interrupt){ session, open };
  virfs_session_defer (session, interrupt, data);
}

void
virfs_open_close (VirfsSession *session, VirfsOpen *open)
{
  gpointer handle;

  g_mutex_lock (&session->waiting_lock);
  handle = g_steal_pointer (&open->poll_handle);
  open->request = NULL;
  stop_waiting (session, open);
  g_mutex_unlock (&session->waiting_lock);
  if (handle != NULL)
    virfs_kernel_drop_poll (handle);
  virfs_open_unref (open);
}
