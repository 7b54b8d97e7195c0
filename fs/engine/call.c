/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls.  A write may hold several lines: each is carried out when the one before has ended.  When
 * all is done, or one has failed, the answer goes through the notifier, behind all that changed: so
 * the kernel has forgotten the old values before the process goes on.
 *
 * What there is to be called: call_write.c, call_directory.c and call_file.c.
 *
 * Who owns what: a call has one reference for its answer, and one for each interrupt under way.
 */
#include "call_private.h"

/* How often a caller is looked at who got a signal that does not matter. */
#define LOOK_AGAIN (100 * G_TIME_SPAN_MILLISECOND)

/* Where a step is: it may end before the function that began it has returned, or after. */
enum { STEP_BEGUN, STEP_RETURNED, STEP_ENDED };

VirfsCall *
virfs_call_ref (VirfsCall *call)
{
  g_atomic_ref_count_inc (&call->refs);
  return call;
}

void
virfs_call_unref (VirfsCall *call)
{
  if (!g_atomic_ref_count_dec (&call->refs))
    return;
  if (call->interrupt_destroy != NULL)
    call->interrupt_destroy (call->interrupt_data);
  if (call->sink != NULL)
    call->sink->class->close (call->sink);
  if (call->terminal != NULL)
    call->terminal->class->close (call->terminal);
  virfs_node_clear (&call->node);
  virfs_node_clear (&call->to);
  g_free (call->name);
  g_free (call->new_name);
  g_free (call->target);
  g_free (call->text);
  g_free (call->old);
  g_clear_error (&call->error);
  g_mutex_clear (&call->lock);
  g_free (call);
}

VirfsSession *
virfs_call_session (VirfsCall *call)
{
  return call->session;
}

char *
virfs_call_mounted (VirfsCall *call, const char *path)
{
  return g_build_filename (call->session->mountpoint, path, NULL);
}

guint
virfs_call_uid (VirfsCall *call)
{
  return call->uid;
}

guint
virfs_call_gid (VirfsCall *call)
{
  return virfs_request_gid (call->request);
}

gboolean
virfs_call_in_group (VirfsCall *call, guint gid)
{
  return virfs_request_gid (call->request) == gid || virfs_request_in_group (call->request, gid);
}

gboolean
virfs_call_is_trusted (VirfsCall *call)
{
  return call->uid == 0 || call->uid == call->session->uid;
}

/* Interrupts. */

/* Runs outside of FUSE's locks, as the next.  What is called back is taken over, because the next step
 * may set its own meanwhile. */
static void
stop (gpointer data)
{
  g_autoptr (VirfsCall) call = data;
  void (*func) (gpointer func_data);
  GDestroyNotify destroy;
  gpointer func_data;

  g_mutex_lock (&call->lock);
  call->interrupted = TRUE;
  func = g_steal_pointer (&call->interrupt);
  func_data = g_steal_pointer (&call->interrupt_data);
  destroy = g_steal_pointer (&call->interrupt_destroy);
  g_mutex_unlock (&call->lock);
  if (func != NULL)
    func (func_data);
  if (destroy != NULL)
    destroy (func_data);
}

static gboolean
is_answered (VirfsCall *call)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&call->lock);

  return call->answered;
}

/* The kernel does not tell of a second signal, so who got one that does not matter is watched. */
static void
interrupt (gpointer data)
{
  g_autoptr (VirfsCall) call = data;

  while (!is_answered (call)) {
    if (virfs_signal_stops (call->thread)) {
      stop (g_steal_pointer (&call));
      return;
    }
    g_usleep (LOOK_AGAIN);
  }
}

void
virfs_call_interrupt (VirfsCall *call)
{
  virfs_session_defer (call->session, interrupt, virfs_call_ref (call));
}

void
virfs_call_on_interrupt (VirfsCall *call, void (*func) (gpointer data), gpointer data,
                         GDestroyNotify destroy)
{
  gpointer old_data;
  GDestroyNotify old_destroy;
  gboolean now;

  g_mutex_lock (&call->lock);
  old_data = call->interrupt_data;
  old_destroy = call->interrupt_destroy;
  call->interrupt = func;
  call->interrupt_data = data;
  call->interrupt_destroy = destroy;
  now = call->interrupted;
  g_mutex_unlock (&call->lock);
  if (old_destroy != NULL)
    old_destroy (old_data);
  if (now)
    virfs_session_defer (call->session, stop, virfs_call_ref (call));
}

/* The end. */

void
virfs_call_tell (VirfsCall *call)
{
  VirfsSession *session = call->session;
  g_autofree char *path = virfs_deed_path (session, &call->node, call->name);
  g_autofree char *to = NULL, *owner = NULL, *now = NULL;
  VirfsDeed deed = { .verb = call->verb, .path = path, .uid = call->uid, .old = call->old };

  if (session->ops->done == NULL)
    return;
  if (call->new_name != NULL)
    to = virfs_deed_path (session, &call->to, call->new_name);
  if (call->kind->gives)
    owner = virfs_deed_owner (&call->owner);
  if (call->error == NULL && call->old != NULL)
    now = virfs_deed_text_now (session, &call->node);
  deed.to = to ? to : call->target;
  deed.value = owner ? owner : call->asked;
  deed.secret = owner == NULL && virfs_deed_is_secret (&call->node);
  deed.new = now;
  session->ops->done (session->tree, &call->node, &deed, call->error);
}

static void
set_busy (VirfsCall *call, void (*func) (VirfsNotifier *, guint64))
{
  func (call->session->notifier, virfs_node_inode (&call->node));
  if (call->to.class != NULL)
    func (call->session->notifier, virfs_node_inode (&call->to));
}

/* Runs in the notifier's thread. */
static void
answer (gpointer data)
{
  VirfsCall *call = data;

  virfs_request_watch_call (call->request, NULL);
  g_mutex_lock (&call->lock);
  call->answered = TRUE;
  g_mutex_unlock (&call->lock);
  if (call->error != NULL)
    virfs_reply_error (call->request, virfs_error_to_errno (call->error));
  else
    call->kind->answer (call);
  set_busy (call, virfs_notifier_idle);
  virfs_call_unref (call);
}

static void
settled (gpointer data)
{
  VirfsCall *call = data;
  VirfsSession *session = call->session;

  if (!S_ISDIR (call->node.row->mode))
    virfs_notifier_inode (session->notifier, virfs_node_inode (&call->node));
  virfs_notifier_then (session->notifier, answer, call);
  virfs_session_end_read (session);
}

/* What somebody is told to have been done is in the log of events on disk, whatever happens then; but
 * where the store cannot be written, which is warned of, nobody waits until it can. */
static void
end (VirfsCall *call)
{
  VirfsSession *session = call->session;

  /* it must be there until then, as for a read */
  virfs_session_begin_read (session);
  if (session->ops->settle != NULL)
    session->ops->settle (session->tree, settled, call);
  else
    settled (call);
}

/* Begins steps until one is left to end later, fails, or none is left. */
static void
run (VirfsCall *call)
{
  while (call->error == NULL && call->pending) {
    g_atomic_int_set (&call->step, STEP_BEGUN);
    call->kind->begin (call);
    if (g_atomic_int_compare_and_exchange (&call->step, STEP_BEGUN, STEP_RETURNED))
      return;
  }
  end (call);
}

void
virfs_call_finish (VirfsCall *call, const GError *error)
{
  if (error != NULL)
    call->error = g_error_copy (error);
  if (error != NULL && call->done > 0)
    g_prefix_error (&call->error, "line %u (those before were carried out): ", call->done + 1);
  virfs_call_tell (call);
  if (error == NULL)
    call->done++;
  /* the one who comes second goes on */
  if (!g_atomic_int_compare_and_exchange (&call->step, STEP_BEGUN, STEP_ENDED))
    run (call);
}

void
virfs_call_fail (VirfsCall *call, VirfsError code, const char *format, ...)
{
  g_autoptr (GError) error = NULL;
  va_list args;

  va_start (args, format);
  error = g_error_new_valist (VIRFS_ERROR, code, format, args);
  va_end (args);
  virfs_call_finish (call, error);
}

VirfsCall *
virfs_call_new (gpointer request, const VirfsCallKind *kind, VirfsNode *node)
{
  VirfsCall *call = g_new0 (VirfsCall, 1);

  g_atomic_ref_count_init (&call->refs);
  g_mutex_init (&call->lock);
  call->session = virfs_request_session (request);
  call->request = request;
  call->thread = virfs_request_thread (request);
  call->uid = virfs_request_uid (request);
  call->kind = kind;
  call->verb = kind->verb;
  call->node = *node;
  *node = (VirfsNode){ 0 };
  return call;
}

void
virfs_call_begin (VirfsCall *call)
{
  set_busy (call, virfs_notifier_busy);
  virfs_request_watch_call (call->request, call);
  run (call);
}
