/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest is a clone of: another guest that is shut off, or a snapshot of one. */
#pragma once

#include "make_disk.h"

/* The definition that it begins with, which the caller owns, and clones of all disks that that has.  They are
 * claimed (claim.h); BUSY if they are being written to. */
char *lv_making_clone (LvMaking *making, GError **error);
/* Ends that claim, if there is one: when it is known what is based on them. */
void lv_making_end_clone (LvMaking *making);
/* The new guest's disks go back to the snapshot, if that is what it is a clone of: the last thing
 * before it is started. */
gboolean lv_making_revert (LvMaking *making, virDomainPtr domain, GError **error);
