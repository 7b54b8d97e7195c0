/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no definition tells of disks and NICs: how large disks are, and which addresses NICs have.
 * It is asked for in the background, for some guests at each poll, and for a guest whose disks are
 * not known yet when that is read.
 */
#pragma once

#include "link.h"
#include "vm.h"

/* Of a guest that was read and is not told yet: takes over what is known already, and asks for disks
 * of which it is not. */
void lv_measure_new (LvLink *link, virConnectPtr conn, VirfsVmInfo *info);
/* The same from KNOWN, without asking. */
void lv_measure_keep (const VirfsVmInfo *known, VirfsVmInfo *info);

/* Asks for all disks of these guests (of virDomainPtr) and tells what has changed.  A guest that is
 * busy is left out, unless WAIT: then it is waited for. */
void lv_measure_disks (LvLink *link, GPtrArray *domains, gboolean wait);

/* What somebody has found out about the disk TARGET of DOMAIN; bytes. */
void lv_measure_tell (LvLink *link, virDomainPtr domain, const char *target, guint64 size,
                      guint64 allocation);

/* The addresses of all NICs, as far as the networks' leases tell; of the others, of some guests: CURSOR
 * goes round.  Guests' agents are asked, so CONN must be shared with nobody. */
void lv_measure_addresses (LvLink *link, virConnectPtr conn, guint *cursor);
