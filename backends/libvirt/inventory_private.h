/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the inventory share: how it is read and how it is told. */
#pragma once

#include "inventory.h"

struct LvInventory {
  GMutex lock;
  /* under lock */
  gboolean busy, again; /* somebody polls; once more after that */
  gboolean joined;      /* see share.h; of who polls */
  guint64 ticket;       /* the last that was drawn */
  GHashTable *told;     /* name of a pool -> ticket (GSIZE) of what was told of it last */
  GHashTable *changed;  /* name of a pool -> ticket (GSIZE) of another host's last change in it */
  GHashTable *hidden;   /* set of `POOL/VOLUME` */
  guint cursor; /* of the polls: number of the volume that is the next to be looked at again */
};

/* One reading. */
typedef struct {
  LvLink *link;
  virConnectPtr conn;
  guint64 ticket;
  gboolean obstinate; /* it tells what it read whatever other hosts change meanwhile */
  gboolean overtaken; /* they did, and something that was read was not told */
  const char *only;   /* name of the only pool that it is about; NULL: all */
  const char *volume; /* is read in any case; NULL: none */
  gboolean all;       /* they all are */
  gboolean pools;     /* none is */
  guint first, last;  /* volumes by number, counted over all pools, that are looked at again */
  guint number;       /* of the next volume */
  gboolean behind;    /* the host has yet to look at what others changed in this pool */
  guint room;         /* for new ones */
  gboolean more;      /* there was not room for all */
  GPtrArray *known;   /* pools as they were known when it began; NULL: not */
  GPtrArray *read;    /* pools as they are */
} LvReading;

/* Add to `read` one pool, or all that there are and not `only` one.  FALSE: they cannot be listed now; a driver
 * without pools has none. */
gboolean lv_reading_take_pools (LvReading *reading);
void lv_reading_take_pool (LvReading *reading, virStoragePoolPtr pool);

/* Tells what was read, and of pools that are gone; once. */
void lv_reading_tell (LvReading *reading);
