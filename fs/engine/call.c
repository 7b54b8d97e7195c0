/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls.  A write may hold several lines: each is carried out when the one before has ended.  When
 * all is done, or one has failed, the answer goes through the notifier, behind all that changed: so
 * the kernel has forgotten the old values before the process goes on.
 *
 * Who owns what: a call has one reference for its answer, and one for each interrupt under way.
 */
#include "engine.h"

#include "text.h"

#include <string.h>

typedef struct VirfsCallKind {
  const char *verb;                /* see VirfsDeed */
  void (*begin) (VirfsCall *call); /* the next step; clears `pending` if it is the last */
  void (*answer) (VirfsCall *call);
} Kind;

/* How often a caller is looked at who got a signal that does not matter. */
#define LOOK_AGAIN (100 * G_TIME_SPAN_MILLISECOND)

/* Where a step is: it may end before the function that began it has returned, or after. */
enum { STEP_BEGUN, STEP_RETURNED, STEP_ENDED };

struct VirfsCall {
  gatomicrefcount refs;
  VirfsSession *session;
  gpointer request;
  int thread; /* that sleeps until it is answered */
  guint uid;
  const Kind *kind;
  const char *verb;
  VirfsNode node, to;
  char *name, *new_name, *target;
  VirfsOwner owner;
  char *old;         /* what the file said before this step; NULL: not told */
  const char *asked; /* the line, document or list of this step */
  guint64 child;     /* what is removed */
  char *text, *next; /* the next line within the text */
  gsize bytes;
  gboolean pending; /* there are steps left */
  guint done;       /* steps carried out */
  gint step;        /* atomic */
  GError *error;
  VirfsSink *sink; /* of a file that is opened; NULL: none yet, or the open file has it */

  GMutex lock; /* guards all below */
  gboolean interrupted, answered;
  void (*interrupt) (gpointer data);
  gpointer interrupt_data;
  GDestroyNotify interrupt_destroy;
};

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

/* Runs outside of FUSE's locks, as the next. */
static void
stop (gpointer data)
{
  g_autoptr (VirfsCall) call = data;
  void (*func) (gpointer func_data);
  gpointer func_data;

  g_mutex_lock (&call->lock);
  call->interrupted = TRUE;
  func = call->interrupt;
  func_data = call->interrupt_data;
  call->interrupt = NULL;
  g_mutex_unlock (&call->lock);
  if (func != NULL)
    func (func_data);
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

static void begin_give (VirfsCall *call);

/* Tells what has come of a step. */
static void
tell (VirfsCall *call)
{
  VirfsSession *session = call->session;
  g_autofree char *path = virfs_deed_path (session, &call->node, call->name);
  g_autofree char *to = NULL, *owner = NULL, *now = NULL;
  VirfsDeed deed = { .verb = call->verb, .path = path, .uid = call->uid, .old = call->old };

  if (session->ops->done == NULL)
    return;
  if (call->new_name != NULL)
    to = virfs_deed_path (session, &call->to, call->new_name);
  if (call->kind->begin == begin_give)
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

/* What somebody is told to have been done is in the log of events, whatever happens then. */
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
  tell (call);
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

static VirfsCall *
new_call (gpointer request, const Kind *kind, VirfsNode *node)
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

static void
begin (VirfsCall *call)
{
  set_busy (call, virfs_notifier_busy);
  virfs_request_watch_call (call->request, call);
  run (call);
}

/* Writes. */

static gboolean
check_trusted (VirfsCall *call, GError **error)
{
  if (!(call->node.row->flags & VIRFS_ROW_TRUSTED) || virfs_call_is_trusted (call))
    return TRUE;
  g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_DENIED,
               "only root and the user who mounted the tree may write this: it reaches whatever the"
               " host has");
  return FALSE;
}

static void
store_parsed (VirfsCall *call, const char *text)
{
  const VirfsRow *row = call->node.row;
  g_autoptr (GError) error = NULL;
  g_autofree char *value = NULL;
  guint64 number;
  gint64 signed_number;
  gboolean flag;

  g_free (call->old);
  call->old = virfs_deed_text (&call->node);
  call->asked = text;
  if (!check_trusted (call, &error))
    virfs_call_finish (call, error);
  else if (row->store != NULL)
    row->store (call, &call->node, text);
  else if (row->store_number != NULL && virfs_parse_u64 (text, &number, &error))
    row->store_number (call, &call->node, number);
  else if (row->store_signed != NULL && virfs_parse_i64 (text, &signed_number, &error))
    row->store_signed (call, &call->node, signed_number);
  else if (row->store_size != NULL && virfs_parse_size (text, &number, &error))
    row->store_size (call, &call->node, number);
  else if (row->store_bool != NULL && virfs_parse_bool (text, &flag, &error))
    row->store_bool (call, &call->node, flag);
  else if (row->store_text != NULL && (value = virfs_text_unescape (text, &error)) != NULL)
    row->store_text (call, &call->node, value);
  else
    virfs_call_finish (call, error);
}

/* Later lines see what earlier ones changed. */
static gboolean
refresh_node (VirfsCall *call)
{
  guint64 ino = virfs_node_inode (&call->node);
  VirfsNode fresh;

  if (!virfs_node_get (call->session, ino, &fresh))
    return FALSE;
  virfs_node_clear (&call->node);
  call->node = fresh;
  return TRUE;
}

static void
begin_line (VirfsCall *call)
{
  char *line = call->next;
  char *newline = strchr (line, '\n');

  if (newline != NULL)
    *newline++ = '\0';
  call->next = newline;
  call->pending = newline != NULL && *newline;
  call->asked = g_strstrip (line);
  g_clear_pointer (&call->old, g_free);
  if (call->done > 0 && !refresh_node (call))
    virfs_call_fail (call, VIRFS_ERROR_NOT_FOUND, "it is gone");
  else
    store_parsed (call, call->asked);
}

static void
begin_document (VirfsCall *call)
{
  call->pending = FALSE;
  store_parsed (call, call->text);
}

static void
answer_written (VirfsCall *call)
{
  virfs_reply_written (call->request, call->bytes);
}

static void
answer_done (VirfsCall *call)
{
  virfs_reply_error (call->request, 0);
}

void
virfs_call_lines (gpointer request, VirfsNode *node, char *text, gsize bytes)
{
  static const Kind lines = { "write", begin_line, answer_written };
  static const Kind list = { "write", begin_document, answer_written };
  gboolean whole = node->row->flags & VIRFS_ROW_LIST;
  VirfsCall *call = new_call (request, whole ? &list : &lines, node);

  call->text = call->next = text;
  call->pending = TRUE;
  call->bytes = bytes;
  begin (call);
}

void
virfs_call_rest (gpointer request, VirfsNode *node, char *text)
{
  static const Kind line = { "write", begin_line, answer_done };
  static const Kind document = { "write", begin_document, answer_done };
  gboolean whole = node->row->flags & (VIRFS_ROW_DOCUMENT | VIRFS_ROW_LIST);
  VirfsCall *call = new_call (request, whole ? &document : &line, node);

  call->text = call->next = text;
  call->pending = TRUE;
  begin (call);
}

/* Directories. */

static void
begin_make (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->make (call, &call->node, call->name);
}

static void
begin_remove (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->remove (call, &call->node, call->name);
}

static void
begin_move (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->move (call, &call->node, call->name, &call->to, call->new_name);
}

static void
begin_link (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->link (call, &call->node, call->name, call->target);
}

static void
begin_unlink (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->unlink (call, &call->node, call->name);
}

static void
begin_give (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.class->set_owner (call, &call->node, &call->owner);
}

static void
answer_made (VirfsCall *call)
{
  guint64 child = virfs_node_child (call->session, &call->node, call->name);

  virfs_reply_node (call->request, &call->node, child);
}

/* The kernel now believes that what was moved is at its new place at once; let it look. */
static void
answer_moved (VirfsCall *call)
{
  guint64 to = virfs_node_inode (&call->to);

  virfs_reply_error (call->request, 0);
  virfs_notifier_entry (call->session->notifier, to, call->new_name, 0);
  virfs_notifier_inode (call->session->notifier, to);
  virfs_notifier_inode (call->session->notifier, virfs_node_inode (&call->node));
}

static void
answer_removed (VirfsCall *call)
{
  virfs_notifier_died (call->session->notifier, call->child);
  virfs_reply_error (call->request, 0);
}

/* The kernel takes the link for one file fewer; there may be others that lead to the same. */
static void
answer_unlinked (VirfsCall *call)
{
  virfs_reply_error (call->request, 0);
  virfs_notifier_inode (call->session->notifier, call->child);
}

static void
answer_given (VirfsCall *call)
{
  virfs_reply_attributes (call->request, virfs_node_inode (&call->node));
}

static void
begin_named (VirfsCall *call, const char *name)
{
  call->name = g_strdup (name);
  call->pending = TRUE;
  begin (call);
}

void
virfs_call_make (gpointer request, VirfsNode *dir, const char *name)
{
  static const Kind kind = { "make", begin_make, answer_made };

  begin_named (new_call (request, &kind, dir), name);
}

void
virfs_call_remove (gpointer request, VirfsNode *dir, const char *name)
{
  static const Kind kind = { "remove", begin_remove, answer_removed };
  guint64 child = virfs_node_child (virfs_request_session (request), dir, name);
  VirfsCall *call = new_call (request, &kind, dir);

  call->child = child;
  begin_named (call, name);
}

void
virfs_call_move (gpointer request, VirfsNode *dir, const char *name, VirfsNode *to,
                 const char *new_name)
{
  static const Kind kind = { "rename", begin_move, answer_moved };
  VirfsCall *call = new_call (request, &kind, dir);

  call->to = *to;
  *to = (VirfsNode){ 0 };
  call->new_name = g_strdup (new_name);
  begin_named (call, name);
}

void
virfs_call_link (gpointer request, VirfsNode *dir, const char *name, const char *target)
{
  static const Kind kind = { "link", begin_link, answer_made };
  VirfsCall *call = new_call (request, &kind, dir);

  call->target = g_strdup (target);
  begin_named (call, name);
}

void
virfs_call_unlink (gpointer request, VirfsNode *dir, const char *name)
{
  static const Kind kind = { "remove", begin_unlink, answer_unlinked };
  guint64 child = virfs_node_child (virfs_request_session (request), dir, name);
  VirfsCall *call = new_call (request, &kind, dir);

  call->child = child;
  begin_named (call, name);
}

/* Files that are opened to be written. */

void
virfs_call_give_sink (VirfsCall *call, VirfsSink *sink)
{
  call->sink = sink;
}

static void
begin_create (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->dir->create (call, &call->node, call->name);
}

static void
begin_open (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->write (call, &call->node);
}

static void
answer_created (VirfsCall *call)
{
  guint64 child = virfs_node_child (call->session, &call->node, call->name);

  virfs_reply_created (call->request, &call->node, child, g_steal_pointer (&call->sink));
}

static void
answer_opened (VirfsCall *call)
{
  virfs_reply_opened (call->request, virfs_node_inode (&call->node), g_steal_pointer (&call->sink));
}

void
virfs_call_create (gpointer request, VirfsNode *dir, const char *name)
{
  static const Kind kind = { "create", begin_create, answer_created };

  begin_named (new_call (request, &kind, dir), name);
}

void
virfs_call_open (gpointer request, VirfsNode *node)
{
  static const Kind kind = { "write", begin_open, answer_opened };
  VirfsCall *call = new_call (request, &kind, node);

  call->pending = TRUE;
  begin (call);
}

static void
begin_cut (VirfsCall *call)
{
  call->pending = FALSE;
  call->node.row->cut (call, &call->node, call->bytes);
}

void
virfs_call_cut (gpointer request, VirfsNode *node, guint64 size)
{
  static const Kind kind = { "cut", begin_cut, answer_given };
  VirfsCall *call = new_call (request, &kind, node);

  call->bytes = size;
  call->pending = TRUE;
  begin (call);
}

void
virfs_call_give (gpointer request, VirfsNode *node, const VirfsOwner *owner)
{
  static const Kind kind = { "own", begin_give, answer_given };
  VirfsCall *call = new_call (request, &kind, node);
  VirfsOwner is;

  virfs_node_owner (call->session, &call->node, &is);
  call->old = virfs_deed_owner (&is);
  call->owner = *owner;
  call->pending = TRUE;
  begin (call);
}

void
virfs_call_refuse (gpointer request, VirfsNode *node, const char *verb, const char *name,
                   VirfsError code, const char *why)
{
  static const Kind kind = { NULL, NULL, answer_done };
  VirfsCall *call = new_call (request, &kind, node);

  call->verb = verb;
  call->error = g_error_new_literal (VIRFS_ERROR, code, why);
  call->name = g_strdup (name);
  tell (call);
  begin (call);
}
