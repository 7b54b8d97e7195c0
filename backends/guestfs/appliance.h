/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One appliance: a queue of questions to its helper, and the thread that asks them.  The helper is
 * started for the first of them, ended when it has not been used for a while, and started again for the
 * next.  If it goes away all that is queued fails; also then the next question starts it again, but
 * not any number of times.
 */
#pragma once

#include "files.h"
#include "wire.h"

typedef struct VirfsAppliance VirfsAppliance;

/* In the thread of the appliance, without a lock; must not wait.  ERROR: an errno.  ANSWER (NULL with an
 * error) is a part of it; MORE: and not the last. */
typedef void (*VirfsApplianceAnswer) (int error, GByteArray *answer, gboolean more, gpointer data);
/* In its thread, too, whenever it has been started, or could not be: see VirfsFilesOpened. */
typedef void (*VirfsApplianceUp) (const GError *error, GPtrArray *notes, gpointer data);

/* DISKS (VirfsFilesDisk*) are copied. */
VirfsAppliance *virfs_appliance_new (GPtrArray *disks, VirfsApplianceUp up, gpointer data);
/* Asks.  PAYLOAD is taken.  What is URGENT comes before what is not.  FALSE: it has been stopped, and
 * ANSWER is not called. */
gboolean virfs_appliance_ask (VirfsAppliance *appliance, VirfsWireRequest kind, GByteArray *payload,
                              gboolean urgent, VirfsApplianceAnswer answer, gpointer data);
/* Ends it; all that is queued or asked later fails.  STOPPED is called once, in its thread, when nothing of
 * it is left; afterwards none of its functions may be called but the next. */
void virfs_appliance_stop (VirfsAppliance *appliance, VirfsFilesStopped stopped, gpointer data);
/* When it has stopped. */
void virfs_appliance_free (VirfsAppliance *appliance);
/* The process of its helper, 0 if there is none now. */
int virfs_appliance_pid (VirfsAppliance *appliance);

/* appliance_start.c */

void virfs_appliance_init (const char *helper, guint idle_seconds);
guint virfs_appliance_idle (void);
typedef struct VirfsHelperProcess VirfsHelperProcess;
/* Is told each process that is tried, so that it can be interrupted, and NULL before that is ended; FALSE:
 * nothing more is to be tried. */
typedef gboolean (*VirfsApplianceStarted) (VirfsHelperProcess *process, gpointer data);
/* A helper whose appliance has mounted DISKS; NOTES (char *) are added to. */
VirfsHelperProcess *virfs_appliance_start (GPtrArray *disks, GPtrArray *notes,
                                           VirfsApplianceStarted started, gpointer data,
                                           GError **error);
