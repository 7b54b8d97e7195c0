/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The waits of a connection.  Their list is under the connection's lock. */
#include "wait.h"

#include "connection.h"
#include "error.h"
#include "gate.h"

struct LvWait {
  LvTask *task;
  LvWish wish;
  gint64 deadline;
  gboolean refused; /* under the connection's lock while it is in the list */
};

void
lv_wait_free (LvWait *wait)
{
  lv_task_unref (wait->task);
  g_free (wait);
}

LvOutcome
lv_wait_add (LvTask *task, const LvWish *wish)
{
  LvConnection *connection = task->link->connection;
  LvWait *wait = g_new0 (LvWait, 1);

  wait->task = lv_task_ref (task);
  wait->wish = *wish;
  wait->deadline = g_get_monotonic_time () + wish->seconds * G_TIME_SPAN_SECOND;
  lv_task_allow_cancel (task, TRUE);
  lv_task_leave (task);
  g_mutex_lock (&connection->lock);
  g_ptr_array_add (connection->waits, wait);
  g_mutex_unlock (&connection->lock);
  /* it may be there already */
  lv_connection_queue (task->link, task->uuid, 0);
  return LV_WAITS;
}

gint64
lv_wait_deadline (LvConnection *connection)
{
  gint64 first = G_MAXINT64;

  for (guint i = 0; i < connection->waits->len; i++)
    first = MIN (first, ((LvWait *) connection->waits->pdata[i])->deadline);
  return first;
}

/* A guest that is not there any more (INFO is NULL) had no definition: it is as shut off as can
 * be. */
static gboolean
is_fulfilled (const LvWait *wait, const VirfsVmInfo *info)
{
  const LvWish *wish = &wait->wish;

  if (wish->is_done != NULL)
    return wish->is_done (wait->task, info);
  if (wish->memory != 0)
    return info != NULL && info->memory == wish->memory;
  return info ? info->state == wish->state : wish->state == VIRFS_VM_SHUTOFF;
}

/* Whether WAIT has come to an end, and with which error if any. */
static gboolean
has_ended (const LvWait *wait, GError **error)
{
  const LvWish *wish = &wait->wish;
  const char *name = wait->task->name;
  g_autoptr (VirfsVmInfo) info = lv_gate_known_vm (wait->task->link, wait->task->uuid);

  if (is_fulfilled (wait, info))
    return TRUE;
  if (info == NULL)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_NOT_FOUND, "%s is gone", name);
  else if (lv_task_is_cancelled (wait->task))
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_CANCELLED,
                 "cancelled: %s has been asked to %s and may still do so", name, wish->what);
  else if (wait->refused)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_BUSY, "%s refuses to %s", name, wish->what);
  else if (g_get_monotonic_time () >= wait->deadline)
    g_set_error (error, VIRFS_ERROR, VIRFS_ERROR_TIMED_OUT, "%s did not %s within %u s%s%s", name,
                 wish->what, wish->seconds, wish->hint ? "; " : "", wish->hint ? wish->hint : "");
  else
    return FALSE;
  return TRUE;
}

/* Ends WAIT (taken). */
static void
end (LvWait *wait, GError *error)
{
  if (error == NULL && wait->wish.again) {
    lv_task_allow_cancel (wait->task, FALSE);
    lv_task_submit (lv_task_ref (wait->task));
  } else {
    lv_task_finish (wait->task, error);
  }
  lv_wait_free (wait);
}

/* The waits for UUID; those of others stay in the list. */
static GPtrArray *
take_waits (LvConnection *connection, const char *uuid)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&connection->lock);
  GPtrArray *taken = g_ptr_array_new ();

  for (guint i = connection->waits->len; i > 0; i--) {
    LvWait *wait = connection->waits->pdata[i - 1];

    if (uuid == NULL || g_str_equal (wait->task->uuid, uuid))
      g_ptr_array_add (taken, g_ptr_array_steal_index (connection->waits, i - 1));
  }
  return taken;
}

static void
put_back (LvConnection *connection, LvWait *wait)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&connection->lock);

  g_ptr_array_add (connection->waits, wait);
}

void
lv_wait_settle (LvConnection *connection, const char *uuid)
{
  g_autoptr (GPtrArray) waits = take_waits (connection, uuid);

  for (guint i = 0; i < waits->len; i++) {
    GError *error = NULL;

    if (has_ended (waits->pdata[i], &error))
      end (waits->pdata[i], error);
    else
      put_back (connection, waits->pdata[i]);
  }
}

void
lv_wait_refuse (LvConnection *connection, const char *uuid, const char *device)
{
  g_mutex_lock (&connection->lock);
  for (guint i = 0; i < connection->waits->len; i++) {
    LvWait *wait = connection->waits->pdata[i];

    if (g_strcmp0 (wait->wish.device, device) == 0 && g_str_equal (wait->task->uuid, uuid))
      wait->refused = TRUE;
  }
  g_mutex_unlock (&connection->lock);
  lv_connection_queue_waits (connection);
}

GPtrArray *
lv_wait_guests (LvConnection *connection)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&connection->lock);
  GPtrArray *guests = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < connection->waits->len; i++)
    g_ptr_array_add (guests, g_strdup (((LvWait *) connection->waits->pdata[i])->task->uuid));
  return guests;
}

void
lv_wait_drop (LvConnection *connection)
{
  g_autoptr (GPtrArray) waits = take_waits (connection, NULL);

  for (guint i = 0; i < waits->len; i++)
    end (waits->pdata[i], g_error_new (VIRFS_ERROR, VIRFS_ERROR_HOST_DOWN,
                                       "%s does not answer any more", connection->name));
}
