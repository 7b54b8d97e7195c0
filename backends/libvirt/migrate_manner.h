/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a guest that runs is migrated: its options and its host's (migration.h), in libvirt's words. */
#pragma once

#include "migration.h"
#include "plan.h"

typedef struct {
  LvTask *task; /* borrowed */
  VirfsMigrationPlan plan;
  /* the watch's: what holds now */
  guint64 bandwidth, downtime;
  gboolean told;      /* to go on in post-copy, while it ran */
  gboolean post_copy; /* has begun */
} LvManner;

void lv_manner_init (LvManner *manner, LvTask *task);
/* UNSUPPORTED: the options contradict each other, or cannot be had with what PLAN copies; INVALID: the
 * hosts cannot reach each other. */
gboolean lv_manner_check (const LvManner *manner, const LvPlan *plan, GError **error);
/* FLAGS as the options want them, and parameters. */
guint lv_manner_flags (const LvManner *manner, guint flags);
void lv_manner_add_params (const LvManner *manner, LvParams *params);
/* Whether somebody has chosen a way, so that no other will do. */
gboolean lv_manner_is_chosen (const LvManner *manner);
/* In place of lv_manner_prepare(): it is in post-copy already. */
void lv_manner_go_on (LvManner *manner);
/* Before it begins, and as a LvWatchLook while it is under way: what can be changed then is as the options say
 * now.  DATA is the LvManner. */
void lv_manner_prepare (LvManner *manner, virDomainPtr domain);
void lv_manner_follow (virDomainPtr domain, const LvParams *job, gpointer data);
