/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest is a clone of: another guest that is shut off, or a snapshot of one. */
#pragma once

#include "make_disk.h"

/* The definition that it begins with; BUSY if its disks are being written to.  The caller owns it. */
char *lv_making_read_source (LvMaking *making, GError **error);
/* Clones of all disks that XML, the source's definition, has. */
gboolean lv_making_clone_disks (LvMaking *making, const char *xml, GError **error);
/* The new guest's disks go back to the snapshot, if that is what it is a clone of: the last thing
 * before it is started. */
gboolean lv_making_revert (LvMaking *making, virDomainPtr domain, GError **error);
