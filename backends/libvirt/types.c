/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of libvirt's objects, and the count of its calls. */
#include "types.h"

#include "fail.h"
#include "libvirt.h"

#include <stdlib.h>

static guint64 calls;

static void
free_error (gpointer error)
{
  virFreeError (error);
}

/* What lv_keep_error() has kept for this thread. */
static GPrivate kept = G_PRIVATE_INIT (free_error);

void
lv_begin_call (void)
{
  __atomic_add_fetch (&calls, 1, __ATOMIC_RELAXED);
  if (g_private_get (&kept) != NULL)
    g_private_replace (&kept, NULL);
}

void
lv_keep_error (void)
{
  if (virGetLastErrorCode () != VIR_ERR_OK)
    g_private_replace (&kept, virSaveLastError ());
}

const virError *
lv_last_error (void)
{
  const virError *last = virGetLastError ();

  return last != NULL && last->code != VIR_ERR_OK ? last : g_private_get (&kept);
}

guint64
virfs_libvirt_calls (void)
{
  return __atomic_load_n (&calls, __ATOMIC_RELAXED);
}

/* libvirt's functions return an int and check what they get, so they are no GDestroyNotify. */
static void
free_domain (gpointer item)
{
  virDomainFree (item);
}

static void
free_network (gpointer item)
{
  virNetworkFree (item);
}

static void
free_interface (gpointer item)
{
  virInterfaceFree (item);
}

static void
free_pool (gpointer item)
{
  virStoragePoolFree (item);
}

static void
free_snapshot (gpointer item)
{
  virDomainSnapshotFree (item);
}

static void
free_checkpoint (gpointer item)
{
  virDomainCheckpointFree (item);
}

static void
free_volume (gpointer item)
{
  virStorageVolFree (item);
}

static GPtrArray *
take (gpointer *items, int n, GDestroyNotify free_item)
{
  GPtrArray *list;

  if (n < 0)
    return NULL;
  list = g_ptr_array_new_full (n, free_item);
  for (int i = 0; i < n; i++)
    g_ptr_array_add (list, items[i]);
  free (items);
  return list;
}

GPtrArray *
lv_take_domains (virDomainPtr *items, int n)
{
  return take ((gpointer *) items, n, free_domain);
}

GPtrArray *
lv_take_networks (virNetworkPtr *items, int n)
{
  return take ((gpointer *) items, n, free_network);
}

GPtrArray *
lv_take_interfaces (virInterfacePtr *items, int n)
{
  return take ((gpointer *) items, n, free_interface);
}

GPtrArray *
lv_take_pools (virStoragePoolPtr *items, int n)
{
  return take ((gpointer *) items, n, free_pool);
}

GPtrArray *
lv_take_snapshots (virDomainSnapshotPtr *items, int n)
{
  return take ((gpointer *) items, n, free_snapshot);
}

GPtrArray *
lv_take_checkpoints (virDomainCheckpointPtr *items, int n)
{
  return take ((gpointer *) items, n, free_checkpoint);
}

GPtrArray *
lv_take_volumes (virStorageVolPtr *items, int n)
{
  return take ((gpointer *) items, n, free_volume);
}
