/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate: all that this library tells the registry passes here.  It closes with the host, and
 * then nothing passes any more, however late the call returns that somebody waited for.
 *
 * Several threads read the same guest at times, and who is slower must not overwrite what is newer.
 * So a reading draws a ticket before it asks, and is refused if a later one was told meanwhile;
 * then the guest has to be read again.
 */
#pragma once

#include "infra.h"
#include "job.h"
#include "link.h"

/* The host, as long as the gate is open, which it stays until lv_gate_leave().  NULL if it is not:
 * then there is nothing to leave. */
VirfsHost *lv_gate_enter (LvConnection *connection);
void lv_gate_leave (LvConnection *connection);

/* Brackets a reading; returns its ticket. */
guint64 lv_gate_begin_reading (LvLink *link);
void lv_gate_end_reading (LvLink *link);

/* What was read of one guest: INFO (taken), or NULL if it is gone.  FALSE: read it again. */
gboolean lv_gate_tell_vm (LvLink *link, guint64 ticket, const char *uuid, VirfsVmInfo *info);
/* Changes some of what is known, unless (FALSE) something later was told. */
gboolean lv_gate_edit_vm (LvLink *link, guint64 ticket, const char *uuid, VirfsVmEdit edit,
                          gpointer data);
/* The same for what an event says.  It may be older than what was read lately, by somebody who has
 * changed the guest again since; then it is left to the reading that every event leads to. */
void lv_gate_hint_vm (LvLink *link, const char *uuid, VirfsVmEdit edit, gpointer data);
/* What is known of a guest on this host; the caller owns the reference, NULL for nothing. */
VirfsVmInfo *lv_gate_known_vm (LvLink *link, const char *uuid);
/* A copy of what is known of the host; the caller owns it.  NULL if it is closed. */
VirfsHostInfo *lv_gate_copy_host (LvConnection *connection);
/* Changes some of what is known of the host, if LINK (NULL: whatever) is the one that others use.
 * FAILURE: see virfs_infra_update_host(). */
typedef void (*LvHostEdit) (VirfsHostInfo *info, gpointer data);
void lv_gate_edit_host (LvConnection *connection, LvLink *link, LvHostEdit edit, gpointer data,
                        const GError *failure);

/* All guests of the host (taken). */
void lv_gate_tell_all (LvLink *link, GPtrArray *infos);
/* A line for the log of events about the guest, or if UUID is NULL the host. */
void lv_gate_tell_event (LvLink *link, const char *uuid, const char *kind, const char *details);
/* The same of what was at PATH, which may be gone. */
void lv_gate_tell_event_at (LvLink *link, const char *path, const char *kind, const char *details);

/* A failure that nobody waits for, in the guest's own `error` and in the log. */
void lv_gate_report (LvLink *link, const char *uuid, const GError *error);

/* When a guest came into being that is seen first at BORN: one that the fleet has did before. */
gint64 lv_gate_created (LvLink *link, const char *uuid, gint64 born);
/* Brackets a move from host to host. */
void lv_gate_move (LvLink *from, LvLink *to, VirfsVm *vm, gboolean begin);

/* Jobs; see job.h.  Who waits for a job is called inside the gate and must not close the host. */
gboolean lv_gate_start_job (LvConnection *connection, VirfsJob *job);
void lv_gate_set_cancel (LvConnection *connection, VirfsJob *job, VirfsJobCancel cancel);
void lv_gate_progress_job (LvConnection *connection, VirfsJob *job, guint64 done, guint64 total);
void lv_gate_finish_job (LvConnection *connection, VirfsJob *job, GError *error);
