/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests and NICs that are cut off.  The link of an isolated NIC is down: that holds at once, in the
 * guest's definition and wherever it moves, and asks nothing of its host.  What has to be known to lift
 * it again is kept with the guest, as words with spaces between them, sorted:
 *
 *     MAC=LINK    the NIC is isolated with its guest; LINK (up or down) is what its link was before
 *     MAC=LINK+   it is isolated by itself
 *     quarantine  the guest is in quarantine: all of its NICs are isolated, and those to come
 */
#pragma once

#include "vm.h"

gboolean virfs_isolation_is_quarantine (const char *isolation);
/* Whether the NIC with that address is to be isolated; *DOWN (NULL: nobody wants to know): whether its link
 * was down before. */
gboolean virfs_isolation_has (const char *isolation, const char *mac, gboolean *down);

/* What is to be kept when the NIC of INFO with that name (NULL: the guest) is isolated or not any more; the
 * caller owns it, "" for nothing.  What of it is kept of NICs that are no more is dropped. */
char *virfs_isolation_change (const VirfsVmInfo *info, const char *nic, gboolean isolate);
/* The same when NIC, which the guest does not have yet, comes to a guest in quarantine. */
char *virfs_isolation_join (const VirfsVmInfo *info, const char *mac, gboolean down);

/* What of a text that anybody may have written makes sense; the caller owns it. */
char *virfs_isolation_salvage (const char *text);
/* Of an info that is not published yet: marks the NICs that are isolated, which are those that are to be and
 * whose link is down. */
void virfs_isolation_mark (VirfsVmInfo *info);
