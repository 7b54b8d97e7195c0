/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that wait for a tree that is somebody else's.  A process that gets a signal to stop meanwhile is
 * answered at once: an appliance may take long, and until the answer not even SIGKILL would end it.
 */
#include "request_foreign.h"

#include <errno.h>

struct VirfsPending {
  gatomicrefcount refs; /* of who answers, and one for each interrupt under way */
  VirfsSession *session;
  int thread;
  GMutex lock;
  fuse_req_t req; /* under lock: NULL when it has been taken */
};

static void
unref (VirfsPending *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_mutex_clear (&self->lock);
  g_free (self);
}

static fuse_req_t
steal (VirfsPending *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return g_steal_pointer (&self->req);
}

static void
give_up (gpointer data)
{
  VirfsPending *self = data;
  fuse_req_t req = virfs_signal_stops (self->thread) ? steal (self) : NULL;

  if (req != NULL) {
    fuse_req_interrupt_func (req, NULL, NULL);
    fuse_reply_err (req, EINTR);
  }
  unref (self);
}

/* With a lock of FUSE's. */
static void
interrupt (fuse_req_t req, void *data)
{
  VirfsPending *self = data;

  g_atomic_ref_count_inc (&self->refs);
  virfs_session_defer (self->session, give_up, self);
}

VirfsPending *
virfs_pending_new (fuse_req_t req)
{
  VirfsPending *self = g_new0 (VirfsPending, 1);

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->lock);
  self->session = virfs_request_session (req);
  self->thread = virfs_request_thread (req);
  self->req = req;
  virfs_session_begin_read (self->session);
  fuse_req_interrupt_func (req, interrupt, self);
  return self;
}

fuse_req_t
virfs_pending_take (VirfsPending *self, VirfsSession **session)
{
  fuse_req_t req = steal (self);

  *session = self->session;
  if (req != NULL)
    fuse_req_interrupt_func (req, NULL, NULL);
  unref (self);
  return req;
}
