/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt's types as this library likes to have them: freed where their variable ends, lists as
 * GPtrArray; and the counter that every call passes.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

/* Around every call that may reach a host; virfs_libvirt_calls() tells how many there were. */
#define LV(call) (lv_begin_call (), (call))
void lv_begin_call (void);

/* libvirt forgets its last error whenever it is called, also to free something or to be asked for a
 * name.  This keeps it for lv_fail() until the next LV(). */
void lv_keep_error (void);

/* Names, to be told by lv_fail(). */
static inline const char *
lv_domain_name (virDomainPtr domain)
{
  lv_keep_error ();
  return virDomainGetName (domain);
}

static inline const char *
lv_volume_name (virStorageVolPtr volume)
{
  lv_keep_error ();
  return virStorageVolGetName (volume);
}

/* What libvirt gives as an array of N objects of the named kind, taken; NULL if N < 0. */
GPtrArray *lv_take_domains (virDomainPtr *items, int n);
GPtrArray *lv_take_networks (virNetworkPtr *items, int n);
GPtrArray *lv_take_interfaces (virInterfacePtr *items, int n);
GPtrArray *lv_take_pools (virStoragePoolPtr *items, int n);
GPtrArray *lv_take_volumes (virStorageVolPtr *items, int n);
GPtrArray *lv_take_snapshots (virDomainSnapshotPtr *items, int n);
GPtrArray *lv_take_checkpoints (virDomainCheckpointPtr *items, int n);

/* Freed at the end of a function that may have failed. */
#define LV_DEFINE_AUTOPTR(Type, free_func)                                                         \
  static inline void lv_autofree_##Type (Type *object)                                             \
  {                                                                                                \
    lv_keep_error ();                                                                              \
    free_func (object);                                                                            \
  }                                                                                                \
  G_DEFINE_AUTOPTR_CLEANUP_FUNC (Type, lv_autofree_##Type)

LV_DEFINE_AUTOPTR (virConnect, virConnectClose)
LV_DEFINE_AUTOPTR (virDomain, virDomainFree)
LV_DEFINE_AUTOPTR (virDomainSnapshot, virDomainSnapshotFree)
LV_DEFINE_AUTOPTR (virDomainCheckpoint, virDomainCheckpointFree)
LV_DEFINE_AUTOPTR (virNetwork, virNetworkFree)
LV_DEFINE_AUTOPTR (virStoragePool, virStoragePoolFree)
LV_DEFINE_AUTOPTR (virStorageVol, virStorageVolFree)
LV_DEFINE_AUTOPTR (virStream, virStreamFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (virDomainStatsRecordPtr, virDomainStatsRecordListFree)

/* Typed parameters and how many there are. */
typedef struct {
  virTypedParameterPtr items;
  int n;
  int allocated; /* as virTypedParamsAdd*() want it */
} LvParams;

static inline void
lv_params_clear (LvParams *params)
{
  virTypedParamsFree (params->items, params->n);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LvParams, lv_params_clear)
