/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Copying files from host to host, through us. */
#pragma once

#include "plan.h"

/* Copies each of COPIES (of LvCopy*) into a new volume. */
gboolean lv_copy_files (LvTask *task, GPtrArray *copies, GError **error);
