/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit trail: what is done through the tree, as lines of the log of events. */
#pragma once

#include "infra.h"
#include "session.h"

/* ERROR without what of DEED must not be told; NULL for NULL.  The caller owns it. */
GError *virfs_audit_error (const VirfsDeed *deed, const GError *error);

/* DEED has been done, or has failed with ERROR, of the function above. */
void virfs_audit (VirfsInfra *infra, const VirfsDeed *deed, const GError *error);

/* Of a host or guest: what was told of it. */
gsize virfs_events_size (const VirfsNode *node);
gsize virfs_events_read (const VirfsNode *node, goffset offset, char *buffer, gsize size);
/* Whether NODE shows that; *CHANGED is when something was told last, 0: nothing yet. */
gboolean virfs_is_events (const VirfsNode *node, gint64 *changed);

/* The row of it; FIELD: the bit that tells of a change. */
#define VIRFS_EVENTS_ROW(field)                                                                    \
  {                                                                                                \
    "events", S_IFREG | 0440,                                                                      \
      .fields = field, .size = virfs_events_size, .read = virfs_events_read,                       \
      .help = "what was told of it, and done to it: its lines of events/log"                       \
  }
