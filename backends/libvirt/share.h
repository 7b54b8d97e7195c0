/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pools that several hosts have.  A host learns what another has changed in one only when it is told
 * to look, which is done with a poll soon: however much is changed at the same time, each looks once.
 */
#pragma once

#include "link.h"

/* The pool of that NAME was changed through LINK.  Makes no call. */
void lv_share_tell (LvLink *link, const char *name);
/* The pools of LINK are known for the first time: whatever was changed in them before, all who have
 * them look.  Makes no call. */
void lv_share_join (LvLink *link);
/* Whether LINK has still to look at the pool of that NAME. */
gboolean lv_share_is_marked (LvLink *link, const char *name);
/* For who polls: lets the host look where others have changed something. */
void lv_share_look (LvLink *link, virConnectPtr conn);
