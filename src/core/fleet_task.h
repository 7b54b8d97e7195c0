/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of tasks: fleet_task.c and fleet_define.c, in the thread of the fleet's definitions. */
#pragma once

#include "fleet_private.h"

struct VirfsFleetTask {
  void (*run) (VirfsFleet *self, VirfsFleetTask *task, GError **error);
  VirfsDefined kind;
  char *name, *text; /* TEXT may be NULL */
  gsize member;
  guint64 number;
  VirfsFleetWait *wait; /* NULL: an entry has it */
};

/* The entry that TASK is about; NULL: BUSY, for hosts have it and the fleet does not. */
VirfsFleetEntry *virfs_fleet_task_find (VirfsFleet *self, VirfsFleetTask *task, GError **error);
/* One that nobody works on; BUSY also while hosts are being given it or rid of it. */
VirfsFleetEntry *virfs_fleet_task_find_idle (VirfsFleet *self, VirfsFleetTask *task,
                                             GError **error);
/* What a new one says. */
gpointer virfs_fleet_new_info (VirfsDefined kind, const char *name, const char *state);
/* INFO (taken) becomes what ENTRY says, once it is kept. */
gboolean virfs_fleet_set_info (VirfsFleet *self, VirfsFleetEntry *entry, gpointer info,
                               GError **error);
/* Whether all of it goes together; INVALID. */
gboolean virfs_fleet_check (VirfsDefined kind, gconstpointer info, GError **error);

void virfs_fleet_do_define (VirfsFleet *self, VirfsFleetTask *task, GError **error);
void virfs_fleet_do_adopt (VirfsFleet *self, VirfsFleetTask *task, GError **error);
