/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many appliances there may be at a time.  Who wants one when there are as many gets that of
 * whoever has not used his for the longest time, or waits for one.
 */
#pragma once

#include <glib.h>

typedef struct {
  /* Asks for it back; must not block. */
  void (*ask_back) (gpointer owner);
  gpointer owner;
  /* under the lock of slots.c */
  gint64 idle_since; /* monotonic; 0: it is used now */
  gboolean held, asked, cancelled;
} VirfsSlot;

/* MAX at a time.  PAUSE: who has not used his for so long may be asked for it; WAIT: how long one is waited
 * for; microseconds. */
void virfs_slots_init (guint max, gint64 pause, gint64 wait);
/* FALSE if there was none for a long time, or if it was cancelled. */
gboolean virfs_slot_take (VirfsSlot *slot);
void virfs_slot_give (VirfsSlot *slot);
void virfs_slot_use (VirfsSlot *slot, gboolean busy);
/* Ends waiting for one, now and later. */
void virfs_slot_cancel (VirfsSlot *slot);
