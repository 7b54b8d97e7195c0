/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that are touched through the mount, because that is the only way to make inotify(7) tell its
 * watchers of a change in a FUSE file system: they see IN_ATTRIB.
 *
 * The kernel takes the file's lock for that, so files that are being written come when that is over.
 * And while a path is walked its mount is busy: see virfs_toucher_rest().
 */
#include "engine.h"

#include <fcntl.h>
#include <sys/stat.h>

/* How long umount(8) may take from its statfs(2) to its umount(2), on a machine that has much to do. */
#define REST_TIME (500 * G_TIME_SPAN_MILLISECOND)
/* How long it is kept waiting for a touch that is under way. */
#define PATIENCE (200 * G_TIME_SPAN_MILLISECOND)

struct VirfsToucher {
  VirfsSession *session;
  GThreadPool *threads;

  GMutex lock; /* guards all below; the notifier's may be held around it */
  GCond cond;
  gboolean ending;
  gint64 rests_until; /* monotonic */
  guint under_way;
  GHashTable *touching; /* inode numbers to be touched */
  GHashTable *put_off;  /* likewise, when they are no longer busy */
};

/* Under the lock. */
static void
touch (VirfsToucher *self, guint64 ino)
{
  if (!self->ending && g_hash_table_add (self->touching, (gpointer) ino))
    g_thread_pool_push (self->threads, (gpointer) ino, NULL);
}

void
virfs_toucher_touch (VirfsToucher *self, guint64 ino)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->session->mountpoint != NULL)
    touch (self, ino);
}

void
virfs_toucher_resume (VirfsToucher *self, guint64 ino)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (g_hash_table_remove (self->put_off, (gpointer) ino))
    touch (self, ino);
}

void
virfs_toucher_rest (VirfsToucher *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);
  gint64 now = g_get_monotonic_time ();

  self->rests_until = now + REST_TIME;
  while (self->under_way > 0 && g_cond_wait_until (&self->cond, &self->lock, now + PATIENCE))
    ;
}

/* Waits until INO may be touched; FALSE: never. */
static gboolean
begin (VirfsToucher *self, guint64 ino)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  while (!self->ending && g_get_monotonic_time () < self->rests_until)
    g_cond_wait_until (&self->cond, &self->lock, self->rests_until);
  g_hash_table_remove (self->touching, (gpointer) ino);
  if (self->ending)
    return FALSE;
  g_hash_table_add (self->put_off, (gpointer) ino);
  self->under_way++;
  return TRUE;
}

/* What is not busy was not put off. */
static gboolean
is_put_off (VirfsToucher *self, guint64 ino)
{
  gboolean busy = virfs_notifier_is_busy (self->session->notifier, ino);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return busy || !g_hash_table_remove (self->put_off, (gpointer) ino);
}

static void
end (VirfsToucher *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (--self->under_way == 0)
    g_cond_broadcast (&self->cond);
}

static void
touch_path (VirfsSession *session, guint64 ino)
{
  static const struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
  g_auto (VirfsNode) node = { 0 };
  g_autofree char *path = NULL, *full = NULL;

  if (!virfs_node_get (session, ino, &node))
    return;
  path = session->ops->path (session->tree, &node);
  virfs_node_clear (&node);
  if (path == NULL)
    return;
  full = g_build_filename (session->mountpoint, path, NULL);
  utimensat (AT_FDCWD, full, now, AT_SYMLINK_NOFOLLOW);
}

static void
run (gpointer data, gpointer user_data)
{
  VirfsToucher *self = user_data;
  guint64 ino = (guint64) data;

  if (!begin (self, ino))
    return;
  if (!is_put_off (self, ino))
    touch_path (self->session, ino);
  end (self);
}

VirfsToucher *
virfs_toucher_new (VirfsSession *session)
{
  VirfsToucher *self = g_new0 (VirfsToucher, 1);

  self->session = session;
  g_mutex_init (&self->lock);
  g_cond_init (&self->cond);
  self->touching = g_hash_table_new (NULL, NULL);
  self->put_off = g_hash_table_new (NULL, NULL);
  self->threads = g_thread_pool_new (run, self, 4, TRUE, NULL);
  return self;
}

void
virfs_toucher_stop (VirfsToucher *self)
{
  GThreadPool *threads;

  g_mutex_lock (&self->lock);
  self->ending = TRUE;
  threads = g_steal_pointer (&self->threads);
  g_cond_broadcast (&self->cond);
  g_mutex_unlock (&self->lock);
  if (threads != NULL)
    g_thread_pool_free (threads, TRUE, TRUE);
}

void
virfs_toucher_free (VirfsToucher *self)
{
  virfs_toucher_stop (self);
  g_hash_table_unref (self->touching);
  g_hash_table_unref (self->put_off);
  g_cond_clear (&self->cond);
  g_mutex_clear (&self->lock);
  g_free (self);
}
