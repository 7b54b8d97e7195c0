/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools that are made for a directory that is in none, for as long as an operation needs it.  Each
 * is noted before it is made, so that one that a crash has left goes when its host is connected again.
 * Their names begin with what only this process has: those of others are shown as what they are.
 */
#pragma once

#include "link.h"

/* A name for one, noted; the caller owns it.  NULL: it cannot be noted. */
char *lv_lent_name (LvLink *link, GError **error);
/* It is gone. */
void lv_lent_forget (LvLink *link, const char *name);
/* Whether that is the name of one of this process, which is nobody's business. */
gboolean lv_lent_is_own (const char *name);
/* Ends those that were left on the host; those of LINK are in use. */
void lv_lent_recover (LvLink *link, virConnectPtr conn);
