/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying files byte by byte, from host to host or on one of them, through us. */
#pragma once

#include "plan.h"

/* Copies each of COPIES (of LvCopy*) into a new volume. */
gboolean lv_copy_files (LvTask *task, GPtrArray *copies, GError **error);
/* Copies what is in one volume (called WHAT in messages) into another, which must be empty.  TOTAL bytes are to be copied until
 * the task is done, *DONE of them were; CANCELLED. */
gboolean lv_copy_volume (LvTask *task, const char *what, virStorageVolPtr from, virStorageVolPtr to,
                         guint64 *done, guint64 total, GError **error);
