/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking what is known of an object at one moment, without holding the registry meanwhile. */
#pragma once

#include "alarms_private.h"

/* An object, with references to all that is known of it. */
typedef struct {
  VirfsSubject subject;
  guint64 id;
  guint64 host; /* number of it */
  char *path;
  const char *tags;
  VirfsObject *object;
  VirfsVmInfo *vm;
  VirfsHostInfo *host_info;
  VirfsPartInfo *pool;
  VirfsSample *sample;
} VirfsSeen;

/* FALSE if it is not there (any more), or is nothing that rules are about.  SEEN is to be cleared. */
gboolean virfs_alarms_see (VirfsAlarms *self, guint64 id, const VirfsMoment *now, VirfsSeen *seen);
/* With its sample, if there is one; and after that with the one before. */
void virfs_alarms_see_sample (VirfsAlarms *self, VirfsSeen *seen);
void virfs_alarms_see_growth (VirfsAlarms *self, VirfsSeen *seen);
/* What it is known by for ever; the caller owns it. */
char *virfs_seen_key (const VirfsSeen *seen);
void virfs_seen_clear (VirfsSeen *seen);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (VirfsSeen, virfs_seen_clear)
