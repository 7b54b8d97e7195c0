/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Room for what a guest overwrites while a backup of it is open. */
#pragma once

#include "seat.h"

typedef struct {
  guint64 taken;  /* bytes, by all of its disks */
  gboolean known; /* the next two are */
  guint64 left;   /* bytes that are free where they are */
  gboolean full;  /* so few that it is time to end the backup */
} LvRoom;

/* Of DOMAIN, of which a backup is open.  Orders an event for when much of what is left is taken.
 * THOROUGH: also if the host has to look into the directories.  FALSE: it cannot be told. */
gboolean lv_scratch_measure (LvSeat *seat, virDomainPtr domain, gboolean thorough, LvRoom *room);
