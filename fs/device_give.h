/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of the host that a guest is to have as its own, as a host device or as a NIC (device_give.c). */
#pragma once

#include "device_class.h"

/* Makes of WANTED, a copy of the draft that is not published yet, what is to be DEVICE of HOST.  INVALID:
 * it cannot be. */
typedef gboolean (*VirfsDeviceTake) (const VirfsNode *node, gpointer wanted,
                                     const VirfsNodeDeviceInfo *device, const VirfsHostInfo *host,
                                     GError **error);

/* Takes TEXT, the name of a device of the guest's host (with ` force` behind it: also if that has a use for it),
 * for the draft of NODE; CALL ends with it. */
void virfs_device_give (VirfsCall *call, const VirfsNode *node, const char *text,
                        VirfsDeviceTake take);
