/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many appliances there may be at a time. */
#include "slots.h"

#define SECOND G_TIME_SPAN_SECOND

typedef struct {
  VirfsSlot slot;
  gint asked; /* atomic */
  gboolean gives, got;
} Owner;

/* It gives it back from another thread, as who is asked must not do so at once. */
static gpointer
give_back (gpointer owner)
{
  virfs_slot_give (&((Owner *) owner)->slot);
  return NULL;
}

static void
ask_back (gpointer data)
{
  Owner *owner = data;

  g_atomic_int_inc (&owner->asked);
  if (owner->gives)
    g_thread_unref (g_thread_new ("give", give_back, owner));
}

static Owner *
owner_new (void)
{
  Owner *owner = g_new0 (Owner, 1);

  owner->slot.ask_back = ask_back;
  owner->slot.owner = owner;
  return owner;
}

/* The next moment. */
static void
tick (void)
{
  gint64 now = g_get_monotonic_time ();

  while (g_get_monotonic_time () == now)
    continue;
}

static void
test_idle_one_is_asked_for (void)
{
  g_autofree Owner *first = owner_new ();
  g_autofree Owner *second = owner_new ();
  g_autofree Owner *third = owner_new ();

  virfs_slots_init (2, 0, 60 * SECOND);
  first->gives = second->gives = TRUE;
  g_assert_true (virfs_slot_take (&first->slot));
  g_assert_true (virfs_slot_take (&second->slot));
  virfs_slot_use (&second->slot, FALSE);
  tick ();
  virfs_slot_use (&first->slot, FALSE);
  tick ();
  g_assert_true (virfs_slot_take (&third->slot));
  g_assert_cmpint (first->asked, ==, 0); /* used later */
  g_assert_cmpint (second->asked, ==, 1);
  g_assert_false (second->slot.held);
  virfs_slot_give (&third->slot);
  virfs_slot_give (&first->slot);
  virfs_slot_give (&second->slot); /* has none: nothing happens */
  g_assert_true (virfs_slot_take (&second->slot));
  virfs_slot_give (&second->slot);
}

static void
test_used_ones_are_left (void)
{
  g_autofree Owner *first = owner_new ();
  g_autofree Owner *second = owner_new ();

  virfs_slots_init (1, 0, SECOND / 20);
  g_assert_true (virfs_slot_take (&first->slot));
  g_assert_false (virfs_slot_take (&second->slot));
  virfs_slot_use (&first->slot, FALSE);
  virfs_slot_use (&first->slot, TRUE);
  g_assert_false (virfs_slot_take (&second->slot));
  g_assert_cmpint (first->asked, ==, 0);
  /* idle, but not for as long as it may be */
  virfs_slots_init (1, 60 * SECOND, SECOND / 20);
  virfs_slot_use (&first->slot, FALSE);
  g_assert_false (virfs_slot_take (&second->slot));
  g_assert_cmpint (first->asked, ==, 0);
  virfs_slot_give (&first->slot);
}

static gpointer
take (gpointer data)
{
  Owner *owner = data;

  owner->got = virfs_slot_take (&owner->slot);
  return NULL;
}

static void
test_waiting (void)
{
  g_autofree Owner *first = owner_new ();
  g_autofree Owner *second = owner_new ();
  g_autofree Owner *third = owner_new ();
  GThread *waits, *cancelled;

  virfs_slots_init (1, 60 * SECOND, 60 * SECOND);
  g_assert_true (virfs_slot_take (&first->slot));
  cancelled = g_thread_new ("third", take, third);
  virfs_slot_cancel (&third->slot);
  g_thread_join (cancelled);
  g_assert_false (third->got);
  waits = g_thread_new ("second", take, second);
  virfs_slot_give (&first->slot);
  g_thread_join (waits);
  g_assert_true (second->got);
  virfs_slot_give (&second->slot);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slots/idle", test_idle_one_is_asked_for);
  g_test_add_func ("/slots/used", test_used_ones_are_left);
  g_test_add_func ("/slots/waiting", test_waiting);
  return g_test_run ();
}
