/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lanes of a host's agents: one a guest.  What somebody wants of an agent waits there for what was wanted of the
 * same one before, and for nothing else; so at most one call of an agent is under way.  When nobody wants more it
 * is asked what it has to say, if that is due.
 *
 * A call of an agent that hangs takes a thread here and one of libvirtd's some seconds, and libvirtd has few
 * (max_workers).  So there are at most LV_AGENT_CALLS at once, and an agent that has not answered is known to be
 * silent: what is wanted of it is refused until it is time to try again, and few are tried at once.
 *
 * Knows nothing of libvirt: what a call does is a function's, which tells how it went by lv_lanes_note().
 */
#pragma once

#include <glib.h>

/* Calls of a host's agents at once. */
#define LV_AGENT_CALLS 12
/* Of them: what agents have to say, when nobody waits for it. */
#define LV_AGENT_ASKERS 4
/* Of them: agents that did not answer before; and those that nobody waits for. */
#define LV_AGENT_TRIES         4
#define LV_AGENT_SILENT_ASKERS 2
/* That may wait for an agent. */
#define LV_AGENT_WAITING 16

/* OWNER is whoever has the lanes; threads keep it alive. */
typedef struct {
  gpointer (*ref) (gpointer owner);
  void (*unref) (gpointer owner);
  /* Both take the ITEM: does what is wanted, or ends it with ERROR (taken). */
  void (*run) (gpointer item, gpointer owner);
  void (*refuse) (gpointer item, GError *error);
  /* Asks the agent what it has to say. */
  void (*ask) (gpointer owner, const char *uuid);
} LvLanesFuncs;

typedef struct LvLanes LvLanes;

LvLanes *lv_lanes_new (const LvLanesFuncs *funcs, gpointer owner);
/* What waits is ended with HOST_DOWN; nothing more is taken. */
void lv_lanes_close (LvLanes *lanes);
void lv_lanes_free (LvLanes *lanes);

/* ITEM (taken) is to be run for the guest, whose NAME is for errors: AGAIN if its agent is silent, BUSY if too
 * many wait.  GOES_ON: it was begun before, and waits however many do. */
void lv_lanes_submit (LvLanes *lanes, const char *uuid, const char *name, gboolean goes_on,
                      gpointer item);
/* The agent is to be asked soon; lv_lanes_due(): if that was AGE microseconds ago or more.  A silent one: when it is time
 * to try it, unless AGE is G_MAXINT64: then none is asked but those that never were. */
void lv_lanes_ask (LvLanes *lanes, const char *uuid);
void lv_lanes_due (LvLanes *lanes, const char *uuid, gint64 age);
/* It has begun anew: nothing is known against it. */
void lv_lanes_forgive (LvLanes *lanes, const char *uuid);

/* Whether it has answered. */
void lv_lanes_note (LvLanes *lanes, const char *uuid, gboolean answered);
/* How often it has not since it last did. */
guint lv_lanes_failures (LvLanes *lanes, const char *uuid);
/* Of guests but UUIDS (a set), which are no more here, nothing is known unless they are called or to be. */
void lv_lanes_forget_others (LvLanes *lanes, GHashTable *uuids);
