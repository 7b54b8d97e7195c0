/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the log of events in a store is what was written.  Only reads, also beside a program that has
 * the store.
 */
#pragma once

#include <glib.h>

typedef struct {
  guint64 lines;
  char *from, *to; /* times of the first and the last; NULL: there is none */
  char *head;      /* `POSITION HASH`, as events/head shows it */
  char *fault;     /* a sentence; NULL: none */
} VirfsLogReport;

/* Reads the log of the store in DIRECTORY.  SAVED: what events/head said once, or the hash alone, which has
 * to be in it; NULL: nothing.  FALSE if it cannot be told: NOT_FOUND, DENIED …, INVALID for a SAVED
 * that is no such thing, AGAIN for one that is older than what is kept. */
gboolean virfs_log_verify (const char *directory, const char *saved, VirfsLogReport *report,
                           GError **error);
void virfs_log_report_clear (VirfsLogReport *report);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VirfsLogReport, virfs_log_report_clear)
