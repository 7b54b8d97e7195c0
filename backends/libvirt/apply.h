/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Networks and pools that a host is to have: what is there keeps its UUID and is defined anew, and runs as it is
 * defined then, if nothing that it serves is cut off by that.  If it does not start as it is wanted then it is put
 * back as it was.
 */
#pragma once

#include "operate.h"

gboolean lv_apply_network (LvTask *task, const VirfsDefinition *wanted, const char *text,
                           GError **error);
gboolean lv_apply_pool (LvTask *task, const VirfsDefinition *wanted, const char *text,
                        GError **error);

/* What was there before. */
typedef struct {
  char *xml; /* as it was defined, or ran if it was not; NULL: there was nothing */
  gboolean persistent, active, autostart;
} LvStood;

void lv_stood_clear (LvStood *stood);
/* ERROR says why what is WANTED does not start; this adds what there is now: nothing else, or what was there
 * before, if it could be put back.  FAILURE (taken, NULL: none): why it could not; then the log has its XML. */
void lv_stood_tell (const LvTask *task, const VirfsDefinition *wanted, const LvStood *stood,
                    GError *failure, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LvStood, lv_stood_clear)
