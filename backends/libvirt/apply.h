/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks and pools that a host is to have: what is there keeps its UUID and is defined anew, and runs as it is
 * defined then, if nothing that it serves is cut off by that.  If it does not start as it is wanted then it is put
 * back as it was.
 */
#pragma once

#include "operate.h"

/* One of the two kinds: libvirt's functions for it, with what they return, and what is peculiar to it. */
typedef struct {
  const char *word;
  gpointer (*look_up) (virConnectPtr conn, const char *name);
  gpointer (*define) (virConnectPtr conn, const char *xml);
  gpointer (*create) (virConnectPtr conn, const char *xml); /* one that is not defined */
  void (*free) (gpointer object);
  int (*get_uuid) (gpointer object, char *uuid);
  char *(*describe) (gpointer object, gboolean stored); /* to be freed with free() */
  int (*is_persistent) (gpointer object);
  int (*is_active) (gpointer object);
  int (*get_autostart) (gpointer object, int *autostart);
  int (*set_autostart) (gpointer object, int autostart);
  int (*start) (gpointer object);
  int (*stop) (gpointer object);
  int (*undefine) (gpointer object);

  /* Whether one that runs as LIVE says may be removed.  NULL: they all may. */
  gboolean (*check_unused) (const char *live, const VirfsDefinition *wanted, GError **error);
  /* Brings one that runs nearer to XML, as far as it can be without a stop.  NULL: nothing can. */
  void (*update) (gpointer object, const char *xml);
  /* Whether one that runs as LIVE says may be stopped and started as WANTED; ERROR tells how it gets there. */
  gboolean (*check_restart) (const char *live, const VirfsDefinition *wanted, GError **error);
} LvDefinable;

/* Those that are called alike: TYPE as in virNetwork, KIND as in network. */
#define LV_DEFINABLE_FUNCTIONS(Type, kind)                                                         \
  static gpointer kind##_look_up (virConnectPtr conn, const char *name)                            \
  {                                                                                                \
    return LV (Type##LookupByName (conn, name));                                                   \
  }                                                                                                \
  static void kind##_free (gpointer object)                                                        \
  {                                                                                                \
    Type##Free (object);                                                                           \
  }                                                                                                \
  static int kind##_get_uuid (gpointer object, char *uuid)                                         \
  {                                                                                                \
    return LV (Type##GetUUIDString (object, uuid));                                                \
  }                                                                                                \
  static int kind##_is_persistent (gpointer object)                                                \
  {                                                                                                \
    return LV (Type##IsPersistent (object));                                                       \
  }                                                                                                \
  static int kind##_is_active (gpointer object)                                                    \
  {                                                                                                \
    return LV (Type##IsActive (object));                                                           \
  }                                                                                                \
  static int kind##_get_autostart (gpointer object, int *autostart)                                \
  {                                                                                                \
    return LV (Type##GetAutostart (object, autostart));                                            \
  }                                                                                                \
  static int kind##_set_autostart (gpointer object, int autostart)                                 \
  {                                                                                                \
    return LV (Type##SetAutostart (object, autostart));                                            \
  }                                                                                                \
  static int kind##_stop (gpointer object)                                                         \
  {                                                                                                \
    return LV (Type##Destroy (object));                                                            \
  }                                                                                                \
  static int kind##_undefine (gpointer object)                                                     \
  {                                                                                                \
    return LV (Type##Undefine (object));                                                           \
  }

#define LV_DEFINABLE_MEMBERS(kind)                                                                 \
  .word = #kind, .look_up = kind##_look_up, .define = kind##_define, .create = kind##_create,      \
  .free = kind##_free, .get_uuid = kind##_get_uuid, .describe = kind##_describe,                   \
  .is_persistent = kind##_is_persistent, .is_active = kind##_is_active,                            \
  .get_autostart = kind##_get_autostart, .set_autostart = kind##_set_autostart,                    \
  .start = kind##_start, .stop = kind##_stop, .undefine = kind##_undefine

extern const LvDefinable lv_definable_network, lv_definable_pool;

/* Brings the host to what is WANTED, of which TEXT is the XML. */
gboolean lv_apply_definable (const LvDefinable *kind, LvTask *task, const VirfsDefinition *wanted,
                             const char *text, GError **error);
