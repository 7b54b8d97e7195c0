/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which snapshots and checkpoints a guest has.  There are no events for them.  They are read whenever the
 * guest is: their names always, all the rest if the names have changed; and when polling, of as many
 * guests at a time as is decent.
 */
#pragma once

#include "link.h"
#include "vm.h"

/* Tells in INFO, which is to be told of the guest, what has changed since KNOWN (NULL: nothing is known
 * of it). */
void lv_snapshots_read (LvLink *link, virDomainPtr domain, const VirfsVmInfo *known,
                        VirfsVmInfo *info);
/* Reads all of it again and tells it.  Returns how many there are. */
guint lv_snapshots_refresh (LvLink *link, virDomainPtr domain);

/* Whether any are known. */
gboolean lv_snapshots_known (const VirfsVmInfo *known);
/* Tells in INFO that there are none (any more). */
void lv_snapshots_tell_none (const VirfsVmInfo *known, VirfsVmInfo *info);
