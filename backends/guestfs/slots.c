/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lock here is the last: nothing is called with it but ask_back(), which only takes note. */
#include "slots.h"

static GMutex lock;
static GCond changed;
static guint max = 1;               /* under lock, as all below */
static gint64 idle_time, wait_time; /* microseconds */
static GPtrArray *held;             /* of VirfsSlot* */
static guint waiting;               /* for one */

void
virfs_slots_init (guint number, gint64 pause, gint64 wait)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  max = number;
  idle_time = pause;
  wait_time = wait;
  if (held == NULL)
    held = g_ptr_array_new ();
  g_cond_broadcast (&changed);
}

/* The one that has not been used for the longest time and was not asked for yet; NULL: all are used. */
static VirfsSlot *
find_idle (void)
{
  VirfsSlot *found = NULL;

  for (guint i = 0; i < held->len; i++) {
    VirfsSlot *slot = held->pdata[i];

    if (slot->idle_since != 0 && !slot->asked
        && (found == NULL || slot->idle_since < found->idle_since))
      found = slot;
  }
  return found;
}

static guint
count_asked (void)
{
  guint asked = 0;

  for (guint i = 0; i < held->len; i++)
    asked += ((VirfsSlot *) held->pdata[i])->asked;
  return asked;
}

/* Asks for one back if it is time to, and none is on its way for each who waits; returns when to look
 * again. */
static gint64
ask_for_one (gint64 end)
{
  VirfsSlot *idle = count_asked () < waiting ? find_idle () : NULL;

  if (idle == NULL)
    return end;
  if (idle->idle_since + idle_time > g_get_monotonic_time ())
    return MIN (end, idle->idle_since + idle_time);
  idle->asked = TRUE;
  idle->ask_back (idle->owner);
  return end;
}

gboolean
virfs_slot_take (VirfsSlot *slot)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);
  gint64 end = g_get_monotonic_time () + wait_time;

  waiting++;
  while (held->len >= max && !slot->cancelled && g_get_monotonic_time () < end)
    g_cond_wait_until (&changed, &lock, ask_for_one (end));
  waiting--;
  if (held->len >= max || slot->cancelled)
    return FALSE;
  slot->held = TRUE;
  slot->asked = FALSE;
  slot->idle_since = 0;
  g_ptr_array_add (held, slot);
  return TRUE;
}

void
virfs_slot_give (VirfsSlot *slot)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  if (slot->held)
    g_ptr_array_remove_fast (held, slot);
  slot->held = FALSE;
  g_cond_broadcast (&changed);
}

void
virfs_slot_use (VirfsSlot *slot, gboolean busy)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  slot->idle_since = busy ? 0 : g_get_monotonic_time ();
  if (!busy)
    g_cond_broadcast (&changed);
}

void
virfs_slot_cancel (VirfsSlot *slot)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  slot->cancelled = TRUE;
  g_cond_broadcast (&changed);
}
