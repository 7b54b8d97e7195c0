/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who needs a volume that is to be deleted: a wrong answer costs somebody his disk.  What others have
 * made a moment ago the registry has not heard of, so the host is asked first.
 */
#pragma once

#include "link.h"

typedef enum {
  LV_USE_UNKNOWN, /* the registry does not know the volume, or not what all others are based on */
  LV_USE_NONE,
  LV_USE_OTHER,
} LvUse;

/* Looks at all volumes of all pools again, also for files that have come, and at the definitions of all guests; it
 * may take its time.  FALSE: not all could be looked at. */
gboolean lv_volumes_look (LvLink *link, virConnectPtr conn);

/* Who has the volume beside the guest with that UUID: *USER (the caller owns it; NULL unless OTHER) is the path
 * of another guest of the fleet, or of a volume that is based on it. */
LvUse lv_volume_use (LvLink *link, const char *uuid, virStorageVolPtr volume, char **user);
