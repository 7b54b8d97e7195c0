/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for an answer. */
#include "wait.h"

void
virfs_wait_done (const GError *error, gpointer data)
{
  VirfsWait *wait = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&wait->lock);

  wait->error = error ? g_error_copy (error) : NULL;
  wait->done = TRUE;
  g_cond_signal (&wait->changed);
}

void
virfs_wait_for_job (VirfsJob *job, const GError *error, gpointer data)
{
  virfs_wait_done (error, data);
}

gboolean
virfs_wait_end (VirfsWait *wait, GError **error)
{
  g_mutex_lock (&wait->lock);
  while (!wait->done)
    g_cond_wait (&wait->changed, &wait->lock);
  wait->done = FALSE;
  g_mutex_unlock (&wait->lock);
  if (wait->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&wait->error));
  return FALSE;
}

void
virfs_wait_clear (VirfsWait *wait)
{
  g_clear_error (&wait->error);
  g_mutex_clear (&wait->lock);
  g_cond_clear (&wait->changed);
}
