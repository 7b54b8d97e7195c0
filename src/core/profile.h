/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The profile of a host: all that defines it, as definitions: its persistent pools, networks and guests, its filters, and
 * its secrets without their values.  It is kept, and follows the host for as long as that is up: what
 * somebody removes there is in it no more.
 *
 * A host comes back empty if it comes up, after it was away or at the start of the program, and has none of the guests,
 * pools, networks and secrets of its profile; filters and the network `default`, which libvirt brings along,
 * do not count.  Then its profile stays as it was until all of it is there again, or somebody says that it is to
 * be empty; and it can be given back.
 */
#pragma once

#include "infra.h"

/* What HOST is to be given back: of VirfsDefinition*, in an order in which it can be; the caller owns it.  TEXT: all, or
 * KIND/NAME of one.  NULL: NOT_FOUND. */
GPtrArray *virfs_profile_missing (VirfsHost *host, const char *text, GError **error);
/* Where else than on HOST the fleet has that guest, which is not to be given back then; the caller owns the
 * reference, NULL: nowhere. */
VirfsHost *virfs_profile_elsewhere (VirfsHost *host, const char *uuid);
/* What has come back empty is to be empty. */
void virfs_profile_accept (VirfsHost *host);
