/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The FUSE session: its life, and words to the kernel. */
#include "foreign.h"
#include "request.h"
#include "talk.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  void (*func) (gpointer);
  gpointer data;
} Deferred;

static void
run_deferred (gpointer data, gpointer user_data)
{
  g_autofree Deferred *deferred = data;

  deferred->func (deferred->data);
}

void
virfs_session_defer (VirfsSession *session, void (*func) (gpointer), gpointer data)
{
  Deferred *deferred = g_new (Deferred, 1);

  *deferred = (Deferred){ func, data };
  g_thread_pool_push (session->deferred, deferred, NULL);
}

/* Words to the kernel. */

int
virfs_kernel_forget_inode (VirfsSession *session, guint64 ino)
{
  return fuse_lowlevel_notify_inval_inode (session->fuse, ino, 0, 0);
}

int
virfs_kernel_forget_entry (VirfsSession *session, guint64 dir, const char *name, guint64 child)
{
  int result = -ENOENT;

  if (child != 0)
    result = fuse_lowlevel_notify_delete (session->fuse, dir, child, name, strlen (name));
  if (result != 0)
    result = fuse_lowlevel_notify_inval_entry (session->fuse, dir, name, strlen (name));
  return result;
}

void
virfs_kernel_wake_poll (gpointer handle)
{
  fuse_lowlevel_notify_poll (handle);
}

void
virfs_kernel_drop_poll (gpointer handle)
{
  fuse_pollhandle_destroy (handle);
}

/* Its life. */

static void
do_init (void *userdata, struct fuse_conn_info *conn)
{
  VirfsSession *session = userdata;

  /* lookups of "." and ".." by inode number, for NFS */
  if (conn->capable & FUSE_CAP_EXPORT_SUPPORT)
    conn->want |= FUSE_CAP_EXPORT_SUPPORT;
  /* cutting is asked for on its own (do_setattr): else the kernel takes a file for empty as soon as
   * somebody opens it with `>`, and others who read it meanwhile may find it so */
  conn->want &= ~FUSE_CAP_ATOMIC_O_TRUNC;
  session->unopened = (conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT) != 0;
}

static struct fuse_session *
new_fuse (VirfsSession *session, const char *options)
{
  struct fuse_lowlevel_ops operations = { .init = do_init };
  struct fuse_args args = FUSE_ARGS_INIT (0, NULL);
  struct fuse_session *fuse = NULL;

  virfs_request_serve_inodes (&operations);
  virfs_request_serve_directories (&operations);
  virfs_request_serve_files (&operations);
  virfs_request_serve_foreign (&operations);
  if (fuse_opt_add_arg (&args, "virfs") == 0
      && fuse_opt_add_arg (&args, "-ofsname=virfs,subtype=virfs,default_permissions") == 0
      && (options == NULL
          || (fuse_opt_add_arg (&args, "-o") == 0 && fuse_opt_add_arg (&args, options) == 0)))
    fuse = fuse_session_new (&args, &operations, sizeof operations, session);
  fuse_opt_free_args (&args);
  return fuse;
}

VirfsSession *
virfs_session_new (const VirfsTreeOps *ops, gpointer tree, const char *options, GError **error)
{
  VirfsSession *session = g_new0 (VirfsSession, 1);

  session->ops = ops;
  session->tree = tree;
  session->uid = getuid ();
  session->gid = getgid ();
  g_mutex_init (&session->waiting_lock);
  g_mutex_init (&session->run_lock);
  g_cond_init (&session->run_cond);
  session->waiting = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);
  session->talks = g_hash_table_new (NULL, NULL);
  session->deferred = g_thread_pool_new (run_deferred, session, -1, FALSE, NULL);
  session->toucher = virfs_toucher_new (session);
  session->notifier = virfs_notifier_new (session);
  session->listings = virfs_listings_new ();
  session->foreign = virfs_foreign_new ();
  session->fuse = new_fuse (session, options);
  if (session->fuse == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_INVALID, "cannot make a FUSE session with -o %s",
                 options ? options : "(none)");
    g_clear_pointer (&session, virfs_session_free);
  }
  return session;
}

gboolean
virfs_session_mount (VirfsSession *session, const char *mountpoint, GError **error)
{
  char *path = realpath (mountpoint, NULL);

  if (path == NULL) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s: %s", mountpoint,
                 g_strerror (errno));
    return FALSE;
  }
  if (fuse_session_mount (session->fuse, path) != 0) {
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_FAILED, "cannot mount at %s", path);
    free (path);
    return FALSE;
  }
  session->mountpoint = g_strdup (path);
  free (path);
  return TRUE;
}

static void
wake_up (int signal)
{
}

/* Returns whether it is running now. */
static gboolean
set_running (VirfsSession *session, gboolean running)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&session->run_lock);

  session->running = running && !session->ended;
  session->runner = pthread_self ();
  g_cond_broadcast (&session->run_cond);
  return session->running;
}

int
virfs_session_run (VirfsSession *session)
{
  struct fuse_loop_config *config = fuse_loop_cfg_create ();
  struct sigaction wake = { .sa_handler = wake_up };
  struct sigaction ignore = { .sa_handler = SIG_IGN };
  int result = 0;

  sigaction (SIGUSR1, &wake, NULL);
  sigaction (SIGPIPE, &ignore, NULL);
  if (set_running (session, TRUE))
    result = fuse_session_loop_mt (session->fuse, config);
  set_running (session, FALSE);
  fuse_loop_cfg_destroy (config);
  return result;
}

void
virfs_session_end (VirfsSession *session)
{
  g_autoptr (GMutexLocker) locker = NULL;

  virfs_notifier_stop (session->notifier);
  fuse_session_exit (session->fuse);
  locker = g_mutex_locker_new (&session->run_lock);
  session->ended = TRUE;
  /* FUSE's loop looks whether it shall end whenever a signal wakes it; it may just not have slept yet */
  while (session->running) {
    pthread_kill (session->runner, SIGUSR1);
    g_cond_wait_until (&session->run_cond, &session->run_lock,
                       g_get_monotonic_time () + 50 * G_TIME_SPAN_MILLISECOND);
  }
}

static void
wait_for_reads (VirfsSession *session)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&session->run_lock);

  while (session->reads > 0)
    g_cond_wait (&session->run_cond, &session->run_lock);
}

void
virfs_session_unmount (VirfsSession *session)
{
  virfs_talks_end (session);
  /* it closes the connection, and an answer must not go to whoever gets its number */
  wait_for_reads (session);
  if (session->mountpoint != NULL)
    fuse_session_unmount (session->fuse);
}

void
virfs_session_begin_read (VirfsSession *session)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&session->run_lock);

  session->reads++;
}

void
virfs_session_end_read (VirfsSession *session)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&session->run_lock);

  g_return_if_fail (session->reads > 0);
  session->reads--;
  if (session->reads == 0)
    g_cond_broadcast (&session->run_cond);
}

void
virfs_session_free (VirfsSession *session)
{
  virfs_talks_end (session);
  /* what is under way may still use the notifier, and the notifier the session */
  g_thread_pool_free (session->deferred, FALSE, TRUE);
  virfs_notifier_free (session->notifier);
  virfs_toucher_free (session->toucher);
  if (session->fuse != NULL)
    fuse_session_destroy (session->fuse);
  virfs_listings_free (session->listings);
  virfs_foreign_free (session->foreign);
  g_hash_table_unref (session->waiting);
  g_hash_table_unref (session->talks);
  g_mutex_clear (&session->waiting_lock);
  g_mutex_clear (&session->run_lock);
  g_cond_clear (&session->run_cond);
  g_free (session->mountpoint);
  g_free (session);
}

void
virfs_session_changed (VirfsSession *session, const VirfsClass *class, guint64 id, guint64 fields)
{
  virfs_notifier_changed (session->notifier, class, id, fields);
}

void
virfs_session_vanished (VirfsSession *session, guint64 dir, const char *name, guint64 child)
{
  virfs_notifier_entry (session->notifier, dir, name, child);
}

void
virfs_session_removed (VirfsSession *session, const VirfsClass *class, guint64 id)
{
  virfs_notifier_changed (session->notifier, class, id, VIRFS_ALL_FIELDS);
  virfs_notifier_removed (session->notifier, id);
}
