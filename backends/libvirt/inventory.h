/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inventory: which pools and volumes a host has.
 *
 * Asking for a volume makes the host look at it, and a share that hangs keeps the host's thread; so
 * volumes are read in a thread and through a seat of their own, and nothing else waits for it.  A look
 * at a host costs a list for each active pool and reads the volumes that are new and a few of the
 * others, in turns: volumes have no events.
 *
 * Several threads read the same pool.  Each reading draws a ticket before it asks, and what was told of a
 * pool with a later ticket stays; one of all volumes adds what that has not read itself.  When another
 * host changes a pool that both have, what was read of it before is not told: it would bring back what
 * is gone.
 */
#pragma once

#include "link.h"

/* The type of a volume that the host cannot tell anything of. */
#define LV_VOLUME_UNREAD "unknown"

/* What a link keeps for this; for link.c. */
LvInventory *lv_inventory_new (void);
void lv_inventory_free (LvInventory *inventory);

/* Looks and tells now: pools without their volumes, which stay as they are known.  FALSE: they
 * cannot be listed. */
gboolean lv_inventory_read_pools (LvLink *link, virConnectPtr conn);
/* Looks at all pools, and volumes as said above, in a thread of its own; once more if it does so already.
 * From any thread. */
void lv_inventory_poll (LvLink *link);

/* Another host has changed POOL, which is marked for share.h already. */
void lv_inventory_overtake (LvLink *link, const char *pool);

/* As it is stored, and without what changes while it runs where the driver makes a difference; the
 * caller frees it with free(). */
char *lv_pool_definition (virStoragePoolPtr pool);

/* After an operation: reads POOL again and tells it, or that it is gone; of its volumes those that are
 * new and the one that is called VOLUME (NULL: none), or all of them. */
void lv_inventory_refresh (LvLink *link, virConnectPtr conn, const char *pool, const char *volume);
void lv_inventory_refresh_all (LvLink *link, virConnectPtr conn, const char *pool);

/* Brackets the making of a volume: until it is made nothing is told of it. */
void lv_inventory_hide (LvLink *link, const char *pool, const char *volume, gboolean hide);
