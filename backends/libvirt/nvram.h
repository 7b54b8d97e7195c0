/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file in which a guest's firmware keeps its settings. */
#pragma once

#include "blob.h"
#include "seat.h"

/* Reads that of the guest whose definition is XML; the caller owns *BLOB, which is NULL where
 * there is none. */
gboolean lv_nvram_read (LvSeat *seat, const char *xml, VirfsBlob **blob, GError **error);
