/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this machine does with its devices itself (local.c): for a host that is this machine. */
#pragma once

#include "host.h"

/* See `host_uses` in backend.h. */
char *lv_host_uses (VirfsHost *host, const char *node);
/* The same of this machine. */
char *lv_local_use (const char *node);
